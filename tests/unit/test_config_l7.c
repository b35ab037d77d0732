// SPDX-License-Identifier: GPL-2.0-or-later
/* What services with forward: l7 may ask for, what only they may, and which of them may share an address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/report.h"
#include "model/listeners.h"
#include "util/err.h"

#define GATE "gateway: { interfaces: [ { name: eth0 } ] }\n"
#define POOL "pools: [ { name: p, backends: [ { address: 10.0.0.5 } ] } ]\n"
#define SETTINGS(keys) "settings: [ { name: w, port: 80, " keys " } ]\n"
#define L7(keys)                                                                              \
	"services: [ { name: s, pool: p, settings: w, listen: 192.0.2.1:80, forward: l7" keys \
	" } ]\n"
#define NAT "services: [ { name: s, pool: p, settings: w, listen: 192.0.2.1:80 } ]\n"
#define HTTP SETTINGS("protocol: http")

/* What is wrong, and in which words; NULL: nothing is. */
static const struct row {
	const char *yaml, *says;
} rows[] = {
	/* Only layer 7 has it. */
	{ GATE POOL HTTP "services: [ { name: s, pool: p, settings: w, hosts: [ a.test ] } ]\n",
	  "services[0].hosts: is for services with forward: l7" },
	{ GATE POOL HTTP "services: [ { name: s, pool: p, settings: w, path_rule: /a } ]\n",
	  "services[0].path_rule: '/a': is for services with forward: l7" },
	{ GATE POOL HTTP "services: [ { name: s, pool: p, settings: w, tls: { http2: false } } ]\n",
	  "services[0].tls: is for services with forward: l7" },
	{ GATE POOL SETTINGS("protocol: http, cookie_affinity: { enabled: true }") NAT,
	  "services[0].settings: 'w': have cookie_affinity, which only services with forward: l7" },
	{ GATE POOL SETTINGS("protocol: http, path_override: /a/") NAT, "have path_override" },
	{ GATE POOL SETTINGS("protocol: http, request_timeout: 21") NAT, "have request_timeout" },
	{ GATE POOL SETTINGS("protocol: http, dedicated_connection: true") NAT,
	  "have dedicated_connection" },
	{ GATE POOL SETTINGS("protocol: tcp, send_proxy_protocol: v2") NAT,
	  "have send_proxy_protocol" },
	{ GATE POOL SETTINGS("protocol: http, request_timeout: 20s, dedicated_connection: false")
		  NAT,
	  NULL },
	/* Layer 7 has it not. */
	{ GATE POOL HTTP L7(""), NULL },
	{ GATE POOL HTTP "services: [ { name: s, pool: p, settings: w, forward: l7 } ]\n",
	  "services[0].forward: 'l7': is for services with a listen address" },
	{ GATE POOL HTTP L7(", source_nat: false"),
	  "services[0].source_nat: 'false': is for packets" },
	{ GATE POOL HTTP L7(", table_size: 512"), "services[0].table_size: '512': is for packets" },
	{ GATE POOL HTTP L7(", source_affinity: true"), NULL },
	{ GATE POOL SETTINGS(
		  "protocol: udp") "services: [ { name: s, pool: p, settings: w, listen: 192.0.2.1:80/udp, forward: l7 } ]\n",
	  "services[0].forward: 'l7': is for http, https, tcp and tls; the settings' protocol is udp" },
	{ GATE POOL SETTINGS("protocol: tcp") L7(", hosts: [ a.test ]"),
	  "services[0].hosts: tells requests apart" },
	{ GATE POOL SETTINGS("protocol: tcp") L7(", path_rule: /a"), "tells requests apart" },
	{ GATE POOL HTTP L7(", path_rule: /a*b"), "has '*' elsewhere than at its end" },
	{ GATE POOL HTTP L7(", path_rule: \"/a?b\""), "has a query" },
	{ GATE POOL SETTINGS("protocol: http, path_override: \"/a#b\"") L7(""), "has a query" },
	{ GATE POOL HTTP L7(", hosts: [ a.test, A.test. ]"),
	  "services[0].hosts[1]: 'A.test.': is in the list already" },
	{ GATE POOL HTTP L7(", tls: { http2: false }"), "services[0].tls: has no certificates" },
	{ GATE POOL SETTINGS("protocol: http, dedicated_connection: true")
		  L7(", tls: { certificates: [ a.pem ] }"),
	  "services[0].tls: offers HTTP/2" },
	{ GATE POOL SETTINGS("protocol: http, dedicated_connection: true")
		  L7(", tls: { certificates: [ a.pem ], http2: false }"),
	  NULL },
	{ GATE POOL SETTINGS("protocol: http, on_unhealthy: redirect") L7(""),
	  "have on_unhealthy: redirect" },
	{ GATE POOL SETTINGS("protocol: http, on_none_healthy: last") L7(""),
	  "have another on_none_healthy than reject" },
	{ GATE POOL SETTINGS("protocol: https, validate_sni: false") L7(""),
	  "have only one of validate_chain_and_expiry and validate_sni" },
	{ GATE POOL SETTINGS("protocol: https, host_name: 10.0.0.5") L7(""), "have an IP address" },
	{ GATE POOL SETTINGS("protocol: https, host_name: 10.0.0.5, sni_name: a.test") L7(""),
	  NULL },
	{ GATE POOL SETTINGS("protocol: tls") L7(""), "have no name that the certificate" },
	{ GATE "pools: [ { name: p, backends: [ { address: 1.ab.2x } ] } ]\n" SETTINGS(
		  "protocol: http, host_name_from_backend: true") L7(""),
	  "has fewer than 4 letters" },
	/* Of which protocols. */
	{ GATE SETTINGS("protocol: http, send_proxy_protocol: v1"),
	  "settings[0].send_proxy_protocol: 'v1': is for settings of protocol tcp, tls; this one's is http" },
	{ GATE SETTINGS("protocol: tcp, path_override: /a"),
	  "settings[0].path_override: '/a': is for settings of protocol http, https; this one's is tcp" },
	{ GATE SETTINGS("protocol: udp, request_timeout: 3"),
	  "settings[0].request_timeout: '3': is for settings of protocol http, https, tcp, tls; this one's is udp" },
	/* Not silently nothing. */
	{ GATE SETTINGS("protocol: http, cookie_affinity: {}"),
	  "t.yaml:2:67: settings[0].cookie_affinity.enabled: missing, without which the section does nothing; allowed: true, or false" },
	{ GATE SETTINGS("protocol: http, cookie_affinity:"),
	  "settings[0].cookie_affinity.enabled: missing, without which" },
	{ GATE POOL SETTINGS("protocol: http, cookie_affinity: { name: c }") L7(""),
	  "settings[0].cookie_affinity.enabled: missing, without which" },
	{ GATE SETTINGS("protocol: http, cookie_affinity: { name: c, enabled: }"),
	  "settings[0].cookie_affinity.enabled: has no value" },
	{ GATE POOL SETTINGS("protocol: http, cookie_affinity: { enabled: false, name: c }") L7(""),
	  NULL },
	{ GATE POOL SETTINGS("protocol: http, cookie_affinity: { enabled: false }") NAT, NULL },
	{ GATE SETTINGS("protocol: tcp, cookie_affinity: { enabled: true }"),
	  "settings[0].cookie_affinity: is for settings of protocol http, https" },
/* On one address. */
#define TWO(a, b)                                                                                             \
	GATE POOL                                                                                             \
		"settings: [ { name: w, port: 80, protocol: http }, { name: t, port: 81, protocol: tcp } ]\n" \
		"services:\n- { name: s, pool: p, listen: 192.0.2.1:80, forward: l7, " a " }\n"               \
		"- { name: u, pool: p, listen: 192.0.2.1:80, forward: l7, " b " }\n"
	{ TWO("settings: w", "settings: w, path_rule: /a"), NULL },
	{ TWO("settings: w, hosts: [ a.test, b.test ]", "settings: w, hosts: [ c.test, B.test ]"),
	  "services 's' and 'u' both listen on 192.0.2.1:80 for host b.test and any path" },
	{ TWO("settings: w", "settings: w"), "for any host and any path" },
	{ TWO("settings: w", "settings: t"), "not both of protocol http or https" },
	{ TWO("settings: w, tls: { certificates: [ a ] }", "settings: w, hosts: [ a.test ]"),
	  "only one of them has tls" },
	{ TWO("settings: w, tls: { certificates: [ a ] }",
	      "settings: w, path_rule: /a, tls: { certificates: [ a ], http2: false }"),
	  "only one of them offers HTTP/2" },
	{ GATE POOL HTTP "services:\n"
			 "- { name: s, pool: p, settings: w, listen: 192.0.2.1:80, forward: l7 }\n"
			 "- { name: u, pool: p, settings: w, listen: 192.0.2.1:80, hosts: }\n",
	  "both listen on 192.0.2.1:80; an address and port can be of one service only" },
};

static void test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(model_free_p) struct model *model = NULL;
		struct report report;
		char line[1024] = "";
		int r = config_parse(&model, rows[i].yaml, strlen(rows[i].yaml), "t.yaml", &report);

		if (report.n_items)
			report_format(line, sizeof(line), &report, 0);
		if (!rows[i].says != (r == 0))
			fail_msg("%s: %d %s", rows[i].yaml, r, line);
		if (rows[i].says && !strstr(line, rows[i].says))
			fail_msg("%s\n'%s' lacks\n'%s'", rows[i].yaml, line, rows[i].says);
	}
}

/* Hosts first; exact paths, the longest beginning, any path. */
static void test_order(void **state)
{
	static const char *const yaml = GATE POOL HTTP
		"services:\n"
		"- { name: any, pool: p, settings: w, listen: 192.0.2.1:80, forward: l7 }\n"
		"- { name: short, pool: p, settings: w, listen: 192.0.2.1:80, forward: l7, path_rule: /a* }\n"
		"- { name: host, pool: p, settings: w, listen: 192.0.2.1:80, forward: l7, hosts: [ B.test, a.test ] }\n"
		"- { name: exact, pool: p, settings: w, listen: 192.0.2.1:80, forward: l7, hosts: [ b.test ], path_rule: /a }\n"
		"- { name: long, pool: p, settings: w, listen: 192.0.2.1:80, forward: l7, path_rule: /aa* }\n";
	static const char *const order[] = { "host", "exact", "host", "long", "short", "any" };
	CLEANUP(model_free_p) struct model *model = NULL;
	CLEANUP(free_p) struct listener_rule *list = NULL;
	struct report report;
	uint32_t n;

	(void)state;
	assert_int_equal(config_parse(&model, yaml, strlen(yaml), "t.yaml", &report), 0);
	assert_int_equal(listeners_list(&list, &n, model), 0);
	assert_int_equal(n, 6);
	for (uint32_t i = 0; i < n; i++)
		assert_string_equal(list[i].service->name, order[i]);
	assert_string_equal(list[2].host, "b.test");
}

/* A copy has its own of everything. */
static void test_copy(void **state)
{
	static const char *const yaml = GATE POOL SETTINGS(
		"protocol: http, path_override: /x/, cookie_affinity: { enabled: true, name: c }")
		L7(", hosts: [ a.test, b.test ], path_rule: /a*, tls: { certificates: [ c.pem ] }");
	CLEANUP(model_free_p) struct model *model = NULL, *copy = NULL;
	struct report report;
	struct err err;

	(void)state;
	assert_int_equal(config_parse(&model, yaml, strlen(yaml), "dir/t.yaml", &report), 0);
	assert_int_equal(model_copy(&copy, model), 0);
	model_free(take_ptr(model));
	assert_int_equal(model_link(copy, &err), 0);
	assert_string_equal(copy->services[0].l7.hosts[1], "b.test");
	assert_string_equal(copy->services[0].l7.path_rule, "/a*");
	assert_string_equal(copy->services[0].l7.certificates[0], "dir/c.pem");
	assert_true(copy->services[0].l7.http2);
	assert_string_equal(copy->settings[0].l7.path_override, "/x/");
	assert_string_equal(copy->settings[0].l7.cookie, "c");
	assert_int_equal(copy->settings[0].l7.request_timeout_ms, 20000);
}

/* Whether the section is there is known, whatever is in it. */
static void test_section(void **state)
{
	static const struct {
		const char *section;
		bool there;
	} files[] = { { "", false },
		      { ", l7: {}", true },
		      { ", l7:", true },
		      { ", l7: { threads: 2 }", true } };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		CLEANUP(model_free_p) struct model *model = NULL;
		struct report report;
		char yaml[128];
		int len = snprintf(yaml, sizeof(yaml),
				   "gateway: { interfaces: [ { name: eth0 } ]%s }\n",
				   files[i].section);

		assert_int_equal(config_parse(&model, yaml, (size_t)len, "t.yaml", &report), 0);
		assert_int_equal(model->gateway.l7.configured, files[i].there);
		assert_string_equal(model->gateway.l7.user, "haproxy");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_section),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
