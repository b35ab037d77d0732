// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/print.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define START_BYTES 2048
#define INDENT 2
#define NUMBER_LEN 32
#define ESCAPE_LEN 8

/* Text that grows; once a piece was lost, all is. */
struct text {
	char *data;
	size_t len, capacity;
	bool lost;
	enum print_form form;
};

/* Whether there is room for more than so many bytes more. */
static bool grow(struct text *text, size_t len)
{
	size_t capacity = text->capacity ? text->capacity : START_BYTES;
	char *data;

	while (capacity - text->len <= len)
		capacity *= 2;
	data = text->lost ? NULL : realloc(text->data, capacity);
	if (!data) {
		text->lost = true;
		return false;
	}
	text->data = data;
	text->capacity = capacity;
	return true;
}

/* Most pieces are a few bytes long, and there is room for them. */
static inline void add(struct text *text, const char *piece, size_t len)
{
	if (len >= text->capacity - text->len && !grow(text, len))
		return;
	memcpy(text->data + text->len, piece, len);
	text->len += len;
}

static void add_line(struct text *text, int depth)
{
	static const char blanks[] = "                                ";
	size_t n = (size_t)depth * INDENT;

	if (text->form == PRINT_LINE)
		return;
	add(text, "\n", 1);
	add(text, blanks, n < sizeof(blanks) ? n : sizeof(blanks) - 1);
}

static inline bool needs_escape(unsigned char c)
{
	return c < ' ' || c == '"' || c == '\\';
}

static void add_escape(struct text *text, unsigned char c)
{
	char escape[ESCAPE_LEN];

	if (c == '"' || c == '\\')
		snprintf(escape, sizeof(escape), "\\%c", c);
	else
		snprintf(escape, sizeof(escape), "\\u%04x", (unsigned int)c);
	add(text, escape, strlen(escape));
}

/* jansson's strings are UTF-8 already. */
static void add_string(struct text *text, const char *string, size_t len)
{
	size_t done = 0;

	add(text, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		if (!needs_escape((unsigned char)string[i]))
			continue;
		add(text, string + done, i - done);
		add_escape(text, (unsigned char)string[i]);
		done = i + 1;
	}
	add(text, string + done, len - done);
	add(text, "\"", 1);
}

/* printf() would take a third of the time of an answer that is made of numbers. */
static void add_integer(struct text *text, json_int_t value)
{
	char digits[NUMBER_LEN], *first = digits + sizeof(digits);
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do {
		*--first = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (value < 0)
		*--first = '-';
	add(text, first, (size_t)(digits + sizeof(digits) - first));
}

static void add_value(struct text *text, json_t *json, int depth);

static void add_separator(struct text *text, bool *first, int depth)
{
	if (!*first)
		add(text, text->form == PRINT_LINE ? ", " : ",", text->form == PRINT_LINE ? 2 : 1);
	*first = false;
	add_line(text, depth);
}

static void add_object(struct text *text, json_t *json, int depth)
{
	bool first = true;
	const char *key;
	json_t *value;

	add(text, "{", 1);
	json_object_foreach(json, key, value)
	{
		add_separator(text, &first, depth + 1);
		add_string(text, key, strlen(key));
		add(text, ": ", 2);
		add_value(text, value, depth + 1);
	}
	if (!first)
		add_line(text, depth);
	add(text, "}", 1);
}

static void add_array(struct text *text, json_t *json, int depth)
{
	bool first = true;
	json_t *value;
	size_t i;

	add(text, "[", 1);
	json_array_foreach(json, i, value)
	{
		add_separator(text, &first, depth + 1);
		add_value(text, value, depth + 1);
	}
	if (!first)
		add_line(text, depth);
	add(text, "]", 1);
}

/* Documents are made by render.c: a few levels deep. */
static void add_value(struct text *text, json_t *json, int depth)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		add_object(text, json, depth);
		break;
	case JSON_ARRAY:
		add_array(text, json, depth);
		break;
	case JSON_STRING:
		add_string(text, json_string_value(json), json_string_length(json));
		break;
	case JSON_INTEGER:
		add_integer(text, json_integer_value(json));
		break;
	case JSON_TRUE:
		add(text, "true", strlen("true"));
		break;
	case JSON_FALSE:
		add(text, "false", strlen("false"));
		break;
	case JSON_NULL:
		add(text, "null", strlen("null"));
		break;
	case JSON_REAL:
		assert(false);
	}
}

char *print_json(const json_t *json, enum print_form form)
{
	/* jansson iterates over objects that are not const only. */
	json_t *document = (json_t *)(uintptr_t)json;
	struct text text = { .form = form };

	if (!json)
		return NULL;
	add_value(&text, document, 0);
	if (form == PRINT_TREE)
		add(&text, "\n", 1);
	add(&text, "", 1);
	if (!text.lost)
		return text.data;
	free(text.data);
	return NULL;
}
