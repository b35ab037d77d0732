// SPDX-License-Identifier: GPL-2.0-or-later
/* Which host, path, port and match a probe uses: the precedence rules, one row each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "model/plan.h"

#define SETTINGS_PORT 8080

static char probe_host[] = "probe.test", settings_host[] = "settings.test", probe_path[] = "/p";

static const struct row {
	bool custom; /* a custom probe, else the default one */
	enum protocol settings, probe;
	char *probe_host, *settings_host, *path;
	uint16_t port;
	enum protocol protocol;
	const char *host, *want_path;
	uint16_t want_port;
} rows[] = {
	{ false, PROTO_HTTP, 0, NULL, NULL, NULL, 0, PROTO_HTTP, "127.0.0.1", "/", 8080 },
	{ false, PROTO_HTTP, 0, NULL, settings_host, NULL, 0, PROTO_HTTP, "settings.test", "/",
	  8080 },
	{ false, PROTO_TCP, 0, NULL, NULL, NULL, 0, PROTO_TCP, "127.0.0.1", "/", 8080 },
	{ true, PROTO_HTTP, PROTO_HTTP, NULL, NULL, NULL, 0, PROTO_HTTP, "127.0.0.1", "/", 8080 },
	{ true, PROTO_HTTP, PROTO_HTTP, NULL, settings_host, NULL, 0, PROTO_HTTP, "settings.test",
	  "/", 8080 },
	{ true, PROTO_HTTP, PROTO_HTTP, probe_host, NULL, NULL, 0, PROTO_HTTP, "probe.test", "/",
	  8080 },
	{ true, PROTO_HTTP, PROTO_HTTP, probe_host, settings_host, probe_path, 0, PROTO_HTTP,
	  "probe.test", "/p", 8080 },
	{ true, PROTO_HTTP, PROTO_HTTP, NULL, NULL, probe_path, 81, PROTO_HTTP, "127.0.0.1", "/p",
	  81 },
	{ true, PROTO_TCP, PROTO_TCP, NULL, NULL, NULL, 65535, PROTO_TCP, "127.0.0.1", "/", 65535 },
	/* The probe's protocol, not the settings'. */
	{ true, PROTO_TCP, PROTO_HTTP, NULL, NULL, NULL, 0, PROTO_HTTP, "127.0.0.1", "/", 8080 },
	{ true, PROTO_UDP, PROTO_TCP, NULL, NULL, NULL, 22, PROTO_TCP, "127.0.0.1", "/", 22 },
};

static void check_row(const struct row *row)
{
	struct probe_def probe = {
		.protocol = row->probe,
		.host = row->probe_host,
		.path = row->path,
		.port = row->port,
		.interval_ms = 1,
		.timeout_ms = 2,
		.unhealthy_threshold = 4,
		.healthy_threshold = 5,
		.fail_fast = true,
		.match = { .status = { { 200, 204 } }, .n_status = 1 },
	};
	struct settings settings = {
		.protocol = row->settings,
		.port = SETTINGS_PORT,
		.probe = row->custom ? 0 : INDEX_NONE,
		.host_name = row->settings_host,
	};
	const struct model model = {
		.probes = &probe, .settings = &settings, .n_probes = 1, .n_settings = 1
	};
	struct endpoint endpoint = { .key = { .port = SETTINGS_PORT } };
	struct addr addr;
	struct plan plan;

	assert_int_equal(addr_parse(&addr, "192.0.2.5"), 0);
	memcpy(endpoint.key.addr, addr.bytes, sizeof(endpoint.key.addr));
	plan = plan_endpoint(&model, &endpoint);

	assert_int_equal(plan.protocol, row->protocol);
	assert_memory_equal(plan.addr.bytes, addr.bytes, sizeof(addr.bytes));
	assert_int_equal(plan.port, row->want_port);
	assert_string_equal(plan.host, row->host);
	assert_string_equal(plan.path, row->want_path);
	assert_int_equal(plan.mark, SL_PROBE_MARK);
	assert_int_equal(plan.interval_ms, row->custom ? 1 : 30000);
	assert_int_equal(plan.timeout_ms, row->custom ? 2 : 30000);
	assert_int_equal(plan.unhealthy_threshold, row->custom ? 4 : 3);
	assert_int_equal(plan.healthy_threshold, row->custom ? 5 : 1);
	assert_int_equal(plan.fail_fast, row->custom);
	assert_int_equal(plan.match->n_status, 1);
	assert_int_equal(plan.match->status[0].low, 200);
	assert_int_equal(plan.match->status[0].high, row->custom ? 204 : 399);
}

static void test_precedence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

static void test_defaults(void **state)
{
	(void)state;
	for (int protocol = PROTO_HTTP; protocol <= PROTO_GRPC; protocol++) {
		const struct probe_def *probe = probe_default((enum protocol)protocol);

		assert_int_equal(probe->protocol, protocol);
		assert_string_equal(probe->name, "default");
		assert_int_equal(probe->port, 0);
		assert_int_equal(probe->min_servers, 0);
		assert_false(probe->fail_fast);
		assert_null(probe->match.body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
