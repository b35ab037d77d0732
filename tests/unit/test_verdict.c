// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/verdict.h"

/* Written out once more by hand: numbers and ids are promises to users and scripts. */
static const struct {
	int code;
	const char *id;
	bool passed, ours;
} rows[] = {
	{ 0, "ok", true, false },
	{ 1, "backend_timeout", false, false },
	{ 3, "tcp_connect_failed", false, false },
	{ 4, "http_status_mismatch", false, false },
	{ 5, "http_body_mismatch", false, false },
	{ 101, "http_malformed", false, false },
	{ 102, "conn_closed_early", false, false },
	{ 103, "prober_overloaded", false, true },
	{ 104, "local_resource", false, true },
	{ 105, "probe_pending", false, true },
};

static void test_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum sl_message code = (enum sl_message)rows[i].code;

		assert_string_equal(message_id(code), rows[i].id);
		assert_int_equal(message_passed(code), rows[i].passed);
		assert_int_equal(message_ours(code), rows[i].ours);
	}
}

#define COUNT(NAME, code, id, passed, ours) +1

static void test_all_listed(void **state)
{
	(void)state;
	assert_int_equal(sizeof(rows) / sizeof(rows[0]), 0 SL_MESSAGES(COUNT));
}

static void test_unknown_code(void **state)
{
	(void)state;
	assert_null(message_id((enum sl_message)99));
	assert_false(message_passed((enum sl_message)99));
	assert_false(message_ours((enum sl_message)99));
}

static void test_stages(void **state)
{
	(void)state;
	assert_string_equal(stage_name(STAGE_NONE), "none");
	assert_string_equal(stage_name(STAGE_QUEUE), "queue");
	assert_string_equal(stage_name(STAGE_CONNECT), "connect");
	assert_string_equal(stage_name(STAGE_REQUEST), "request");
	assert_string_equal(stage_name(STAGE_HEADER), "header");
	assert_string_equal(stage_name(STAGE_BODY), "body");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_all_listed),
		cmocka_unit_test(test_unknown_code),
		cmocka_unit_test(test_stages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
