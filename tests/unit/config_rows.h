/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_rows - tables of broken configurations and all that is said about them, word for word; for
 * tests, included by one .c of each.
 */
#ifndef SLUICE_TESTS_CONFIG_ROWS_H
#define SLUICE_TESTS_CONFIG_ROWS_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/report.h"
#include "model/model.h"

/* Takes one line, so that the row's own text starts on the next. */
#define GATE "gateway: { interfaces: [ { name: eth0 } ] }\n"

/* What is allowed, where it takes many words. */
#define HOSTS "a host name or IP address, 1..253 bytes\n"
#define PATHS "1..2048 bytes from '/' on, without blanks and control characters\n"
#define NAMES "1..63 bytes of A-Z a-z 0-9 . _ -\n"
#define FILES "1..4095 bytes without control characters\n"

struct row {
	const char *yaml;
	const char *errors; /* one line each */
};

static inline void check_row(const struct row *row)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	struct report report;
	char errors[8192] = "";

	assert_int_equal(config_parse(&model, row->yaml, strlen(row->yaml), "t.yaml", &report),
			 -EINVAL);
	assert_null(model);
	for (size_t i = 0; i < report.n_items; i++) {
		size_t len = strlen(errors);

		report_format(errors + len, sizeof(errors) - len, &report, i);
		len = strlen(errors);
		snprintf(errors + len, sizeof(errors) - len, "\n");
	}
	if (strcmp(errors, row->errors) != 0)
		print_message("# in this file:\n%s\n", row->yaml);
	assert_string_equal(errors, row->errors);
	assert_int_equal(report.n_items, report.n_errors);
}

/* One test per table. */
#define TEST_TABLE(table)                                                       \
	static void test_##table(void **state)                                  \
	{                                                                       \
		(void)state;                                                    \
		for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++) \
			check_row(&(table)[i]);                                 \
	}

#endif
