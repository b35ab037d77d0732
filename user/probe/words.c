// SPDX-License-Identifier: GPL-2.0-or-later
/* words - numbers of ICMP, TLS alerts and system errors as people say them. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "probe/message.h"
#include "probe/sentence.h"

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

const char *words_icmp(bool v4, uint8_t type, uint8_t code)
{
	for (size_t i = 0; i < sizeof(icmp_words) / sizeof(icmp_words[0]); i++) {
		const struct icmp_word *word = &icmp_words[i];

		if (word->v4 == v4 && word->type == type && (word->code < 0 || word->code == code))
			return word->text;
	}
	return "unknown type";
}

const char *words_errno(int os_errno)
{
	return strerrordesc_np(os_errno) ?: "unknown error";
}

/* The registry of TLS alerts, with what each says about a server that a probe talks to. */
static const struct alert_word {
	int number;
	const char *name, *meaning;
} alert_words[] = {
	{ 0, "close_notify", "the server ended the connection" },
	{ 10, "unexpected_message", "the server did not expect this message" },
	{ 20, "bad_record_mac", "data was damaged or tampered with on the way" },
	{ 21, "decryption_failed", "data was damaged or tampered with on the way" },
	{ 22, "record_overflow", "a record was too long" },
	{ 30, "decompression_failure", "data could not be decompressed" },
	{ 40, "handshake_failure",
	  "no cipher suite, group or signature algorithm in common, or a client certificate is "
	  "demanded" },
	{ 41, "no_certificate", "the server wants a client certificate" },
	{ 42, "bad_certificate", "the server does not like the client's certificate" },
	{ 43, "unsupported_certificate", "the server does not like the client's certificate" },
	{ 44, "certificate_revoked", "the server holds the client's certificate for revoked" },
	{ 45, "certificate_expired", "the server holds the client's certificate for expired" },
	{ 46, "certificate_unknown", "the server does not like the client's certificate" },
	{ 47, "illegal_parameter", "the server found a value that does not fit the others" },
	{ 48, "unknown_ca", "the server does not know who issued the client's certificate" },
	{ 49, "access_denied", "the server refuses this client" },
	{ 50, "decode_error", "the server could not read the message" },
	{ 51, "decrypt_error", "a signature or key exchange failed" },
	{ 52, "too_many_cids_requested", "too many connection ids" },
	{ 60, "export_restriction", "the server negotiates weak ciphers only" },
	{ 70, "protocol_version", "the server speaks other TLS versions than 1.2 and 1.3" },
	{ 71, "insufficient_security", "the server wants stronger ciphers than are offered" },
	{ 80, "internal_error", "the server failed: look into its error log" },
	{ 86, "inappropriate_fallback", "the server takes the version for a downgrade" },
	{ 90, "user_canceled", "the handshake was cancelled" },
	{ 100, "no_renegotiation", "the server does not renegotiate" },
	{ 109, "missing_extension", "the server misses an extension, such as SNI" },
	{ 110, "unsupported_extension", "an extension was not asked for" },
	{ 111, "certificate_unobtainable", "a certificate could not be fetched" },
	{ 112, "unrecognized_name", "the server does not know the name sent as SNI" },
	{ 113, "bad_certificate_status_response", "the stapled revocation answer is unusable" },
	{ 114, "bad_certificate_hash_value", "a certificate does not match its hash" },
	{ 115, "unknown_psk_identity", "the server does not know the session" },
	{ 116, "certificate_required", "the server demands a client certificate" },
	{ 117, "general_error", "the server failed for another reason" },
	{ 120, "no_application_protocol",
	  "the server speaks none of the protocols offered (ALPN)" },
	{ 121, "ech_required", "the server wants an encrypted ClientHello" },
};

static const struct alert_word *find_alert(int number)
{
	for (size_t i = 0; i < sizeof(alert_words) / sizeof(alert_words[0]); i++)
		if (alert_words[i].number == number)
			return &alert_words[i];
	return NULL;
}

const char *message_alert_name(int number)
{
	const struct alert_word *word = find_alert(number);

	return word ? word->name : NULL;
}

const char *message_alert_meaning(int number)
{
	const struct alert_word *word = find_alert(number);

	return word ? word->meaning : NULL;
}
