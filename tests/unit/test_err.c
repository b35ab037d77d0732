// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "util/err.h"

static void test_set(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(err_set(&err, -EINVAL, "port %d: %s", 70000, "too large"), -EINVAL);
	assert_string_equal(err.text, "port 70000: too large");
	assert_int_equal(err_set(&err, -ENOMEM, "other"), -ENOMEM);
	assert_string_equal(err.text, "other");
}

static void test_in(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, -EINVAL, "bad port");
	assert_int_equal(err_in(&err, -EINVAL, "pool '%s': ", "web"), -EINVAL);
	assert_string_equal(err.text, "pool 'web': bad port");
	assert_int_equal(err_in(&err, -EIO, "file: "), -EIO);
	assert_string_equal(err.text, "file: pool 'web': bad port");
}

/* Nobody has to ask for the text. */
static void test_nowhere(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, -EINVAL, "x"), -EINVAL);
	assert_int_equal(err_in(NULL, -EINVAL, "x"), -EINVAL);
}

/* Too long texts are cut at the end and stay texts. */
static void test_long(void **state)
{
	char text[2 * sizeof(struct err)];
	struct err err;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, -EINVAL, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_in(&err, -EINVAL, "in %s: ", "front");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "in front: aaa", 13);
	err_in(&err, -EINVAL, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_null(strchr(err.text, 'i'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_in),
		cmocka_unit_test(test_nowhere),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
