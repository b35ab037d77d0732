// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/tls_fault.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "probe/tls.h"
#include "util/printable.h"

/* Records of TLS begin with these types: change_cipher_spec to application_data. */
#define RECORD_TYPE_MIN 20
#define RECORD_TYPE_MAX 23

/* Alert numbers and their names (RFC 8446, 6, and the registry it founded). */
static const struct {
	int16_t number;
	const char *name;
	const char *meaning; /* NULL: the name says it */
} alerts[] = {
	{ 0, "close_notify", NULL },
	{ 10, "unexpected_message", NULL },
	{ 20, "bad_record_mac", NULL },
	{ 22, "record_overflow", NULL },
	{ 40, "handshake_failure", "no common cipher or key, as a rule" },
	{ 42, "bad_certificate", NULL },
	{ 43, "unsupported_certificate", NULL },
	{ 44, "certificate_revoked", NULL },
	{ 45, "certificate_expired", NULL },
	{ 46, "certificate_unknown", NULL },
	{ 47, "illegal_parameter", NULL },
	{ 48, "unknown_ca", NULL },
	{ 49, "access_denied", NULL },
	{ 50, "decode_error", NULL },
	{ 51, "decrypt_error", NULL },
	{ 70, "protocol_version", "it speaks neither TLS 1.2 nor 1.3" },
	{ 71, "insufficient_security", NULL },
	{ 80, "internal_error", NULL },
	{ 86, "inappropriate_fallback", NULL },
	{ 90, "user_canceled", NULL },
	{ 100, "no_renegotiation", NULL },
	{ 109, "missing_extension", NULL },
	{ 110, "unsupported_extension", NULL },
	{ 112, "unrecognized_name", "it does not serve the name in SNI" },
	{ 113, "bad_certificate_status_response", NULL },
	{ 115, "unknown_psk_identity", NULL },
	{ 116, "certificate_required", "it wants a client certificate" },
	{ 120, "no_application_protocol", "no common protocol in ALPN" },
};

static size_t alert_row(int16_t alert)
{
	size_t i = 0;

	while (i < sizeof(alerts) / sizeof(alerts[0]) && alerts[i].number != alert)
		i++;
	return i;
}

const char *tls_alert_name(int16_t alert)
{
	size_t i = alert_row(alert);

	return i < sizeof(alerts) / sizeof(alerts[0]) ? alerts[i].name : NULL;
}

int16_t tls_fault_alert(void)
{
	unsigned long error = ERR_peek_last_error();
	int reason = ERR_GET_REASON(error);

	if (ERR_GET_LIB(error) != ERR_LIB_SSL || reason < SSL_AD_REASON_OFFSET ||
	    reason > SSL_AD_REASON_OFFSET + UINT8_MAX)
		return TLS_ALERT_NONE;
	return (int16_t)(reason - SSL_AD_REASON_OFFSET);
}

static void explain_alert(const struct stream *stream, int16_t alert, struct verdict *v)
{
	size_t i = alert_row(alert);
	const char *meaning = NULL, *name = "unknown";

	if (i < sizeof(alerts) / sizeof(alerts[0])) {
		meaning = alerts[i].meaning;
		name = alerts[i].name;
	}
	/* Servers that refuse a client without a certificate do so under several names. */
	if (stream->certificate_asked)
		meaning = TLS_FAULT_CERTIFICATE_ASKED;
	snprintf(v->detail, sizeof(v->detail), meaning ? "alert %d %s: %s" : "alert %d %s", alert,
		 name, meaning);
}

static bool is_plain_text(const struct stream *stream)
{
	return stream->n_first &&
	       (stream->first[0] < RECORD_TYPE_MIN || stream->first[0] > RECORD_TYPE_MAX);
}

static void explain_plain_text(const struct stream *stream, struct verdict *v)
{
	char text[STREAM_FIRST_LEN + 1];

	printable_line(text, sizeof(text), stream->first, stream->n_first);
	snprintf(v->detail, sizeof(v->detail), "the port does not speak TLS, it answered '%s'",
		 text);
}

static void explain_end(const struct stream *stream, struct verdict *v)
{
	if (stream->n_in)
		snprintf(v->detail, sizeof(v->detail),
			 "the server closed after %" PRIu64 " bytes of the handshake",
			 stream->n_in);
	else
		snprintf(v->detail, sizeof(v->detail),
			 "the server closed without an answer to the ClientHello");
}

/* OpenSSL's own words, for what the server did that no table can foresee. */
static void explain_error(const struct stream *stream, struct verdict *v)
{
	unsigned long error = ERR_peek_error();
	int reason = ERR_GET_REASON(error);
	const char *text = ERR_reason_error_string(error);

	if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason == SSL_R_EXCESSIVE_MESSAGE_SIZE)
		snprintf(v->detail, sizeof(v->detail),
			 "certificate list longer than %ld bytes, or another message too long",
			 SSL_get_max_cert_list(stream->ssl));
	else
		snprintf(v->detail, sizeof(v->detail), "%s", text ? text : "protocol error");
}

static void explain_broken(const struct stream *stream, struct verdict *v)
{
	v->tls.alert = tls_fault_alert();
	if (v->tls.alert != TLS_ALERT_NONE)
		explain_alert(stream, v->tls.alert, v);
	else if (is_plain_text(stream))
		explain_plain_text(stream, v);
	else
		explain_error(stream, v);
}

void tls_fault_explain(const struct stream *stream, int r, struct verdict *ret_verdict)
{
	struct verdict *v = ret_verdict;

	v->tls.alert = TLS_ALERT_NONE;
	switch (r) {
	case -EPROTO:
		explain_broken(stream, v);
		break;
	case 0:
	case -ENODATA:
		if (is_plain_text(stream))
			explain_plain_text(stream, v);
		else
			explain_end(stream, v);
		break;
	case -EMSGSIZE:
		snprintf(v->detail, sizeof(v->detail), "more than %u bytes came", STREAM_IN_MAX);
		break;
	case -EOVERFLOW:
		snprintf(v->detail, sizeof(v->detail), "more than %d messages of it came",
			 TLS_MESSAGES_MAX);
		break;
	default:
		v->os_errno = -r;
		snprintf(v->detail, sizeof(v->detail), "after %" PRIu64 " bytes of the handshake",
			 stream->n_in);
	}
	if (stream->renegotiation_asked)
		snprintf(v->detail, sizeof(v->detail),
			 "the server wants to renegotiate, for a client certificate as a rule");
}
