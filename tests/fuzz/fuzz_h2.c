// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_h2 - any bytes as what an HTTP/2 server sends.
 *
 * The first byte says how the rest is cut. Half of the inputs continue a connection that is in
 * order, because most bytes are not even a SETTINGS frame.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "probe/http.h"

static const char start[] = "\0\0\0\x04\0\0\0\0\0" /* SETTINGS */
			    "\0\0\x01\x01\x04\0\0\0\x01\x88"; /* HEADERS: 200 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth)
{
	if (!truth)
		abort();
}

static void drain(struct http *http)
{
	const uint8_t *data;

	while (h2_output(http->h2, &data) > 0)
		;
}

static bool feed(struct http *http, const uint8_t *data, size_t size, size_t max, struct verdict *v)
{
	bool known = false;

	while (size && !known) {
		size_t len = size < max ? size : max;
		uint8_t *piece = malloc(len);

		must(piece != NULL);
		memcpy(piece, data, len);
		known = http_receive(http, piece, len, v);
		drain(http);
		free(piece);
		data += len;
		size -= len;
	}
	return known;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[] = "ready";
	struct probe_match match = { .status = { { 200, 399 } }, .n_status = 1, .body = text };
	struct plan plan = { .host = "h", .path = "/", .match = &match };
	struct verdict v = { 0 };
	struct http http;
	bool known = false;

	if (!size)
		return 0;
	must(http_init(&http, &plan) == 0 && http_use_h2(&http, &plan) == 0);
	drain(&http);
	if (data[0] & 1)
		known = feed(&http, (const uint8_t *)start, sizeof(start) - 1, size, &v);
	if (!known)
		known = feed(&http, data + 1, size - 1, (size_t)(data[0] >> 1) + 1, &v);
	if (!known)
		http_end(&http, END_ORDERLY, 0, &v);
	must(strlen(v.detail) < sizeof(v.detail) && message_id(v.code) != NULL);
	must(v.code != SL_MSG_OK || v.http_status >= 200);
	http_done(&http);
	return 0;
}
