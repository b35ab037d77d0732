/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table - aligned columns on a terminal or in a pipe.
 *
 * Rows are collected, then printed with each column as wide as its widest cell; the last column
 * is never padded. Widths count characters, not bytes (UTF-8). Control characters in cells are
 * printed as '?', because cells carry what backends sent.
 */
#ifndef SLUICE_UTIL_TABLE_H
#define SLUICE_UTIL_TABLE_H

#include <stdbool.h>
#include <stdio.h>

struct table;

enum table_color { TABLE_PLAIN, TABLE_BOLD, TABLE_GREEN, TABLE_RED, TABLE_YELLOW, TABLE_DIM };

/* A table with n_columns columns and a heading row; headings are copied. NULL: out of memory. */
struct table *table_new(int n_columns, const char *const headings[]);

void table_free(struct table *table);

/* Right-align a column (numbers). */
void table_align_right(struct table *table, int column);

/*
 * Add the next cell, row by row; text is copied. An error (out of memory) is kept and returned by
 * table_print(), so that callers need not check every cell.
 */
void table_cell(struct table *table, enum table_color color, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Whether there are headings only. */
bool table_is_empty(const struct table *table);

/* Print to out, with colours if color. -ENOMEM when a cell was lost, -EIO when out fails. */
int table_print(const struct table *table, FILE *out, bool color);

/* Whether out is a terminal that wants colours (NO_COLOR is honoured). */
bool table_wants_color(FILE *out);

#endif
