// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/sentence.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "probe/message.h"
#include "util/clock.h"
#include "util/printable.h"

#define SHOWN_LEN 80

void sentence_add(struct sentence *s, const char *fmt, ...)
{
	size_t room = MESSAGE_LEN - s->len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(s->buf + s->len, room, fmt, args);
	va_end(args);
	if (n > 0)
		s->len += (size_t)n < room ? (size_t)n : room - 1;
}

void sentence_foreign(struct sentence *s, const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);
	bool cut = len > max;

	if (cut)
		len = max;
	for (size_t i = 0; i < len; i++)
		sentence_add(s, "%c", printable_is_ascii(text[i]) ? text[i] : '?');
	if (cut)
		sentence_add(s, "...");
}

void sentence_shown(struct sentence *s, const char *text)
{
	sentence_foreign(s, text, SHOWN_LEN);
}

void sentence_path(struct sentence *s, const char *path)
{
	size_t len = printable_path_len(path);
	char start[SHOWN_LEN + 2]; /* one more than fits shows that there is more */

	snprintf(start, sizeof(start), "%.*s", (int)len, path);
	sentence_shown(s, start);
	if (path[len])
		sentence_add(s, PRINTABLE_QUERY);
}

void sentence_endpoint(struct sentence *s, const struct plan *plan)
{
	char buf[SL_TEXT_LEN];

	sentence_add(s, "%s", addr_port_format(buf, &plan->addr, plan->port));
}

void sentence_backend(struct sentence *s, const struct plan *plan)
{
	if (plan->backend)
		sentence_shown(s, plan->backend);
	else
		sentence_endpoint(s, plan);
}

void sentence_detail(struct sentence *s, const struct verdict *verdict)
{
	if (!verdict->detail[0])
		return;
	sentence_add(s, " (");
	sentence_foreign(s, verdict->detail, VERDICT_DETAIL_LEN);
	sentence_add(s, ")");
}

void sentence_date(struct sentence *s, int64_t unix_s)
{
	char iso[CLOCK_ISO_LEN];

	clock_iso_s(iso, unix_s);
	sentence_add(s, "%.*s", (int)strcspn(iso, "T"), iso);
}
