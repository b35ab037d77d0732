// SPDX-License-Identifier: GPL-2.0-or-later
/* report_certs - the certificates of a chain, for people. */
#include <inttypes.h>

#include "cli/report.h"
#include "cli/text.h"
#include "diagnose/verdict_json.h"
#include "probe/message.h"
#include "util/clock.h"

static void print_clean(FILE *out, const char *text)
{
	text_print(out, text ? text : "");
}

static void print_line(FILE *out, const char *label, const char *text)
{
	fprintf(out, "   %-10s ", label);
	print_clean(out, text);
	fputc('\n', out);
}

static void print_sans(FILE *out, const struct cert *cert)
{
	fprintf(out, "   %-10s ", "names");
	for (uint32_t i = 0; i < cert->n_sans; i++) {
		fputs(i ? ", " : "", out);
		print_clean(out, cert->sans[i]);
	}
	if (!cert->n_sans)
		fputs("none (no subject alternative name)", out);
	if (cert->n_sans_sent > cert->n_sans)
		fprintf(out, ", and %" PRIu32 " more", cert->n_sans_sent - cert->n_sans);
	fputc('\n', out);
}

static void print_dates(FILE *out, const struct cert *cert, int64_t now_s)
{
	char from[CLOCK_ISO_LEN], to[CLOCK_ISO_LEN], when[MESSAGE_WHEN_LEN];

	fprintf(out, "   %-10s %s to %s (", "valid", clock_iso_s(from, cert->not_before),
		clock_iso_s(to, cert->not_after));
	if (cert->not_before > now_s)
		fprintf(out, "NOT YET VALID: begins %s",
			message_when(when, cert->not_before, now_s));
	else
		fprintf(out, "%s %s",
			cert_has_expired(cert->not_after, now_s) ? "EXPIRED" : "expires",
			message_when(when, cert->not_after, now_s));
	fputs(")\n", out);
}

static void print_cert(FILE *out, const struct cert *cert, uint32_t depth, int64_t now_s)
{
	char fingerprint[VERDICT_FINGERPRINT_LEN];

	fprintf(out, " %" PRIu32 " s: ", depth);
	print_clean(out, cert->subject);
	fputs("\n   i: ", out);
	print_clean(out, cert->issuer);
	fprintf(out, "%s%s\n", cert->self_signed ? "  (signs itself)" : "",
		cert->ca ? "  (authority)" : "");
	/* Authorities hardly ever have names, and need none. */
	if (cert->n_sans || !cert->ca)
		print_sans(out, cert);
	print_dates(out, cert, now_s);
	print_line(out, "key", cert->key);
	print_line(out, "signature", cert->signature);
	print_line(out, "serial", cert->serial);
	if (cert->ca_issuers)
		print_line(out, "issuer at", cert->ca_issuers);
	fprintf(out, "   %-10s %s\n", "SHA-256",
		verdict_fingerprint(fingerprint, cert->sha256, ':'));
}

void report_certs(FILE *out, const struct certs *certs, int64_t now_s)
{
	if (!certs || !certs->n) {
		fputs("\nCertificates as sent: none\n", out);
		return;
	}
	fputs("\nCertificates as sent\n", out);
	for (uint32_t i = 0; i < certs->n; i++)
		print_cert(out, &certs->certs[i], i, now_s);
	if (certs->n_sent > certs->n)
		fprintf(out, " and %" PRIu32 " more, which are not shown\n",
			certs->n_sent - certs->n);
}
