// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/h2_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probe/exchange.h"

/* Whatever is to be said has gone out. Returns its length. */
static size_t drain(struct exchange *exchange)
{
	struct h2 *h2 = exchange->grpc ? exchange->call->h2 : exchange->http.h2;
	const uint8_t *data;
	size_t sum = 0;
	ssize_t n;

	while ((n = h2_output(h2, &data)) > 0)
		sum += (size_t)n;
	return sum;
}

struct verdict h2_talk(const struct plan *plan, const struct frames *frames, size_t piece)
{
	struct verdict v = { 0 };
	struct exchange exchange;
	bool known = false;

	assert_int_equal(exchange_init(&exchange, plan), 0);
	assert_int_equal(exchange_use_h2(&exchange, plan), 0);
	assert_true(drain(&exchange) > 0);
	for (size_t at = 0; at < frames->len && !known; at += piece) {
		size_t len = frames->len - at < piece ? frames->len - at : piece;

		known = exchange_receive(&exchange, frames->data + at, len, &v);
		drain(&exchange);
	}
	if (!known)
		exchange_end(&exchange, END_ORDERLY, 0, &v);
	exchange_done(&exchange);
	for (const char *c = v.detail; *c; c++)
		assert_true(*c >= ' ' && *c <= '~');
	return v;
}
