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
	{ 2, "dns_resolution_failed", false, false },
	{ 3, "tcp_connect_failed", false, false },
	{ 4, "http_status_mismatch", false, false },
	{ 5, "http_body_mismatch", false, false },
	{ 6, "cert_name_mismatch", false, false },
	{ 7, "cert_date_invalid", false, false },
	{ 8, "cert_intermediate_missing", false, false },
	{ 9, "cert_leaf_missing", false, false },
	{ 10, "cert_server_not_well_known_ca", false, false },
	{ 11, "cert_intermediate_not_well_known_ca", false, false },
	{ 12, "cert_root_mismatch_root_absent", false, false },
	{ 13, "cert_root_mismatch_root_present", false, false },
	{ 14, "cert_leaf_not_topmost", false, false },
	{ 15, "cert_verify_failed", false, false },
	{ 16, "cert_not_allow_listed", false, false },
	{ 17, "unknown_dns_cache_flushed", false, true },
	{ 18, "unknown_control_blocked", false, true },
	{ 19, "unknown_crl_unreachable", false, true },
	{ 20, "unknown_gateway_unhealthy", false, true },
	{ 100, "tls_handshake_failed", false, false },
	{ 101, "http_malformed", false, false },
	{ 102, "conn_closed_early", false, false },
	{ 103, "prober_overloaded", false, true },
	{ 104, "local_resource", false, true },
	{ 105, "probe_pending", false, true },
	{ 106, "grpc_not_serving", false, false },
	{ 107, "udp_unreachable", false, false },
	{ 108, "udp_answer_mismatch", false, false },
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
