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

#include "util/log.h"

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
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_nobody_reads),
		cmocka_unit_test(test_reader_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
