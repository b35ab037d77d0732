// SPDX-License-Identifier: GPL-2.0-or-later
/* The API over a real Unix socket, asked by libcurl: every document, and every refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/api_run.h"

static const struct verdict ok = {
	.code = SL_MSG_OK,
	.stage = STAGE_BODY,
	.http_status = 200,
	.elapsed_ms = 2,
	.timing = { .connect_us = 180, .first_byte_us = 900, .total_us = 2000 }
};
static const struct verdict refused = { .code = SL_MSG_TCP_CONNECT_FAILED,
					.stage = STAGE_CONNECT,
					.os_errno = ECONNREFUSED,
					.elapsed_ms = 1,
					.timing = { .total_us = 400 } };
static const struct verdict overloaded = { .code = SL_MSG_PROBER_OVERLOADED, .stage = STAGE_QUEUE };

#define FIRST "pools.0.services.0.endpoints.0."

static void test_status(void **state)
{
	json_t *json;

	(void)state;
	gateway_fake_verdict(&gateway, "10.0.0.5:80", &ok, 1);
	gateway_fake_verdict(&gateway, "10.0.0.6:80", &refused, 1);
	json = get("/v1/status", 200);
	assert_string_equal(json_text_at(json, "version"), SLUICE_VERSION);
	assert_int_equal(json_number_at(json, "pid"), getpid());
	assert_in_range(json_number_at(json, "uptime_ms"), 90000, 100000);
	assert_string_equal(json_text_at(json, "config"), "/etc/sluice/sluice.yaml");
	assert_string_equal(json_text_at(json, "mode"), "enforce");
	assert_string_equal(json_text_at(json, "on_daemon_loss"), "hold");
	assert_in_range(json_number_at(json, "heartbeat_ms_ago"), 0, 5000);
	assert_true(json_is_true(json_object_get(json, "in_force")));
	assert_null(json_at(json, "degraded"));
	assert_true(json_is_true(json_at(json, "pinned")));
	assert_int_equal(json_number_at(json, "layout"), SL_LAYOUT);
	assert_string_not_equal(json_text_at(json, "kernel"), "(none)");
	assert_string_equal(json_text_at(json, "interfaces.0.name"), "lan0");
	assert_string_equal(json_text_at(json, "interfaces.0.ingress"), "tcx");
	assert_true(json_is_true(json_at(json, "interfaces.0.adopted")));
	assert_true(json_is_true(json_at(json, "interfaces.0.present")));
	assert_true(json_is_true(json_at(json, "interfaces.1.present")));
	assert_string_equal(json_text_at(json, "interfaces.0.steps.0"),
			    "xdp-native: passed over, the device is virtual");
	assert_string_equal(json_text_at(json, "interfaces.1.egress"), "none");
	assert_int_equal(json_number_at(json, "totals.pools"), 3);
	assert_int_equal(json_number_at(json, "totals.services"), 3);
	assert_int_equal(json_number_at(json, "totals.endpoints"), 7);
	assert_int_equal(json_number_at(json, "totals.healthy"), 1);
	assert_int_equal(json_number_at(json, "totals.unhealthy"), 1);
	assert_int_equal(json_number_at(json, "totals.unknown"), 5);
	assert_int_equal(json_number_at(json, "decisions.pass_healthy"), 900);
	assert_int_equal(json_number_at(json, "decisions.drop_closed"), 0);
	assert_int_equal(json_number_at(json, "engine.in_flight_max"), 512);
	assert_int_equal(json_number_at(json, "engine.overloaded"), 5);
	assert_true(json_is_false(json_at(json, "engine.overloaded_now")));
	json_decref(json);

	fake_removed_ifindex = 8;
	fake_degraded = "the programs of this version were refused";
	json = get("/v1/status", 200);
	fake_removed_ifindex = 0;
	assert_string_equal(json_text_at(json, "degraded"), fake_degraded);
	assert_true(json_is_false(json_at(json, "pinned")));
	fake_degraded = NULL;
	assert_true(json_is_true(json_at(json, "interfaces.0.present")));
	assert_true(json_is_false(json_at(json, "interfaces.1.present")));
	assert_string_equal(json_text_at(json, "interfaces.0.state"), "attached");
	assert_null(json_at(json, "interfaces.0.why"));
	assert_string_equal(json_text_at(json, "interfaces.1.state"), "gone");
	assert_string_equal(json_text_at(json, "interfaces.1.why"),
			    "there is no such interface now");
	assert_int_equal(json_number_at(json, "interfaces.1.returns"), 3);
	json_decref(json);
}

/* Health of endpoints says little where their packets pass unjudged. */
static void test_unguarded(void **state)
{
	json_t *json;

	(void)state;
	json = get("/v1/health", 200);
	assert_null(json_at(json, "unguarded"));
	json_decref(json);
	fake_removed_ifindex = 8;
	json = get("/v1/health", 200);
	fake_removed_ifindex = 0;
	assert_int_equal(json_array_size(json_at(json, "unguarded")), 1);
	assert_string_equal(json_text_at(json, "unguarded.0.interface"), "lan1");
	assert_string_equal(json_text_at(json, "unguarded.0.state"), "gone");
	assert_string_equal(json_text_at(json, "unguarded.0.why"),
			    "there is no such interface now");
	assert_true(json_array_size(json_at(json, "pools")) > 0);
	json_decref(json);
	fake_detached_all = true;
	json = get("/v1/health", 200);
	fake_detached_all = false;
	assert_null(json_at(json, "unguarded.0.interface"));
	assert_string_equal(json_text_at(json, "unguarded.0.state"), "detached");
	json_decref(json);
}

static void test_health(void **state)
{
	json_t *json;

	(void)state;
	gateway_fake_verdict(&gateway, "10.0.0.5:80", &refused, 4);
	gateway_fake_verdict(&gateway, "10.0.0.6:80", &ok, 1);
	gateway_fake_verdict(&gateway, "[fd00::5]:80", &refused, 3);
	gateway_fake_verdict(&gateway, "[fd00::5]:80", &overloaded, 1);
	json = get("/v1/health", 200);

	assert_int_equal(json_array_size(json_at(json, "pools")), 3);
	assert_string_equal(json_text_at(json, "pools.0.name"), "web-pool");
	assert_int_equal(json_array_size(json_at(json, "pools.0.services")), 2);
	assert_string_equal(json_text_at(json, "pools.0.services.1.name"), "shop-db");
	assert_string_equal(json_text_at(json, "pools.0.services.1.settings"), "db");
	assert_int_equal(json_array_size(json_at(json, "pools.0.services.0.endpoints")), 3);
	assert_int_equal(json_array_size(json_at(json, "pools.1.services.0.endpoints")), 1);
	assert_int_equal(json_array_size(json_at(json, "pools.2.services")), 0);

	assert_string_equal(json_text_at(json, FIRST "address"), "10.0.0.5");
	assert_int_equal(json_number_at(json, FIRST "port"), 80);
	assert_string_equal(json_text_at(json, FIRST "proto"), "tcp");
	assert_string_equal(json_text_at(json, FIRST "backend"), "10.0.0.5");
	assert_string_equal(json_text_at(json, FIRST "health"), "Unhealthy");
	assert_string_equal(json_text_at(json, FIRST "admin"), "enabled");
	assert_int_equal(strlen(json_text_at(json, FIRST "since")),
			 strlen("2026-01-01T00:00:00.000Z"));
	assert_int_equal(json_number_at(json, FIRST "code"), 3);
	assert_string_equal(json_text_at(json, FIRST "id"), "tcp_connect_failed");
	assert_non_null(strstr(json_text_at(json, FIRST "message"), "10.0.0.5:80"));
	assert_true(json_array_size(json_at(json, FIRST "remedies")) > 0);
	assert_int_equal(json_number_at(json, FIRST "probe.interval_ms"), 5000);
	assert_int_equal(json_number_at(json, FIRST "probe.consecutive_failures"), 4);
	assert_in_range(json_number_at(json, FIRST "probe.last_ms_ago"), 0, 5000);
	assert_int_equal(json_number_at(json, FIRST "probe.timing_us.total"), 400);
	assert_null(json_at(json, FIRST "probe.timing_us.connect"));
	assert_int_equal(json_number_at(json, FIRST "kernel.syn"), 120);
	assert_int_equal(json_number_at(json, FIRST "kernel.bytes"), 64000);
	assert_int_equal(json_number_at(json, FIRST "kernel.attempts"), 3);
	assert_int_equal(json_number_at(json, FIRST "kernel.syn_ack"), 1);
	assert_int_equal(json_number_at(json, FIRST "kernel.refused"), 1);
	assert_int_equal(json_number_at(json, FIRST "kernel.unanswered"), 1);
	assert_int_equal(json_number_at(json, FIRST "kernel.pending"), 0);
	assert_in_range(json_number_at(json, FIRST "kernel.handshake_us.p50"), 16, 32);
	assert_int_equal(json_number_at(json, FIRST "kernel.replies"), 0);
	assert_int_equal(json_number_at(json, FIRST "kernel.reply_sample"), SL_REPLY_SAMPLE);
	assert_null(json_at(json, FIRST "gate"));
	assert_null(json_at(json, FIRST "forced"));
	assert_null(json_at(json, FIRST "adopted"));

	/* Healthy: nothing to remedy. */
	assert_string_equal(json_text_at(json, "pools.0.services.0.endpoints.1.health"), "Healthy");
	assert_int_equal(json_array_size(json_at(json, "pools.0.services.0.endpoints.1.remedies")),
			 0);
	/* The prober is in trouble: shown Unknown, and the gate stays where it was. */
	assert_string_equal(json_text_at(json, "pools.0.services.0.endpoints.2.health"), "Unknown");
	assert_string_equal(json_text_at(json, "pools.0.services.0.endpoints.2.gate"), "Unhealthy");
	/* Never probed. */
	assert_int_equal(json_number_at(json, "pools.1.services.0.endpoints.0.code"), 105);
	assert_string_equal(json_text_at(json, "pools.1.services.0.endpoints.0.health"), "Unknown");
	assert_null(json_at(json, "pools.1.services.0.endpoints.0.probe.last_ms_ago"));
	json_decref(json);
}

static void test_health_flags(void **state)
{
	uint32_t i = gateway_fake_index(&gateway, "10.0.1.1:5432");
	struct health health;
	json_t *json;

	(void)state;
	health_init(&health, SL_UNHEALTHY, clock_wall_ms());
	health.forced = true;
	board_set_health(gateway.board, i, &health, true);
	board_set_suspected(gateway.board, i, true);
	fake_stats_result = -EIO;
	json = get("/v1/health?pool=db-pool", 200);
	assert_int_equal(json_array_size(json_at(json, "pools")), 1);
	assert_string_equal(json_text_at(json, FIRST "health"), "Unhealthy");
	assert_true(json_is_true(json_at(json, FIRST "forced")));
	assert_true(json_is_true(json_at(json, FIRST "adopted")));
	assert_true(json_is_true(json_at(json, FIRST "suspected")));
	assert_null(json_at(json, FIRST "kernel"));
	json_decref(json);
}

static void test_pools(void **state)
{
	json_t *json = get("/v1/pools", 200);

	(void)state;
	assert_string_equal(json_text_at(json, "pools.0.name"), "web-pool");
	assert_int_equal(json_number_at(json, "pools.0.backends"), 3);
	assert_string_equal(json_text_at(json, "pools.0.services.1"), "shop-db");
	assert_int_equal(json_number_at(json, "pools.0.unknown"), 6);
	assert_int_equal(json_number_at(json, "pools.2.unknown"), 0);
	json_decref(json);

	json = get("/v1/pools/web-pool", 200);
	assert_string_equal(json_text_at(json, "backends.2"), "fd00::5");
	assert_string_equal(json_text_at(json, "services.0.probe"), "quick");
	assert_string_equal(json_text_at(json, "services.1.probe"), "default");
	assert_string_equal(json_text_at(json, "services.1.on_unhealthy"), "drop");
	assert_string_equal(json_text_at(json, "services.1.established"), "reset");
	assert_int_equal(json_number_at(json, "services.0.unknown"), 3);
	json_decref(json);
}

static void test_why(void **state)
{
	json_t *json;

	(void)state;
	gateway_fake_verdict(&gateway, "10.0.0.5:80", &ok, 1);
	gateway_fake_verdict(&gateway, "10.0.0.5:80", &refused, 3);
	json = get("/v1/why?pool=web-pool&address=10.0.0.5", 200);
	assert_string_equal(json_text_at(json, "pool"), "web-pool");
	assert_int_equal(json_array_size(json_at(json, "endpoints")), 2);
	assert_string_equal(json_text_at(json, "endpoints.0.service"), "shop");
	assert_string_equal(json_text_at(json, "endpoints.1.settings"), "db");
	assert_non_null(
		strstr(json_text_at(json, "endpoints.0.finding"), "3 probes in a row failed"));
	assert_int_equal(json_array_size(json_at(json, "endpoints.0.recent")), 4);
	assert_string_equal(json_text_at(json, "endpoints.0.recent.0.id"), "tcp_connect_failed");
	assert_string_equal(json_text_at(json, "endpoints.0.recent.3.id"), "ok");
	assert_string_equal(json_text_at(json, "endpoints.0.recent.0.stage"), "connect");
	assert_string_equal(json_text_at(json, "endpoints.0.plan.path"), "/healthz");
	assert_int_equal(json_number_at(json, "endpoints.0.plan.healthy_threshold"), 2);
	assert_string_equal(json_text_at(json, "endpoints.0.on_unhealthy"), "reject");
	assert_true(json_array_size(json_at(json, "endpoints.0.causes")) > 0);
	assert_null(json_at(json, "endpoints.1.plan.path"));
	json_decref(json);

	json = get("/v1/why?pool=web-pool&address=10.0.0.5:5432", 200);
	assert_int_equal(json_array_size(json_at(json, "endpoints")), 1);
	assert_int_equal(json_number_at(json, "endpoints.0.port"), 5432);
	json_decref(json);

	json = get("/v1/why?pool=web-pool&address=%5Bfd00:0::5%5D:80", 200);
	assert_string_equal(json_text_at(json, "endpoints.0.address"), "fd00::5");
	json_decref(json);
}

/* The same gateway with TLS, and what a probe saw of a server's certificates. */
static const char tls_yaml[] =
	"gateway: { interfaces: [ { name: lan0 } ] }\n"
	"settings: [ { name: web, protocol: https, port: 443, host_name: shop.test } ]\n"
	"pools: [ { name: web-pool, backends: [ { address: 10.0.0.5 } ] } ]\n"
	"services: [ { name: shop, pool: web-pool, settings: web } ]\n";

static struct verdict bad_chain(void)
{
	struct verdict verdict = { .code = SL_MSG_CERT_DATE_INVALID,
				   .stage = STAGE_CERTIFICATE,
				   .tls = { .version = 0x0303,
					    .x509_code = 10,
					    .not_after = 1,
					    .warnings = SL_WARN_CHAIN_ORDER,
					    .n_also = 1,
					    .also = { SL_MSG_CERT_NAME_MISMATCH },
					    .certs = certs_new(1) },
				   .timing = { .resolve_us = 7, .connect_us = 8, .tls_us = 9 } };

	assert_non_null(verdict.tls.certs);
	verdict.tls.certs->hint = strdup("renew this one");
	verdict.tls.certs->certs[0].subject = strdup("CN=shop.test \xff\033");
	return verdict;
}

static void test_certificates(void **state)
{
	static const struct verdict down = { .code = SL_MSG_TCP_CONNECT_FAILED };
	CLEANUP(verdict_done) struct verdict verdict = bad_chain();
	json_t *json;

	(void)state;
	api_stop(take_ptr(api));
	gateway_fake_stop(&gateway);
	assert_int_equal(gateway_fake_start(&gateway, tls_yaml), 0);
	assert_int_equal(start_api(&api, NULL), 0);
	gateway_fake_verdict(&gateway, "10.0.0.5:443", &verdict, 1);

	json = get("/v1/health", 200);
	assert_string_equal(json_text_at(json, FIRST "id"), "cert_date_invalid");
	assert_string_equal(json_text_at(json, FIRST "also.0"), "cert_name_mismatch");
	assert_string_equal(json_text_at(json, FIRST "warnings.0"), "chain_order");
	assert_string_equal(json_text_at(json, FIRST "tls.version"), "TLS 1.2");
	assert_true(json_is_false(json_at(json, FIRST "tls.resumed")));
	assert_string_equal(json_text_at(json, FIRST "tls.cert_not_after"), "1970-01-01T00:00:01Z");
	assert_int_equal(json_number_at(json, FIRST "openssl.code"), 10);
	assert_string_equal(json_text_at(json, FIRST "openssl.text"), "certificate has expired");
	assert_string_equal(json_text_at(json, FIRST "remedies.0"), "renew this one");
	assert_int_equal(json_number_at(json, FIRST "probe.timing_us.tls"), 9);
	assert_int_equal(json_number_at(json, FIRST "probe.timing_us.resolve"), 7);
	assert_null(json_at(json, FIRST "chain"));
	json_decref(json);

	json = get("/v1/why?pool=web-pool&address=10.0.0.5", 200);
	assert_int_equal(json_array_size(json_at(json, "endpoints.0.chain")), 1);
	assert_non_null(strstr(json_text_at(json, "endpoints.0.chain.0.subject"), "CN=shop.test"));
	assert_string_equal(json_text_at(json, "endpoints.0.plan.tls.sni"), "shop.test");
	assert_string_equal(json_text_at(json, "endpoints.0.plan.tls.verified_name"), "shop.test");
	assert_int_equal(json_number_at(json, "endpoints.0.plan.tls.full_handshake_every"), 10);
	assert_string_equal(json_text_at(json, "endpoints.0.recent.0.also.0"),
			    "cert_name_mismatch");
	json_decref(json);

	/* Only the newest verdict has its certificates; of the others the words stay. */
	gateway_fake_verdict(&gateway, "10.0.0.5:443", &down, 1);
	json = get("/v1/why?pool=web-pool&address=10.0.0.5", 200);
	assert_string_equal(json_text_at(json, "endpoints.0.id"), "tcp_connect_failed");
	assert_null(json_at(json, "endpoints.0.tls"));
	assert_int_equal(json_array_size(json_at(json, "endpoints.0.chain")), 0);
	assert_string_equal(json_text_at(json, "endpoints.0.recent.1.id"), "cert_date_invalid");
	assert_string_equal(json_text_at(json, "endpoints.0.recent.1.warnings.0"), "chain_order");
	json_decref(json);
}

static void test_stats_and_maps(void **state)
{
	json_t *json = get("/v1/stats", 200);

	(void)state;
	assert_int_equal(json_number_at(json, "decisions.reject_tcp"), 12);
	assert_int_equal(json_number_at(json, FIRST "kernel.packets"), 1000);
	assert_null(json_at(json, FIRST "message"));
	json_decref(json);

	json = get("/v1/stats?pool=db-pool", 200);
	assert_null(json_at(json, "decisions"));
	assert_string_equal(json_text_at(json, "pools.0.name"), "db-pool");
	json_decref(json);

	json = get("/v1/maps", 200);
	assert_string_equal(json_text_at(json, "maps.0.path"), "/sys/fs/bpf/sluice/v1/targets");
	assert_int_equal(json_number_at(json, "maps.1.memory_bytes"), 32769);
	json_decref(json);
}

static void test_errors(void **state)
{
	static const struct {
		const char *path;
		long status;
		const char *code, *text;
	} rows[] = {
		{ "/", 404, "not_found", "'/'" },
		{ "/", 404, "not_found", "/v1/status, /v1/health" },
		{ "/v1/health?pool=shop", 404, "not_found",
		  "the service of that name uses the pool 'web-pool'" },
		{ "/v1", 404, "not_found", "/v1" },
		{ "/v1/statuses", 404, "not_found", "/v1/statuses" },
		{ "/v1/status/", 404, "not_found", "/v1/status/" },
		{ "/v2/status", 404, "not_found", "/v2/status" },
		{ "/v1/pools/", 404, "not_found", "/v1/pools/" },
		{ "/v1/pools/none", 404, "not_found", "no pool 'none'" },
		{ "/v1/pools/web%2Dpool/x", 404, "not_found", "web-pool/x" },
		{ "/v1/pools/%1b%5b31m%ff", 404, "not_found", "no pool" },
		{ "/v1/health?pool=none", 404, "not_found", "no pool 'none'" },
		{ "/v1/health?pool=", 404, "not_found", "no pool ''" },
		{ "/v1/stats?pool=none", 404, "not_found", "no pool 'none'" },
		{ "/v1/why", 400, "bad_request", "pool and address" },
		{ "/v1/why?pool=web-pool", 400, "bad_request", "pool and address" },
		{ "/v1/why?pool=none&address=10.0.0.5", 404, "not_found", "no pool" },
		{ "/v1/why?pool=web-pool&address=x", 400, "bad_request", "'x' is not an IP" },
		{ "/v1/why?pool=web-pool&address=10.0.0.7", 404, "not_found", "10.0.0.7" },
		{ "/v1/why?pool=web-pool&address=10.0.0.5:81", 404, "not_found", "10.0.0.5:81" },
		{ "/v1/why?pool=spare&address=10.0.9.9", 404, "not_found", "10.0.9.9" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json = get(rows[i].path, rows[i].status);

		assert_string_equal(json_text_at(json, "error.code"), rows[i].code);
		if (!strstr(json_text_at(json, "error.message"), rows[i].text))
			fail_msg("%s: %s", rows[i].path, json_text_at(json, "error.message"));
		json_decref(json);
	}
}

static void test_decoding(void **state)
{
	json_t *json = get("/v1/pools/web%2dpool", 200);

	(void)state;
	assert_string_equal(json_text_at(json, "name"), "web-pool");
	json_decref(json);
	json = get("/v1/health?pool=%64b-pool", 200);
	assert_string_equal(json_text_at(json, "pools.0.name"), "db-pool");
	json_decref(json);
}

static void test_methods(void **state)
{
	static const char *const methods[] = { "POST", "PUT", "DELETE", "PATCH", "OPTIONS" };
	struct api_answer *answer;

	(void)state;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		answer = ask(methods[i], "/v1/status");
		assert_int_equal(answer->status, 405);
		assert_string_equal(answer->allow, "GET, HEAD");
		assert_non_null(strstr(answer->body, "method_not_allowed"));
	}
	answer = ask("HEAD", "/v1/status");
	assert_int_equal(answer->status, 200);
	assert_int_equal(answer->len, 0);
	answer = ask("HEAD", "/v1/health");
	assert_int_equal(answer->status, 200);
	assert_int_equal(answer->len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(test_status),         SERVED(test_health),    SERVED(test_health_flags),
		SERVED(test_pools),          SERVED(test_why),       SERVED(test_certificates),
		SERVED(test_stats_and_maps), SERVED(test_errors),    SERVED(test_decoding),
		SERVED(test_methods),        SERVED(test_unguarded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
