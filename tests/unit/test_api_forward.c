// SPDX-License-Identifier: GPL-2.0-or-later
/* What the API says of services that forward: tables, drains, flows, and what became of a packet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/flow_stream.h"
#include "tests/lib/fault.h"
#include "tests/unit/api_run.h"

/* The same gateway, but packets of its first service are forwarded. */
static int start_forwarding(void **state)
{
	static const char gate[] = "{ name: shop, pool: web-pool,";
	static const char listen[] =
		"{ name: shop, listen: '192.0.2.10:80', forward: ipip, pool: web-pool,";
	const char *at = strstr(gateway_yaml, gate);
	char yaml[2048];

	(void)state;
	assert_non_null(at);
	snprintf(yaml, sizeof(yaml), "%.*s%s%s", (int)(at - gateway_yaml), gateway_yaml, listen,
		 at + strlen(gate));
	assert_int_equal(gateway_fake_start(&gateway, yaml), 0);
	fake_forwards = true;
	assert_int_equal(start_api(&api, NULL), 0);
	return 0;
}

#define FORWARDING(test) cmocka_unit_test_setup_teardown(test, start_forwarding, stop)

static void services_are_shown(void **state)
{
	json_t *json;

	(void)state;
	weights_set(gateway.weights, 0, 1, 7);
	json = get("/v1/pools/web-pool", 200);
	assert_string_equal(json_text_at(json, "services.0.listen"), "192.0.2.10:80");
	assert_string_equal(json_text_at(json, "services.0.forward"), "ipip");
	assert_int_equal(json_number_at(json, "services.0.endpoints.0.weight"), 1);
	assert_int_equal(json_number_at(json, "services.0.endpoints.1.weight"), 7);
	assert_int_equal(json_number_at(json, "services.0.endpoints.0.table.slots"), 3072);
	assert_int_equal(json_number_at(json, "services.0.endpoints.0.table.size"), 4096);
	assert_string_equal(json_text_at(json, "services.0.endpoints.0.health"), "Unknown");
	assert_null(json_at(json, "services.1.forward"));
	assert_null(json_at(json, "services.1.endpoints.0.table"));
	json_decref(json);

	json = get("/v1/why?pool=web-pool&address=10.0.0.6", 200);
	assert_int_equal(json_number_at(json, "endpoints.0.weight"), 7);
	assert_int_equal(json_number_at(json, "endpoints.0.table.slots"), 1024);
	assert_null(json_at(json, "endpoints.1.table"));
	json_decref(json);

	json = get("/v1/stats", 200);
	assert_int_equal(json_number_at(json, "pools.0.services.0.kernel.packets"), 7000);
	assert_int_equal(json_number_at(json, "pools.0.services.0.kernel.moved"), 3);
	assert_string_equal(json_text_at(json, "pools.0.services.0.listen"), "192.0.2.10:80");
	assert_null(json_at(json, "pools.0.services.1.kernel"));
	json_decref(json);

	json = get("/v1/status", 200);
	assert_int_equal(json_number_at(json, "forwarding.services"), 1);
	assert_int_equal(json_number_at(json, "forwarding.live"), 6);
	assert_int_equal(json_number_at(json, "forwarding.flows.entries"), 12);
	assert_int_equal(json_number_at(json, "forwarding.flows.max"), 262144);
	assert_int_equal(json_number_at(json, "forwarding.half_open.entries"), 5);
	assert_int_equal(json_number_at(json, "forwarding.counted_ms_ago"), 300);
	json_decref(json);
	fake_census_known = false;
	json = get("/v1/status", 200);
	assert_int_equal(json_number_at(json, "forwarding.services"), 1);
	assert_null(json_at(json, "forwarding.flows"));
	json_decref(json);
}

/* How many flows are left is said where somebody counts them. */
static void drains_are_shown(void **state)
{
	uint32_t shop = gateway_fake_index(&gateway, "10.0.0.6:80");
	uint32_t db = gateway_fake_index(&gateway, "10.0.0.6:5432");
	json_t *json;

	(void)state;
	board_set_admin(gateway.board, shop, SL_DRAINING, true, clock_mono_ms() + 5000);
	board_set_admin(gateway.board, db, SL_DRAINING, true, 1);
	json = get("/v1/health?pool=web-pool", 200);
	assert_int_equal(json_number_at(json, "pools.0.services.0.endpoints.1.drain.flows"),
			 shop + 1);
	assert_in_range(json_number_at(json, "pools.0.services.0.endpoints.1.drain.left_ms"), 1,
			5000);
	assert_null(json_at(json, "pools.0.services.1.endpoints.1.drain.flows"));
	assert_int_equal(json_number_at(json, "pools.0.services.1.endpoints.1.drain.left_ms"), 0);
	json_decref(json);

	fake_census_known = false;
	board_set_admin(gateway.board, shop, SL_DRAINING, true, 0);
	board_set_admin(gateway.board, db, SL_DISABLED, true, 0);
	json = get("/v1/health?pool=web-pool", 200);
	assert_non_null(json_at(json, "pools.0.services.0.endpoints.1.drain"));
	assert_null(json_at(json, "pools.0.services.0.endpoints.1.drain.flows"));
	assert_null(json_at(json, "pools.0.services.0.endpoints.1.drain.left_ms"));
	assert_string_equal(json_text_at(json, "pools.0.services.1.endpoints.1.admin"), "disabled");
	assert_null(json_at(json, "pools.0.services.1.endpoints.1.drain"));
	json_decref(json);
}

static void flows_are_listed(void **state)
{
	static const struct {
		const char *path;
		long long listed, total, limit;
	} rows[] = {
		{ "/v1/flows", 100, 1000, 100 },
		{ "/v1/flows?limit=0", 0, 1000, 0 },
		{ "/v1/flows?limit=3", 3, 1000, 3 },
		{ "/v1/flows?limit=100000", 1000, 1000, 100000 },
		{ "/v1/flows?pool=web-pool&limit=2000", 1000, 1000, 2000 },
		{ "/v1/flows?pool=db-pool", 0, 0, 100 },
		{ "/v1/flows?pool=web-pool&address=10.0.0.5&limit=2000", 500, 500, 2000 },
		{ "/v1/flows?pool=web-pool&address=10.0.0.6:80&limit=2000", 500, 500, 2000 },
		{ "/v1/flows?pool=web-pool&address=fd00::5", 0, 0, 100 },
		{ "/v1/flows?pool=web-pool&address=10.0.0.5:5432", 0, 0, 100 },
	};
	json_t *json;

	(void)state;
	fake_n_flows = 1000;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json = get(rows[i].path, 200);
		if (json_number_at(json, "listed") != rows[i].listed ||
		    json_number_at(json, "total") != rows[i].total ||
		    json_number_at(json, "limit") != rows[i].limit ||
		    (long long)json_array_size(json_at(json, "flows")) != rows[i].listed)
			fail_msg("%s: %lld of %lld", rows[i].path, json_number_at(json, "listed"),
				 json_number_at(json, "total"));
		json_decref(json);
	}
	json = get("/v1/flows?limit=2", 200);
	assert_string_equal(json_text_at(json, "flows.1.client.address"), "198.51.100.7");
	assert_int_equal(json_number_at(json, "flows.1.client.port"), 1001);
	assert_string_equal(json_text_at(json, "flows.1.to.address"), "192.0.2.10");
	assert_string_equal(json_text_at(json, "flows.1.proto"), "tcp");
	assert_string_equal(json_text_at(json, "flows.1.pool"), "web-pool");
	assert_string_equal(json_text_at(json, "flows.1.service"), "shop");
	assert_string_equal(json_text_at(json, "flows.1.endpoint.address"), "10.0.0.6");
	assert_int_equal(json_number_at(json, "flows.1.endpoint.port"), 80);
	assert_int_equal(json_number_at(json, "flows.1.source.port"), 20000);
	assert_string_equal(json_text_at(json, "flows.1.state"), "open");
	assert_int_equal(json_number_at(json, "flows.1.idle_s"), 90);
	json_decref(json);
}

static void flows_are_refused(void **state)
{
	static const struct {
		const char *path;
		long status;
		const char *text;
	} rows[] = {
		{ "/v1/flows?limit=x", 400, "limit 'x' is not a whole number from 0 to 100000" },
		{ "/v1/flows?limit=100001", 400, "from 0 to 100000" },
		{ "/v1/flows?limit=", 400, "limit ''" },
		{ "/v1/flows?pool=none", 404, "no pool 'none'" },
		{ "/v1/flows?address=10.0.0.5", 400, "address needs the parameter pool" },
		{ "/v1/flows?pool=web-pool&address=x", 400, "'x' is not an IP" },
		{ "/v1/flows?pool=web-pool&address=10.0.0.9", 404, "no guarded endpoint" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json = get(rows[i].path, rows[i].status);

		if (!strstr(json_text_at(json, "error.message"), rows[i].text))
			fail_msg("%s: %s", rows[i].path, json_text_at(json, "error.message"));
		json_decref(json);
	}
}

/* Read with buffers of all sizes, and without memory at every point. */
static void flow_streams(void **state)
{
	struct flow_stream_options options = { .context = &gateway.context,
					       .pool = INDEX_NONE,
					       .limit = 5 };
	struct flow_stream *stream = NULL;
	char first[4096] = "", text[4096];
	int n_refused = 0;

	(void)state;
	fake_n_flows = 50;
	for (size_t size = 1; size < sizeof(text); size *= 7) {
		size_t len = 0;
		ssize_t n;

		assert_int_equal(flow_stream_new(&stream, &options), 0);
		while ((n = flow_stream_read(stream, text + len, size)) > 0)
			len += (size_t)n;
		assert_int_equal(n, 0);
		text[len] = '\0';
		flow_stream_free(take_ptr(stream));
		if (size == 1)
			memcpy(first, text, len + 1);
		assert_string_equal(text, first);
	}
	assert_non_null(strstr(first, "\"listed\": 5, \"total\": 50"));

	for (int at = 0; at < 400; at++) {
		ssize_t n = 0;

		fault_after(FAULT_MEMORY, at, ENOMEM);
		if (flow_stream_new(&stream, &options) == 0)
			while ((n = flow_stream_read(stream, text, sizeof(text))) > 0)
				;
		if (fault_clear(FAULT_MEMORY)) {
			n_refused++;
			assert_true(!stream || n == -ENOMEM);
		} else {
			assert_int_equal(n, 0);
		}
		flow_stream_free(take_ptr(stream));
	}
	assert_in_range(n_refused, 5, 399);
	fake_flows_result = -EIO;
	assert_int_equal(flow_stream_new(&stream, &options), 0);
	assert_int_equal(flow_stream_read(stream, text, sizeof(text)), -EIO);
	flow_stream_free(stream);
}

static void packets_are_decided(void **state)
{
	struct addr addr;
	json_t *json;

	(void)state;
	fake_decided =
		(struct decide_result){ .decision = SL_FORWARD_NAT,
					.endpoint = gateway_fake_index(&gateway, "10.0.0.6:80"),
					.moved = true };
	json = get("/v1/decide?from=10.1.0.2&to=192.0.2.10:80", 200);
	addr_parse(&addr, "10.1.0.2");
	assert_memory_equal(&fake_asked.from, &addr, sizeof(addr));
	assert_int_equal(fake_asked.from_port, 49152);
	assert_int_equal(fake_asked.to_port, 80);
	assert_int_equal(fake_asked.proto, SL_TCP);
	assert_int_equal(fake_asked.flags, DECIDE_SYN);
	assert_int_equal(fake_asked.ifindex, 0);
	assert_string_equal(json_text_at(json, "decision"), "forward_nat");
	assert_string_equal(json_text_at(json, "meaning"), "to an endpoint");
	assert_string_equal(json_text_at(json, "service"), "shop");
	assert_string_equal(json_text_at(json, "pool"), "web-pool");
	assert_string_equal(json_text_at(json, "endpoint.address"), "10.0.0.6");
	assert_true(json_is_true(json_at(json, "moved")));
	assert_true(json_is_false(json_at(json, "known_flow")));
	assert_int_equal(json_number_at(json, "packet.from.port"), 49152);
	assert_string_equal(json_text_at(json, "packet.flags"), "syn");
	json_decref(json);

	fake_decided = (struct decide_result){ .service = INDEX_NONE, .endpoint = INDEX_NONE };
	json = get("/v1/decide?from=[fd00::1]:5&to=[fd00::2]:6&proto=udp&interface=lo", 200);
	assert_int_equal(fake_asked.from_port, 5);
	assert_int_equal(fake_asked.proto, SL_UDP);
	assert_int_equal(fake_asked.ifindex, 1);
	assert_string_equal(json_text_at(json, "packet.interface"), "lo");
	assert_null(json_at(json, "packet.flags"));
	assert_null(json_at(json, "service"));
	assert_null(json_at(json, "endpoint"));
	json_decref(json);
	json_decref(get("/v1/decide?from=10.1.0.2:7&to=10.0.0.5:80&proto=tcp&flags=ack", 200));
	assert_int_equal(fake_asked.flags, DECIDE_ACK);
	fake_decide_result = -EPERM;
	json = get("/v1/decide?from=10.1.0.2&to=192.0.2.10:80", 500);
	assert_string_equal(json_text_at(json, "error.message"), "the kernel said no");
	json_decref(json);
}

static void nonsense_is_not_decided(void **state)
{
	static const struct {
		const char *query, *text;
	} rows[] = {
		{ "", "source '' is not an IP address" },
		{ "from=x&to=10.0.0.5:80", "source 'x' is not" },
		{ "from=10.1.0.2", "destination '' is not an IP address with a port" },
		{ "from=10.1.0.2&to=10.0.0.5", "destination '10.0.0.5' is not" },
		{ "from=10.1.0.2&to=10.0.0.5:99999", "destination '10.0.0.5:99999'" },
		{ "from=fd00::1&to=10.0.0.5:80", "different address families" },
		{ "from=10.1.0.2&to=10.0.0.5:80&proto=icmp", "proto 'icmp' is not tcp or udp" },
		{ "from=10.1.0.2&to=10.0.0.5:80&flags=fin", "flags 'fin' are not syn or ack" },
		{ "from=10.1.0.2&to=10.0.0.5:80&proto=udp&flags=syn", "flags are for tcp" },
		{ "from=10.1.0.2&to=10.0.0.5:80&interface=nowhere", "no interface 'nowhere'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char path[256];
		json_t *json;

		snprintf(path, sizeof(path), "/v1/decide?%s", rows[i].query);
		json = get(path, 400);
		if (!strstr(json_text_at(json, "error.message"), rows[i].text))
			fail_msg("%s: %s", path, json_text_at(json, "error.message"));
		json_decref(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FORWARDING(services_are_shown),
		FORWARDING(drains_are_shown),
		FORWARDING(flows_are_listed),
		FORWARDING(flows_are_refused),
		FORWARDING(flow_streams),
		FORWARDING(packets_are_decided),
		FORWARDING(nonsense_is_not_decided),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("api_forward", tests, NULL, NULL);
}
