// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/limits.h"
#include "probe/http.h"
#include "tests/lib/h2_talk.h"

static const struct probe_match match_default = { .status = { { 200, 399 } }, .n_status = 1 };

/* What a server does, and what a probe makes of it. */
struct row {
	const char *name;
	void (*serve)(struct frames *frames);
	const char *body;
	const char *detail; /* part of it */
	enum sl_message code;
	uint16_t status;
};

static void settings(struct frames *f)
{
	frames_add(f, FRAME_SETTINGS, 0, 0, NULL, 0);
}

static void serve_ok(struct frames *f)
{
	settings(f);
	frames_headers(f, FRAME_END_STREAM, 1, ":status: 200\nserver: x\n");
}

static void serve_body(struct frames *f)
{
	settings(f);
	frames_headers(f, 0, 1, ":status: 200\n");
	frames_add(f, FRAME_DATA, 0, 1, "not re", 6);
	frames_add(f, FRAME_DATA, FRAME_END_STREAM, 1, "ady", 3);
}

static void serve_trailers(struct frames *f)
{
	settings(f);
	frames_headers(f, 0, 1, ":status: 200\n");
	frames_add(f, FRAME_DATA, 0, 1, "no", 2);
	frames_headers(f, FRAME_END_STREAM, 1, "x: ready\n");
}

static void serve_status(struct frames *f)
{
	settings(f);
	frames_headers(f, 0, 1, ":status: 503\n");
}

static void serve_interim(struct frames *f)
{
	settings(f);
	frames_headers(f, 0, 1, ":status: 103\n");
	frames_headers(f, FRAME_END_STREAM, 1, ":status: 204\n");
}

static void serve_many_interim(struct frames *f)
{
	settings(f);
	for (int i = 0; i <= HTTP_INTERIM_MAX; i++)
		frames_headers(f, 0, 1, ":status: 103\n");
}

static void serve_http1(struct frames *f)
{
	static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

	memcpy(f->data, text, sizeof(text) - 1);
	f->len = sizeof(text) - 1;
}

static void serve_no_settings(struct frames *f)
{
	frames_headers(f, FRAME_END_STREAM, 1, ":status: 200\n");
}

static void serve_garbage(struct frames *f)
{
	memset(f->data, 0xff, 64);
	f->len = 64;
}

static void serve_reset(struct frames *f)
{
	settings(f);
	frames_add(f, FRAME_RST_STREAM, 0, 1, "\0\0\0\x07", 4);
}

static void serve_reset_after_answer(struct frames *f)
{
	settings(f);
	frames_headers(f, FRAME_END_STREAM, 1, ":status: 200\n");
	frames_add(f, FRAME_RST_STREAM, 0, 1, "\0\0\0\0", 4);
}

static void serve_goaway(struct frames *f)
{
	settings(f);
	frames_add(f, FRAME_GOAWAY, 0, 0, "\0\0\0\0\0\0\0\x0bslow\x01", 13);
}

static void serve_graceful_goaway(struct frames *f)
{
	settings(f);
	frames_add(f, FRAME_GOAWAY, 0, 0, "\x7f\xff\xff\xff\0\0\0\0", 8);
	frames_headers(f, FRAME_END_STREAM, 1, ":status: 200\n");
}

static void serve_settings_flood(struct frames *f)
{
	for (int i = 0; i < H2_FRAMES_MAX + 2; i++)
		settings(f);
}

static void serve_ping_flood(struct frames *f)
{
	settings(f);
	for (int i = 0; i < H2_FRAMES_MAX + 2; i++)
		frames_add(f, FRAME_PING, 0, 0, "12345678", 8);
}

static void serve_empty_data_flood(struct frames *f)
{
	settings(f);
	frames_headers(f, 0, 1, ":status: 200\n");
	for (int i = 0; i < H2_FRAMES_MAX + 2; i++)
		frames_add(f, FRAME_DATA, 0, 1, NULL, 0);
}

static void serve_endless_header(struct frames *f)
{
	char lines[128 * 64 + 1], *at = lines;

	for (int i = 0; i < 64; i++)
		at += sprintf(at, "x-%03d: %0100d\n", i, 0);
	settings(f);
	for (int i = 0; i < 32; i++)
		frames_headers(f, 0, 1, i ? lines : ":status: 103\n");
}

static void serve_endless_body(struct frames *f)
{
	static const uint8_t piece[16384];

	settings(f);
	frames_headers(f, 0, 1, ":status: 200\n");
	for (size_t n = 0; n <= LIMIT_HTTP_BODY_BYTES; n += sizeof(piece))
		frames_add(f, FRAME_DATA, 0, 1, piece, sizeof(piece));
}

static void serve_window_overflow(struct frames *f)
{
	settings(f);
	frames_add(f, FRAME_WINDOW_UPDATE, 0, 0, "\x7f\xff\xff\xff", 4);
}

static void serve_huge_frame(struct frames *f)
{
	static const uint8_t data[65536];

	settings(f);
	frames_add(f, FRAME_DATA, 0, 1, data, sizeof(data));
}

static void serve_push(struct frames *f)
{
	settings(f);
	frames_add(f, FRAME_PUSH, FRAME_END_HEADERS, 1, "\0\0\0\x02\x88", 5);
}

static void serve_bad_hpack(struct frames *f)
{
	settings(f);
	frames_add(f, FRAME_HEADERS, FRAME_END_HEADERS, 1, "\xff\xff\xff\xff\x7f", 5);
}

static void serve_no_status(struct frames *f)
{
	settings(f);
	frames_headers(f, FRAME_END_STREAM, 1, "x: y\n");
}

static void serve_switching(struct frames *f)
{
	settings(f);
	frames_headers(f, 0, 1, ":status: 101\n");
}

static void serve_half_body(struct frames *f)
{
	settings(f);
	frames_headers(f, 0, 1, ":status: 200\n");
	frames_add(f, FRAME_DATA, 0, 1, "rea", 3);
}

static const struct row rows[] = {
	{ "answer", serve_ok, NULL, "", SL_MSG_OK, 200 },
	{ "body", serve_body, "not ready", "", SL_MSG_OK, 200 },
	{ "not in the body", serve_body, "Ready", "not in the 9 bytes", SL_MSG_HTTP_BODY_MISMATCH,
	  200 },
	{ "trailers are no body", serve_trailers, "ready", "not in the 2 bytes",
	  SL_MSG_HTTP_BODY_MISMATCH, 200 },
	{ "status", serve_status, NULL, "", SL_MSG_HTTP_STATUS_MISMATCH, 503 },
	{ "interim", serve_interim, NULL, "", SL_MSG_OK, 204 },
	{ "too many interim answers", serve_many_interim, NULL, "interim answers",
	  SL_MSG_HTTP_MALFORMED, 0 },
	{ "HTTP/1", serve_http1, NULL, "HTTP/1", SL_MSG_HTTP_MALFORMED, 0 },
	{ "no settings", serve_no_settings, NULL, "no SETTINGS frame", SL_MSG_HTTP_MALFORMED, 0 },
	{ "garbage", serve_garbage, NULL, "", SL_MSG_HTTP_MALFORMED, 0 },
	{ "reset", serve_reset, NULL, "REFUSED_STREAM", SL_MSG_CONN_CLOSED_EARLY, 0 },
	{ "reset after the answer", serve_reset_after_answer, NULL, "", SL_MSG_OK, 200 },
	{ "goaway", serve_goaway, NULL, "GOAWAY ENHANCE_YOUR_CALM: slow.", SL_MSG_CONN_CLOSED_EARLY,
	  0 },
	{ "goaway, but this is answered", serve_graceful_goaway, NULL, "", SL_MSG_OK, 200 },
	{ "settings flood", serve_settings_flood, NULL, "more than 500 HTTP/2 frames",
	  SL_MSG_HTTP_MALFORMED, 0 },
	{ "ping flood", serve_ping_flood, NULL, "more than 500 HTTP/2 frames",
	  SL_MSG_HTTP_MALFORMED, 0 },
	{ "empty data flood", serve_empty_data_flood, "ready", "more than 500 HTTP/2 frames",
	  SL_MSG_HTTP_MALFORMED, 200 },
	{ "endless header", serve_endless_header, NULL, "", SL_MSG_HTTP_MALFORMED, 0 },
	{ "endless body", serve_endless_body, "ready", "not in the first 1048576 bytes",
	  SL_MSG_HTTP_BODY_MISMATCH, 200 },
	{ "window overflow", serve_window_overflow, NULL, "", SL_MSG_HTTP_MALFORMED, 0 },
	{ "huge frame", serve_huge_frame, NULL, "", SL_MSG_HTTP_MALFORMED, 0 },
	{ "a push is refused, and not an answer", serve_push, NULL, "its header incomplete",
	  SL_MSG_CONN_CLOSED_EARLY, 0 },
	{ "bad header compression", serve_bad_hpack, NULL, "", SL_MSG_HTTP_MALFORMED, 0 },
	{ "no status", serve_no_status, NULL, "", SL_MSG_HTTP_MALFORMED, 0 },
	{ "switching", serve_switching, NULL, "", SL_MSG_HTTP_MALFORMED, 0 },
	{ "cut in the body", serve_half_body, "ready", "its body incomplete",
	  SL_MSG_CONN_CLOSED_EARLY, 200 },
	{ "only settings", settings, NULL, "its header incomplete", SL_MSG_CONN_CLOSED_EARLY, 0 },
};

static struct frames frames;

/* Pieces of at most so many bytes. */
static struct verdict judge(const struct row *row, size_t piece)
{
	struct probe_match match = match_default;
	struct plan plan = { .host = "h", .path = "/", .match = &match };

	match.body = (char *)(uintptr_t)row->body;
	return h2_talk(&plan, &frames, piece);
}

static void test_servers(void **state)
{
	static const size_t pieces[] = { 16384, 1000, 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		frames.len = 0;
		rows[i].serve(&frames);
		for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++) {
			struct verdict v = judge(&rows[i], pieces[k]);

			if (v.code != rows[i].code || !strstr(v.detail, rows[i].detail))
				print_message("# %s: %s '%s'\n", rows[i].name, message_id(v.code),
					      v.detail);
			assert_int_equal(v.code, rows[i].code);
			assert_int_equal(v.http_status, rows[i].status);
			assert_non_null(strstr(v.detail, rows[i].detail));
			assert_true(v.code == SL_MSG_OK || v.code == SL_MSG_HTTP_STATUS_MISMATCH ||
				    *v.detail);
		}
	}
}

/* What goes out: the preface, settings, and a request with our fields. */
static void test_request(void **state)
{
	struct plan plan = { .host = "www.example.test", .path = "/x", .match = &match_default };
	const uint8_t *data;
	struct http http;
	ssize_t n;

	(void)state;
	assert_int_equal(http_init(&http, &plan), 0);
	assert_int_equal(http_use_h2(&http, &plan), 0);
	n = h2_output(http.h2, &data);
	assert_true(n >= 24);
	assert_memory_equal(data, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
	http_done(&http);

	plan.path = "/ x";
	assert_int_equal(http_init(&http, &plan), 0);
	assert_int_equal(http_use_h2(&http, &plan), -EINVAL);
	http_done(&http);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
