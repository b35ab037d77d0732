/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * source - what stands between the nodes of a tree: blanks, comments, and the ends of lines as YAML knows them.
 *
 * Places are bytes of the text; each is to be outside of all scalars. Of CR LF both are one line break.
 */
#ifndef SLUICE_CONFIG_SOURCE_H
#define SLUICE_CONFIG_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

struct source {
	const char *text;
	uint32_t len;
};

/* Where the line begins that the place is in, and where it ends: before its line break. */
uint32_t source_line_start(const struct source *source, uint32_t at);
uint32_t source_line_end(const struct source *source, uint32_t at);

/* Behind the line break at this place; the place itself: there is none. */
uint32_t source_after_break(const struct source *source, uint32_t at);

/* Where the line break begins that ends here; the place itself: there is none. */
uint32_t source_before_break(const struct source *source, uint32_t at);

/* The first byte that is neither blank nor line break nor part of a comment. */
uint32_t source_skip(const struct source *source, uint32_t at);

/* The first byte that is no blank, and behind the last one before the place that is none. */
uint32_t source_skip_blanks(const struct source *source, uint32_t at);
uint32_t source_back_blanks(const struct source *source, uint32_t at);

/* Whether nothing but blanks stands there until the line ends; or nothing but blanks and a comment. */
bool source_is_end(const struct source *source, uint32_t at);
bool source_ends_line(const struct source *source, uint32_t at);

/* Whether nothing but blanks stands before the place on its line. */
bool source_begins_line(const struct source *source, uint32_t at);

/* Behind comments that follow on lines of their own, each deeper than so many columns; at is the end of a line. */
uint32_t source_after_comments(const struct source *source, uint32_t at, uint32_t columns);

#endif
