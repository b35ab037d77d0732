// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/log_json.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util/clock.h"

#define PREFIX "SLUICE_"
#define NUMBERS "SLUICE_NUMBERS" /* holds an object already */
#define ESCAPE_LEN 8
#define MESSAGE_MAX 3072 /* of the message as it is written: some fields have room in any case */
#define CLOSING 2 /* the brace, and the caller's line end */

/* Text with a bound, which was reached or not. */
struct out {
	char *buf;
	size_t len, max;
	bool full;
};

static void put(struct out *out, const char *text, size_t len)
{
	if (out->full || out->len + len > out->max) {
		out->full = true;
		return;
	}
	memcpy(out->buf + out->len, text, len);
	out->len += len;
}

static void put_literal(struct out *out, const char *text)
{
	put(out, text, strlen(text));
}

/* Bytes of the character that text begins with; 0: it is no UTF-8. */
static size_t character_len(const unsigned char *text)
{
	size_t n = text[0] < 0x80                      ? 1
		   : text[0] >= 0xc2 && text[0] < 0xe0 ? 2
		   : text[0] >= 0xe0 && text[0] < 0xf0 ? 3
		   : text[0] >= 0xf0 && text[0] < 0xf5 ? 4
						       : 0;

	for (size_t i = 1; i < n; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what is past the last character. */
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return n;
}

/* One character, whole or not at all. Returns how many bytes of the text it was. */
static size_t put_character(struct out *out, const char *text)
{
	size_t len = character_len((const unsigned char *)text);
	char escape[ESCAPE_LEN];

	if (!len) {
		put_literal(out, "?");
		return 1;
	}
	if (*text == '"' || *text == '\\') {
		snprintf(escape, sizeof(escape), "\\%c", *text);
		put_literal(out, escape);
	} else if ((unsigned char)*text < ' ') {
		snprintf(escape, sizeof(escape), "\\u%04x", (unsigned int)(unsigned char)*text);
		put_literal(out, escape);
	} else {
		put(out, text, len);
	}
	return len;
}

static void put_string(struct out *out, const char *text)
{
	put_literal(out, "\"");
	while (*text && !out->full)
		text += put_character(out, text);
	put_literal(out, "\"");
}

/* What does not fit is cut. */
static void put_message(struct out *out, const char *text)
{
	struct out message = { out->buf, out->len, out->len + MESSAGE_MAX, false };

	put_literal(&message, "\"");
	while (*text && !message.full)
		text += put_character(&message, text);
	out->len = message.len;
	put_literal(out, "\"");
}

static void put_name(struct out *out, const char *name)
{
	if (!strncmp(name, PREFIX, strlen(PREFIX)))
		name += strlen(PREFIX);
	put_literal(out, ", \"");
	for (; *name; name++)
		put(out, &(char){ (char)tolower((unsigned char)*name) }, 1);
	put_literal(out, "\": ");
}

static void put_field(struct out *out, const struct journal_field *field)
{
	struct out whole = *out;

	if (!field->value || !*field->value)
		return;
	put_name(&whole, field->name);
	if (!strcmp(field->name, NUMBERS))
		put_literal(&whole, field->value);
	else
		put_string(&whole, field->value);
	if (!whole.full)
		*out = whole;
}

size_t log_json_format(char buf[LOG_JSON_LEN], const struct log_json *line)
{
	struct out out = { buf, 0, LOG_JSON_LEN - CLOSING, false };
	char at[CLOCK_ISO_LEN];

	put_literal(&out, "{\"at\": ");
	put_string(&out, clock_iso_us(at, line->at_us));
	put_literal(&out, ", \"level\": ");
	put_string(&out, line->level);
	put_literal(&out, ", \"program\": ");
	put_string(&out, line->program);
	put_literal(&out, ", \"message\": ");
	put_message(&out, line->message);
	for (size_t i = 0; i < line->n_fields; i++)
		put_field(&out, &line->fields[i]);
	buf[out.len++] = '}';
	return out.len;
}
