// SPDX-License-Identifier: GPL-2.0-or-later
/* What `sluice probe` prints of a verdict, to the letter, and that no server drives the terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/report.h"
#include "probe/catalogue.h"
#include "util/cleanup.h"

#define NOW_S 1795219200 /* 2026-11-21 00:00 */
#define DAY_S 86400

static struct probe_match match = { .status = { { 200, 399 } }, .n_status = 1 };

static struct plan some_plan(void)
{
	struct plan plan = { .protocol = PROTO_HTTPS,
			     .port = 443,
			     .host = "shop.test",
			     .path = "/healthz",
			     .match = &match,
			     .timeout_ms = 30000,
			     .tls = { .enabled = true,
				      .sni = "shop.test",
				      .name = "shop.test",
				      .check_chain = true,
				      .check_name = true } };

	assert_int_equal(addr_parse(&plan.addr, "10.0.0.5"), 0);
	return plan;
}

static void fill(struct cert *cert, const char *subject, const char *issuer, bool ca)
{
	cert->subject = strdup(subject);
	cert->issuer = strdup(issuer);
	cert->serial = strdup("0A1B");
	cert->key = strdup("EC P-256");
	cert->signature = strdup("ecdsa-with-SHA256");
	cert->ca = ca;
	cert->not_before = NOW_S - 300 * DAY_S;
	cert->not_after = NOW_S + 12 * DAY_S;
	for (size_t i = 0; i < CERT_SHA256_LEN; i++)
		cert->sha256[i] = (uint8_t)(0xa0 + i);
}

static struct certs *some_certs(void)
{
	struct certs *certs = certs_new(2);

	assert_non_null(certs);
	fill(&certs->certs[0], "CN=shop.test", "CN=Int", false);
	fill(&certs->certs[1], "CN=Int", "CN=Root", true);
	certs->certs[0].sans = calloc(2, sizeof(char *));
	certs->certs[0].sans[0] = strdup("DNS:shop.test");
	certs->certs[0].sans[1] = strdup("IP:10.0.0.5");
	certs->certs[0].n_sans = 2;
	certs->certs[0].n_sans_sent = 5;
	certs->certs[1].ca_issuers = strdup("http://ca.test/root.crt");
	certs->certs[1].not_after = NOW_S - 3 * DAY_S;
	certs->n_sent = 20;
	certs->fact = strdup("CN=Int is not signed by any of them");
	certs->hint = strdup("upload CN=Root");
	return certs;
}

static char *show(void (*print)(const struct cli *, const struct probe_report *),
		  const struct probe_report *report)
{
	char *text = NULL;
	size_t len;
	struct cli cli = { .out = open_memstream(&text, &len) };

	print(&cli, report);
	fclose(cli.out);
	return text;
}

static void print_text(const struct cli *cli, const struct probe_report *report)
{
	assert_int_equal(report_text(cli, report), 0);
}

static void must_hold(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

static struct verdict some_verdict(void)
{
	return (struct verdict){
		.code = SL_MSG_CERT_ROOT_MISMATCH_ROOT_ABSENT,
		.stage = STAGE_CERTIFICATE,
		.elapsed_ms = 3,
		.tls = { .version = 0x0304,
			 .alert = TLS_ALERT_NONE,
			 .x509_code = 20,
			 .x509_depth = 1,
			 .not_after = NOW_S + 12 * DAY_S,
			 .warnings = SL_WARN_CERT_EXPIRES_SOON | SL_WARN_CHAIN_ORDER,
			 .n_also = 1,
			 .also = { SL_MSG_CERT_NAME_MISMATCH },
			 .certs = some_certs() },
		.timing = { .connect_us = 180, .tls_us = 2100, .total_us = 2400 },
	};
}

static void test_text(void **state)
{
	struct plan plan = some_plan();
	CLEANUP(verdict_done) struct verdict verdict = some_verdict();
	struct probe_report report = { .target = "https://shop.test/healthz",
				       .plan = &plan,
				       .verdict = &verdict,
				       .show_certs = true,
				       .now_s = NOW_S };
	CLEANUP(free_p) char *text = show(print_text, &report);

	(void)state;
	must_hold(text,
		  "STAGE     TIME  RESULT\n"
		  "connect  180us  10.0.0.5:443 connected\n"
		  "tls      2.1ms  SNI shop.test, TLS 1.3, certificate failed here\n"
		  "total    2.4ms  ended in stage certificate\n"
		  "\n"
		  "Unhealthy: cert_root_mismatch_root_absent (code 12)\n"
		  "10.0.0.5:443 shows a chain that none of the trusted roots signed: CN=Int is not "
		  "signed by any of them.\n"
		  "OpenSSL: error 20 at depth 1: unable to get local issuer certificate\n"
		  "\n"
		  "Also wrong\n"
		  "  - cert_name_mismatch: The server's certificate is not for the name that the "
		  "probe verifies.\n"
		  "\n"
		  "Warnings\n"
		  "  - chain_order: certificates are not sent in the order of the chain\n"
		  "  - cert_expires_soon: certificate expires in 12 days (2026-12-03)\n"
		  "\n"
		  "Usual causes\n");
	must_hold(text, "What to do\n  - upload CN=Root\n  - put the root under trusted_roots");
	must_hold(
		text,
		"\nCertificates as sent\n"
		" 0 s: CN=shop.test\n"
		"   i: CN=Int\n"
		"   names      DNS:shop.test, IP:10.0.0.5, and 3 more\n"
		"   valid      2026-01-25T00:00:00Z to 2026-12-03T00:00:00Z (expires in 12 days)\n"
		"   key        EC P-256\n"
		"   signature  ecdsa-with-SHA256\n"
		"   serial     0A1B\n"
		"   SHA-256    A0:A1:A2:A3:");
	must_hold(text, " 1 s: CN=Int\n   i: CN=Root  (authority)\n   valid ");
	must_hold(text, "(EXPIRED 3 days ago)");
	must_hold(text, "   issuer at  http://ca.test/root.crt\n");
	must_hold(text, " and 18 more, which are not shown\n");
}

/* A passing verdict has no causes, but keeps its warnings. */
static void test_passed(void **state)
{
	struct plan plan = some_plan();
	struct verdict verdict = { .code = SL_MSG_OK,
				   .stage = STAGE_HEADER,
				   .http_status = 200,
				   .tls = { .version = 0x0303, .warnings = SL_WARN_CHAIN_ORDER },
				   .timing = { .connect_us = 1, .tls_us = 1, .first_byte_us = 1 } };
	struct resolve_answer answer = { .n = 2, .rcode = 0, .servers = "10.0.0.53" };
	struct probe_report report = {
		.plan = &plan, .verdict = &verdict, .answer = &answer, .show_certs = true
	};

	(void)state;
	plan.backend = "shop.test";
	answer.addrs[0] = plan.addr;
	assert_int_equal(addr_parse(&answer.addrs[1], "fd00::5"), 0);
	CLEANUP(free_p) char *text = show(print_text, &report);
	must_hold(text, "shop.test is 10.0.0.5; also fd00::5\n");
	must_hold(text, "SNI shop.test, TLS 1.2\n");
	must_hold(text, "GET /healthz (Host: shop.test) answered\n");
	must_hold(text, "HTTP status 200, done\n");
	must_hold(text, "Healthy: ok (code 0)\n");
	must_hold(text, "Warnings\n  - chain_order: ");
	must_hold(text, "Certificates as sent: none\n");
	assert_null(strstr(text, "Usual causes"));
	assert_null(strstr(text, "What to do"));
}

/* What a row of the table says must agree with the verdict. */
static void test_rows(void **state)
{
	struct plan plan = some_plan();
	struct verdict verdict = { .code = SL_MSG_OK,
				   .stage = STAGE_CERTIFICATE,
				   .tls = { .version = 0x0304 },
				   .timing = { .connect_us = 1, .tls_us = 1 } };
	struct probe_report report = { .plan = &plan, .verdict = &verdict };

	(void)state;
	plan.protocol = PROTO_TLS;
	CLEANUP(free_p) char *passed = show(print_text, &report);
	must_hold(passed, "SNI shop.test, TLS 1.3\n");

	plan = some_plan();
	plan.protocol = PROTO_UDP;
	plan.tls.enabled = false;
	plan.send_len = 1;
	verdict = (struct verdict){ .code = SL_MSG_UDP_UNREACHABLE,
				    .stage = STAGE_BODY,
				    .has_icmp = true,
				    .icmp_type = 3,
				    .icmp_code = 3,
				    .timing = { .first_byte_us = 50 } };
	CLEANUP(free_p) char *unreachable = show(print_text, &report);
	must_hold(unreachable, "datagram of 1 byte failed here\n");
	assert_null(strstr(unreachable, "answered"));
	verdict = (struct verdict){ .code = SL_MSG_OK, .timing = { .first_byte_us = 50 } };
	plan.send_len = 2;
	CLEANUP(free_p) char *answered = show(print_text, &report);
	must_hold(answered, "datagram of 2 bytes answered\n");
}

static const json_t *member(const json_t *json, const char *a, const char *b)
{
	return json_object_get(json_object_get(json, a), b);
}

static void test_json(void **state)
{
	static const char *const keys[] = { "target",  "address", "health",    "code",  "id",
					    "message", "causes",  "remedies",  "also",  "warnings",
					    "openssl", "tls",     "timing_us", "chain", "stage" };
	static const char *const cert_keys[] = { "depth",      "subject",   "issuer",   "san",
						 "not_before", "not_after", "ca",       "sha256",
						 "key",        "serial",    "signature" };
	struct plan plan = some_plan();
	CLEANUP(verdict_done) struct verdict verdict = some_verdict();
	struct probe_report report = { .target = "t", .plan = &plan, .verdict = &verdict };
	CLEANUP(free_p) char *text = show(report_json, &report);
	json_t *json = json_loads(text, 0, NULL);
	const json_t *leaf;

	(void)state;
	assert_non_null(json);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!json_object_get(json, keys[i]))
			fail_msg("no %s", keys[i]);
	assert_string_equal(json_string_value(json_object_get(json, "id")),
			    "cert_root_mismatch_root_absent");
	assert_string_equal(json_string_value(json_array_get(json_object_get(json, "also"), 0)),
			    "cert_name_mismatch");
	assert_string_equal(json_string_value(json_array_get(json_object_get(json, "warnings"), 1)),
			    "cert_expires_soon");
	assert_string_equal(json_string_value(json_array_get(json_object_get(json, "remedies"), 0)),
			    "upload CN=Root");
	assert_int_equal(json_integer_value(member(json, "openssl", "code")), 20);
	assert_int_equal(json_integer_value(member(json, "openssl", "depth")), 1);
	assert_int_equal(json_integer_value(member(json, "timing_us", "tls")), 2100);
	assert_null(member(json, "timing_us", "first_byte"));
	assert_string_equal(json_string_value(member(json, "tls", "version")), "TLS 1.3");
	assert_null(member(json, "tls", "alert"));
	assert_string_equal(json_string_value(member(json, "tls", "cert_not_after")),
			    "2026-12-03T00:00:00Z");
	leaf = json_array_get(json_object_get(json, "chain"), 0);
	for (size_t i = 0; i < sizeof(cert_keys) / sizeof(cert_keys[0]); i++)
		if (!json_object_get(leaf, cert_keys[i]))
			fail_msg("no chain[].%s", cert_keys[i]);
	assert_int_equal(json_array_size(json_object_get(leaf, "san")), 2);
	assert_int_equal(strlen(json_string_value(json_object_get(leaf, "sha256"))), 64);
	json_decref(json);
}

/* What became of a name without addresses, and an alert. */
static void test_json_parts(void **state)
{
	struct plan plan = some_plan();
	struct verdict verdict = { .code = SL_MSG_DNS_RESOLUTION_FAILED, .stage = STAGE_RESOLVE };
	struct resolve_answer answer = { .rcode = 3, .servers = "10.0.0.53", .why = "NXDOMAIN" };
	struct probe_report report = {
		.target = "t", .plan = &plan, .verdict = &verdict, .answer = &answer
	};

	(void)state;
	plan.backend = "shop.test";
	CLEANUP(free_p) char *text = show(report_json, &report);
	json_t *json = json_loads(text, 0, NULL);
	assert_string_equal(json_string_value(member(json, "dns", "rcode")), "NXDOMAIN");
	assert_string_equal(json_string_value(member(json, "dns", "servers")), "10.0.0.53");
	assert_null(json_object_get(json, "address"));
	assert_null(json_object_get(json, "tls"));
	assert_int_equal(json_array_size(json_object_get(json, "chain")), 0);
	json_decref(json);
	CLEANUP(free_p) char *shown = show(print_text, &report);
	must_hold(shown, "shop.test: NXDOMAIN, asked 10.0.0.53\n");
	assert_null(strstr(shown, "connect "));

	report.answer = NULL;
	verdict = (struct verdict){ .code = SL_MSG_TLS_HANDSHAKE_FAILED,
				    .stage = STAGE_TLS,
				    .tls = { .alert = 40 },
				    .timing = { .connect_us = 1 } };
	CLEANUP(free_p) char *alert = show(report_json, &report);
	json = json_loads(alert, 0, NULL);
	assert_int_equal(json_integer_value(member(json, "tls", "alert")), 40);
	assert_string_equal(json_string_value(member(json, "tls", "alert_name")),
			    "handshake_failure");
	json_decref(json);
	CLEANUP(free_p) char *alert_text = show(print_text, &report);
	must_hold(alert_text, "SNI shop.test, failed here\n");
}

#define NASTY                     \
	"\033[2J\xc2\x9b\r\n\x7f" \
	"evil"

static void test_hostile(void **state)
{
	struct plan plan = some_plan();
	CLEANUP(verdict_done) struct verdict verdict = { .code = SL_MSG_CERT_VERIFY_FAILED };
	struct probe_report report = {
		.target = "t", .plan = &plan, .verdict = &verdict, .show_certs = true
	};
	struct cert *cert;

	(void)state;
	verdict.tls.certs = certs_new(1);
	cert = &verdict.tls.certs->certs[0];
	fill(cert, NASTY, NASTY, false);
	free(cert->key);
	cert->key = strdup(NASTY);
	cert->sans = calloc(1, sizeof(char *));
	cert->sans[0] = strdup("DNS:" NASTY);
	cert->n_sans = 1;
	cert->ca_issuers = strdup(NASTY);
	cert->not_before = INT64_MIN;
	cert->not_after = INT64_MAX;
	verdict.tls.not_after = INT64_MAX;
	verdict.tls.certs->fact = strdup(NASTY);
	verdict.tls.certs->hint = strdup(NASTY);
	CLEANUP(free_p) char *text = show(print_text, &report);
	CLEANUP(free_p) char *json = show(report_json, &report);
	must_hold(text, "evil");
	assert_null(strchr(text, '\033'));
	assert_null(strchr(text, '\r'));
	assert_null(strchr(text, '\x7f'));
	assert_null(strchr(text, '\xc2'));
	json_t *parsed = json_loads(json, 0, NULL);
	assert_non_null(parsed);
	json_decref(parsed);
}

/* Every verdict on every kind of target can be shown, with and without what it might have. */
static void test_everything(void **state)
{
	size_t n;
	const struct catalogue_row *const *rows = catalogue_rows(&n);

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (enum protocol p = PROTO_HTTP; p <= PROTO_GRPC; p++) {
			struct plan plan = some_plan();
			struct verdict verdict = { .code = rows[i]->code,
						   .stage = (enum stage)(i % (STAGE_BODY + 1)) };
			struct probe_report report = { .target = "t",
						       .plan = &plan,
						       .verdict = &verdict };

			plan.protocol = p;
			free(show(print_text, &report));
			free(show(report_json, &report));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),       cmocka_unit_test(test_passed),
		cmocka_unit_test(test_rows),       cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_parts), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_everything),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
