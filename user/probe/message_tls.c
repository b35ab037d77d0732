// SPDX-License-Identifier: GPL-2.0-or-later
/* message_tls - sentences about handshakes, certificates and their dates. */
#include <errno.h>
#include <inttypes.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "probe/message.h"
#include "probe/sentence.h"
#include "probe/tls_fault.h"
#include "util/duration.h"

#define FACT_LEN 420 /* of what the chain's finding says; the rest of the sentence needs its room */
#define SUBJECT_LEN 120
#define VERSION_TLS12 0x0303
#define VERSION_TLS13 0x0304

#define MINUTE_S 60
#define HOUR_S (60 * MINUTE_S)
#define DAY_S (24 * HOUR_S)
/* Up to two of a unit are told in the next smaller one. */
#define SHOWN_AS_SMALLER 2

const char *message_tls_version(const struct tls_facts *facts)
{
	switch (facts->version) {
	case 0:
		return NULL;
	case VERSION_TLS12:
		return "TLS 1.2";
	case VERSION_TLS13:
		return "TLS 1.3";
	default:
		return "another version of TLS";
	}
}

const char *message_x509_text(int code)
{
	return X509_verify_cert_error_string(code);
}

const char *message_when(char buf[MESSAGE_WHEN_LEN], int64_t at_s, int64_t now_s)
{
	static const struct {
		int64_t unit_s;
		const char *name;
	} units[] = { { DAY_S, "day" }, { HOUR_S, "hour" }, { MINUTE_S, "minute" } };
	/* As unsigned, the distance of any two times fits. */
	bool past = at_s <= now_s;
	uint64_t distance =
		past ? (uint64_t)now_s - (uint64_t)at_s : (uint64_t)at_s - (uint64_t)now_s;
	const size_t last = sizeof(units) / sizeof(units[0]) - 1;
	size_t i = 0;
	uint64_t n;

	while (i < last && distance < SHOWN_AS_SMALLER * (uint64_t)units[i].unit_s)
		i++;
	n = distance / (uint64_t)units[i].unit_s;
	snprintf(buf, MESSAGE_WHEN_LEN, "%s%" PRIu64 " %s%s%s", past ? "" : "in ", n, units[i].name,
		 n == 1 ? "" : "s", past ? " ago" : "");
	return buf;
}

/* The two kinds of expiry need the date; the others are the same for everybody. */
static const char *fixed_warning(enum sl_warning warning)
{
	switch (warning) {
	case SL_WARN_CHAIN_ORDER:
		return "certificates are not sent in the order of the chain";
	case SL_WARN_CERT_EXPIRES_SOON:
		return "certificate expires soon";
	case SL_WARN_ROOT_SENT_UNNEEDED:
		return "root certificate is sent along";
	case SL_WARN_OCSP_STAPLE_MISSING:
		return "stapled OCSP answer is missing";
	case SL_WARN_OCSP_STAPLE_BAD:
		return "stapled OCSP answer is unusable";
	}
	return "unknown warning";
}

const char *message_warning(char buf[MESSAGE_WARNING_LEN], enum sl_warning warning,
			    int64_t not_after_s, int64_t now_s)
{
	char text[MESSAGE_LEN], when[MESSAGE_WHEN_LEN];
	struct sentence s = { .buf = text };

	if (warning == SL_WARN_CERT_EXPIRES_SOON && not_after_s) {
		sentence_add(&s, "certificate %s %s (",
			     cert_has_expired(not_after_s, now_s) ? "expired" : "expires",
			     message_when(when, not_after_s, now_s));
		sentence_date(&s, not_after_s);
		sentence_add(&s, ")");
	} else {
		sentence_add(&s, "%s", fixed_warning(warning));
	}
	snprintf(buf, MESSAGE_WARNING_LEN, "%.*s", MESSAGE_WARNING_LEN - 1, text);
	return buf;
}

void sentence_session(struct sentence *s, const struct verdict *v)
{
	const char *version = message_tls_version(&v->tls);

	if (version)
		sentence_add(s, ", over %s%s", version, v->tls.resumed ? " (session resumed)" : "");
	if (v->tls.not_after) {
		sentence_add(s, "; certificate valid until ");
		sentence_date(s, v->tls.not_after);
	}
}

/* --- handshake -------------------------------------------------------------------------------- */

static void add_alert(struct sentence *s, int number)
{
	const char *name = message_alert_name(number);

	sentence_add(s, ": the server sent alert %d", number);
	if (name)
		sentence_add(s, " (%s): %s", name, message_alert_meaning(number));
}

static void add_sni(struct sentence *s, const struct plan *plan)
{
	if (!plan->tls.sni) {
		sentence_add(s, "; no name was sent (SNI)");
		return;
	}
	sentence_add(s, "; name sent (SNI): ");
	sentence_shown(s, plan->tls.sni);
}

void sentence_handshake(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	char elapsed[DURATION_LEN];

	sentence_add(s, "TLS handshake with ");
	sentence_endpoint(s, plan);
	sentence_add(s, " failed");
	if (v->tls.alert >= 0)
		add_alert(s, v->tls.alert);
	else if (v->os_errno == ETIMEDOUT)
		sentence_add(s, ": it was not finished within %s",
			     duration_human(elapsed, v->elapsed_ms));
	else if (v->os_errno)
		sentence_add(s, ": %s", words_errno(v->os_errno));
	/* What the detail says of an alert is said already, but for the server's demand. */
	if (v->tls.alert < 0)
		sentence_detail(s, v);
	else if (strstr(v->detail, TLS_FAULT_CERTIFICATE_ASKED))
		sentence_add(s, " (" TLS_FAULT_CERTIFICATE_ASKED ")");
	add_sni(s, plan);
	sentence_add(s, ".");
}

/* --- certificates ----------------------------------------------------------------------------- */

static const struct cert *first_of(const struct verdict *v)
{
	const struct certs *certs = v->tls.certs;

	return certs && certs->n ? &certs->certs[0] : NULL;
}

/* What the finding is about: its own words, or else the first certificate. */
static void add_fact(struct sentence *s, const struct verdict *v)
{
	const struct certs *certs = v->tls.certs;
	const struct cert *cert = first_of(v);

	if (certs && certs->fact) {
		sentence_add(s, ": ");
		sentence_foreign(s, certs->fact, FACT_LEN);
	} else if (cert && cert->subject) {
		sentence_add(s, ": subject ");
		sentence_foreign(s, cert->subject, SUBJECT_LEN);
		sentence_add(s, ", issuer ");
		sentence_foreign(s, cert->issuer ?: "", SUBJECT_LEN);
	}
	sentence_detail(s, v);
}

static bool has_fact(const struct verdict *v)
{
	return v->tls.certs && v->tls.certs->fact;
}

/* The sentence's start by class, up to the fact. */
static const char *finding(const struct verdict *v)
{
	const struct cert *cert = first_of(v);

	switch (v->code) {
	case SL_MSG_CERT_NAME_MISMATCH:
		return " shows a certificate that is for another name";
	case SL_MSG_CERT_DATE_INVALID:
		return " shows a certificate chain that is out of date";
	case SL_MSG_CERT_INTERMEDIATE_MISSING:
		return cert && cert->self_signed && !cert->ca
			       ? " shows a certificate that signs itself without being an "
				 "authority's"
			       : " shows a certificate chain without the issuer of the server's "
				 "certificate";
	case SL_MSG_CERT_LEAF_MISSING:
		return " sent certificates of authorities only, and none of its own";
	case SL_MSG_CERT_SERVER_NOT_WELL_KNOWN_CA:
		return " shows a chain whose root is not among the well-known authorities";
	case SL_MSG_CERT_INTERMEDIATE_NOT_WELL_KNOWN_CA:
		return " shows a chain that ends at an intermediate certificate, before a "
		       "well-known authority";
	case SL_MSG_CERT_ROOT_MISMATCH_ROOT_ABSENT:
		return " shows a chain that none of the trusted roots signed";
	case SL_MSG_CERT_ROOT_MISMATCH_ROOT_PRESENT:
		return " sent a root that is none of the trusted ones";
	case SL_MSG_CERT_LEAF_NOT_TOPMOST:
		return " sent its own certificate, but not as the first";
	case SL_MSG_CERT_NOT_ALLOW_LISTED:
		return " shows a certificate that is not allow-listed";
	default:
		return " shows a certificate chain that does not verify";
	}
}

/* What the fact would say, as far as the verdict itself knows. */
static void add_own_words(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	const struct cert *cert = first_of(v);

	if (v->code == SL_MSG_CERT_NAME_MISMATCH) {
		sentence_add(s, " than '");
		sentence_shown(s, plan->tls.name ?: plan->host);
		sentence_add(s, "'");
	}
	if (v->code == SL_MSG_CERT_VERIFY_FAILED && v->tls.x509_code)
		sentence_add(s, " (OpenSSL %d at depth %d, %s)", v->tls.x509_code,
			     v->tls.x509_depth, message_x509_text(v->tls.x509_code));
	if (v->code == SL_MSG_CERT_NOT_ALLOW_LISTED && cert) {
		sentence_add(s, " (SHA-256 ");
		for (size_t i = 0; i < sizeof(cert->sha256); i++)
			sentence_add(s, "%02x", cert->sha256[i]);
		sentence_add(s, ")");
	}
}

void sentence_certificate(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	sentence_endpoint(s, plan);
	sentence_add(s, "%s", finding(v));
	if (!has_fact(v))
		add_own_words(s, plan, v);
	add_fact(s, v);
	sentence_add(s, ".");
}

void sentence_revocation(struct sentence *s, const struct plan *plan, const struct verdict *v)
{
	sentence_add(s, "Whether the certificate of ");
	sentence_endpoint(s, plan);
	sentence_add(s, " was revoked cannot be found out");
	if (v->tls.x509_code && !has_fact(v))
		sentence_add(s, " (%s)", message_x509_text(v->tls.x509_code));
	add_fact(s, v);
	sentence_add(s, ".");
}
