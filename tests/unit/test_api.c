// SPDX-License-Identifier: GPL-2.0-or-later
/* The API over a real Unix socket, asked by libcurl and by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "control/body.h"
#include "control/flow_stream.h"
#include "tests/lib/fault.h"
#include "tests/unit/api_run.h"

#define WAIT_MS 10000
#define NOBODY 65534

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

/* --- routes --------------------------------------------------------------------------------- */

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
	json = get("/v1/status", 200);
	fake_removed_ifindex = 0;
	assert_true(json_is_true(json_at(json, "interfaces.0.present")));
	assert_true(json_is_false(json_at(json, "interfaces.1.present")));
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
	assert_null(json_at(json, FIRST "kernel.syn_ack"));
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
	fake_stats_result = -EIO;
	json = get("/v1/health?pool=db-pool", 200);
	assert_int_equal(json_array_size(json_at(json, "pools")), 1);
	assert_string_equal(json_text_at(json, FIRST "health"), "Unhealthy");
	assert_true(json_is_true(json_at(json, FIRST "forced")));
	assert_true(json_is_true(json_at(json, FIRST "adopted")));
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

/* --- changes -------------------------------------------------------------------------------- */

static struct api_answer *post(const char *path, const char *body, size_t len)
{
	return api_post(gateway.model->gateway.api_socket, path, body, len);
}

static void changes_are_made(void **state)
{
	static const char drain[] = "{\"action\": \"drain\", \"pool\": \"web-pool\", "
				    "\"address\": \"10.0.0.6\", \"timeout_ms\": 9000}";
	static const char weight[] = "{\"action\": \"weight\", \"pool\": \"web-pool\", "
				     "\"address\": \"10.0.0.6\", \"weight\": 7}";
	struct api_answer *answer;
	json_t *json;

	(void)state;
	answer = post("/v1/backend", drain, strlen(drain));
	assert_int_equal(answer->status, 200);
	assert_int_equal(fake_changed.action, CHANGE_DRAIN);
	assert_int_equal(fake_changed.timeout_ms, 9000);
	json = json_loads(answer->body, 0, NULL);
	assert_string_equal(json_text_at(json, "action"), "drain");
	assert_string_equal(json_text_at(json, "pool"), "web-pool");
	assert_int_equal(json_array_size(json_at(json, "endpoints")), 2);
	assert_string_equal(json_text_at(json, "endpoints.0.service"), "shop");
	assert_string_equal(json_text_at(json, "endpoints.1.service"), "shop-db");
	assert_int_equal(json_number_at(json, "endpoints.1.port"), 5432);
	assert_string_equal(json_text_at(json, "endpoints.0.admin"), "draining");
	assert_in_range(json_number_at(json, "endpoints.0.drain.left_ms"), 5000, 9000);
	json_decref(json);

	json = get("/v1/health", 200);
	assert_string_equal(json_text_at(json, "pools.0.services.0.endpoints.0.admin"), "enabled");
	assert_null(json_at(json, "pools.0.services.0.endpoints.0.drain"));
	assert_string_equal(json_text_at(json, "pools.0.services.0.endpoints.1.admin"), "draining");
	assert_in_range(json_number_at(json, "pools.0.services.0.endpoints.1.drain.left_ms"), 5000,
			9000);
	json_decref(json);

	answer = post("/v1/backend", weight, strlen(weight));
	assert_int_equal(answer->status, 200);
	json = json_loads(answer->body, 0, NULL);
	assert_int_equal(json_number_at(json, "weight"), 7);
	assert_int_equal(json_number_at(json, "services_balanced"), 0);
	json_decref(json);
}

static volatile sig_atomic_t hangups;

static void on_hangup(int signum)
{
	(void)signum;
	hangups++;
}

static void reload_is_asked_for(void **state)
{
	struct reloads *reloads = gateway.context.reloads;
	struct api_answer *answer;
	json_t *json;

	(void)state;
	signal(SIGHUP, on_hangup);
	json = get("/v1/status", 200);
	assert_null(json_at(json, "reload"));
	json_decref(json);
	answer = post("/v1/reload", "{}", 2);
	assert_int_equal(answer->status, 202);
	json = json_loads(answer->body, 0, NULL);
	assert_int_equal(json_number_at(json, "number"), 1);
	json_decref(json);
	assert_int_equal(hangups, 1);

	/* One that has begun may have read the file before it was changed. */
	reloads_begin(reloads);
	reloads_say(reloads, "t.yaml:1:1: no");
	reloads_say(reloads,
		    "t.yaml:2:1: \xe9 is no UTF-8"); /* which no text of the file need be */
	json = get("/v1/status", 200);
	assert_null(json_at(json, "reload"));
	json_decref(json);
	json = json_loads(post("/v1/reload", "", 0)->body, 0, NULL);
	assert_int_equal(json_number_at(json, "number"), 2);
	json_decref(json);
	reloads_end(reloads, true);
	json = get("/v1/status", 200);
	assert_int_equal(json_number_at(json, "reload.number"), 1);
	assert_true(json_is_true(json_at(json, "reload.refused")));
	assert_string_equal(json_text_at(json, "reload.errors.0"), "t.yaml:1:1: no");
	assert_int_equal(json_array_size(json_at(json, "reload.errors")), 2);
	json_decref(json);
	reloads_begin(reloads);
	reloads_end(reloads, false);
	json = get("/v1/status", 200);
	assert_int_equal(json_number_at(json, "reload.number"), 2);
	assert_false(json_is_true(json_at(json, "reload.refused")));
	assert_int_equal(json_array_size(json_at(json, "reload.errors")), 0);
	json_decref(json);
	assert_int_equal(ask("GET", "/v1/reload")->status, 405);
	signal(SIGHUP, SIG_DFL);
}

static void changes_are_refused(void **state)
{
	static const char enable[] = "{\"action\": \"enable\", \"pool\": \"web-pool\", "
				     "\"address\": \"10.0.0.6\"}";
	static const struct {
		int result;
		long status;
		const char *code;
	} rows[] = {
		{ -ENOENT, 404, "not_found" },     { -ENOLINK, 409, "gate_removed" },
		{ -ETIMEDOUT, 504, "timeout" },    { -ESHUTDOWN, 503, "stopping" },
		{ -ENOMEM, 500, "out_of_memory" }, { -EIO, 500, "failed" },
	};
	static char large[BODY_MAX + 1];
	struct api_answer *answer;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake_change_result = rows[i].result;
		answer = post("/v1/backend", enable, strlen(enable));
		assert_int_equal(answer->status, rows[i].status);
		assert_non_null(strstr(answer->body, rows[i].code));
		assert_non_null(strstr(answer->body, "no: the reason"));
	}
	fake_change_result = 0;
	answer = post("/v1/backend", "{}", 2);
	assert_int_equal(answer->status, 400);
	assert_non_null(strstr(answer->body, "action is missing"));
	answer = post("/v1/backend", "", 0);
	assert_int_equal(answer->status, 400);

	memset(large, ' ', sizeof(large));
	memcpy(large, enable, strlen(enable));
	assert_int_equal(post("/v1/backend", large, BODY_MAX)->status, 200);
	memset(&fake_changed, 0, sizeof(fake_changed));
	answer = post("/v1/backend", large, BODY_MAX + 1);
	assert_int_equal(answer->status, 413);
	assert_non_null(strstr(answer->body, "allowed: 4096 bytes"));
	assert_string_equal(fake_changed.pool, "");

	answer = post("/v1/nothing", enable, strlen(enable));
	assert_int_equal(answer->status, 404);
	answer = ask("GET", "/v1/backend");
	assert_int_equal(answer->status, 405);
	assert_string_equal(answer->allow, "POST");
}

/* Who may read may not therefore change anything; what was sent is not even read. */
static void changes_are_not_for_all(void **state)
{
	static const char enable[] = "{\"action\": \"enable\", \"pool\": \"web-pool\", "
				     "\"address\": \"10.0.0.6\"}";
	pid_t pid;
	int status;

	(void)state;
	assert_int_equal(chmod(gateway.directory, 0755), 0);
	assert_int_equal(chmod(gateway.model->gateway.api_socket, 0666), 0);
	memset(&fake_changed, 0, sizeof(fake_changed));
	pid = fork();
	if (!pid) {
		struct api_answer *answer;

		if (setresuid(NOBODY, NOBODY, NOBODY) < 0)
			_exit(100);
		if (ask("GET", "/v1/status")->status != 200)
			_exit(101);
		answer = post("/v1/backend", enable, strlen(enable));
		_exit(answer->status == 403 && strstr(answer->body, "not_permitted") ? 0 : 102);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_string_equal(fake_changed.pool, "");
}

/* --- services that forward ------------------------------------------------------------------ */

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

/* --- hostile clients ------------------------------------------------------------------------ */

static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		 gateway.model->gateway.api_socket);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void test_oversized_request(void **state)
{
	static const size_t len = 200000;
	char *path = malloc(len);
	char answer[64] = "";
	ssize_t n;
	int fd = dial();

	(void)state;
	memset(path, 'a', len);
	memcpy(path, "GET /", 5);
	/* The server may refuse and close before it has read all. */
	send(fd, path, len, MSG_NOSIGNAL);
	n = recv(fd, answer, sizeof(answer) - 1, 0);
	assert_true(n <= 0 || !strncmp(answer, "HTTP/1.1 4", 10));
	close(fd);
	free(path);
	json_decref(get("/v1/status", 200));
}

static void test_garbage(void **state)
{
	static const char *const texts[] = { "\r\n\r\n\r\n", "\x16\x03\x01\x02", "GET\r\n\r\n",
					     "GET /v1/status HTTP/9.9\r\n\r\n",
					     "GET /%zz%0 HTTP/1.1\r\nHost: x\r\n\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int fd = dial();

		send(fd, texts[i], strlen(texts[i]), MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
		json_decref(get("/v1/status", 200));
		close(fd);
	}
}

/* Clients that say nothing, or half a request, do not hold up others. */
static void test_slow_clients(void **state)
{
	int fds[20];

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		fds[i] = dial();
		if (i % 2)
			send(fds[i], "GET /v1/health HTT", 18, MSG_NOSIGNAL);
	}
	json_decref(get("/v1/status", 200));
	for (size_t i = 0; i < 20; i++)
		close(fds[i]);
}

/* A client that asks and does not read is no reason to stop serving, nor to fail to stop. */
static void test_client_that_does_not_read(void **state)
{
	static const char request[] = "GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n";
	int fd = dial();

	(void)state;
	for (int i = 0; i < 200; i++)
		send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	json_decref(get("/v1/status", 200));
	api_stop(take_ptr(api));
	close(fd);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop)
#define FORWARDING(test) cmocka_unit_test_setup_teardown(test, start_forwarding, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(test_status),
		SERVED(test_health),
		SERVED(test_health_flags),
		SERVED(test_pools),
		SERVED(test_why),
		SERVED(test_certificates),
		SERVED(test_stats_and_maps),
		SERVED(test_errors),
		SERVED(test_decoding),
		SERVED(test_methods),
		FORWARDING(services_are_shown),
		FORWARDING(drains_are_shown),
		FORWARDING(flows_are_listed),
		FORWARDING(flows_are_refused),
		FORWARDING(flow_streams),
		FORWARDING(packets_are_decided),
		FORWARDING(nonsense_is_not_decided),
		SERVED(changes_are_made),
		SERVED(reload_is_asked_for),
		SERVED(changes_are_refused),
		SERVED(changes_are_not_for_all),
		SERVED(test_oversized_request),
		SERVED(test_garbage),
		SERVED(test_slow_clients),
		SERVED(test_client_that_does_not_read),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
