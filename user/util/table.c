// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/table.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/printable.h"

#define COLUMNS_MAX 16
#define GAP 2 /* blanks between columns */

struct cell {
	char *text;
	enum table_color color;
};

struct table {
	int n_columns;
	bool right[COLUMNS_MAX];
	bool lost; /* a cell could not be stored */
	struct cell *cells;
	size_t n_cells, capacity;
};

static const char *const escapes[] = {
	[TABLE_PLAIN] = "",         [TABLE_BOLD] = "\033[1m",    [TABLE_GREEN] = "\033[32m",
	[TABLE_RED] = "\033[1;31m", [TABLE_YELLOW] = "\033[33m", [TABLE_DIM] = "\033[2m",
};

static int width_of(const char *text)
{
	int width = 0;

	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		width += (*c & 0xc0) != 0x80;
	return width;
}

static bool make_room(struct table *table)
{
	size_t capacity = table->capacity ? 2 * table->capacity : 64;
	struct cell *cells;

	if (table->n_cells < table->capacity)
		return true;
	cells = realloc(table->cells, capacity * sizeof(*cells));
	if (!cells)
		return false;

	table->cells = cells;
	table->capacity = capacity;
	return true;
}

void table_cell(struct table *table, enum table_color color, const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0 || !make_room(table)) {
		if (len >= 0)
			free(text);
		table->lost = true;
		return;
	}

	table->cells[table->n_cells++] = (struct cell){ printable_clean(text), color };
}

struct table *table_new(int n_columns, const char *const headings[])
{
	struct table *table = calloc(1, sizeof(*table));

	assert(n_columns > 0 && n_columns <= COLUMNS_MAX);
	if (!table)
		return NULL;
	table->n_columns = n_columns;
	for (int i = 0; i < n_columns; i++)
		table_cell(table, TABLE_BOLD, "%s", headings[i]);
	return table;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table);
}

void table_align_right(struct table *table, int column)
{
	table->right[column] = true;
}

static void print_cell(FILE *out, const struct cell *cell, int width, bool right, bool color)
{
	int padding = width > 0 ? width - width_of(cell->text) : 0;
	bool escape = color && cell->color != TABLE_PLAIN;

	if (right)
		fprintf(out, "%*s", padding, "");
	fprintf(out, "%s%s%s", escape ? escapes[cell->color] : "", cell->text,
		escape ? "\033[0m" : "");
	if (!right)
		fprintf(out, "%*s", padding, "");
}

bool table_is_empty(const struct table *table)
{
	return table->n_cells == (size_t)table->n_columns;
}

int table_print(const struct table *table, FILE *out, bool color)
{
	size_t n = (size_t)table->n_columns;
	int widths[COLUMNS_MAX] = { 0 };

	if (table->lost)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_cells; i++) {
		int width = width_of(table->cells[i].text);

		if (width > widths[i % n])
			widths[i % n] = width;
	}
	if (!table->right[n - 1])
		widths[n - 1] = 0;

	for (size_t i = 0; i < table->n_cells; i++) {
		size_t column = i % n;

		print_cell(out, &table->cells[i], widths[column], table->right[column], color);
		if (column + 1 == n)
			fputc('\n', out);
		else
			fprintf(out, "%*s", GAP, "");
	}
	return ferror(out) ? -EIO : 0;
}

bool table_wants_color(FILE *out)
{
	const char *term = getenv("TERM");

	return isatty(fileno(out)) && !getenv("NO_COLOR") && term && strcmp(term, "dumb") != 0;
}
