// SPDX-License-Identifier: GPL-2.0-or-later
/* Metrics as text: both forms, labels from anywhere, numbers, and which form a client wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/exposition.h"
#include "tests/lib/fault.h"

static const struct metric packets = { "x_packets", METRIC_COUNTER, NULL, "Packets" };
static const struct metric age = { "x_age_seconds", METRIC_GAUGE, "seconds", "Age" };
static const struct metric build = { "x_build", METRIC_INFO, NULL, "Build" };
static const struct metric took = { "x_took_seconds", METRIC_HISTOGRAM, "seconds", "Took" };

static void assert_text(const struct exposition *e, const char *text)
{
	assert_false(e->lost);
	assert_int_equal(e->len, strlen(text));
	assert_memory_equal(e->text, text, e->len);
}

static void write_all(struct exposition *e)
{
	exposition_row(e);
	exposition_head(e, &packets);
	exposition_label(e, "pool", "p");
	exposition_sample(e, &packets, NULL, NULL, WHOLE(7));
	exposition_sample(e, &packets, "kind", "k", WHOLE(8));
	exposition_row(e);
	exposition_head(e, &age);
	exposition_sample(e, &age, NULL, NULL, MILLI(1500));
	exposition_head(e, &build);
	exposition_sample(e, &build, "version", "1", WHOLE(1));
	exposition_head(e, &took);
	exposition_bucket(e, &took, "+Inf", 3);
	exposition_sum(e, &took, MICRO(42), 3);
	exposition_end(e);
}

static void test_forms(void **state)
{
	struct exposition e = { .form = EXPOSITION_OPENMETRICS };

	(void)state;
	write_all(&e);
	assert_text(&e, "# HELP x_packets Packets\n# TYPE x_packets counter\n"
			"x_packets_total{pool=\"p\"} 7\nx_packets_total{pool=\"p\",kind=\"k\"} 8\n"
			"# HELP x_age_seconds Age\n# TYPE x_age_seconds gauge\n"
			"# UNIT x_age_seconds seconds\nx_age_seconds 1.500\n"
			"# HELP x_build Build\n# TYPE x_build info\n"
			"x_build_info{version=\"1\"} 1\n"
			"# HELP x_took_seconds Took\n# TYPE x_took_seconds histogram\n"
			"# UNIT x_took_seconds seconds\nx_took_seconds_bucket{le=\"+Inf\"} 3\n"
			"x_took_seconds_sum 0.000042\nx_took_seconds_count 3\n# EOF\n");
	exposition_done(&e);
	write_all(&e);
	exposition_done(&e);

	e.form = EXPOSITION_PROMETHEUS;
	write_all(&e);
	assert_text(&e, "# HELP x_packets_total Packets\n# TYPE x_packets_total counter\n"
			"x_packets_total{pool=\"p\"} 7\nx_packets_total{pool=\"p\",kind=\"k\"} 8\n"
			"# HELP x_age_seconds Age\n# TYPE x_age_seconds gauge\n"
			"x_age_seconds 1.500\n"
			"# HELP x_build_info Build\n# TYPE x_build_info gauge\n"
			"x_build_info{version=\"1\"} 1\n"
			"# HELP x_took_seconds Took\n# TYPE x_took_seconds histogram\n"
			"x_took_seconds_bucket{le=\"+Inf\"} 3\n"
			"x_took_seconds_sum 0.000042\nx_took_seconds_count 3\n");
	exposition_done(&e);
}

static const struct number_row {
	struct number number;
	const char *text;
} number_rows[] = {
	{ WHOLE(0), "0" },
	{ WHOLE(-1), "-1" },
	{ WHOLE(INT64_MAX), "9223372036854775807" },
	{ WHOLE(INT64_MIN), "-9223372036854775808" },
	{ MILLI(0), "0.000" },
	{ MILLI(1), "0.001" },
	{ MILLI(-1), "-0.001" },
	{ MILLI(999), "0.999" },
	{ MILLI(1000), "1.000" },
	{ MILLI(1795294824216), "1795294824.216" },
	{ MICRO(1795294827216291), "1795294827.216291" },
	{ MICRO(10), "0.000010" },
	{ { 5, 1 }, "0.5" },
	{ { -25, 1 }, "-2.5" },
};

static void test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(number_rows) / sizeof(number_rows[0]); i++) {
		struct exposition e = { .form = EXPOSITION_OPENMETRICS };
		char text[128];

		exposition_sample(&e, &age, NULL, NULL, number_rows[i].number);
		snprintf(text, sizeof(text), "x_age_seconds %s\n", number_rows[i].text);
		assert_text(&e, text);
		exposition_done(&e);
	}
}

static const struct label_row {
	const char *value, *text;
} label_rows[] = {
	{ "", "" },
	{ "plain", "plain" },
	{ "quote \" back \\ line \n", "quote \\\" back \\\\ line \\n" },
	{ "\\n is not a line end", "\\\\n is not a line end" },
	{ "a\r\tb{}=,#", "a\r\tb{}=,#" },
	{ "caf\xc3\xa9 \xe2\x80\xa6 \xf0\x9f\x98\x80",
	  "caf\xc3\xa9 \xe2\x80\xa6 \xf0\x9f\x98\x80" },
	/* Lone bytes, cut and overlong characters, surrogates, beyond Unicode. */
	{ "\x80x", "?x" },
	{ "\xc3", "?" },
	{ "\xe2\x80", "??" },
	{ "\xf0\x9f\x98", "???" },
	{ "\xc3\"", "?\\\"" },
	{ "\xe2\x80\\", "??\\\\" },
	{ "\xc0\x80", "??" },
	{ "\xe0\x80\x80", "???" },
	{ "\xf0\x80\x80\x80", "????" },
	{ "\xed\xa0\x80", "???" },
	{ "\xed\x9f\xbf", "\xed\x9f\xbf" },
	{ "\xf4\x90\x80\x80", "????" },
	{ "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
	{ "\xf8\x88\x80\x80\x80", "?????" },
	{ "\xff\xfe", "??" },
};

static void test_labels(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(label_rows) / sizeof(label_rows[0]); i++) {
		struct exposition e = { .form = EXPOSITION_OPENMETRICS };
		char text[256];

		exposition_label(&e, "a", label_rows[i].value);
		exposition_sample(&e, &age, "b", label_rows[i].value, WHOLE(1));
		snprintf(text, sizeof(text), "x_age_seconds{a=\"%s\",b=\"%s\"} 1\n",
			 label_rows[i].text, label_rows[i].text);
		assert_text(&e, text);
		exposition_done(&e);
	}
}

/* What has no room is cut between characters, and the line is still one. */
static void test_long_labels(void **state)
{
	struct exposition e = { .form = EXPOSITION_OPENMETRICS };
	char value[2 * EXPOSITION_LABELS_MAX];
	const char *line;

	(void)state;
	memset(value, '"', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (int i = 0; i < 3; i++)
		exposition_label(&e, "a", value);
	exposition_sample(&e, &age, "b", value, WHOLE(1));
	assert_false(e.lost);
	assert_true(e.labels_len <= EXPOSITION_LABELS_MAX);
	line = memchr(e.text, '\n', e.len);
	assert_ptr_equal(line, e.text + e.len - 1);
	assert_memory_equal(e.text + e.len - 7, "\\\"\"} 1\n", 7);
	exposition_done(&e);
}

static void test_memory(void **state)
{
	struct exposition e = { .form = EXPOSITION_OPENMETRICS };
	bool failed = true;

	(void)state;
	for (int n = 0; n < 10 && failed; n++) {
		fault_after(FAULT_MEMORY, n, ENOMEM);
		for (int i = 0; i < 200; i++)
			write_all(&e);
		failed = fault_clear(FAULT_MEMORY);
		assert_int_equal(e.lost, failed);
		exposition_done(&e);
	}
	assert_false(failed);
}

static const struct accept_row {
	const char *accept;
	enum exposition_form form;
} accept_rows[] = {
	{ NULL, EXPOSITION_PROMETHEUS },
	{ "", EXPOSITION_PROMETHEUS },
	{ "*/*", EXPOSITION_PROMETHEUS },
	{ "text/plain", EXPOSITION_PROMETHEUS },
	{ "text/html,application/xhtml+xml,*/*;q=0.8", EXPOSITION_PROMETHEUS },
	{ "application/json", EXPOSITION_PROMETHEUS },
	{ "application/openmetrics-text", EXPOSITION_OPENMETRICS },
	{ "APPLICATION/OpenMetrics-Text ; Version=1.0.0 ; Q=1", EXPOSITION_OPENMETRICS },
	{ "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
	  EXPOSITION_OPENMETRICS },
	{ "application/openmetrics-text; version=\"1.0.0\"; charset=utf-8",
	  EXPOSITION_OPENMETRICS },
	{ "application/openmetrics-text;version=0.0.1,text/plain;q=0.5", EXPOSITION_PROMETHEUS },
	{ "application/openmetrics-text;version=0.0.1;q=0.75,"
	  "application/openmetrics-text;version=1.0.0;q=0.7,text/plain;version=0.0.4;q=0.5",
	  EXPOSITION_OPENMETRICS },
	{ "application/openmetrics-text;version=2.0.0", EXPOSITION_PROMETHEUS },
	{ "application/openmetrics-text;q=0", EXPOSITION_PROMETHEUS },
	{ "application/openmetrics-text;q=0.4,text/plain;q=0.5", EXPOSITION_PROMETHEUS },
	{ "application/openmetrics-text;q=0.50,text/plain;q=0.5", EXPOSITION_OPENMETRICS },
	{ "application/openmetrics-text;q=0.501,text/*;q=0.5", EXPOSITION_OPENMETRICS },
	{ "application/openmetrics-text;q=x", EXPOSITION_PROMETHEUS },
	{ "application/openmetrics-text;q=0x5", EXPOSITION_PROMETHEUS },
	{ "application/openmetrics-text;q=", EXPOSITION_PROMETHEUS },
	{ "application/openmetrics-text;q=9999999999999999999", EXPOSITION_PROMETHEUS },
	{ ",,;;,;q=1,;=,application/openmetrics-text", EXPOSITION_OPENMETRICS },
	{ "application/openmetrics-textual", EXPOSITION_PROMETHEUS },
};

static void test_choice(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(accept_rows) / sizeof(accept_rows[0]); i++)
		if (exposition_choose(accept_rows[i].accept) != accept_rows[i].form)
			fail_msg("'%s'", accept_rows[i].accept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),  cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_labels), cmocka_unit_test(test_long_labels),
		cmocka_unit_test(test_memory), cmocka_unit_test(test_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
