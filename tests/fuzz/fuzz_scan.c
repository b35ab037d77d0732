// SPDX-License-Identifier: GPL-2.0-or-later
/* scan: lets pass what jansson reads, and nothing else, in whatever pieces it comes. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/cli/scan.c"

static bool passes(const char *data, size_t size, size_t piece, uint64_t *ret_others)
{
	struct scan scan = { .key = "health", .expected = "Healthy" };

	for (size_t at = 0; at < size; at += piece)
		if (!scan_feed(&scan, data + at, size - at < piece ? size - at : piece))
			return false;
	*ret_others = scan.n_others;
	return scan_is_complete(&scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	uint64_t whole = 0, pieces = 0;
	bool pass = passes(text, size, size + 1, &whole);
	json_t *json = json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	if (passes(text, size, 3, &pieces) != pass || (pass && pieces != whole))
		abort();
	/* Longer texts may have longer numbers, and be deeper; jansson stops at a NUL. What passes may still not be UTF-8. */
	if (json && !pass && size < SCAN_WORD_LEN && !memchr(text, 0, size))
		abort();
	json_decref(json);
	return 0;
}
