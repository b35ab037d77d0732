// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of metrics: what is shown of a gateway, in pieces of any size, and the manual page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/metrics.h"
#include "tests/lib/fault.h"
#include "tests/unit/gateway_fake.h"

#define PAGE "docs/man/sluice-metrics.7"
#define TEXT_MAX (1 << 20)

static struct gateway_fake gateway;
static char text[TEXT_MAX];

static int start(void **state)
{
	(void)state;
	return gateway_fake_start(&gateway, gateway_yaml);
}

static int stop(void **state)
{
	(void)state;
	gateway_fake_stop(&gateway);
	return 0;
}

#define FAKED(test) cmocka_unit_test_setup_teardown(test, start, stop)

/* All of it, read in pieces of that size. */
static const char *read_all(enum exposition_form form, unsigned int parts, size_t size)
{
	CLEANUP(metrics_free_p)
	struct metrics *metrics = metrics_new(&gateway.context, form, parts);
	size_t len = 0;
	ssize_t n;

	assert_non_null(metrics);
	while ((n = metrics_read(metrics, text + len, size)) > 0) {
		len += (size_t)n;
		assert_true(len + size < sizeof(text));
	}
	assert_int_equal(n, 0);
	text[len] = '\0';
	return text;
}

static const char *read_text(unsigned int part)
{
	return read_all(EXPOSITION_OPENMETRICS, 1u << part, 32768);
}

static void assert_line(const char *line)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (!strstr(text, whole))
		fail_msg("no line '%s' in:\n%s", line, text);
}

static void assert_no(const char *piece)
{
	if (strstr(text, piece))
		fail_msg("'%s' is there", piece);
}

#define SHOP "pool=\"web-pool\",settings=\"web\",endpoint=\"10.0.0.5:80\""
#define STORE "pool=\"db-pool\",settings=\"db\",endpoint=\"10.0.1.1:5432\""

static const struct verdict ok = {
	.code = SL_MSG_OK, .timing = { .connect_us = 180, .first_byte_us = 900, .total_us = 2000 }
};
static const struct verdict refused = { .code = SL_MSG_TCP_CONNECT_FAILED,
					.timing = { .total_us = 400 } };
static const struct verdict overloaded = { .code = SL_MSG_PROBER_OVERLOADED };

static void test_health(void **state)
{
	char since[256];

	(void)state;
	gateway_fake_verdict(&gateway, "10.0.0.5:80", &refused, 3);
	snprintf(since, sizeof(since),
		 "sluice_endpoint_health_since_timestamp_seconds{" SHOP "} %llu.%03llu",
		 (unsigned long long)board_health(gateway.board, 0).since_ms / 1000,
		 (unsigned long long)board_health(gateway.board, 0).since_ms % 1000);
	board_set_admin(gateway.board, gateway_fake_index(&gateway, "10.0.1.1:5432"), SL_DRAINING,
			true, 0);
	read_text(PART_HEALTH);
	assert_line("sluice_endpoint_info{" SHOP ",transport=\"tcp\",protocol=\"http\"} 1");
	assert_line("sluice_endpoint_health{" SHOP ",state=\"healthy\"} 0");
	assert_line("sluice_endpoint_health{" SHOP ",state=\"unhealthy\"} 1");
	assert_line("sluice_endpoint_health{" SHOP ",state=\"unknown\"} 0");
	assert_line("sluice_endpoint_health{" STORE ",state=\"unknown\"} 1");
	assert_line(since);
	assert_line("sluice_endpoint_admin{" SHOP ",state=\"enabled\"} 1");
	assert_line("sluice_endpoint_admin{" STORE ",state=\"enabled\"} 0");
	assert_line("sluice_endpoint_admin{" STORE ",state=\"draining\"} 1");
	assert_line("sluice_endpoint_consecutive_failures{" SHOP "} 3");
	assert_line("sluice_endpoint_forced{" SHOP "} 0");
	assert_line("sluice_endpoint_last_verdict_info{" SHOP ",id=\"tcp_connect_failed\"} 1");
	assert_no("sluice_endpoint_last_verdict_info{" STORE);
	assert_no("sluice_endpoint_probes");
	assert_no("sluice_build");
}

static void test_probes(void **state)
{
	(void)state;
	gateway_fake_verdict(&gateway, "10.0.0.5:80", &ok, 2);
	gateway_fake_verdict(&gateway, "10.0.0.5:80", &refused, 3);
	gateway_fake_verdict(&gateway, "10.0.0.5:80", &overloaded, 1);
	read_text(PART_PROBES);
	assert_line("sluice_endpoint_probes_total{" SHOP ",result=\"passed\"} 2");
	assert_line("sluice_endpoint_probes_total{" SHOP ",result=\"failed\"} 3");
	assert_line("sluice_endpoint_probes_total{" SHOP ",result=\"undecided\"} 1");
	assert_line("sluice_endpoint_probes_total{" STORE ",result=\"passed\"} 0");
	assert_line("sluice_endpoint_verdicts_total{" SHOP ",id=\"ok\"} 2");
	assert_line("sluice_endpoint_verdicts_total{" SHOP ",id=\"tcp_connect_failed\"} 3");
	assert_line("sluice_endpoint_verdicts_total{" SHOP ",id=\"prober_overloaded\"} 1");
	assert_no("id=\"backend_timeout\"");
	assert_line("sluice_endpoint_probe_duration_seconds_bucket{" SHOP ",le=\"0.0005\"} 3");
	assert_line("sluice_endpoint_probe_duration_seconds_bucket{" SHOP ",le=\"0.001\"} 3");
	assert_line("sluice_endpoint_probe_duration_seconds_bucket{" SHOP ",le=\"0.0025\"} 5");
	assert_line("sluice_endpoint_probe_duration_seconds_bucket{" SHOP ",le=\"+Inf\"} 5");
	assert_line("sluice_endpoint_probe_duration_seconds_sum{" SHOP "} 0.005200");
	assert_line("sluice_endpoint_probe_duration_seconds_count{" SHOP "} 5");
	assert_line("sluice_endpoint_probe_stage_duration_seconds_bucket{" SHOP
		    ",stage=\"connect\",le=\"0.0005\"} 2");
	assert_line("sluice_endpoint_probe_stage_duration_seconds_count{" SHOP
		    ",stage=\"first_byte\"} 2");
	assert_no("stage=\"tls\"");
	assert_no("stage=\"total\"");
	assert_no("sluice_endpoint_probe_duration_seconds_sum{" STORE);
}

/* Names that a server chose must not end a label or a line. */
static void test_certificates(void **state)
{
	struct verdict verdict = { .code = SL_MSG_CERT_DATE_INVALID };
	struct certs *certs = certs_new(3);

	(void)state;
	certs->certs[0] =
		(struct cert){ .common_name = strdup("a\"} 1\nx{\\\n"), .not_after = 1700000000 };
	certs->certs[1] = (struct cert){ .common_name = strdup(""), .not_after = -5 };
	verdict.tls.certs = certs;
	gateway_fake_verdict(&gateway, "10.0.0.5:80", &verdict, 1);
	certs_unref(certs);
	gateway_fake_verdict(&gateway, "10.0.0.5:80", &refused, 20);
	read_text(PART_CERTIFICATES);
	assert_line("sluice_endpoint_cert_not_after_timestamp_seconds{" SHOP
		    ",depth=\"0\",common_name=\"a\\\"} 1\\nx{\\\\\\n\"} 1700000000");
	assert_line("sluice_endpoint_cert_not_after_timestamp_seconds{" SHOP
		    ",depth=\"1\",common_name=\"\"} -5");
	assert_line("sluice_endpoint_cert_not_after_timestamp_seconds{" SHOP
		    ",depth=\"2\",common_name=\"\"} 0");
}

static void test_kernel(void **state)
{
	(void)state;
	fake_stats = (struct sl_endpoint_stats){ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	read_text(PART_KERNEL);
	assert_line("sluice_endpoint_packets_total{" SHOP "} 1");
	assert_line("sluice_endpoint_bytes_total{" SHOP "} 2");
	assert_line("# UNIT sluice_endpoint_bytes bytes");
	assert_line("sluice_endpoint_rejected_packets_total{" SHOP "} 4");
	assert_line("sluice_endpoint_dropped_packets_total{" SHOP "} 5");
	assert_line("sluice_endpoint_reset_packets_total{" SHOP "} 6");
	assert_line("sluice_endpoint_limited_packets_total{" SHOP "} 7");
	assert_line("sluice_endpoint_icmp_errors_total{" SHOP "} 8");
	assert_line("sluice_endpoint_reply_packets_total{" SHOP "} 9");
	assert_line("sluice_endpoint_reply_bytes_total{" SHOP "} 10");
	assert_line("sluice_endpoint_attempts_total{" SHOP "} 3");
	assert_line("sluice_endpoint_unanswered_total{" SHOP "} 1");
	assert_line("sluice_endpoint_handshake_seconds_bucket{" SHOP ",le=\"0.000016384\"} 0");
	assert_line("sluice_endpoint_icmp_messages_total{" SHOP ",says=\"too_big\"} 0");
	assert_line("sluice_endpoint_open_connections{" SHOP "} 0");
	assert_line("sluice_endpoint_handshake_seconds_bucket{" SHOP ",le=\"0.000032768\"} 1");
	assert_line("sluice_endpoint_handshake_seconds_bucket{" SHOP ",le=\"4.294967296\"} 1");
	assert_line("sluice_endpoint_handshake_seconds_bucket{" SHOP ",le=\"+Inf\"} 1");
	assert_line("sluice_endpoint_handshake_seconds_sum{" SHOP "} 0.000020000");
	assert_no("sluice_endpoint_flows");
	/* A family without samples is not mentioned. */
	fake_stats_result = -EIO;
	assert_string_equal(read_text(PART_KERNEL), "# EOF\n");
}

static void test_services(void **state)
{
	(void)state;
	fake_forwards = true;
	gateway_fake_verdict(&gateway, "10.0.0.5:80", &ok, 2);
	read_text(PART_SERVICES);
	assert_line("sluice_service_endpoints{pool=\"web-pool\",service=\"shop\",settings=\"web\","
		    "state=\"healthy\"} 1");
	assert_line("sluice_service_endpoints{pool=\"web-pool\",service=\"shop\",settings=\"web\","
		    "state=\"unknown\"} 2");
	assert_line("sluice_service_new_flows_total{pool=\"web-pool\",service=\"shop\","
		    "settings=\"web\"} 50");
	assert_line("sluice_service_moved_flows_total{pool=\"web-pool\",service=\"shop\","
		    "settings=\"web\"} 3");
	assert_no("sluice_service_packets_total{pool=\"db-pool\"");
}

static void test_gateway(void **state)
{
	(void)state;
	fake_forwards = true;
	fake_removed_ifindex = 8;
	jobs_queue(gateway.jobs, &(struct change){ .action = CHANGE_RELOAD });
	jobs_begin(gateway.jobs, &(struct change){ .weight = 0 });
	jobs_end(gateway.jobs, true, 1);
	fake_degraded = "refused";
	read_text(PART_GATEWAY);
	fake_removed_ifindex = 0;
	fake_degraded = NULL;
	assert_line("sluice_programs_current 0");
	assert_line("sluice_build_info{version=\"" SLUICE_VERSION "\"} 1");
	assert_line("sluice_gateway_info{mode=\"enforce\",on_daemon_loss=\"hold\"} 1");
	assert_line("sluice_gate_in_force 1");
	assert_line("sluice_config_last_reload_successful 0");
	assert_line("sluice_interface_info{interface=\"lan0\",ingress=\"tcx\",egress=\"tcx\"} 1");
	assert_line("sluice_interface_present{interface=\"lan0\"} 1");
	assert_line("sluice_interface_present{interface=\"lan1\"} 0");
	assert_line("sluice_interface_guarded{interface=\"lan0\"} 1");
	assert_line("sluice_interface_guarded{interface=\"lan1\"} 0");
	assert_line("sluice_interface_returns_total{interface=\"lan0\"} 0");
	assert_line("sluice_interface_returns_total{interface=\"lan1\"} 3");
	assert_line("sluice_decisions_total{decision=\"pass_healthy\"} 900");
	assert_line("sluice_decisions_total{decision=\"reject_tcp\"} 12");
	assert_line("sluice_flows 6");
	assert_line("sluice_map_entries{map=\"targets\"} 4");
	assert_line("sluice_map_max_entries{map=\"targets\"} 8192");
	assert_line("sluice_map_entries{map=\"half_open\"} 5");
	assert_line("sluice_map_max_entries{map=\"flows\"} 262144");
	assert_line("sluice_prober_in_flight 3");
	assert_line("sluice_prober_in_flight_limit 512");
	assert_line("sluice_prober_overloads_total 5");
	assert_line("sluice_prober_loop_lag_seconds 0.004");
	assert_line("sluice_prober_saturated 0");
	assert_no("sluice_dns_names");
}

/* The names and the labels of samples are the same in both forms, and so in any pieces. */
static void test_pieces(void **state)
{
	static const size_t sizes[] = { 1, 7, 4096, 100000 };
	/* Other parts change while one reads. */
	const unsigned int parts = METRICS_ALL & ~(1u << PART_GATEWAY);
	CLEANUP(free_p) char *whole = NULL;

	(void)state;
	gateway_fake_verdict(&gateway, "10.0.0.5:80", &ok, 2);
	for (enum exposition_form form = 0; form <= EXPOSITION_OPENMETRICS; form++) {
		free(take_ptr(whole));
		whole = strdup(read_all(form, parts, 32768));
		assert_int_equal(strcmp(whole + strlen(whole) - 6, "# EOF\n") == 0,
				 form == EXPOSITION_OPENMETRICS);
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			assert_string_equal(read_all(form, parts, sizes[i]), whole);
	}
}

/* Wherever memory runs out once, the text is whole or ends with an error. */
static void test_memory(void **state)
{
	bool failed = true;
	int errors = 0;

	(void)state;
	gateway_fake_verdict(&gateway, "10.0.0.5:80", &ok, 2);
	for (int n = 0; n < 1000 && failed; n++) {
		struct metrics *metrics;
		ssize_t got = -ENOMEM;

		fault_after(FAULT_MEMORY, n, ENOMEM);
		metrics = metrics_new(&gateway.context, EXPOSITION_OPENMETRICS, 1u << PART_PROBES);
		if (metrics)
			got = metrics_read(metrics, text, sizeof(text));
		failed = fault_clear(FAULT_MEMORY);
		errors += got < 0;
		metrics_free(metrics);
	}
	assert_false(failed);
	/* Once for the reader, and once for the text; what is read from others is left out. */
	assert_int_equal(errors, 2);
}

static int start_names(void **state)
{
	(void)state;
	return gateway_fake_start(&gateway,
				  "gateway: { interfaces: [ { name: lan0 } ] }\n"
				  "settings: [ { name: web, protocol: http, port: 80 } ]\n"
				  "pools: [ { name: p, backends: [ { address: app.test } ] } ]\n"
				  "services: [ { name: s, pool: p, settings: web } ]\n");
}

/* An address that moves to another seat while the text is read is in it once. */
static void test_seats(void **state)
{
	CLEANUP(metrics_free_p) struct metrics *metrics = NULL;
	struct addr addr;
	ssize_t n;

	(void)state;
	assert_int_equal(board_add_names(gateway.board, 1), 0);
	for (uint32_t i = 0; i < gateway.model->n_endpoints; i++)
		board_seat(gateway.board, i, i ? BOARD_VACANT : BOARD_NAME, NULL);
	read_text(PART_HEALTH);
	assert_line("sluice_endpoint_info{pool=\"p\",settings=\"web\",endpoint=\"app.test:80\","
		    "transport=\"tcp\",protocol=\"http\",backend=\"app.test\"} 1");

	addr_parse(&addr, "fd00::5");
	board_seat(gateway.board, 0, BOARD_FOUND, &addr);
	metrics = metrics_new(&gateway.context, EXPOSITION_OPENMETRICS, 1u << PART_HEALTH);
	board_seat(gateway.board, 0, BOARD_VACANT, NULL);
	board_seat(gateway.board, 1, BOARD_FOUND, &addr);
	n = metrics_read(metrics, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_no("fd00::5");
	read_text(PART_HEALTH);
	assert_line(
		"sluice_endpoint_forced{pool=\"p\",settings=\"web\",endpoint=\"[fd00::5]:80\"} 0");
	read_text(PART_KERNEL);
	assert_line("sluice_endpoint_syns_total{pool=\"p\",settings=\"web\","
		    "endpoint=\"[fd00::5]:80\"} 121");
	read_text(PART_GATEWAY);
	assert_line("sluice_dns_names{state=\"pending\"} 1");
}

static void test_parts(void **state)
{
	(void)state;
#define FIND_PART(NAME, name) assert_int_equal(metrics_part(name), PART_##NAME);
	METRICS_PARTS(FIND_PART)
#undef FIND_PART
	assert_int_equal(metrics_part(""), METRICS_PART_COUNT);
	assert_int_equal(metrics_part("healt"), METRICS_PART_COUNT);
}

/* --- documentation ---------------------------------------------------------------------------- */

static const struct shape {
	const char *suffix, *word;
} shapes[] = {
	[METRIC_GAUGE] = { "", "Gauge" },
	[METRIC_COUNTER] = { "_total", "Counter" },
	[METRIC_HISTOGRAM] = { "", "Histogram" },
	[METRIC_INFO] = { "_info", "Info" },
};

static void test_table(void **state)
{
	const struct metric *metric, *other;

	(void)state;
	for (size_t i = 0; (metric = metrics_describe(i)); i++) {
		size_t len = strlen(metric->name);

		assert_true(!strncmp(metric->name, "sluice_", 7) ||
			    !strncmp(metric->name, "process_", 8));
		assert_int_equal(strspn(metric->name, "abcdefghijklmnopqrstuvwxyz_"), len);
		assert_non_null(metric->help);
		assert_null(strpbrk(metric->help, "\\\n"));
		assert_true(metric->help[strlen(metric->help) - 1] != '.');
		if (metric->unit)
			assert_string_equal(metric->name + len - strlen(metric->unit),
					    metric->unit);
		for (size_t k = 0; (other = metrics_describe(k)); k++)
			assert_true(k == i || strcmp(metric->name, other->name) != 0);
	}
}

/* The manual page has every metric, by the name of its samples, with what it is. */
static void test_manual_page(void **state)
{
	CLEANUP(fclose_p) FILE *file = fopen(PAGE, "r");
	const struct metric *metric;
	size_t n = 0, n_entries = 0;
	char entry[1024];

	(void)state;
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	for (; (metric = metrics_describe(n)); n++) {
		snprintf(entry, sizeof(entry), "\n.It Cm %s%s :\n%s.\n%s.\n", metric->name,
			 shapes[metric->type].suffix, shapes[metric->type].word, metric->help);
		if (!strstr(text, entry))
			fail_msg("the page has no entry '%s'", entry);
	}
	for (const char *at = strstr(text, ".Sh METRICS"); (at = strstr(at + 1, "\n.It Cm "));)
		n_entries++;
	assert_int_equal(n_entries, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKED(test_health),
		FAKED(test_probes),
		FAKED(test_certificates),
		FAKED(test_kernel),
		FAKED(test_services),
		FAKED(test_gateway),
		FAKED(test_pieces),
		FAKED(test_memory),
		cmocka_unit_test_setup_teardown(test_seats, start_names, stop),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_manual_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
