// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/patch_apply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define RESULT_MAX 32768

struct applying {
	const char *text; /* what is left of it */
	char result[RESULT_MAX];
	size_t len;
};

/* The next line, with its line break if it has one. */
static size_t line_len(const char *text)
{
	size_t len = strcspn(text, "\n");

	return len + (text[len] == '\n');
}

static unsigned long lines_in(const char *text, size_t len)
{
	unsigned long n = 0;

	for (size_t at = 0; at < len; at += line_len(text + at))
		n++;
	return n;
}

static void give(struct applying *a, const char *line, size_t len)
{
	assert_true(a->len + len < sizeof(a->result));
	memcpy(a->result + a->len, line, len);
	a->len += len;
	a->result[a->len] = '\0';
}

static void take(struct applying *a, const char *line, size_t len, bool keeps)
{
	if (strncmp(a->text, line, len) != 0)
		fail_msg("'%.*s' is not what stands there", (int)len, line);
	if (keeps)
		give(a, a->text, len);
	a->text += len;
}

static void apply_head(struct applying *a, const char *line, const char *whole)
{
	unsigned long from, before, to, after;

	assert_int_equal(sscanf(line, "@@ -%lu,%lu +%lu,%lu @@", &from, &before, &to, &after), 4);
	from += !before;
	to += !after;
	while (lines_in(whole, (size_t)(a->text - whole)) + 1 < from)
		take(a, a->text, line_len(a->text), true);
	assert_int_equal(lines_in(a->result, a->len) + 1, to);
}

const char *patch_applied(const char *difference, const char *text)
{
	static struct applying a;
	size_t len;

	a = (struct applying){ .text = text };
	for (const char *line = difference; *line; line += len) {
		const char *next = line + line_len(line);
		/* A line that has no line break has one in the difference. */
		size_t shown = line_len(line) - 1 - (*next == '\\');

		len = line_len(line);
		if (*line == '@')
			apply_head(&a, line, text);
		else if (*line == '+' && strncmp(line, "+++ ", 4) != 0)
			give(&a, line + 1, shown);
		else if (*line == ' ' || (*line == '-' && strncmp(line, "--- ", 4) != 0))
			take(&a, line + 1, shown, *line == ' ');
	}
	give(&a, a.text, strlen(a.text));
	return a.result;
}
