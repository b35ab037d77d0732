// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/printable.h"

#define US_IN_MS ((uint64_t)(NS_PER_MS / NS_PER_US))

void text_print(FILE *out, const char *text)
{
	while (*text) {
		size_t n = printable_control_len(text);

		if (!n)
			fputc(*text, out);
		for (size_t i = 0; i < n; i++)
			fputc('?', out);
		text += n ? n : 1;
	}
}

static bool is_clean(const char *text)
{
	for (; *text; text++)
		if (printable_control_len(text))
			return false;
	return true;
}

static int clean_string(json_t *json)
{
	CLEANUP(free_p) char *copy = NULL;

	/* A NUL inside ends what is printed. */
	if (is_clean(json_string_value(json)))
		return 0;
	copy = strdup(json_string_value(json));
	if (!copy)
		return -ENOMEM;
	return json_string_set(json, printable_clean(copy)) < 0 ? -ENOMEM : 0;
}

char *text_clean_scanned(char *text)
{
	/* What the control characters behind ASCII's first begin with. */
	static const char leads[] = "\x7f\xc2";

	for (char *p = strpbrk(text, leads); p; p = strpbrk(p, leads)) {
		size_t n = printable_control_len(p);

		memset(p, '?', n);
		p += n ? n : 1;
	}
	return text;
}

int text_clean_json(json_t *json)
{
	const char *key;
	json_t *value;
	size_t i;
	int r;

	if (json_is_string(json))
		return clean_string(json);
	/* jansson bounds the depth of what it parses. */
	json_object_foreach(json, key, value)
	{
		r = text_clean_json(value);
		if (r < 0)
			return r;
	}
	json_array_foreach(json, i, value)
	{
		r = text_clean_json(value);
		if (r < 0)
			return r;
	}
	return 0;
}

void text_dump(FILE *out, json_t *json)
{
	json_dumpf(json, out, JSON_INDENT(2) | JSON_ENCODE_ANY);
	fputc('\n', out);
	json_decref(json);
}

const char *text_get(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

uint64_t text_get_uint(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (uint64_t)value : 0;
}

bool text_get_bool(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

uint64_t text_parse_time(const char *iso)
{
	struct tm tm = { 0 };
	uint64_t ms = 0;
	const char *rest;
	time_t seconds;

	rest = strptime(iso, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest)
		return 0;
	/* What follows the third digit is too fine to show. */
	rest += *rest == '.';
	for (uint64_t unit = MS_PER_SEC / 10; unit && isdigit((unsigned char)*rest); unit /= 10)
		ms += unit * (uint64_t)(*rest++ - '0');
	seconds = timegm(&tm);
	return seconds > 0 ? (uint64_t)seconds * MS_PER_SEC + ms : 0;
}

const char *text_format_us(char buf[TEXT_TIME_LEN], uint64_t us)
{
	if (!us)
		snprintf(buf, TEXT_TIME_LEN, "-");
	else if (us < US_IN_MS)
		snprintf(buf, TEXT_TIME_LEN, "%" PRIu64 "us", us);
	else
		snprintf(buf, TEXT_TIME_LEN, "%" PRIu64 ".%" PRIu64 "ms", us / US_IN_MS,
			 us % US_IN_MS / (US_IN_MS / 10));
	return buf;
}

void text_list(FILE *out, const char *heading, const json_t *array)
{
	json_t *value;
	size_t i;

	if (!json_array_size(array))
		return;
	fprintf(out, "\n%s\n", heading);
	json_array_foreach(array, i, value)
	{
		const char *text = json_string_value(value);

		fprintf(out, "  - %s\n", text ? text : "");
	}
}
