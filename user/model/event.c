// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
#define EVENT_KIND_NAME(NAME, name) [EVENT_##NAME] = name,
	EVENT_KINDS(EVENT_KIND_NAME)
#undef EVENT_KIND_NAME
};

/* A byte that goes on a character of UTF-8. */
static int continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

void event_put(char *member, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size) {
		len = size - 1;
		while (len && continues(text[len]))
			len--;
	}
	memcpy(member, text, len);
	member[len] = '\0';
}

void event_number(struct event *event, const char *name, int64_t value)
{
	char pair[EVENT_NUMBERS_LEN];
	size_t len = strlen(event->numbers), n;

	/* The brace that closes gives way. */
	len -= len != 0;
	n = (size_t)snprintf(pair, sizeof(pair), "%s\"%s\": %" PRId64 "}", len ? ", " : "{", name,
			     value);
	if (n >= sizeof(pair) || len + n >= sizeof(event->numbers))
		return;
	memcpy(event->numbers + len, pair, n + 1);
}

const char *event_kind_name(enum event_kind kind)
{
	return kind_names[kind];
}

enum event_kind event_kind_parse(const char *name)
{
	for (int i = 0; i < EVENT_KINDS_N; i++)
		if (!strcmp(kind_names[i], name))
			return (enum event_kind)i;
	return EVENT_OTHER;
}

const char *event_severity_name(enum event_severity severity)
{
	switch (severity) {
	case EVENT_ERROR:
		return "error";
	case EVENT_WARNING:
		return "warning";
	case EVENT_INFO:
		break;
	}
	return "info";
}
