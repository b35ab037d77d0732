// SPDX-License-Identifier: GPL-2.0-or-later
/* HAProxy's configuration: HAProxy itself takes it, says whose key is wrong, and no text breaks out of its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/l7_run.h"

#define ONE(keys)                                                                                \
	"services: [ { name: s, listen: 127.0.0.1:18080, forward: l7, pool: p, settings: w" keys \
	" } ]\n"

/* Whatever the model allows, HAProxy takes, and the line that stands for the key is there. */
static const struct row {
	const char *yaml, *line;
} rows[] = {
	{ GATE POOL "settings: [ { name: w, protocol: http, port: 8080 } ]\n" ONE(""),
	  "\tserver ::1 [::1]:8080 weight 3\n" },
	{ GATE POOL
	  "settings: [ { name: w, protocol: http, port: 8080, request_timeout: 3 } ]\n" ONE(""),
	  "\ttimeout server 3000ms\n" },
	{ GATE POOL
	  "settings: [ { name: w, protocol: http, port: 80, cookie_affinity: { enabled: true, name: Gw-1.x_y } } ]\n" ONE(
		  ""),
	  "\tcookie Gw-1.x_y insert indirect nocache\n" },
	{ GATE POOL
	  "settings: [ { name: w, protocol: http, port: 80, path_override: \"/o%25%[src]'${HOME}\\\\,;/\" } ]\n" ONE(
		  ", path_rule: \"/a'b$c}*\""),
	  "\thttp-request set-path /o\\x25\\x2525\\x25\\x25\\x5bsrc\\x5d\\x27\\x24\\x7bHOME\\x7d\\x5c\\x2c\\x3b/%[var(txn.rest),ltrim(/)]\n" },
	{ GATE POOL
	  "settings: [ { name: w, protocol: http, port: 80, host_name: x.test } ]\n" ONE(""),
	  "\thttp-request set-header Host x.test\n" },
	{ GATE
	  "pools: [ { name: p, backends: [ { address: app.test } ] } ]\n"
	  "settings: [ { name: w, protocol: http, port: 80, host_name_from_backend: true } ]\n" ONE(
		  ""),
	  "\tserver ApP.test 127.0.0.1:80 weight 1 disabled\n" },
	{ GATE
	  "pools: [ { name: p, backends: [ { address: app.test }, { address: 127.0.0.9 } ] } ]\n"
	  "settings: [ { name: w, protocol: http, port: 80, cookie_affinity: { enabled: true } } ]\n" ONE(
		  ""),
	  "\tcookie ApplicationGatewayAffinity insert indirect nocache dynamic\n" },
	{ GATE POOL
	  "settings: [ { name: w, protocol: http, port: 80, dedicated_connection: true } ]\n" ONE(
		  ", tls: { certificates: [ shop.pem ], http2: false }"),
	  "\thttp-reuse never\n" },
	{ GATE POOL
	  "settings: [ { name: w, protocol: https, port: 443, trusted_roots: [ root.pem ], sni_name: a.test } ]\n" ONE(
		  ""),
	  " verify required ca-file roots-" },
	{ GATE POOL
	  "settings: [ { name: w, protocol: https, port: 443 } ]\n" ONE(", source_affinity: true"),
	  " ssl verify required ca-file @system-ca sni req.hdr(host),host_only,lower\n" },
	{ GATE POOL
	  "settings: [ { name: w, protocol: https, port: 443, validate_chain_and_expiry: false, validate_sni: false } ]\n" ONE(
		  ""),
	  " ssl verify none sni req.hdr(host)" },
	{ GATE POOL "settings: [ { name: w, protocol: http, port: 80 } ]\n" ONE(
		  ", tls: { certificates: [ shop.pem, \"a b]#\\\"'$.pem\" ] }, hosts: [ SHOP.test., \"::1\" ], path_rule: /x"),
	  "\tuse_backend s:p if { var(txn.host) -m str -- shop.test } { path -m str -- /x }\n" },
	{ GATE POOL
	  "settings: [ { name: w, protocol: tcp, port: 80, send_proxy_protocol: v2, established: reset } ]\n" ONE(
		  ""),
	  " send-proxy-v2 on-marked-down shutdown-sessions\n" },
	{ GATE POOL
	  "settings: [ { name: w, protocol: tls, port: 80, host_name: a.test, request_timeout: 90 } ]\n" ONE(
		  ", tls: { certificates: [ shop.pem ] }"),
	  "\ttimeout client 90000ms\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], l7: { access_log: /dev/log, threads: 2, max_connections: 100 } }\n" POOL
	  "settings: [ { name: w, protocol: http, port: 80 } ]\n" ONE(""),
	  "\tlog /dev/log len 4096 local0\n" },
};

static void test_haproxy_takes_it(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(l7_plan_free_p) struct l7_plan *plan = NULL;
		CLEANUP(free_p) char *text = NULL;
		struct err err = { "" };

		if (!rows[i].line)
			continue;
		plan = l7_run_plan(*state, rows[i].yaml);
		text = l7_run_text(plan, NULL);
		if (l7_program_check(plan, ((struct l7_run *)*state)->model->gateway.l7.program,
				     L7_CHECK_MS, NULL, &err) < 0)
			fail_msg("%s\n%s\n%s", rows[i].yaml, text, err.text);
		if (!strstr(text, rows[i].line))
			fail_msg("%s\nlacks %s", text, rows[i].line);
	}
}

/* Everything between blanks, quotes and line ends: what the file's syntax lets through is one word. */
static void test_words(void **state)
{
	char all[256], *text = NULL;
	size_t len, n = 0;
	FILE *out;

	(void)state;
	for (int c = 1; c < 256; c++)
		all[n++] = (char)c;
	all[n] = '\0';
	out = open_memstream(&text, &len);
	quote_word(out, all);
	fclose(out);
	assert_int_equal(strcspn(text, " \t\r\n\"'#$"), strlen(text));
	for (const char *c = strchr(text, '\\'); c; c = strchr(c + 1, '\\'))
		assert_int_equal(c[1], 'x');
	free(text);
	out = open_memstream(&text, &len);
	quote_comment(out, "a\nb\rc");
	fclose(out);
	assert_string_equal(text, "abc");
	free(text);
}

/* What is wrong is said of our key. */
static void test_blame(void **state)
{
	static const struct {
		const char *yaml, *says[3];
	} wrong[] = {
		{ GATE POOL "settings: [ { name: w, protocol: http, port: 80 } ]\n" ONE(
			  ", tls: { certificates: [ root.pem ] }"),
		  { "service 's': tls.certificates: HAProxy refuses ", "/root.pem: ", "rivate" } },
		{ GATE POOL
		  "settings: [ { name: w, protocol: http, port: 80 } ]\n"
		  "services: [ { name: s, listen: 192.0.2.77:80, forward: l7, pool: p, settings: w } ]\n",
		  { "service 's': listen: 192.0.2.77:80: ", "an address of this host", "" } },
		{ "gateway: { interfaces: [ { name: eth0 } ], l7: { user: nobody-there } }\n" POOL
		  "settings: [ { name: w, protocol: http, port: 80 } ]\n" ONE(""),
		  { "gateway.l7.user: HAProxy refuses it: ", "cannot find user id", "" } },
		{ "gateway: { interfaces: [ { name: eth0 } ], l7: { program: /nowhere/haproxy } }\n" POOL
		  "settings: [ { name: w, protocol: http, port: 80 } ]\n" ONE(""),
		  { "forward: l7 need HAProxy 2.6 or later", "install the package haproxy", "" } },
		{ "gateway: { interfaces: [ { name: eth0 } ], l7: { program: /bin/true } }\n" POOL
		  "settings: [ { name: w, protocol: http, port: 80 } ]\n" ONE(""),
		  { "does not say that it is HAProxy", "", "" } },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CLEANUP(l7_plan_free_p) struct l7_plan *plan = l7_run_plan(*state, wrong[i].yaml);
		struct err err = { "" };

		assert_true(l7_program_check(plan,
					     ((struct l7_run *)*state)->model->gateway.l7.program,
					     L7_CHECK_MS, NULL, &err) < 0);
		for (size_t j = 0; j < 3; j++)
			if (!strstr(err.text, wrong[i].says[j]))
				fail_msg("'%s' lacks '%s'", err.text, wrong[i].says[j]);
	}
}

/* Servers begin as they are, and the same model is the same plan. */
static void test_states(void **state)
{
	static const char *const yaml =
		GATE POOL "settings: [ { name: w, protocol: http, port: 80 } ]\n" ONE("");
	CLEANUP(l7_plan_free_p) struct l7_plan *plan = l7_run_plan(*state, yaml);
	CLEANUP(l7_plan_free_p) struct l7_plan *again = l7_run_plan(*state, yaml);
	struct l7_server servers[2] = { { plan->lines[0].addr, 85, L7_DRAINING, 0 },
					{ plan->lines[1].addr, 7, L7_READY, 0 } };
	CLEANUP(free_p) char *text = l7_run_text(plan, servers);

	assert_int_equal(plan->n_lines, 2);
	assert_non_null(strstr(text, "\tserver 127.0.0.2 127.0.0.2:80 weight 0\n"));
	assert_non_null(strstr(text, "\tserver ::1 [::1]:80 weight 7\n"));
	assert_non_null(
		strstr(text, "/l7/worker-0.sock mode 600 level admin expose-fd listeners\n"));
	assert_string_equal(plan->digest, again->digest);
	assert_int_equal(strlen(plan->digest), 64);
	l7_plan_free(take_ptr(again));
	again = l7_run_plan(*state, GATE POOL
			    "settings: [ { name: w, protocol: http, port: 81 } ]\n" ONE(""));
	assert_string_not_equal(plan->digest, again->digest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_haproxy_takes_it),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_blame),
		cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests(tests, l7_run_begin, l7_run_end);
}
