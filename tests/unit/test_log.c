// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "util/log.h"
#include "util/log_json.h"

#define TEXT_LEN 65536
#define STUCK_AFTER_S 20 /* long enough for any machine; a writer that blocks stays for ever */

/* Standard error as a pipe, for as long as a test looks at it. */
struct capture {
	int saved, read_fd;
	char text[TEXT_LEN + 1];
};

static void capture_begin(struct capture *capture)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	capture->read_fd = fds[0];
	capture->saved = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	log_init("test");
	alarm(STUCK_AFTER_S);
}

/* What was written since the last time, up to what a pipe holds. */
static const char *capture_read(struct capture *capture)
{
	ssize_t n, len = 0;

	while (len < TEXT_LEN &&
	       (n = read(capture->read_fd, capture->text + len, (size_t)(TEXT_LEN - len))) > 0)
		len += n;
	capture->text[len] = '\0';
	return capture->text;
}

static void capture_end(struct capture *capture)
{
	alarm(0);
	dup2(capture->saved, STDERR_FILENO);
	close(capture->saved);
	close(capture->read_fd);
	free(capture);
}

static void test_lines(void **state)
{
	struct capture *capture = malloc(sizeof(*capture));
	char longest[4096];
	const char *text;

	(void)state;
	unsetenv("JOURNAL_STREAM");
	capture_begin(capture);
	log_info("one %d", 1);
	text = capture_read(capture);
	assert_non_null(strstr(text, "Z test: one 1\n"));
	log_error("two");
	log_warn("three");
	text = capture_read(capture);
	assert_non_null(strstr(text, "test: error: two\n"));
	assert_non_null(strstr(text, "test: warning: three\n"));

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	log_info("%s", longest);
	text = capture_read(capture);
	assert_int_equal(strlen(text), 1024);
	assert_int_equal(text[1023], '\n');
	capture_end(capture);
}

/* Far more than a pipe holds, and nobody reads. */
static void test_nobody_reads(void **state)
{
	struct capture *capture = malloc(sizeof(*capture));
	const char *text;

	(void)state;
	capture_begin(capture);
	for (int i = 0; i < 10000; i++)
		log_info("line %d", i);
	text = capture_read(capture);
	assert_non_null(strstr(text, ": line 0\n"));
	assert_null(strstr(text, ": line 9999\n"));

	/* Once there is room again, the log says what is missing from it. */
	log_info("again");
	log_info("and again");
	text = capture_read(capture);
	assert_non_null(strstr(text, "lines lost"));
	assert_non_null(strstr(text, ": again\n"));
	assert_non_null(strstr(text, ": and again\n"));
	assert_null(strstr(strstr(text, "lines lost") + 1, "lines lost"));
	capture_end(capture);
}

/* Whatever is in it, a line is an object with what was said. */
static void test_json(void **state)
{
	static const struct {
		const char *text, *reads;
	} rows[] = {
		{ "plain", "plain" },
		{ "a \"quote\" and \\ and \t", "a \"quote\" and \\ and \t" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\xff\xc3 \xed\xa0\x80 \xc0\x80 \xf4\x90\x80\x80", "?? ??? ?? ????" },
		{ "\xe2\x82", "??" },
	};
	char buf[LOG_JSON_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct journal_field fields[] = { { "SLUICE_POOL", rows[i].text },
							{ "SLUICE_EMPTY", "" },
							{ "SLUICE_NUMBERS", "{\"n\":3}" } };
		const struct log_json line = { "info", "test", rows[i].text, 0, fields, 3 };
		size_t len = log_json_format(buf, &line);
		json_t *json = json_loadb(buf, len, 0, NULL);

		assert_non_null(json);
		assert_string_equal(json_string_value(json_object_get(json, "message")),
				    rows[i].reads);
		assert_string_equal(json_string_value(json_object_get(json, "pool")),
				    rows[i].reads);
		assert_int_equal(
			json_integer_value(json_object_get(json_object_get(json, "numbers"), "n")),
			3);
		assert_int_equal(json_object_size(json), 6);
		json_decref(json);
	}
}

/* Too long: cut, or left out, and still an object. */
static void test_long_json(void **state)
{
	char buf[LOG_JSON_LEN], text[5000];

	(void)state;
	for (size_t fill = 0; fill < sizeof(text) - 1; fill += 13) {
		const struct journal_field fields[] = { { "SLUICE_POOL", text },
							{ "SLUICE_AFTER", "short" } };
		const struct log_json line = { "info", "test", text, 0, fields, 2 };
		json_t *json;
		size_t len;

		memset(text, fill % 2 ? '\x01' : '"', fill);
		text[fill] = '\0';
		len = log_json_format(buf, &line);
		assert_true(len < LOG_JSON_LEN);
		json = json_loadb(buf, len, 0, NULL);
		assert_non_null(json);
		assert_string_equal(json_string_value(json_object_get(json, "after")), "short");
		json_decref(json);
	}
}

static void test_levels(void **state)
{
	struct capture *capture = malloc(sizeof(*capture));
	const char *text;

	(void)state;
	capture_begin(capture);
	log_configure(LOG_FORM_JSON, LOG_LEVEL_WARN);
	log_info("too little");
	log_fields(LOG_LEVEL_INFO, "likewise", NULL, 0);
	log_warn("enough");
	text = capture_read(capture);
	assert_null(strstr(text, "too little"));
	assert_null(strstr(text, "likewise"));
	assert_non_null(strstr(
		text, "\"level\": \"warning\", \"program\": \"test\", \"message\": \"enough\"}\n"));
	log_configure(LOG_FORM_TEXT, LOG_LEVEL_INFO);
	capture_end(capture);
}

/* The reader is gone: writing fails, and is not worth dying for. */
static void test_reader_gone(void **state)
{
	struct capture *capture = malloc(sizeof(*capture));

	(void)state;
	capture_begin(capture);
	signal(SIGPIPE, SIG_IGN);
	close(capture->read_fd);
	log_info("to nobody");
	capture->read_fd = -1;
	capture_end(capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),  cmocka_unit_test(test_nobody_reads),
		cmocka_unit_test(test_json),   cmocka_unit_test(test_long_json),
		cmocka_unit_test(test_levels), cmocka_unit_test(test_reader_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
