// SPDX-License-Identifier: GPL-2.0-or-later
/* The API's documents as people see them, to the letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "cli/text.h"
#include "cli/view.h"
#include "tests/lib/fault.h"
#include "tests/unit/view_json.h"
#include "util/cleanup.h"

#define NOW "2026-01-01T00:10:00.000Z"

static char *show(view_fn *fn, const char *text, bool color)
{
	char *shown = NULL;
	size_t len;
	FILE *out = open_memstream(&shown, &len);
	struct view view = { .out = out, .color = color, .now_ms = text_parse_time(NOW) };
	json_t *json = parse(text);

	assert_int_equal(fn(&view, json), 0);
	fclose(out);
	json_decref(json);
	return shown;
}

static void check_has(view_fn *fn, const char *text, const char *wanted)
{
	CLEANUP(free_p) char *shown = show(fn, text, false);

	if (!strstr(shown, wanted))
		fail_msg("shown:\n%s", shown);
}

static void check(view_fn *fn, const char *text, const char *wanted)
{
	CLEANUP(free_p) char *shown = show(fn, text, false);

	if (strcmp(shown, wanted) != 0)
		fail_msg("shown:\n%s", shown);
}

static void check_start(view_fn *fn, const char *text, const char *wanted)
{
	CLEANUP(free_p) char *shown = show(fn, text, false);

	if (strncmp(shown, wanted, strlen(wanted)) != 0)
		fail_msg("shown:\n%s", shown);
}

static void test_health(void **state)
{
	(void)state;
	check(view_health, health,
	      "web-pool / shop (settings web)\n"
	      "ADDRESS       HEALTH                     SINCE   REASON\n"
	      "10.0.0.5:80   Unhealthy                  2m 10s  refused\n"
	      "10.0.0.16:80  Healthy                    3d      fine\n"
	      "[fd00::5]:80  Unknown (gate: Unhealthy)  now     busy\n"
	      "10.0.0.7:80   Unhealthy (forced open)    1.0s    slow\n"
	      "10.0.0.8:80   Healthy (adopted)          1m      not yet\n"
	      "\n"
	      "web-pool / empty (settings web)\n"
	      "  the pool has no backends\n"
	      "\n"
	      "spare: no service uses it, so nothing of it is probed\n"
	      "\n"
	      "2 healthy, 2 unhealthy, 1 unknown\n");
}

static void test_color(void **state)
{
	CLEANUP(free_p) char *shown = show(view_health, health, true);

	(void)state;
	assert_non_null(strstr(shown, "\033[1;31mUnhealthy\033[0m"));
	assert_non_null(strstr(shown, "\033[32mHealthy\033[0m"));
}

static void test_signature(void **state)
{
	static const struct {
		const char *from, *to;
		bool changes;
	} rows[] = {
		{ "refused", "refused again", false },
		{ "00:07:50", "00:07:40", false },
		{ "\"Healthy\"", "\"Unhealthy\"", true },
		{ "tcp_connect_failed", "backend_timeout", true },
		{ "\"forced\": true", "\"forced\": false", true },
		{ "\"gate\": \"Unhealthy\"", "\"gate\": \"Healthy\"", true },
		{ "10.0.0.5", "10.0.0.6", true },
		{ "\"message\": \"fine\"", "\"warnings\": [\"chain_order\"]", true },
	};
	json_t *json = parse(health);
	CLEANUP(free_p) char *before = view_signature(json);

	(void)state;
	assert_false(view_all_healthy(json));
	json_decref(json);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *place = strstr(health, rows[i].from);
		CLEANUP(free_p) char *changed = NULL;
		CLEANUP(free_p) char *after = NULL;

		assert_true(asprintf(&changed, "%.*s%s%s", (int)(place - health), health,
				     rows[i].to, place + strlen(rows[i].from)) > 0);
		json = parse(changed);
		after = view_signature(json);
		json_decref(json);
		if ((strcmp(before, after) != 0) != rows[i].changes)
			fail_msg("%s -> %s", rows[i].from, rows[i].to);
	}
}

static void test_why(void **state)
{
	(void)state;
	check(view_why,
	      "{\"pool\": \"web-pool\", \"address\": \"10.0.0.5\", \"endpoints\": ["
	      " {\"address\": \"10.0.0.5\", \"port\": 80, \"proto\": \"tcp\","
	      "  \"health\": \"Unhealthy\", \"since\": \"2026-01-01T00:07:50.000Z\","
	      "  \"service\": \"shop\", \"settings\": \"web\","
	      "  \"finding\": \"No new connection reaches it.\","
	      "  \"notes\": [\"one note\", \"another\"],"
	      "  \"plan\": {\"protocol\": \"http\", \"target\": \"10.0.0.5:80\","
	      "   \"host\": \"shop.test\", \"path\": \"/x\", \"interval_ms\": 5000,"
	      "   \"timeout_ms\": 2000, \"unhealthy_threshold\": 3, \"healthy_threshold\": 1},"
	      "  \"recent\": [{\"ms_ago\": 1200, \"timing_us\": {\"total\": 400}, \"id\": \"tcp_connect_failed\","
	      "   \"message\": \"refused\"}, {\"ms_ago\": 16200, \"timing_us\": {\"total\": 12345},"
	      "   \"id\": \"ok\", \"message\": \"fine\"}],"
	      "  \"kernel\": {\"syn\": 12, \"packets\": 1200, \"rejected\": 7},"
	      "  \"causes\": [\"nothing listens\"], \"remedies\": [\"look: ss -ltn\"]},"
	      " {\"address\": \"fd00::5\", \"port\": 5432, \"proto\": \"tcp\","
	      "  \"health\": \"Unknown\", \"finding\": \"New connections pass.\","
	      "  \"plan\": {\"protocol\": \"tcp\", \"target\": \"[fd00::5]:5432\","
	      "   \"interval_ms\": 30000, \"timeout_ms\": 30000, \"unhealthy_threshold\": 1,"
	      "   \"healthy_threshold\": 1}, \"recent\": [], \"causes\": []}]}",
	      "10.0.0.5:80/tcp  Unhealthy for 2m 10s\n"
	      "pool web-pool, service shop, settings web\n"
	      "\n"
	      "No new connection reaches it.\n"
	      "\n"
	      "Notes\n"
	      "  - one note\n"
	      "  - another\n"
	      "\n"
	      "Probe\n"
	      "  http://10.0.0.5:80/x (Host: shop.test), every 5s, timeout 2s\n"
	      "  closed by 3 failures in a row, opened by 1 success\n"
	      "\n"
	      "Last probes\n"
	      "  AGO   TOOK    VERDICT             WHAT HAPPENED\n"
	      "  1.2s  400us   tcp_connect_failed  refused\n"
	      "  16s   12.3ms  ok                  fine\n"
	      "\n"
	      "Traffic\n"
	      "  COUNT  WHAT THE KERNEL SAW\n"
	      "   1200  packets addressed to it\n"
	      "     12  connection attempts (SYN, repeated ones included)\n"
	      "      7  refused by the gate (RST or ICMP port unreachable)\n"
	      "\n"
	      "Usual causes\n"
	      "  - nothing listens\n"
	      "\n"
	      "What to do\n"
	      "  - look: ss -ltn\n"
	      "\n"
	      "[fd00::5]:5432/tcp  Unknown\n"
	      "pool web-pool, service , settings \n"
	      "\n"
	      "New connections pass.\n"
	      "\n"
	      "Probe\n"
	      "  tcp://[fd00::5]:5432, every 30s, timeout 30s\n"
	      "  closed by 1 failure, opened by 1 success\n"
	      "\n"
	      "Last probes\n"
	      "  none yet\n");
}

static void test_status(void **state)
{
	(void)state;
	check(view_status,
	      "{\"version\": \"1.2.3\", \"pid\": 42, \"uptime_ms\": 90000,"
	      " \"since\": \"2026-01-01T00:08:30.000Z\", \"config\": \"/etc/s.yaml\","
	      " \"mode\": \"observe\", \"on_daemon_loss\": \"hold\","
	      " \"daemon_loss_after_ms\": 30000, \"heartbeat_ms_ago\": 120, \"layout\": 1,"
	      " \"bpffs\": \"/sys/fs/bpf/sluice\","
	      " \"kernel\": \"6.1.0\", \"interfaces\": [{\"name\": \"lan0\","
	      "  \"ingress\": \"tcx\", \"egress\": \"none\", \"adopted\": true,"
	      "  \"steps\": [\"xdp-native: virtual\"]}, {\"name\": \"eth10\","
	      "  \"ingress\": \"xdp-native\", \"egress\": \"clsact\"}, {\"name\": \"wan0\","
	      "  \"ingress\": \"tcx\", \"egress\": \"tcx\", \"present\": false,"
	      "  \"state\": \"gone\", \"why\": \"it is away\"}],"
	      " \"totals\": {\"pools\": 1, \"services\": 2, \"endpoints\": 3, \"healthy\": 2,"
	      "  \"unhealthy\": 1, \"unknown\": 0},"
	      " \"decisions\": {\"pass_healthy\": 1000, \"reject_tcp\": 12, \"reset\": 0},"
	      " \"engine\": {\"workers\": 2, \"in_flight_max\": 512, \"in_flight\": 3,"
	      "  \"queued\": 1, \"finished\": 101, \"overloaded\": 0, \"loop_lag_ms\": 4}}",
	      "wan0 IS NOT GUARDED: it is away\n"
	      "\n"
	      "sluiced 1.2.3, process 42, up 1m 30s (since 2026-01-01T00:08:30.000Z)\n"
	      "configuration  /etc/s.yaml\n"
	      "kernel         6.1.0\n"
	      "pinned         /sys/fs/bpf/sluice, layout v1\n"
	      "mode           observe (decides and counts, passes all)\n"
	      "heartbeat      120ms ago; after 30s of silence: hold\n"
	      "totals         1 pool, 2 services, 3 endpoints: 2 healthy, 1 unhealthy, "
	      "0 unknown\n"
	      "prober         2 workers, 3 of 512 probes in flight, 1 queued, 101 done, "
	      "0 overloaded, loop lag 4ms\n"
	      "\n"
	      "INTERFACE  INGRESS     EGRESS  PROGRAMS\n"
	      "lan0       tcx         none    adopted\n"
	      "eth10      xdp-native  clsact  attached\n"
	      "wan0       tcx         tcx     gone\n"
	      "  lan0: xdp-native: virtual\n"
	      "\n"
	      "PACKETS  DECISION      MEANING\n"
	      "   1000  pass_healthy  endpoint is healthy\n"
	      "     12  reject_tcp    gate is closed: answered with RST\n");
}

/* What comes first in status and health: what is not guarded. */
static void test_unguarded(void **state)
{
	(void)state;
	check_start(
		view_status, "{\"interfaces\": []}",
		"NOTHING IS GUARDED: no interface is attached; 'sluice attach INTERFACE' attaches "
		"one\n\n");
	check_start(view_status, "{\"in_force\": false, \"interfaces\": [{\"name\": \"lan0\"}]}",
		    "NOTHING IS GUARDED: the gate was removed under the running daemon; restart "
		    "sluiced\n\n");
	check(view_health,
	      "{\"unguarded\": [{\"interface\": \"lan0\", \"state\": \"gone\", \"why\": \"away\"},"
	      " {\"state\": \"detached\", \"why\": \"none\"}], \"pools\": []}",
	      "lan0 IS NOT GUARDED: away\n\nNOTHING IS GUARDED: none\n\n"
	      "0 healthy, 0 unhealthy, 0 unknown\n");
}

/* Interfaces in a table of their own, since they have other properties. */
static void test_layers(void **state)
{
	(void)state;
	check(view_layers,
	      "{\"version\": 4, \"file\": \"/etc/s.yaml\", \"changes\": ["
	      " {\"interface\": \"lan0\", \"change\": \"removed\", \"at\": \"T1\"},"
	      " {\"interface\": \"wan0\", \"change\": \"added\", \"xdp\": \"native\","
	      "  \"egress\": false, \"at\": \"T2\"},"
	      " {\"pool\": \"p\", \"address\": \"10.0.0.1\", \"change\": \"added\","
	      "  \"weight\": 1, \"at\": \"T3\"}]}",
	      "version 4 of /etc/s.yaml\n"
	      "INTERFACE  CHANGE   XDP     EGRESS  SINCE\n"
	      "lan0       removed  -       -       T1\n"
	      "wan0       added    native  false   T2\n"
	      "\n"
	      "POOL  BACKEND   CHANGE  STATE     SINCE\n"
	      "p     10.0.0.1  added   weight 1  T3\n");
	check(view_layers,
	      "{\"version\": 4, \"file\": \"f\", \"changes\": ["
	      " {\"interface\": \"lan0\", \"change\": \"removed\", \"at\": \"T1\"}]}",
	      "version 4 of f\n"
	      "INTERFACE  CHANGE   XDP  EGRESS  SINCE\n"
	      "lan0       removed  -    -       T1\n");
	check(view_difference,
	      "{\"changes\": [{\"what\": \"interface\", \"name\": \"lan0\", \"change\":"
	      " \"removed\", \"before\": \"auto\"}], \"guards_nothing\": true}",
	      "would change:\n"
	      "  interface lan0 removed\n"
	      "NOTHING WOULD BE GUARDED: no interface is left\n");
}

static void test_forwarding(void **state)
{
	(void)state;
	check(view_pool,
	      "{\"name\": \"web-pool\", \"backends\": [], \"services\": [{"
	      " \"name\": \"shop\", \"settings\": \"web\", \"protocol\": \"http\", \"port\": 80,"
	      " \"probe\": \"quick\", \"on_unhealthy\": \"reject\", \"established\": \"keep\","
	      " \"listen\": \"192.0.2.10:80\", \"forward\": \"nat\", \"endpoints\": ["
	      "  {\"address\": \"10.0.0.5\", \"port\": 80, \"health\": \"Healthy\", \"weight\": 2,"
	      "   \"table\": {\"slots\": 2731, \"size\": 4096}},"
	      "  {\"address\": \"10.0.0.6\", \"port\": 80, \"health\": \"Healthy\", \"weight\": 1,"
	      "   \"admin\": \"disabled\"}]}]}",
	      "pool web-pool, 0 backends\n"
	      "\n"
	      "SERVICE  SETTINGS  PROTOCOL  PORT  PROBE  ON-UNHEALTHY  ESTABLISHED  HEALTHY  "
	      "UNHEALTHY  UNKNOWN\n"
	      "shop     web       http        80  quick  reject        keep               0  "
	      "        0        0\n"
	      "\n"
	      "SERVICE  LISTEN         FORWARD  ADDRESS      HEALTH              WEIGHT  SHARE\n"
	      "shop     192.0.2.10:80  nat      10.0.0.5:80  Healthy                  2  66.7%\n"
	      "shop     192.0.2.10:80  nat      10.0.0.6:80  Healthy (disabled)       1      -\n");
	check(view_decide,
	      "{\"packet\": {\"from\": {\"address\": \"fd00::1\", \"port\": 5}, \"to\": {\"address\":"
	      " \"fd00::2\", \"port\": 6}, \"proto\": \"tcp\", \"flags\": \"ack\"},"
	      " \"decision\": \"d\", \"meaning\": \"m\", \"service\": \"s\", \"pool\": \"p\","
	      " \"known_flow\": true, \"moved\": true, \"endpoint\": {\"address\": \"10.0.0.5\","
	      "  \"port\": 80, \"health\": \"Healthy\", \"admin\": \"draining\"}}",
	      "[fd00::1]:5 -> [fd00::2]:6  tcp ack\n"
	      "d: m\n"
	      "service   s, pool p\n"
	      "endpoint  10.0.0.5:80  Healthy (draining), because the first choice is not well\n"
	      "flow      known: it goes where it went\n");
	check(view_flows,
	      "{\"flows\": [{\"client\": {\"address\": \"198.51.100.7\", \"port\": 1000},"
	      " \"to\": {\"address\": \"fd00::10\", \"port\": 443}, \"proto\": \"tcp\","
	      " \"endpoint\": {\"address\": \"fd09::1\", \"port\": 80}, \"state\": \"open\","
	      " \"idle_s\": 90, \"service\": \"shop\"}], \"listed\": 1, \"total\": 5}",
	      "CLIENT             TO              ENDPOINT      PROTO  STATE  IDLE  SERVICE\n"
	      "198.51.100.7:1000  [fd00::10]:443  [fd09::1]:80  tcp    open    90s  shop\n"
	      "1 of 5 flows; --limit N lists more\n");
	check(view_flows, "{\"flows\": [], \"listed\": 0, \"total\": 0}", "0 flows\n");
	check(view_change,
	      "{\"action\": \"drain\", \"pool\": \"p\", \"address\": \"a.test\", \"endpoints\": ["
	      " {\"service\": \"s\", \"address\": \"10.0.0.5\", \"port\": 80,"
	      "  \"admin\": \"draining\", \"drain\": {\"flows\": 1, \"left_ms\": 30000}},"
	      " {\"service\": \"t\", \"address\": \"10.0.0.6\", \"port\": 80,"
	      "  \"admin\": \"draining\", \"drain\": {}}]}",
	      "p a.test: drain\n"
	      "  SERVICE  ADDRESS      STATE\n"
	      "  s        10.0.0.5:80  draining, 30s left\n"
	      "  t        10.0.0.6:80  draining\n");
	check_has(
		view_status,
		"{\"forwarding\": {\"services\": 2, \"live\": 1, \"flows\": {\"entries\": 7, \"max\": 9},"
		" \"half_open\": {\"entries\": 5, \"max\": 6}, \"counted_ms_ago\": 300}}",
		"\nforwarding     2 services, 1 flow, flows 7 of 9 entries, half_open 5 of 6 entries "
		"(300ms ago)\n");
	check(view_change,
	      "{\"action\": \"weight\", \"pool\": \"p\", \"address\": \"a.test\", \"weight\": 5,"
	      " \"services_balanced\": 0}",
	      "p a.test: weight 5\n"
	      "  no service of this pool forwards packets: it changes nothing now\n");
}

static void test_lists(void **state)
{
	(void)state;
	check(view_pools,
	      "{\"pools\": [{\"name\": \"web-pool\", \"backends\": 3, \"services\": [\"shop\","
	      " \"admin\"], \"healthy\": 4, \"unhealthy\": 2, \"unknown\": 0},"
	      " {\"name\": \"b\", \"backends\": 12, \"services\": []}]}",
	      "POOL      BACKENDS  ENDPOINTS  HEALTHY  UNHEALTHY  UNKNOWN  SERVICES\n"
	      "web-pool         3          6        4          2        0  shop, admin\n"
	      "b               12          0        0          0        0  -\n");
	check(view_pool,
	      "{\"name\": \"web-pool\", \"backends\": [\"10.0.0.5\"], \"services\": [{"
	      " \"name\": \"shop\", \"settings\": \"web\", \"protocol\": \"http\", \"port\": 80,"
	      " \"probe\": \"quick\", \"on_unhealthy\": \"reject\", \"established\": \"keep\","
	      " \"healthy\": 1, \"unhealthy\": 0, \"unknown\": 0}]}",
	      "pool web-pool, 1 backend\n"
	      "  10.0.0.5\n"
	      "\n"
	      "SERVICE  SETTINGS  PROTOCOL  PORT  PROBE  ON-UNHEALTHY  ESTABLISHED  HEALTHY  "
	      "UNHEALTHY  UNKNOWN\n"
	      "shop     web       http        80  quick  reject        keep               1  "
	      "        0        0\n");
	check(view_pool, "{\"name\": \"spare\", \"backends\": []}",
	      "pool spare, 0 backends\n"
	      "\n"
	      "no service uses it, so nothing of it is probed\n");
	check(view_stats,
	      "{\"decisions\": {\"drop_closed\": 3}, \"pools\": [{\"name\": \"p\", \"services\": ["
	      " {\"name\": \"s\", \"endpoints\": [{\"address\": \"10.0.0.5\", \"port\": 80,"
	      "  \"health\": \"Healthy\", \"kernel\": {\"syn\": 1, \"packets\": 2, \"bytes\": 3,"
	      "  \"rejected\": 4, \"dropped\": 5, \"reset\": 6, \"limited\": 7,"
	      "  \"icmp_errors\": 8, \"replies\": 64, \"reply_bytes\": 4480,"
	      "  \"reply_sample\": 64}}, {\"address\": \"10.0.0.6\", \"port\": 80,"
	      "  \"health\": \"Unknown\"}]}]}]}",
	      "POOL  SERVICE  ADDRESS      HEALTH   SYN  PACKETS  BYTES  REJECTED  DROPPED  RESET  "
	      "LIMITED  ICMP-ERRORS  REPLIES  REPLY-BYTES\n"
	      "p     s        10.0.0.5:80  Healthy    1        2      3         4        5      6  "
	      "      7            8      ~64        ~4480\n"
	      "p     s        10.0.0.6:80  Unknown    -        -      -         -        -      -  "
	      "      -            -        -            -\n"
	      "\n"
	      "PACKETS  DECISION     MEANING\n"
	      "      3  drop_closed  gate is closed, and on_unhealthy is drop\n");
	check(view_maps,
	      "{\"maps\": [{\"name\": \"targets\", \"path\": \"/b/targets\", \"purpose\": \"what\","
	      " \"entries_max\": 4096, \"memory_bytes\": 1025}]}",
	      "MAP      ENTRIES  KIB  PURPOSE\n"
	      "targets     4096    2  what\n"
	      "\n"
	      "Dump them with\n"
	      "  bpftool map dump pinned /b/targets\n");
}

#define TLS_FACTS                                                     \
	"\"warnings\": [\"cert_expires_soon\", \"from_the_future\"]," \
	"\"tls\": {\"version\": \"TLS 1.3\", \"cert_not_after\": \"2026-01-13T00:10:00Z\"}"

static void test_warnings(void **state)
{
	(void)state;
	check(view_health,
	      "{\"pools\": [{\"name\": \"p\", \"services\": [{\"name\": \"s\","
	      " \"settings\": \"w\", \"endpoints\": [{\"address\": \"10.0.0.5\","
	      " \"port\": 443, \"health\": \"Healthy\", \"message\": \"fine.\", " TLS_FACTS
	      "}]}]}]}",
	      "p / s (settings w)\n"
	      "ADDRESS       HEALTH   SINCE  REASON\n"
	      "10.0.0.5:443  Healthy  now    fine. Warning: certificate expires in 12 days "
	      "(2026-01-13). Warning: from_the_future.\n"
	      "\n"
	      "1 healthy, 0 unhealthy, 0 unknown\n");
}

static void test_why_certificates(void **state)
{
	CLEANUP(free_p) char *shown = NULL;

	(void)state;
	shown = show(view_why,
		     "{\"pool\": \"p\", \"endpoints\": [{\"address\": \"10.0.0.5\", \"port\": 443,"
		     " \"proto\": \"tcp\", \"health\": \"Unhealthy\", " TLS_FACTS
		     ", \"also\": [\"cert_date_invalid\", \"from_the_future\"],"
		     " \"openssl\": {\"code\": 20, \"depth\": 1, \"text\": \"no issuer\"},"
		     " \"plan\": {\"protocol\": \"https\", \"target\": \"10.0.0.5:443\","
		     "  \"path\": \"/x\", \"host\": \"shop.test\", \"interval_ms\": 1000,"
		     "  \"timeout_ms\": 1000, \"tls\": {\"sni\": \"shop.test\","
		     "  \"verified_name\": \"shop.test\", \"validate_chain_and_expiry\": true}},"
		     " \"chain\": [{\"depth\": 0, \"subject\": \"CN=a\", \"issuer\": \"CN=b\","
		     "  \"not_before\": \"2025-01-01T00:00:00Z\","
		     "  \"not_after\": \"2025-12-31T00:10:00Z\", \"sha256\": \"ab\"}]}]}",
		     false);
	assert_non_null(strstr(shown, "  https://10.0.0.5:443/x (Host: shop.test), every 1s"));
	assert_non_null(strstr(shown, "  SNI shop.test, name in the certificate: shop.test, chain "
				      "and dates: checked\n"));
	assert_non_null(strstr(shown, "\nAlso wrong\n"
				      "  - cert_date_invalid: A certificate of the chain has "
				      "expired or is not valid yet.\n"
				      "  - from_the_future\n"
				      "\nWarnings\n"
				      "  - cert_expires_soon: certificate expires in 12 days "
				      "(2026-01-13)\n"
				      "  - from_the_future: from_the_future\n"
				      "\nCertificates as sent\n"
				      "  0 CN=a\n"
				      "    issued by CN=b\n"
				      "    valid 2025-01-01T00:00:00Z to 2025-12-31T00:10:00Z "
				      "(EXPIRED 24 hours ago)\n"
				      "    SHA-256 ab\n"
				      "  OpenSSL: error 20 at depth 1: no issuer\n"));
}

static void test_overload(void **state)
{
	static const struct {
		const char *engine, *text; /* NULL: nothing is said */
	} rows[] = {
		{ "\"overloaded_now\": false, \"queued\": 9", NULL },
		{ "\"overloaded_now\": true, \"queued\": 9, \"loop_lag_ms\": 40",
		  "THE PROBER IS OVERLOADED: 9 probes waiting for a place, loop lag 40ms\n\n" },
		{ "\"overloaded_now\": true, \"queued\": 1, \"holdable_interval_ms\": 45000",
		  "THE PROBER IS OVERLOADED: 1 probe waiting for a place, loop lag 0ms; it can hold an "
		  "interval of 45s\n\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(free_p) char *text = NULL;
		CLEANUP(free_p) char *shown = NULL;

		assert_true(asprintf(&text, "{\"engine\": {%s}}", rows[i].engine) > 0);
		shown = show(view_status, text, false);
		if (rows[i].text ? strncmp(shown, rows[i].text, strlen(rows[i].text)) != 0
				 : strstr(shown, "OVERLOADED") != NULL)
			fail_msg("%s:\n%s", rows[i].engine, shown);
	}
}

/* Whatever a daemon of another version says, nothing breaks. */
static void test_foreign_documents(void **state)
{
	static view_fn *const views[] = { view_status, view_health, view_pools, view_pool,
					  view_why,    view_stats,  view_maps,  view_flows,
					  view_change, view_decide };
	static const char *const documents[] = {
		"{}",
		"[]",
		"{\"pools\": 1, \"maps\": {}, \"endpoints\": [1, null, \"x\", {}, []]}",
		"{\"pools\": [{}, 1, {\"services\": [{}, {\"endpoints\": [[], {\"port\": -1}]}]}]}",
		"{\"interfaces\": [[], {\"steps\": [1, {}]}], \"decisions\": [], \"totals\": \"x\"}",
		"{\"services\": [1], \"backends\": [{}], \"maps\": [true]}",
		"{\"pools\": [{\"services\": [{\"endpoints\": [{\"warnings\": [1, {}, \"x\"],"
		" \"tls\": 1}, {\"warnings\": {}}]}]}], \"engine\": {\"overloaded_now\": true}}",
		"{\"flows\": [1, {\"client\": 2}], \"listed\": 2, \"forwarding\": {\"live\": {}},"
		" \"services\": [{\"forward\": \"x\", \"endpoints\": [1, {\"table\": []}]}]}",
		"{\"pools\": [{\"services\": [{\"forward\": \"nat\", \"kernel\": 1}]}],"
		" \"endpoints\": [{\"forward\": \"nat\", \"drain\": 1, \"table\": {\"size\": 0}}]}",
		"{\"endpoints\": [{\"chain\": [1, {}], \"also\": [2, \"x\"], \"openssl\": 3,"
		" \"warnings\": [4], \"plan\": {\"tls\": 5}}]}",
	};

	(void)state;
	for (size_t v = 0; v < sizeof(views) / sizeof(views[0]); v++)
		for (size_t d = 0; d < sizeof(documents) / sizeof(documents[0]); d++)
			free(show(views[v], documents[d], false));
}

static void test_no_memory(void **state)
{
	json_t *json = parse(health);
	bool failed = true;

	(void)state;
	for (int n = 0; n < 1000 && failed; n++) {
		FILE *out = fopen("/dev/null", "w");
		struct view view = { .out = out };
		int r;

		fault_after(FAULT_MEMORY, n, ENOMEM);
		r = view_health(&view, json);
		failed = fault_clear(FAULT_MEMORY);
		assert_int_equal(r, failed ? -ENOMEM : 0);
		fclose(out);
	}
	assert_false(failed);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_health),           cmocka_unit_test(test_color),
		cmocka_unit_test(test_signature),        cmocka_unit_test(test_why),
		cmocka_unit_test(test_status),           cmocka_unit_test(test_lists),
		cmocka_unit_test(test_unguarded),        cmocka_unit_test(test_layers),
		cmocka_unit_test(test_forwarding),       cmocka_unit_test(test_foreign_documents),
		cmocka_unit_test(test_no_memory),        cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_why_certificates), cmocka_unit_test(test_overload),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
