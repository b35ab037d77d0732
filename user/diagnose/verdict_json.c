// SPDX-License-Identifier: GPL-2.0-or-later
#include "diagnose/verdict_json.h"

#include <stdio.h>
#include <string.h>

#include "probe/message.h"

void verdict_json_message(json_t **object, const struct plan *plan, const struct verdict *verdict)
{
	char message[MESSAGE_LEN];

	json_put_uint(object, "code", verdict->code);
	json_put_text(object, "id", message_id(verdict->code) ?: "unknown");
	json_put_text(object, "message", message_format(message, plan, verdict));
}

/* --- facts ------------------------------------------------------------------------------------ */

static json_t *render_also(const struct tls_facts *tls)
{
	json_t *array = json_array();

	for (uint8_t i = 0; i < tls->n_also && i < VERDICT_ALSO_MAX; i++)
		json_push(&array,
			  json_text(message_id((enum sl_message)tls->also[i]) ?: "unknown"));
	return array;
}

static json_t *render_warnings(const struct tls_facts *tls)
{
	json_t *array = json_array();

#define PUSH_WARNING(NAME, bit, id)         \
	if (tls->warnings & SL_WARN_##NAME) \
		json_push(&array, json_text(id));
	SL_WARNINGS(PUSH_WARNING)
#undef PUSH_WARNING
	return array;
}

static json_t *render_openssl(const struct tls_facts *tls)
{
	json_t *json = json_object();

	json_put(&json, "code", json_integer(tls->x509_code));
	json_put(&json, "depth", json_integer(tls->x509_depth));
	json_put_text(&json, "text", message_x509_text(tls->x509_code));
	return json;
}

static bool has_alert(const struct verdict *verdict)
{
	return verdict->code == SL_MSG_TLS_HANDSHAKE_FAILED && verdict->tls.alert > TLS_ALERT_NONE;
}

static bool has_tls_facts(const struct verdict *verdict)
{
	return verdict->tls.version || verdict->tls.not_after || has_alert(verdict);
}

static json_t *render_tls(const struct verdict *verdict)
{
	const struct tls_facts *tls = &verdict->tls;
	const char *version = message_tls_version(tls);
	json_t *json = json_object();

	if (version) {
		json_put_text(&json, "version", version);
		json_put_bool(&json, "resumed", tls->resumed);
	}
	if (has_alert(verdict)) {
		json_put_uint(&json, "alert", (uint64_t)tls->alert);
		if (message_alert_name(tls->alert))
			json_put_text(&json, "alert_name", message_alert_name(tls->alert));
	}
	if (tls->not_after)
		json_put_unix(&json, "cert_not_after", tls->not_after);
	return json;
}

const char *verdict_expected(char buf[VERDICT_EXPECTED_LEN], const struct probe_match *match)
{
	size_t len = 0;

	buf[0] = '\0';
	for (uint32_t i = 0; i < match->n_status && len < VERDICT_EXPECTED_LEN; i++) {
		const struct status_range *range = &match->status[i];
		int n = snprintf(buf + len, VERDICT_EXPECTED_LEN - len,
				 range->low == range->high ? "%s%u" : "%s%u-%u", i ? "," : "",
				 range->low, range->high);

		len += n > 0 ? (size_t)n : 0;
	}
	return buf;
}

static json_t *render_http(const struct plan *plan, const struct verdict *verdict)
{
	char expected[VERDICT_EXPECTED_LEN];
	json_t *json = json_object();

	json_put_uint(&json, "status", verdict->http_status);
	/* The one status that gRPC knows. */
	json_put_text(&json, "expected",
		      plan->protocol == PROTO_GRPC ? "200"
						   : verdict_expected(expected, plan->match));
	return json;
}

static json_t *render_grpc(const struct verdict *verdict)
{
	json_t *json = json_object();

	json_put_uint(&json, "status", verdict->grpc_status);
	return json;
}

void verdict_json_facts(json_t **object, const struct plan *plan, const struct verdict *verdict)
{
	json_put(object, "also", render_also(&verdict->tls));
	json_put(object, "warnings", render_warnings(&verdict->tls));
	if (verdict->tls.x509_code)
		json_put(object, "openssl", render_openssl(&verdict->tls));
	if (plan->tls.enabled && has_tls_facts(verdict))
		json_put(object, "tls", render_tls(verdict));
	if (verdict->http_status)
		json_put(object, "http", render_http(plan, verdict));
	if (verdict->code == SL_MSG_GRPC_NOT_SERVING)
		json_put(object, "grpc", render_grpc(verdict));
}

json_t *verdict_json_timing(const struct timing *timing)
{
	const struct {
		const char *key;
		uint32_t us;
	} stages[] = {
		{ "resolve", timing->resolve_us }, { "connect", timing->connect_us },
		{ "tls", timing->tls_us },         { "first_byte", timing->first_byte_us },
		{ "total", timing->total_us },
	};
	json_t *json = json_object();

	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (stages[i].us)
			json_put_uint(&json, stages[i].key, stages[i].us);
	return json;
}

/* --- certificates ----------------------------------------------------------------------------- */

const char *verdict_fingerprint(char buf[VERDICT_FINGERPRINT_LEN],
				const uint8_t sha256[CERT_SHA256_LEN], char separator)
{
	static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
	const char *digits = separator ? upper : lower;
	char *end = buf;

	for (size_t i = 0; i < CERT_SHA256_LEN; i++) {
		if (i && separator)
			*end++ = separator;
		*end++ = digits[sha256[i] >> 4];
		*end++ = digits[sha256[i] & 0xf];
	}
	*end = '\0';
	return buf;
}

static json_t *render_sans(const struct cert *cert)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < cert->n_sans; i++)
		json_push(&array, json_text(cert->sans[i]));
	return array;
}

static json_t *render_cert(const struct cert *cert, uint32_t depth)
{
	char fingerprint[VERDICT_FINGERPRINT_LEN];
	json_t *json = json_object();

	json_put_uint(&json, "depth", depth);
	json_put_text(&json, "subject", cert->subject ?: "");
	json_put_text(&json, "issuer", cert->issuer ?: "");
	json_put(&json, "san", render_sans(cert));
	json_put_unix(&json, "not_before", cert->not_before);
	json_put_unix(&json, "not_after", cert->not_after);
	json_put_bool(&json, "ca", cert->ca);
	json_put_bool(&json, "self_signed", cert->self_signed);
	json_put_text(&json, "key", cert->key ?: "");
	json_put_text(&json, "signature", cert->signature ?: "");
	json_put_text(&json, "serial", cert->serial ?: "");
	if (cert->ca_issuers)
		json_put_text(&json, "ca_issuers", cert->ca_issuers);
	json_put_text(&json, "sha256", verdict_fingerprint(fingerprint, cert->sha256, '\0'));
	return json;
}

json_t *verdict_json_chain(const struct certs *certs)
{
	json_t *array = json_array();

	for (uint32_t i = 0; certs && i < certs->n; i++)
		json_push(&array, render_cert(&certs->certs[i], i));
	return array;
}
