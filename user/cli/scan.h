/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan - check a JSON document piece by piece, as it comes in, without building a tree of it.
 *
 * For answers that are only passed on: one about 65,536 endpoints has 64 MB, of which a tree and
 * its text would take seconds. What RFC 8259 allows passes, but for nesting deeper than
 * SCAN_DEPTH_MAX; that texts are UTF-8 is not checked.
 */
#ifndef SLUICE_CLI_SCAN_H
#define SLUICE_CLI_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCAN_DEPTH_MAX 64
#define SCAN_WORD_LEN 32 /* of numbers and literals, and of texts that are compared */

enum scan_state {
	SCAN_VALUE,
	SCAN_FIRST_VALUE, /* or the end of an array */
	SCAN_KEY,
	SCAN_FIRST_KEY, /* or the end of an object */
	SCAN_COLON,
	SCAN_NEXT, /* ',' or an end */
	SCAN_TEXT,
	SCAN_ESCAPE,
	SCAN_HEX,
	SCAN_WORD, /* a number, true, false, null */
	SCAN_END
};

struct scan {
	/* Count the texts under this key that are not this one; NULL: none. Borrowed. */
	const char *key, *expected;
	uint64_t n_others;
	/* The rest is the scan's own; all zero at first. */
	enum scan_state state;
	char nesting[SCAN_DEPTH_MAX]; /* '{' or '[' */
	unsigned int depth;
	bool is_key, counts; /* the text being read is a key; ... stands under the key above */
	unsigned int n_hex;
	char word[SCAN_WORD_LEN];
	size_t word_len; /* may be more than word holds */
};

/* False: it is no JSON, or none that passes. */
bool scan_feed(struct scan *scan, const char *data, size_t n);

/* Once all was fed: whether the document is complete. */
bool scan_is_complete(const struct scan *scan);

#endif
