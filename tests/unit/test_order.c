// SPDX-License-Identifier: GPL-2.0-or-later
/* What `sluice probe` makes of its options: names, trust and the plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/order.h"
#include "tests/lib/certs.h"
#include "tests/lib/fault.h"
#include "util/err.h"

static struct cli cli_for(const char *target)
{
	struct cli cli = { .args = { target }, .n_args = 1 };

	return cli;
}

/* Host header, SNI and verified name; NULL: none. */
static const struct names_row {
	const char *target, *host, *sni;
	const char *want_host, *want_sni, *want_name;
} names_rows[] = {
	{ "https://a.test/", NULL, NULL, "a.test", "a.test", "a.test" },
	{ "https://a.test/", "b.test", NULL, "b.test", "b.test", "b.test" },
	{ "https://a.test/", NULL, "c.test", "a.test", "c.test", "c.test" },
	{ "https://a.test/", "b.test", "c.test", "b.test", "c.test", "c.test" },
	{ "https://10.0.0.5/", NULL, NULL, "10.0.0.5", NULL, "10.0.0.5" },
	{ "https://[fd00::5]/", NULL, NULL, "[fd00::5]", NULL, "[fd00::5]" },
	{ "https://10.0.0.5/", "b.test", NULL, "b.test", "b.test", "b.test" },
	{ "https://10.0.0.5/", NULL, "c.test", "10.0.0.5", "c.test", "c.test" },
	{ "https://a.test/", "10.0.0.6", NULL, "10.0.0.6", NULL, "10.0.0.6" },
	{ "https://a.test/", NULL, "10.0.0.6", "a.test", NULL, "10.0.0.6" },
	{ "tls://a.test:1", "b.test", NULL, "b.test", "b.test", "b.test" },
	{ "grpcs://a.test:1", NULL, NULL, "a.test", "a.test", "a.test" },
	{ "http://a.test/", "b.test", NULL, "b.test", NULL, NULL },
	{ "grpc://a.test:1/", NULL, NULL, "a.test", NULL, NULL },
};

static void check_text(const char *target, const char *got, const char *wanted)
{
	if (!got != !wanted || (got && strcmp(got, wanted) != 0))
		fail_msg("%s: '%s', not '%s'", target, got ? got : "none",
			 wanted ? wanted : "none");
}

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names_rows) / sizeof(names_rows[0]); i++) {
		const struct names_row *row = &names_rows[i];
		struct cli cli = cli_for(row->target);
		struct err err = { "" };
		struct order order;
		struct plan plan;

		cli.options[OPT_HOST] = row->host;
		cli.options[OPT_SNI] = row->sni;
		if (order_parse(&order, &cli, &err) < 0)
			fail_msg("%s: %s", row->target, err.text);
		plan = order_plan(&order);
		check_text(row->target, plan.host, row->want_host);
		check_text(row->target, plan.tls.sni, row->want_sni);
		check_text(row->target, plan.tls.name, row->want_name);
		assert_int_equal(plan.tls.enabled, row->want_name != NULL);
		order_done(&order);
	}
}

static void test_switches(void **state)
{
	struct cli cli = cli_for("https://a.test/x?y");
	struct order order;
	struct plan plan;

	(void)state;
	assert_int_equal(order_parse(&order, &cli, NULL), 0);
	plan = order_plan(&order);
	assert_true(plan.tls.check_chain && plan.tls.check_name && plan.tls.name_configured);
	assert_int_equal(plan.tls.full_every, 1);
	assert_int_equal(plan.proxy_protocol, PROXY_NONE);
	assert_false(order.show_certs);
	assert_string_equal(plan.backend, "a.test");
	assert_string_equal(plan.path, "/x?y");
	assert_int_equal(plan.mark, 0);
	assert_int_equal(plan.timeout_ms, 30000);
	assert_int_equal(order.trust.mode, TRUST_WELL_KNOWN);

	cli.options[OPT_NO_VALIDATE_CHAIN] = cli.options[OPT_NO_VALIDATE_SNI] = "";
	cli.options[OPT_SHOW_CERTS] = "";
	cli.options[OPT_PROXY_PROTOCOL] = "v2";
	cli.options[OPT_TIMEOUT] = "500ms";
	cli.options[OPT_CONNECT] = "10.0.0.5:8443";
	assert_int_equal(order_parse(&order, &cli, NULL), 0);
	plan = order_plan(&order);
	assert_false(plan.tls.check_chain || plan.tls.check_name);
	assert_int_equal(plan.proxy_protocol, PROXY_V2);
	assert_true(order.show_certs);
	assert_null(plan.backend);
	assert_int_equal(plan.timeout_ms, 500);
	assert_int_equal(plan.port, 8443);
}

static void test_datagram(void **state)
{
	struct cli cli = cli_for("udp://10.0.0.5:53");
	char long_text[LIMIT_SEND_BYTES + 2];
	struct err err = { "" };
	struct order order;
	struct plan plan;

	(void)state;
	cli.options[OPT_SEND] = "a\\x00b";
	cli.options[OPT_BODY] = "pong";
	assert_int_equal(order_parse(&order, &cli, NULL), 0);
	plan = order_plan(&order);
	assert_int_equal(plan.send_len, 3);
	assert_memory_equal(plan.send, "a\0b", 3);
	assert_string_equal(plan.match->body, "pong");

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[LIMIT_SEND_BYTES + 1] = '\0';
	cli.options[OPT_SEND] = long_text;
	assert_int_equal(order_parse(&order, &cli, &err), -ENOSPC);
	assert_string_equal(err.text, "--send takes at most 1400 bytes");
	long_text[LIMIT_SEND_BYTES] = '\0';
	assert_int_equal(order_parse(&order, &cli, &err), 0);
	assert_int_equal(order.send_len, LIMIT_SEND_BYTES);
}

static char directory[] = "/tmp/sluice-order-XXXXXX";

static void repeat(struct cli *cli, enum cli_option option, const char *value)
{
	cli->repeats[cli->n_repeats++] = (struct cli_repeat){ option, value };
	cli->options[option] = value;
}

static void test_trust(void **state)
{
	CLEANUP(test_cert_free_p) struct test_cert *root = test_root("Root");
	const struct test_cert *const list[] = { root, NULL };
	char path[64];
	int n = 0, r;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/root.pem", directory);
	test_certs_write(path, list);

	/* Fail the n-th allocation, for every n until none fails any more. */
	for (;; n++) {
		struct cli cli = cli_for("https://a.test/");
		struct order order;

		repeat(&cli, OPT_CA, path);
		repeat(&cli, OPT_CRL, "http://crl.test/a");
		repeat(&cli, OPT_CA, path);
		repeat(&cli, OPT_CRL, "b.crl");
		fault_after(FAULT_MEMORY, n, ENOMEM);
		r = order_parse(&order, &cli, NULL);
		if (fault_clear(FAULT_MEMORY)) {
			assert_int_equal(r, -ENOMEM);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(order.trust.mode, TRUST_UPLOADED);
		assert_int_equal(order.trust.n_certs, 2);
		assert_int_equal(order.trust.n_crls, 2);
		assert_string_equal(order.trust.crls[0], "http://crl.test/a");
		assert_string_equal(order.trust.crls[1], "b.crl");
		order_done(&order);
		break;
	}
	assert_true(n > 5);

	struct cli cli = cli_for("tls://a.test:1");
	struct order order;

	repeat(&cli, OPT_ALLOW_LISTED, path);
	assert_int_equal(order_parse(&order, &cli, NULL), 0);
	assert_int_equal(order.trust.mode, TRUST_ALLOW_LIST);
	assert_int_equal(order.trust.n_certs, 1);
	order_done(&order);
	unlink(path);
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_switches),
		cmocka_unit_test(test_datagram),
		cmocka_unit_test(test_trust),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
