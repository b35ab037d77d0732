// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/message.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/duration.h"

/* What of a host, path or looked-for text is shown. */
#define SHOWN_LEN 80

/* Text that grows to MESSAGE_LEN and is cut there. */
struct text {
	char *buf;
	size_t len;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *fmt, ...)
{
	size_t room = MESSAGE_LEN - t->len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->buf + t->len, room, fmt, args);
	va_end(args);
	if (n > 0)
		t->len += (size_t)n < room ? (size_t)n : room - 1;
}

/* Text from outside: at most SHOWN_LEN bytes, and what is not printable ASCII as '?'. */
static void add_foreign(struct text *t, const char *text)
{
	size_t len = strnlen(text, SHOWN_LEN + 1);
	bool cut = len > SHOWN_LEN;

	if (cut)
		len = SHOWN_LEN;
	for (size_t i = 0; i < len; i++)
		add(t, "%c",
		    isascii((unsigned char)text[i]) && isprint((unsigned char)text[i]) ? text[i]
										       : '?');
	if (cut)
		add(t, "...");
}

static void add_detail(struct text *t, const struct verdict *v)
{
	if (!v->detail[0])
		return;
	add(t, " (");
	add_foreign(t, v->detail);
	add(t, ")");
}

static void add_endpoint(struct text *t, const struct plan *plan)
{
	char buf[SL_TEXT_LEN];

	add(t, "%s", addr_port_format(buf, &plan->addr, plan->port));
}

static void add_request(struct text *t, const struct plan *plan)
{
	add(t, "GET ");
	add_foreign(t, plan->path);
	add(t, " (Host: ");
	add_foreign(t, plan->host);
	add(t, ")");
}

static void add_statuses(struct text *t, const struct probe_match *match)
{
	for (uint32_t i = 0; i < match->n_status; i++) {
		const struct status_range *range = &match->status[i];

		add(t, i ? ",%u" : "%u", range->low);
		if (range->high != range->low)
			add(t, "-%u", range->high);
	}
}

/* --- ICMP and errno in words ------------------------------------------------------------------ */

static const struct icmp_word {
	bool v4;
	uint8_t type;
	int code; /* -1: any */
	const char *text;
} icmp_words[] = {
	{ true, ICMP_DEST_UNREACH, ICMP_NET_UNREACH, "network unreachable" },
	{ true, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, "host unreachable" },
	{ true, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, "protocol unreachable" },
	{ true, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, "port unreachable" },
	{ true, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, "fragmentation needed" },
	{ true, ICMP_DEST_UNREACH, ICMP_NET_ANO, "network administratively prohibited" },
	{ true, ICMP_DEST_UNREACH, ICMP_HOST_ANO, "host administratively prohibited" },
	{ true, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED, "administratively prohibited" },
	{ true, ICMP_DEST_UNREACH, -1, "destination unreachable" },
	{ true, ICMP_TIME_EXCEEDED, -1, "time to live exceeded, a routing loop?" },
	{ true, ICMP_PARAMETERPROB, -1, "parameter problem" },
	{ false, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE, "no route" },
	{ false, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADMIN, "administratively prohibited" },
	{ false, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR, "address unreachable" },
	{ false, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, "port unreachable" },
	{ false, ICMP6_DST_UNREACH, -1, "destination unreachable" },
	{ false, ICMP6_PACKET_TOO_BIG, -1, "packet too big" },
	{ false, ICMP6_TIME_EXCEEDED, -1, "hop limit exceeded, a routing loop?" },
	{ false, ICMP6_PARAM_PROB, -1, "parameter problem" },
};

static const char *icmp_text(bool v4, uint8_t type, uint8_t code)
{
	for (size_t i = 0; i < sizeof(icmp_words) / sizeof(icmp_words[0]); i++) {
		const struct icmp_word *word = &icmp_words[i];

		if (word->v4 == v4 && word->type == type && (word->code < 0 || word->code == code))
			return word->text;
	}
	return "unknown type";
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
};

static void add_connect_failure(struct text *t, const struct verdict *v)
{
	char buf[DURATION_LEN];

	if (v->os_errno == ETIMEDOUT) {
		add(t, "got no answer within %s: the host is down, or a filter drops the packets",
		    duration_human(buf, v->elapsed_ms));
		return;
	}
	for (size_t i = 0; i < sizeof(connect_words) / sizeof(connect_words[0]); i++) {
		if (connect_words[i].os_errno == v->os_errno) {
			add(t, "%s", connect_words[i].text);
			return;
		}
	}
	add(t, "failed: %s", strerrordesc_np(v->os_errno) ?: "unknown error");
}

/* --- one function per row --------------------------------------------------------------------- */

static void say_ok(struct text *t, const struct plan *plan, const struct verdict *v)
{
	char buf[DURATION_LEN];

	add_endpoint(t, plan);
	if (plan->protocol == PROTO_TCP) {
		add(t, " accepted a TCP connection in %s.", duration_human(buf, v->elapsed_ms));
		return;
	}
	add(t, " answered ");
	add_request(t, plan);
	add(t, " with status %u in %s.", v->http_status, duration_human(buf, v->elapsed_ms));
}

static void say_timeout(struct text *t, const struct plan *plan, const struct verdict *v)
{
	static const char *const missing[] = {
		[STAGE_REQUEST] = "it did not take the request",
		[STAGE_HEADER] = "the header of its answer did not arrive",
		[STAGE_BODY] = "the body of its answer did not arrive as far as it was needed",
	};
	const char *what =
		v->stage < sizeof(missing) / sizeof(missing[0]) ? missing[v->stage] : NULL;
	char elapsed[DURATION_LEN], timeout[DURATION_LEN];

	add_endpoint(t, plan);
	add(t, " accepted the connection, but gave no complete answer to ");
	add_request(t, plan);
	add(t, " in time: %s within %s (timeout %s, stage %s).", what ?: "it was not done",
	    duration_human(elapsed, v->elapsed_ms), duration_format(timeout, plan->timeout_ms),
	    stage_name(v->stage));
}

static void say_connect_failed(struct text *t, const struct plan *plan, const struct verdict *v)
{
	add(t, "TCP connection to ");
	add_endpoint(t, plan);
	add(t, " ");
	if (v->has_icmp)
		add(t, "was declared impossible by ICMP%s type %u code %u (%s)",
		    addr_is_v4(&plan->addr) ? "" : "v6", v->icmp_type, v->icmp_code,
		    icmp_text(addr_is_v4(&plan->addr), v->icmp_type, v->icmp_code));
	else
		add_connect_failure(t, v);
	add(t, ".");
}

static void say_status(struct text *t, const struct plan *plan, const struct verdict *v)
{
	add_endpoint(t, plan);
	add(t, " answered ");
	add_request(t, plan);
	add(t, " with status %u; expected %s", v->http_status,
	    plan->match->n_status > 1 ? "one of " : "");
	add_statuses(t, plan->match);
	add(t, ".");
}

static void say_body(struct text *t, const struct plan *plan, const struct verdict *v)
{
	add_endpoint(t, plan);
	add(t, " answered ");
	add_request(t, plan);
	add(t, " with status %u, but without the text '", v->http_status);
	add_foreign(t, plan->match->body ?: "");
	add(t, "' in the body");
	add_detail(t, v);
	add(t, ".");
}

static void say_malformed(struct text *t, const struct plan *plan, const struct verdict *v)
{
	add_endpoint(t, plan);
	add(t, " answered ");
	add_request(t, plan);
	add(t, " with something that is not legal HTTP/1.x");
	add_detail(t, v);
	add(t, ".");
}

static void say_closed(struct text *t, const struct plan *plan, const struct verdict *v)
{
	add_endpoint(t, plan);
	add(t, v->os_errno == ECONNRESET ? " reset the connection" : " closed the connection");
	if (v->os_errno && v->os_errno != ECONNRESET)
		add(t, " with an error (%s)", strerrordesc_np(v->os_errno) ?: "unknown error");
	add(t, " before it had answered ");
	add_request(t, plan);
	add_detail(t, v);
	add(t, ".");
}

static void say_overloaded(struct text *t, const struct plan *plan, const struct verdict *v)
{
	add(t, "The prober is overloaded and says nothing about ");
	add_endpoint(t, plan);
	add_detail(t, v);
	add(t, ".");
}

static void say_local(struct text *t, const struct plan *plan, const struct verdict *v)
{
	add(t, "This host could not probe ");
	add_endpoint(t, plan);
	add(t, ": %s", strerrordesc_np(v->os_errno) ?: "unknown error");
	add_detail(t, v);
	add(t, ".");
}

static void add_name(struct text *t, const struct plan *plan)
{
	if (plan->name)
		add_foreign(t, plan->name);
	else
		add_endpoint(t, plan);
}

static void say_unresolved(struct text *t, const struct plan *plan, const struct verdict *v)
{
	add(t, "The name ");
	add_name(t, plan);
	add(t, " could not be resolved");
	add_detail(t, v);
	add(t, ", and no address of it is known.");
}

static void say_flushed(struct text *t, const struct plan *plan, const struct verdict *v)
{
	add(t, "The addresses of ");
	add_name(t, plan);
	add(t, " were forgotten when the configuration changed while DNS gave no answer");
	add_detail(t, v);
	add(t, ".");
}

static void say_pending(struct text *t, const struct plan *plan, const struct verdict *v)
{
	(void)v;
	add(t, "No probe of ");
	add_endpoint(t, plan);
	add(t, " has ended yet.");
}

static void say(struct text *t, const struct plan *plan, const struct verdict *v)
{
	switch (v->code) {
	case SL_MSG_OK:
		say_ok(t, plan, v);
		return;
	case SL_MSG_BACKEND_TIMEOUT:
		say_timeout(t, plan, v);
		return;
	case SL_MSG_TCP_CONNECT_FAILED:
		say_connect_failed(t, plan, v);
		return;
	case SL_MSG_HTTP_STATUS_MISMATCH:
		say_status(t, plan, v);
		return;
	case SL_MSG_HTTP_BODY_MISMATCH:
		say_body(t, plan, v);
		return;
	case SL_MSG_HTTP_MALFORMED:
		say_malformed(t, plan, v);
		return;
	case SL_MSG_CONN_CLOSED_EARLY:
		say_closed(t, plan, v);
		return;
	case SL_MSG_PROBER_OVERLOADED:
		say_overloaded(t, plan, v);
		return;
	case SL_MSG_LOCAL_RESOURCE:
		say_local(t, plan, v);
		return;
	case SL_MSG_PROBE_PENDING:
		say_pending(t, plan, v);
		return;
	case SL_MSG_DNS_RESOLUTION_FAILED:
		say_unresolved(t, plan, v);
		return;
	case SL_MSG_UNKNOWN_DNS_CACHE_FLUSHED:
		say_flushed(t, plan, v);
		return;
	default:
		add_endpoint(t, plan);
		add(t, ": %s", message_id(v->code));
		add_detail(t, v);
		add(t, ".");
		return;
	}
}

const char *message_format(char buf[MESSAGE_LEN], const struct plan *plan,
			   const struct verdict *verdict)
{
	struct text text = { .buf = buf };

	buf[0] = '\0';
	say(&text, plan, verdict);
	return buf;
}

/* --- hints ------------------------------------------------------------------------------------ */

static const struct hint {
	enum sl_message code;
	int value; /* HTTP status or errno */
	const char *text;
} hints[] = {
	{ SL_MSG_HTTP_STATUS_MISMATCH, 400,
	  "the server dislikes the request: set the host name that it expects on the probe" },
	{ SL_MSG_HTTP_STATUS_MISMATCH, 401,
	  "the path asks for credentials, which probes cannot give: accept 401 in match.status, or "
	  "probe a path that is open" },
	{ SL_MSG_HTTP_STATUS_MISMATCH, 403,
	  "access to the path is forbidden: probe a path that is open to this host, or accept 403" },
	{ SL_MSG_HTTP_STATUS_MISMATCH, 404,
	  "the server does not serve this path under this host: correct the probe's path or host" },
	{ SL_MSG_HTTP_STATUS_MISMATCH, 405,
	  "the path does not allow GET, and probes send nothing else: probe one that does" },
	{ SL_MSG_HTTP_STATUS_MISMATCH, 500,
	  "the application failed at the request: look into its log" },
	{ SL_MSG_HTTP_STATUS_MISMATCH, 502,
	  "the server is itself a proxy and got no good answer: check what is behind it" },
	{ SL_MSG_HTTP_STATUS_MISMATCH, 503,
	  "the service says that it is unavailable: check that it runs and is not in maintenance" },
	{ SL_MSG_HTTP_STATUS_MISMATCH, 504,
	  "the server is itself a proxy and got no answer in time: check what is behind it" },
	{ SL_MSG_TCP_CONNECT_FAILED, ECONNREFUSED,
	  "on the server, look for a listener on the port (ss -ltn) and for firewall rules that "
	  "reject" },
	{ SL_MSG_TCP_CONNECT_FAILED, ETIMEDOUT,
	  "check that the server is up, and look for filters that drop packets, on the way and on "
	  "the server" },
	{ SL_MSG_TCP_CONNECT_FAILED, EHOSTUNREACH,
	  "check that the server is up and its address right: ip neigh, ip route get ADDRESS" },
	{ SL_MSG_TCP_CONNECT_FAILED, ENETUNREACH,
	  "this host has no route to that network: ip route get ADDRESS" },
	{ SL_MSG_LOCAL_RESOURCE, EMFILE,
	  "raise the daemon's limit of open files (LimitNOFILE=), or lower the probes in flight" },
	{ SL_MSG_LOCAL_RESOURCE, ENFILE,
	  "raise the host's limit of open files: sysctl fs.file-max" },
	{ SL_MSG_LOCAL_RESOURCE, ENOMEM, "free memory on this host, or raise the daemon's limit" },
	{ SL_MSG_LOCAL_RESOURCE, ENOBUFS, "free memory on this host, or raise the daemon's limit" },
	{ SL_MSG_LOCAL_RESOURCE, EADDRNOTAVAIL,
	  "no local port or address is left: widen net.ipv4.ip_local_port_range, and check that "
	  "this host has an address of that family" },
	{ SL_MSG_LOCAL_RESOURCE, EPERM,
	  "give the daemon CAP_NET_ADMIN, and look for output filters of this host: nft list "
	  "ruleset" },
	{ SL_MSG_LOCAL_RESOURCE, EACCES,
	  "a policy or prohibiting route of this host forbids the connection: ip route get ADDRESS" },
	{ SL_MSG_LOCAL_RESOURCE, EAFNOSUPPORT, "this host's kernel does not do IPv6" },
	{ SL_MSG_LOCAL_RESOURCE, EINVAL,
	  "the probe's host and path must be free of blanks and control characters" },
};

const char *message_hint(const struct verdict *verdict)
{
	int value = verdict->code == SL_MSG_HTTP_STATUS_MISMATCH ? verdict->http_status
								 : verdict->os_errno;

	/* The errno of an ICMP error says less than its type, which the sentence holds. */
	if (verdict->has_icmp)
		return NULL;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].code == verdict->code && hints[i].value == value)
			return hints[i].text;
	return NULL;
}
