// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_http_parser - any bytes as an HTTP answer.
 *
 * The first byte says how the rest is cut: the outcome, body included, must not depend on it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "probe/http_parser.h"

#define FNV_START 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull

struct outcome {
	struct http_parser parser;
	uint64_t body_hash, body_len;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_body(void *arg, const uint8_t *data, size_t len)
{
	struct outcome *outcome = arg;

	for (size_t i = 0; i < len; i++)
		outcome->body_hash = (outcome->body_hash ^ data[i]) * FNV_PRIME;
	outcome->body_len += len;
}

/* Pieces of 1..max bytes, in memory of exactly that size. */
static void parse(struct outcome *outcome, const uint8_t *data, size_t size, size_t max)
{
	*outcome = (struct outcome){ .body_hash = FNV_START };
	http_parser_init(&outcome->parser, on_body, outcome);
	while (size) {
		size_t len = size < max ? size : max;
		uint8_t *piece = malloc(len);

		if (!piece)
			abort();
		memcpy(piece, data, len);
		http_parser_feed(&outcome->parser, piece, len);
		free(piece);
		data += len;
		size -= len;
	}
	http_parser_end(&outcome->parser);
}

static void must(int truth)
{
	if (!truth)
		abort();
}

static void check_alone(const struct outcome *o, size_t size)
{
	must(!o->parser.error == (o->parser.state != HTTP_BAD));
	must(o->body_len <= o->parser.body_bytes && o->parser.body_bytes <= size);
	must(o->parser.state != HTTP_BODY || o->parser.status);
	must(o->parser.state != HTTP_HEADER || !o->parser.status);
	must(!o->parser.status || (o->parser.status >= 200 && o->parser.status <= 999));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, cut;

	if (!size)
		return 0;
	parse(&whole, data + 1, size - 1, size);
	check_alone(&whole, size);
	parse(&cut, data + 1, size - 1, (size_t)data[0] % 32 + 1);

	must(whole.parser.state == cut.parser.state);
	must(whole.parser.status == cut.parser.status);
	must(whole.parser.error == cut.parser.error);
	must(whole.parser.body_bytes == cut.parser.body_bytes);
	must(whole.body_hash == cut.body_hash && whole.body_len == cut.body_len);
	return 0;
}
