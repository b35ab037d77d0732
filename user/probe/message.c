// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/message.h"

#include <errno.h>
#include <string.h>

#include "probe/sentence.h"
#include "util/duration.h"

/* What the probe asked for. */
static void add_request(struct sentence *s, const struct plan *plan)
{
	switch (plan->protocol) {
	case PROTO_HTTP:
	case PROTO_HTTPS:
		sentence_add(s, "GET ");
		sentence_path(s, plan->path);
		sentence_add(s, " (Host: ");
		sentence_shown(s, plan->host);
		sentence_add(s, ")");
		break;
	case PROTO_GRPC:
		sentence_add(s, "the gRPC health check");
		if (plan->path[0] && plan->path[1]) {
			sentence_add(s, " of service '");
			sentence_shown(s, plan->path + 1);
			sentence_add(s, "'");
		}
		break;
	case PROTO_UDP:
		sentence_add(s, "the datagram");
		break;
	case PROTO_TCP:
	case PROTO_TLS:
		sentence_add(s, "the probe");
		break;
	}
}

static void add_answered(struct sentence *s, const struct plan *plan)
{
	sentence_endpoint(s, plan);
	sentence_add(s, " answered ");
	add_request(s, plan);
}

static void add_statuses(struct sentence *s, const struct probe_match *match)
{
	for (uint32_t i = 0; i < match->n_status; i++) {
		const struct status_range *range = &match->status[i];

		sentence_add(s, i ? ",%u" : "%u", range->low);
		if (range->high != range->low)
			sentence_add(s, "-%u", range->high);
	}
}

static void add_icmp(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	bool v4 = addr_is_v4(&plan->addr);

	sentence_add(s, "ICMP%s type %u code %u (%s)", v4 ? "" : "v6", v->icmp_type, v->icmp_code,
		     words_icmp(v4, v->icmp_type, v->icmp_code));
}

/* --- one function per row --------------------------------------------------------------------- */

static void say_ok(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	char buf[DURATION_LEN];
	const char *elapsed = v->elapsed_ms ? duration_human(buf, v->elapsed_ms) : "under 1ms";

	switch (plan->protocol) {
	case PROTO_TCP:
		sentence_endpoint(s, plan);
		sentence_add(s, " accepted a TCP connection in %s", elapsed);
		break;
	case PROTO_TLS:
		sentence_endpoint(s, plan);
		sentence_add(s, " completed a TLS handshake in %s", elapsed);
		break;
	case PROTO_UDP:
		sentence_endpoint(s, plan);
		sentence_add(s,
			     v->timing.first_byte_us ? " answered the datagram in %s"
						     : " took the datagram without an error in %s",
			     elapsed);
		break;
	case PROTO_GRPC:
		add_answered(s, plan);
		sentence_add(s, " with SERVING in %s", elapsed);
		break;
	case PROTO_HTTP:
	case PROTO_HTTPS:
		add_answered(s, plan);
		sentence_add(s, " with status %u in %s", v->http_status, elapsed);
		break;
	}
	sentence_session(s, v);
	sentence_add(s, ".");
}

/* What had not come when time ran out. */
static const char *missing_at(enum stage stage)
{
	switch (stage) {
	case STAGE_REQUEST:
		return "it did not take the request";
	case STAGE_HEADER:
		return "the header of its answer did not arrive";
	case STAGE_BODY:
		return "the body of its answer did not arrive as far as it was needed";
	default:
		return "it was not done";
	}
}

static void say_timeout(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	char elapsed[DURATION_LEN], timeout[DURATION_LEN];

	duration_human(elapsed, v->elapsed_ms);
	duration_format(timeout, plan->timeout_ms);
	sentence_endpoint(s, plan);
	if (plan->protocol == PROTO_UDP) {
		sentence_add(s, " gave no answer to the datagram within %s (timeout %s", elapsed,
			     timeout);
	} else {
		sentence_add(s, " accepted the connection, but gave no complete answer to ");
		add_request(s, plan);
		sentence_add(s, " in time: %s within %s (timeout %s", missing_at(v->stage), elapsed,
			     timeout);
	}
	sentence_add(s, ", stage %s)", stage_name(v->stage));
	sentence_detail(s, v);
	sentence_add(s, ".");
}

static void say_unresolved(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	sentence_add(s, plan->backend ? "The name " : "The name of the backend at ");
	sentence_backend(s, plan);
	sentence_add(s, " cannot be resolved, and no address of it was ever known");
	sentence_detail(s, v);
	sentence_add(s, ".");
}

static void say_flushed(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	sentence_add(s, "The addresses of ");
	sentence_backend(s, plan);
	sentence_add(s, " are not known any more: the configuration was put in force while DNS "
			"gave no answer");
	sentence_detail(s, v);
	sentence_add(s, ".");
}

static const struct errno_word {
	int os_errno;
	const char *text; /* ends "TCP connection to ADDRESS " */
} connect_words[] = {
	{ ECONNREFUSED,
	  "was refused (RST): nothing listens on that port, or a firewall rejects it" },
	{ ECONNRESET, "was reset during the handshake" },
	{ EHOSTUNREACH, "failed: no route to the host, or it does not answer on its network" },
	{ ENETUNREACH, "failed: no route to its network" },
	{ EINVAL, "failed: a route of this host (blackhole) drops the packets" },
};

static void add_connect_failure(struct sentence *s, const struct verdict *v)
{
	char buf[DURATION_LEN];

	if (v->os_errno == ETIMEDOUT) {
		sentence_add(s,
			     "got no answer within %s: the host is down, or a filter drops the "
			     "packets",
			     duration_human(buf, v->elapsed_ms));
		return;
	}
	for (size_t i = 0; i < sizeof(connect_words) / sizeof(connect_words[0]); i++) {
		if (connect_words[i].os_errno == v->os_errno) {
			sentence_add(s, "%s", connect_words[i].text);
			return;
		}
	}
	sentence_add(s, "failed: %s", words_errno(v->os_errno));
}

static void say_connect_failed(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	sentence_add(s, "TCP connection to ");
	sentence_endpoint(s, plan);
	sentence_add(s, " ");
	if (v->has_icmp) {
		sentence_add(s, "was declared impossible by ");
		add_icmp(s, plan, v);
	} else {
		add_connect_failure(s, v);
	}
	sentence_add(s, ".");
}

static void say_status(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	add_answered(s, plan);
	sentence_add(s, " with status %u; expected ", v->http_status);
	if (plan->protocol == PROTO_GRPC) {
		sentence_add(s, "200, as with every gRPC answer.");
		return;
	}
	sentence_add(s, "%s", plan->match->n_status > 1 ? "one of " : "");
	add_statuses(s, plan->match);
	sentence_add(s, ".");
}

static void say_body(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	add_answered(s, plan);
	sentence_add(s, " with status %u, but without the text '", v->http_status);
	sentence_shown(s, plan->match->body ?: "");
	sentence_add(s, "' in the body");
	sentence_detail(s, v);
	sentence_add(s, ".");
}

static void say_malformed(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	bool grpc = plan->protocol == PROTO_GRPC;

	add_answered(s, plan);
	sentence_add(s, " with something that is not legal %s", grpc ? "gRPC" : "HTTP");
	sentence_detail(s, v);
	sentence_add(s, ".");
}

static void say_closed(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	sentence_endpoint(s, plan);
	sentence_add(s, v->os_errno == ECONNRESET ? " reset the connection"
						  : " closed the connection");
	if (v->os_errno && v->os_errno != ECONNRESET)
		sentence_add(s, " with an error (%s)", words_errno(v->os_errno));
	sentence_add(s, " before it had answered ");
	add_request(s, plan);
	sentence_detail(s, v);
	sentence_add(s, ".");
}

static void say_local(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	sentence_add(s, "This host could not probe ");
	sentence_backend(s, plan);
	sentence_add(s, ": %s", words_errno(v->os_errno));
	sentence_detail(s, v);
	sentence_add(s, ".");
}

static void say_not_serving(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	add_answered(s, plan);
	sentence_add(s, ", but not with SERVING");
	if (v->detail[0])
		sentence_detail(s, v);
	else
		sentence_add(s, " (status %u)", v->grpc_status);
	sentence_add(s, ".");
}

static void say_udp_unreachable(struct sentence *s, const struct plan *plan,
				const struct verdict *v)
{
	sentence_add(s, "The datagram to ");
	sentence_endpoint(s, plan);
	sentence_add(s, " could not be delivered: ");
	if (v->has_icmp)
		add_icmp(s, plan, v);
	else
		sentence_add(s, "%s", words_errno(v->os_errno));
	sentence_detail(s, v);
	sentence_add(s, ".");
}

static void say_udp_mismatch(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	add_answered(s, plan);
	sentence_add(s, ", but without the text '");
	sentence_shown(s, plan->match->body ?: "");
	sentence_add(s, "'");
	sentence_detail(s, v);
	sentence_add(s, ".");
}

/* Rows that say nothing of the endpoint and have only a detail to show. */
static void say_nothing_of(struct sentence *s, const char *start, const struct plan *plan,
			   const struct verdict *v)
{
	sentence_add(s, "%s ", start);
	sentence_backend(s, plan);
	sentence_detail(s, v);
	sentence_add(s, ".");
}

static void say_pending(struct sentence *s, const struct plan *plan)
{
	sentence_add(s, "No probe of ");
	sentence_backend(s, plan);
	sentence_add(s, " has ended yet.");
}

/* No default: the compiler holds the list to SL_MESSAGES. Returns whether the code is one of it. */
static bool say(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	switch (v->code) {
	case SL_MSG_OK:
		say_ok(s, plan, v);
		return true;
	case SL_MSG_BACKEND_TIMEOUT:
		say_timeout(s, plan, v);
		return true;
	case SL_MSG_DNS_RESOLUTION_FAILED:
		say_unresolved(s, plan, v);
		return true;
	case SL_MSG_TCP_CONNECT_FAILED:
		say_connect_failed(s, plan, v);
		return true;
	case SL_MSG_HTTP_STATUS_MISMATCH:
		say_status(s, plan, v);
		return true;
	case SL_MSG_HTTP_BODY_MISMATCH:
		say_body(s, plan, v);
		return true;
	case SL_MSG_CERT_NAME_MISMATCH:
	case SL_MSG_CERT_DATE_INVALID:
	case SL_MSG_CERT_INTERMEDIATE_MISSING:
	case SL_MSG_CERT_LEAF_MISSING:
	case SL_MSG_CERT_SERVER_NOT_WELL_KNOWN_CA:
	case SL_MSG_CERT_INTERMEDIATE_NOT_WELL_KNOWN_CA:
	case SL_MSG_CERT_ROOT_MISMATCH_ROOT_ABSENT:
	case SL_MSG_CERT_ROOT_MISMATCH_ROOT_PRESENT:
	case SL_MSG_CERT_LEAF_NOT_TOPMOST:
	case SL_MSG_CERT_VERIFY_FAILED:
	case SL_MSG_CERT_NOT_ALLOW_LISTED:
		sentence_certificate(s, plan, v);
		return true;
	case SL_MSG_UNKNOWN_DNS_CACHE_FLUSHED:
		say_flushed(s, plan, v);
		return true;
	case SL_MSG_UNKNOWN_CONTROL_BLOCKED:
		say_nothing_of(s, "The way on which health is reported is interrupted for", plan,
			       v);
		return true;
	case SL_MSG_UNKNOWN_CRL_UNREACHABLE:
		sentence_revocation(s, plan, v);
		return true;
	case SL_MSG_UNKNOWN_GATEWAY_UNHEALTHY:
		say_nothing_of(s, "The gateway itself is not well and says nothing about", plan, v);
		return true;
	case SL_MSG_TLS_HANDSHAKE_FAILED:
		sentence_handshake(s, plan, v);
		return true;
	case SL_MSG_HTTP_MALFORMED:
		say_malformed(s, plan, v);
		return true;
	case SL_MSG_CONN_CLOSED_EARLY:
		say_closed(s, plan, v);
		return true;
	case SL_MSG_PROBER_OVERLOADED:
		say_nothing_of(s, "The prober is overloaded and says nothing about", plan, v);
		return true;
	case SL_MSG_LOCAL_RESOURCE:
		say_local(s, plan, v);
		return true;
	case SL_MSG_PROBE_PENDING:
		say_pending(s, plan);
		return true;
	case SL_MSG_GRPC_NOT_SERVING:
		say_not_serving(s, plan, v);
		return true;
	case SL_MSG_UDP_UNREACHABLE:
		say_udp_unreachable(s, plan, v);
		return true;
	case SL_MSG_UDP_ANSWER_MISMATCH:
		say_udp_mismatch(s, plan, v);
		return true;
	}
	return false;
}

const char *message_format(char buf[MESSAGE_LEN], const struct plan *plan,
			   const struct verdict *verdict)
{
	struct sentence s = { .buf = buf };

	buf[0] = '\0';
	/* A number that a later version adopted from an earlier one, or the other way round. */
	if (!say(&s, plan, verdict))
		sentence_add(&s, "Verdict %d, which this version does not know.",
			     (int)verdict->code);
	return buf;
}
