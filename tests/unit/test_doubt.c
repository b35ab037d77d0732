// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "probe/doubt.h"

static const struct row {
	const char *name;
	struct verdict said;
	uint32_t timeout_ms;
	struct lag_reading during;
	enum sl_message becomes;
	const char *detail; /* part of it */
} rows[] = {
	/* A loop in time: everything is believed. */
	{ "timeout", { .code = SL_MSG_BACKEND_TIMEOUT }, 1000, { 0 }, SL_MSG_BACKEND_TIMEOUT, "" },
	{ "timeout, a little late",
	  { .code = SL_MSG_BACKEND_TIMEOUT },
	  30000,
	  { .late_ms = 3000 },
	  SL_MSG_BACKEND_TIMEOUT,
	  "" },

	/* A late one: no timeout is, wherever it ran out. */
	{ "timeout, late",
	  { .code = SL_MSG_BACKEND_TIMEOUT },
	  30000,
	  { .late_ms = 3001 },
	  SL_MSG_PROBER_OVERLOADED,
	  "3001 ms late" },
	{ "short timeout, a quarter late",
	  { .code = SL_MSG_BACKEND_TIMEOUT },
	  400,
	  { .late_ms = 100 },
	  SL_MSG_BACKEND_TIMEOUT,
	  "" },
	{ "short timeout, more",
	  { .code = SL_MSG_BACKEND_TIMEOUT },
	  400,
	  { .late_ms = 101 },
	  SL_MSG_PROBER_OVERLOADED,
	  "101 ms late" },
	{ "a part with an end",
	  { .code = SL_MSG_BACKEND_TIMEOUT },
	  4000,
	  { .late_ms = 501 },
	  SL_MSG_PROBER_OVERLOADED,
	  "501 ms late" },
	{ "connect timeout, late",
	  { .code = SL_MSG_TCP_CONNECT_FAILED, .os_errno = ETIMEDOUT },
	  1000,
	  { .late_ms = 900 },
	  SL_MSG_PROBER_OVERLOADED,
	  "late" },
	{ "handshake timeout, late",
	  { .code = SL_MSG_TLS_HANDSHAKE_FAILED, .os_errno = ETIMEDOUT },
	  1000,
	  { .late_ms = 900 },
	  SL_MSG_PROBER_OVERLOADED,
	  "late" },

	/* What the server did is its own doing, however late we saw it. */
	{ "refused, late",
	  { .code = SL_MSG_TCP_CONNECT_FAILED, .os_errno = ECONNREFUSED },
	  1000,
	  { .late_ms = 900 },
	  SL_MSG_TCP_CONNECT_FAILED,
	  "" },
	{ "alert, late",
	  { .code = SL_MSG_TLS_HANDSHAKE_FAILED },
	  1000,
	  { .late_ms = 900 },
	  SL_MSG_TLS_HANDSHAKE_FAILED,
	  "" },
	{ "status, late",
	  { .code = SL_MSG_HTTP_STATUS_MISMATCH, .http_status = 503 },
	  1000,
	  { .late_ms = 900 },
	  SL_MSG_HTTP_STATUS_MISMATCH,
	  "" },

	/* A loop that stood still: the server may have given up on us. */
	{ "timeout, stalled",
	  { .code = SL_MSG_BACKEND_TIMEOUT },
	  1000,
	  { 4200, 4200 },
	  SL_MSG_UNKNOWN_GATEWAY_UNHEALTHY,
	  "stood still for 4200 ms during the probe, which saw backend_timeout" },
	{ "a long timeout, stalled for a small part of it",
	  { .code = SL_MSG_BACKEND_TIMEOUT },
	  3600000,
	  { 2000, 2000 },
	  SL_MSG_UNKNOWN_GATEWAY_UNHEALTHY,
	  "2000 ms" },
	{ "closed, stalled",
	  { .code = SL_MSG_CONN_CLOSED_EARLY, .os_errno = ECONNRESET },
	  60000,
	  { 4200, 4200 },
	  SL_MSG_UNKNOWN_GATEWAY_UNHEALTHY,
	  "conn_closed_early" },
	{ "handshake given up, stalled",
	  { .code = SL_MSG_TLS_HANDSHAKE_FAILED },
	  60000,
	  { 4200, 4200 },
	  SL_MSG_UNKNOWN_GATEWAY_UNHEALTHY,
	  "tls_handshake_failed" },
	{ "408, stalled",
	  { .code = SL_MSG_HTTP_STATUS_MISMATCH, .http_status = 408 },
	  60000,
	  { 4200, 4200 },
	  SL_MSG_UNKNOWN_GATEWAY_UNHEALTHY,
	  "http_status_mismatch" },
	{ "the longest id",
	  { .code = SL_MSG_CERT_INTERMEDIATE_NOT_WELL_KNOWN_CA },
	  60000,
	  { 4200, 4200 },
	  SL_MSG_UNKNOWN_GATEWAY_UNHEALTHY,
	  "which saw cert_intermediate_not_well_known_ca" },
	{ "the end of a stall before",
	  { .code = SL_MSG_BACKEND_TIMEOUT },
	  1000,
	  { 3, 3 },
	  SL_MSG_BACKEND_TIMEOUT,
	  "" },

	/* A success is one, and our own trouble stays what it is. */
	{ "ok, stalled", { .code = SL_MSG_OK }, 1000, { 4200, 4200 }, SL_MSG_OK, "" },
	{ "no descriptor, stalled",
	  { .code = SL_MSG_LOCAL_RESOURCE, .os_errno = EMFILE },
	  1000,
	  { 4200, 4200 },
	  SL_MSG_LOCAL_RESOURCE,
	  "" },
	{ "no revocation list, stalled",
	  { .code = SL_MSG_UNKNOWN_CRL_UNREACHABLE },
	  1000,
	  { 4200, 4200 },
	  SL_MSG_UNKNOWN_CRL_UNREACHABLE,
	  "" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct verdict v = row->said;

		doubt_verdict(&v, row->timeout_ms, row->during);
		if (v.code != row->becomes || !strstr(v.detail, row->detail))
			print_message("# %s: %s, %s\n", row->name, message_id(v.code), v.detail);
		assert_int_equal(v.code, row->becomes);
		assert_non_null(strstr(v.detail, row->detail));
		/* The error belongs to the verdict that nobody believes. */
		assert_int_equal(v.os_errno, v.code == row->said.code ? row->said.os_errno : 0);
	}
}

/* Only the prober's own trouble is what failures are turned into. */
static void test_never_a_failure(void **state)
{
	(void)state;
	for (int code = 0; code < 200; code++) {
		struct verdict v = { .code = (enum sl_message)code };

		if (!message_id(v.code))
			continue;
		doubt_verdict(&v, 1000, (struct lag_reading){ LAG_STALL_MS, LAG_STALL_MS });
		assert_true(message_passed(v.code) || message_ours(v.code));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_never_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
