// SPDX-License-Identifier: GPL-2.0-or-later
/* patch_print - a patch as diff -u would show it. A part of patch.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/patch.h"
#include "util/cleanup.h"

#define CONTEXT 3 /* lines before and after what changes */

struct showing {
	const struct patch *patch;
	const char *text;
	size_t len;
};

static size_t line_start(const struct showing *s, size_t at)
{
	while (at > 0 && s->text[at - 1] != '\n')
		at--;
	return at;
}

/* Behind the line that at is in. */
static size_t line_after(const char *text, size_t len, size_t at)
{
	const char *end = at < len ? memchr(text + at, '\n', len - at) : NULL;

	return end ? (size_t)(end - text) + 1 : len;
}

static size_t lines_before(const struct showing *s, size_t at, int n)
{
	while (n-- > 0 && at > 0)
		at = line_start(s, at - 1);
	return at;
}

static size_t lines_after(const struct showing *s, size_t at, int n)
{
	while (n-- > 0 && at < s->len)
		at = line_after(s->text, s->len, at);
	return at;
}

static size_t count_lines(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t at = 0; at < len; at = line_after(text, len, at))
		n++;
	return n;
}

static void show_lines(FILE *out, char sign, const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t next = line_after(text, len, at);

		fputc(sign, out);
		fwrite(text + at, 1, next - at, out);
		if (text[next - 1] != '\n')
			fputs("\n\\ No newline at end of file\n", out);
		at = next;
	}
}

/* Lines [start, end) of the text, and what becomes of them. */
struct block {
	size_t start, end;
	char *owned;
	const char *becomes;
	size_t len;
};

struct blocks {
	struct block *block;
	size_t n;
};

static void blocks_done(struct blocks *blocks)
{
	for (size_t i = 0; i < blocks->n; i++)
		free(blocks->block[i].owned);
	free(blocks->block);
}

/* Lines at the beginning that stay as they are. */
static void drop_start(const struct showing *s, struct block *b)
{
	while (b->start < b->end) {
		size_t next = line_after(s->text, b->end, b->start);
		size_t n = next - b->start;

		if (n > b->len || memcmp(s->text + b->start, b->becomes, n) != 0 ||
		    (s->text[next - 1] != '\n' && n != b->len))
			return;
		b->start = next;
		b->becomes += n;
		b->len -= n;
	}
}

/* And at the end. */
static void drop_end(const struct showing *s, struct block *b)
{
	while (b->start < b->end) {
		size_t from = line_start(s, b->end - 1);
		size_t n = b->end - from;

		if (n > b->len || memcmp(s->text + from, b->becomes + b->len - n, n) != 0 ||
		    (n < b->len && b->becomes[b->len - n - 1] != '\n'))
			return;
		b->end = from;
		b->len -= n;
	}
}

/* The lines that the edits from first on touch, as far as there is none between. Returns the next edit. */
static size_t gather(const struct showing *s, size_t first, struct block *b)
{
	const struct patch_edit *edits = s->patch->edits;
	size_t i;

	b->start = b->end = line_start(s, edits[first].start);
	for (i = first; i < s->patch->n && (i == first || edits[i].start <= b->end); i++)
		if (edits[i].end >= b->end)
			b->end = line_after(s->text, s->len, edits[i].end);
	return i;
}

static bool compose(const struct showing *s, size_t first, size_t last, struct block *b)
{
	FILE *out = open_memstream(&b->owned, &b->len);
	size_t at = b->start;

	if (!out)
		return false;
	for (size_t i = first; i < last; i++) {
		const struct patch_edit *edit = &s->patch->edits[i];

		fwrite(s->text + at, 1, edit->start - at, out);
		fwrite(s->patch->added + edit->from, 1, edit->to - edit->from, out);
		at = edit->end;
	}
	fwrite(s->text + at, 1, b->end - at, out);
	b->becomes = fclose(out) ? NULL : b->owned;
	return b->becomes;
}

static bool find_blocks(const struct showing *s, struct blocks *blocks)
{
	blocks->block = calloc(s->patch->n + 1, sizeof(*blocks->block));
	if (!blocks->block)
		return false;
	for (size_t i = 0, next; i < s->patch->n; i = next) {
		struct block *b = &blocks->block[blocks->n++];

		next = gather(s, i, b);
		if (!compose(s, i, next, b))
			return false;
		b->becomes = b->owned;
		drop_start(s, b);
		drop_end(s, b);
		if (b->start == b->end && !b->len) {
			free(b->owned);
			blocks->n--;
		}
	}
	return true;
}

/* "@@ -12,7 +12,8 @@"; grown: how many lines have been added before. */
static void show_head(FILE *out, size_t line, size_t before, size_t after, long grown)
{
	size_t to = (size_t)((long)line + grown);

	/* Of no lines, the one before is named. */
	fprintf(out, "@@ -%zu,%zu +%zu,%zu @@\n", before ? line : line - 1, before,
		after ? to : to - 1, after);
}

/* Where the lines around the block begin and end that are shown with it. */
static size_t shown_from(const struct showing *s, const struct block *b)
{
	return lines_before(s, b->start, CONTEXT);
}

static size_t shown_to(const struct showing *s, const struct block *b)
{
	return lines_after(s, b->end, CONTEXT);
}

/* Blocks [first, last) and the lines between and around them. Returns how many lines were added. */
static long show_hunk(FILE *out, const struct showing *s, const struct block *first,
		      const struct block *last, size_t line, long grown)
{
	size_t from = shown_from(s, first), to = shown_to(s, last - 1), at = from;
	size_t before = count_lines(s->text + from, to - from), after = before;

	for (const struct block *b = first; b < last; b++)
		after = after + count_lines(b->becomes, b->len) -
			count_lines(s->text + b->start, b->end - b->start);
	show_head(out, line, before, after, grown);
	for (const struct block *b = first; b < last; b++) {
		show_lines(out, ' ', s->text + at, b->start - at);
		show_lines(out, '-', s->text + b->start, b->end - b->start);
		show_lines(out, '+', b->becomes, b->len);
		at = b->end;
	}
	show_lines(out, ' ', s->text + at, to - at);
	return (long)after - (long)before;
}

int patch_print(FILE *out, const struct patch *patch, const char *text, size_t len,
		const char *name)
{
	const struct showing s = { patch, text, len };
	CLEANUP(blocks_done) struct blocks blocks = { .n = 0 };
	size_t counted = 0, line = 1, next;
	long grown = 0;

	if (!find_blocks(&s, &blocks))
		return -ENOMEM;
	if (blocks.n)
		fprintf(out, "--- %s\n+++ %s\n", name, name);
	for (size_t i = 0; i < blocks.n; i = next) {
		size_t from = shown_from(&s, &blocks.block[i]);

		for (next = i + 1; next < blocks.n; next++)
			if (shown_from(&s, &blocks.block[next]) >
			    shown_to(&s, &blocks.block[next - 1]))
				break;
		line += count_lines(text + counted, from - counted);
		counted = from;
		grown += show_hunk(out, &s, &blocks.block[i], &blocks.block[next], line, grown);
	}
	return 0;
}
