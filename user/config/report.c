// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/report.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util/printable.h"

#define ELLIPSIS "…"

void report_init(struct report *report, const char *file)
{
	memset(report, 0, sizeof(*report));
	report_copy(report->file, sizeof(report->file), file);
}

static bool is_after(const struct report_item *item, unsigned int line, unsigned int column)
{
	return item->line > line || (item->line == line && item->column > column);
}

struct report_item *report_add(struct report *report, unsigned int line, unsigned int column)
{
	size_t at = report->n_items;

	report->n_errors++;
	while (at > 0 && is_after(&report->items[at - 1], line, column))
		at--;
	if (at == REPORT_MAX)
		return NULL;

	if (report->n_items < REPORT_MAX)
		report->n_items++;
	memmove(&report->items[at + 1], &report->items[at],
		(report->n_items - at - 1) * sizeof(report->items[0]));
	report->items[at] = (struct report_item){ .line = line, .column = column };

	return &report->items[at];
}

/* Whether c continues a UTF-8 character, so that a text must not be cut in front of it. */
static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

void report_copy(char *buf, size_t size, const char *text)
{
	size_t len = strlen(text);
	bool cut = len >= size;

	if (cut) {
		len = size - sizeof(ELLIPSIS);
		while (len > 0 && continues(text[len]))
			len--;
	}
	memcpy(buf, text, len);
	buf[len] = '\0';
	printable_clean(buf);
	memcpy(buf + len, ELLIPSIS, cut ? sizeof(ELLIPSIS) : 0);
}

void report_format(char *buf, size_t size, const struct report *report, size_t item)
{
	const struct report_item *it = &report->items[item];
	char place[32] = "";

	if (it->line)
		snprintf(place, sizeof(place), ":%u:%u", it->line, it->column);

	snprintf(buf, size, "%s%s: %s%s%s%s%s%s", report->file, place, it->key,
		 it->key[0] ? ": " : "", it->value[0] ? "'" : "", it->value,
		 it->value[0] ? "': " : "", it->message);
}
