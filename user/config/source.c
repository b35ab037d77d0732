// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/source.h"

#include <string.h>

/* All that ends a line in YAML 1.1, the longest first. */
static const char *const breaks[] = {
	"\r\n", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xc2\x85", "\n", "\r"
};

#define N_BREAKS (sizeof(breaks) / sizeof(breaks[0]))

/* Nearly every byte is none that a line break begins with. */
static bool may_break(char c)
{
	return c == '\n' || c == '\r' || c == '\xe2' || c == '\xc2';
}

uint32_t source_after_break(const struct source *source, uint32_t at)
{
	if (at >= source->len || !may_break(source->text[at]))
		return at;
	for (size_t i = 0; i < N_BREAKS; i++) {
		size_t len = strlen(breaks[i]);

		if (source->len - at >= len && !memcmp(source->text + at, breaks[i], len))
			return at + (uint32_t)len;
	}
	return at;
}

uint32_t source_before_break(const struct source *source, uint32_t at)
{
	for (size_t i = 0; i < N_BREAKS; i++) {
		size_t len = strlen(breaks[i]);

		if (at >= len && !memcmp(source->text + at - len, breaks[i], len))
			return at - (uint32_t)len;
	}
	return at;
}

uint32_t source_line_start(const struct source *source, uint32_t at)
{
	while (at > 0 && source_before_break(source, at) == at)
		at--;
	return at;
}

uint32_t source_line_end(const struct source *source, uint32_t at)
{
	while (at < source->len && source_after_break(source, at) == at)
		at++;
	return at;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

uint32_t source_skip_blanks(const struct source *source, uint32_t at)
{
	while (at < source->len && is_blank(source->text[at]))
		at++;
	return at;
}

uint32_t source_back_blanks(const struct source *source, uint32_t at)
{
	while (at > 0 && is_blank(source->text[at - 1]))
		at--;
	return at;
}

uint32_t source_skip(const struct source *source, uint32_t at)
{
	for (;;) {
		uint32_t from = at;

		at = source_skip_blanks(source, at);
		if (at < source->len && source->text[at] == '#')
			at = source_line_end(source, at);
		at = source_after_break(source, at);
		if (at == from)
			return at;
	}
}

bool source_is_end(const struct source *source, uint32_t at)
{
	at = source_skip_blanks(source, at);
	return at == source->len || source_after_break(source, at) != at;
}

bool source_ends_line(const struct source *source, uint32_t at)
{
	at = source_skip_blanks(source, at);
	return source_is_end(source, at) || source->text[at] == '#';
}

/* Lines may be as long as the file: nothing here looks farther than it has to. */
bool source_begins_line(const struct source *source, uint32_t at)
{
	at = source_back_blanks(source, at);
	return at == 0 || source_before_break(source, at) != at;
}

uint32_t source_after_comments(const struct source *source, uint32_t at, uint32_t columns)
{
	for (;;) {
		uint32_t line = source_after_break(source, at);
		uint32_t text = source_skip_blanks(source, line);

		if (line == at || text == source->len || source->text[text] != '#' ||
		    text - line <= columns)
			return at;
		at = source_line_end(source, text);
	}
}
