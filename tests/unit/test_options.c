// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/options.h"
#include "util/err.h"

#define ARGS_MAX 6

static int parse(struct options *options, const char *const args[ARGS_MAX], struct err *err)
{
	static char name[] = "sluiced";
	static char kept[ARGS_MAX][32]; /* options point into argv */
	char *argv[ARGS_MAX + 2] = { name };
	int argc = 1;

	for (int i = 0; i < ARGS_MAX && args[i]; i++) {
		snprintf(kept[i], sizeof(kept[i]), "%s", args[i]);
		argv[argc++] = kept[i];
	}
	return options_parse(options, argc, argv, err);
}

static void accepts(void **state)
{
	struct options options;
	struct err err;

	(void)state;
	assert_int_equal(parse(&options, (const char *const[ARGS_MAX]){ NULL }, &err), 0);
	assert_string_equal(options.config, "/etc/sluice/sluice.yaml");
	assert_false(options.foreground || options.check || options.dry_run || options.help ||
		     options.version);

	assert_int_equal(
		parse(&options,
		      (const char *const[ARGS_MAX]){ "--config", "a.yaml", "--foreground" }, &err),
		0);
	assert_string_equal(options.config, "a.yaml");
	assert_true(options.foreground);

	assert_int_equal(options.log_form, LOG_FORM_AUTO);
	assert_int_equal(options.log_level, LOG_LEVEL_INFO);

	assert_int_equal(parse(&options,
			       (const char *const[ARGS_MAX]){ "--foreground", "--log", "json",
							      "--log-level", "warning" },
			       &err),
			 0);
	assert_int_equal(options.log_form, LOG_FORM_JSON);
	assert_int_equal(options.log_level, LOG_LEVEL_WARN);

	assert_int_equal(parse(&options, (const char *const[ARGS_MAX]){ "--check" }, &err), 0);
	assert_true(options.check);
	assert_int_equal(parse(&options, (const char *const[ARGS_MAX]){ "--dry-run" }, &err), 0);
	assert_true(options.dry_run);
	assert_int_equal(parse(&options, (const char *const[ARGS_MAX]){ "--version" }, &err), 0);
	assert_true(options.version);
	assert_int_equal(parse(&options, (const char *const[ARGS_MAX]){ "-h" }, &err), 0);
	assert_true(options.help);
}

static void refuses(void **state)
{
	static const struct {
		const char *args[ARGS_MAX];
		const char *says;
	} rows[] = {
		{ { "--nonsense" }, "unknown option '--nonsense'" },
		{ { "--config" }, "--config needs a file name" },
		{ { "--log" }, "--log needs text or json" },
		{ { "--log", "xml" }, "--log 'xml' is not text or json" },
		{ { "--log", "json" }, "--log json needs --foreground" },
		{ { "--log-level" }, "--log-level needs error, warning or info" },
		{ { "--log-level", "debug" }, "--log-level 'debug' is not error, warning or info" },
		{ { "stray" }, "unexpected argument 'stray'" },
		{ { "--check", "--dry-run" }, "exclude each other" },
	};
	struct options options;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(&options, rows[i].args, &err), -EINVAL);
		assert_non_null(strstr(err.text, rows[i].says));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
