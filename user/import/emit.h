/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * emit - writes a configuration as YAML, with comments.
 *
 * Two levels are known: sections, and the records of their lists. A record may be switched off, and
 * is then written as a comment, line by line. Whatever a text holds, it stays one value or one
 * comment: control characters, quotes and line ends of every kind are written as escapes.
 */
#ifndef SLUICE_IMPORT_EMIT_H
#define SLUICE_IMPORT_EMIT_H

#include <stdbool.h>
#include <stdio.h>

struct emit {
	FILE *out;
	bool is_off; /* the record is a comment */
	bool is_begun; /* the record has its dash */
};

/* "probes:", with an empty line before it. */
void emit_section(struct emit *emit, const char *name);

/* Begin a record of the section's list. */
void emit_record(struct emit *emit, bool is_off);

/*
 * "key: value  # note". value is YAML already, and so is the key; note may be NULL. An empty value is
 * followed by what is deeper. level 0 is the record's own keys, 1 what is under one of them.
 */
void emit_line(struct emit *emit, int level, const char *key, const char *value, const char *note);

/* An item of a list of mappings under a key of the record: "- key: value  # note". */
void emit_item(struct emit *emit, const char *key, const char *value, const char *note);

/* A comment inside a record. */
void emit_comment(struct emit *emit, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A comment at the left margin. */
void emit_remark(struct emit *emit, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A text as YAML scalar, in quotes where it needs them; the caller frees it. NULL: out of memory. */
char *emit_scalar(const char *text);

#endif
