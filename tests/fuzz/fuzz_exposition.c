// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_exposition - any text as the header Accept of a scraper, and as the value of a label.
 *
 * Whatever is in a label, a line of metrics stays one line of UTF-8 with as many labels as were put in, and
 * reading the value again gives what was put in, where that was UTF-8.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/control/exposition.c"
#include "../../user/control/exposition_choose.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BEFORE "x{a=\""
#define BETWEEN "\",b=\""
#define BEHIND "\"} 1\n"

/* Undo the escapes up to a quote; returns where that is. */
static const char *unescape(const char *at, const char *end, char *ret)
{
	for (; at < end && *at != '"'; at++) {
		assert(*at != '\n');
		if (*at == '\\') {
			at++;
			assert(at < end && (*at == '\\' || *at == '"' || *at == 'n'));
			*ret++ = *at == 'n' ? '\n' : *at;
		} else {
			*ret++ = *at;
		}
	}
	assert(at < end);
	*ret = '\0';
	return at;
}

static bool is_utf8(const char *text)
{
	for (size_t n; *text; text += n) {
		n = utf8_len(text);
		if (!n)
			return false;
	}
	return true;
}

static void check_label(const char *value)
{
	static const struct metric metric = { "x", METRIC_GAUGE, NULL, "X" };
	struct exposition e = { .form = EXPOSITION_OPENMETRICS };
	static char again[EXPOSITION_LABELS_MAX];
	const char *at, *end;

	exposition_label(&e, "a", value);
	exposition_sample(&e, &metric, "b", value, WHOLE(1));
	assert(!e.lost && !memchr(e.text, '\0', e.len));
	at = e.text;
	end = e.text + e.len;
	assert(!strncmp(at, BEFORE, strlen(BEFORE)));
	at = unescape(at + strlen(BEFORE), end, again);
	assert(is_utf8(again) && strlen(again) <= strlen(value));
	assert(!is_utf8(value) || !strncmp(again, value, strlen(again)));
	assert((size_t)(end - at) > strlen(BETWEEN) && !strncmp(at, BETWEEN, strlen(BETWEEN)));
	at = unescape(at + strlen(BETWEEN), end, again);
	assert((size_t)(end - at) == strlen(BEHIND) && !strncmp(at, BEHIND, strlen(BEHIND)));
	exposition_done(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	exposition_choose(text);
	check_label(text);
	free(text);
	return 0;
}
