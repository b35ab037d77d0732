// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/exposition.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_BYTES 8192
#define NUMBER_LEN 32
#define DECIMALS_MAX 9

static void add_n(struct exposition *e, const char *text, size_t len)
{
	size_t capacity = e->capacity ? e->capacity : START_BYTES;
	char *grown;

	while (capacity - e->len < len)
		capacity *= 2;
	if (capacity != e->capacity && !e->lost) {
		grown = realloc(e->text, capacity);
		e->lost = !grown;
		if (grown) {
			e->text = grown;
			e->capacity = capacity;
		}
	}
	if (e->lost)
		return;
	memcpy(e->text + e->len, text, len);
	e->len += len;
}

static void add(struct exposition *e, const char *text)
{
	add_n(e, text, strlen(text));
}

/* Most of a scrape is numbers, and this is several times as fast as printf(). */
static void add_number(struct exposition *e, struct number number)
{
	char buf[NUMBER_LEN], *at = buf + sizeof(buf);
	uint64_t rest = number.value < 0 ? 0 - (uint64_t)number.value : (uint64_t)number.value;
	unsigned int digits = 0;

	assert(number.decimals <= DECIMALS_MAX);
	do {
		if (digits == number.decimals && digits)
			*--at = '.';
		*--at = (char)('0' + rest % 10);
		rest /= 10;
		digits++;
	} while (rest || digits <= number.decimals);
	if (number.value < 0)
		*--at = '-';
	add_n(e, at, (size_t)(buf + sizeof(buf) - at));
}

void exposition_done(struct exposition *e)
{
	free(e->text);
	*e = (struct exposition){ .form = e->form };
}

void exposition_clear(struct exposition *e)
{
	e->len = 0;
}

/* --- labels ----------------------------------------------------------------------------------- */

/* Bytes of the UTF-8 character that text begins with; 0: it begins with none. */
static size_t utf8_len(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t len = c[0] < 0x80       ? 1
		     : c[0] >> 5 == 6  ? 2
		     : c[0] >> 4 == 14 ? 3
		     : c[0] >> 3 == 30 ? 4
				       : 0;
	/* Longer than need be, surrogates, and beyond Unicode. */
	bool bad = c[0] == 0xc0 || c[0] == 0xc1 || (c[0] == 0xe0 && c[1] < 0xa0) ||
		   (c[0] == 0xed && c[1] > 0x9f) || (c[0] == 0xf0 && c[1] < 0x90) ||
		   (c[0] == 0xf4 && c[1] > 0x8f) || c[0] > 0xf4;

	/* The final NUL is no byte of a character, so none is read past it. */
	for (size_t i = 1; i < len; i++)
		if (c[i] >> 6 != 2)
			return 0;
	return bad ? 0 : len;
}

/* What stands for the character at text. *ret_taken: how many bytes it has there. */
static const char *escape(const char *text, size_t *ret_taken, size_t *ret_len)
{
	size_t len = utf8_len(text);

	*ret_taken = len ? len : 1;
	*ret_len = 2;
	switch (*text) {
	case '\\':
		return "\\\\";
	case '"':
		return "\\\"";
	case '\n':
		return "\\n";
	default:
		*ret_len = len ? len : 1;
		return len ? text : "?";
	}
}

/* Write name="value" into buf; returns its length. What has no room is left out. */
static size_t print_label(char *buf, size_t size, const char *name, const char *value)
{
	size_t len = strlen(name);

	if (len + sizeof("=\"\"") > size)
		return 0;
	memcpy(buf, name, len);
	buf[len++] = '=';
	buf[len++] = '"';
	while (*value) {
		size_t taken, n;
		const char *piece = escape(value, &taken, &n);

		if (len + n + 1 > size)
			break;
		memcpy(buf + len, piece, n);
		len += n;
		value += taken;
	}
	buf[len++] = '"';
	return len;
}

void exposition_row(struct exposition *e)
{
	e->labels_len = 0;
}

void exposition_label(struct exposition *e, const char *name, const char *value)
{
	size_t comma = e->labels_len ? 1 : 0, len;
	size_t room = sizeof(e->labels) - e->labels_len;

	if (!room)
		return;
	len = print_label(e->labels + e->labels_len + comma, room - comma, name, value);
	if (!len)
		return;
	if (comma)
		e->labels[e->labels_len] = ',';
	e->labels_len += comma + len;
}

/* --- samples ---------------------------------------------------------------------------------- */

static void add_sample(struct exposition *e, const struct metric *metric, const char *suffix,
		       const char *name, const char *value, struct number number)
{
	char label[EXPOSITION_LABELS_MAX];

	add(e, metric->name);
	add(e, suffix);
	if (e->labels_len || name) {
		add_n(e, "{", 1);
		add_n(e, e->labels, e->labels_len);
		if (e->labels_len && name)
			add_n(e, ",", 1);
		if (name)
			add_n(e, label, print_label(label, sizeof(label), name, value));
		add_n(e, "}", 1);
	}
	add_n(e, " ", 1);
	add_number(e, number);
	add_n(e, "\n", 1);
}

static const char *suffix_of(enum metric_type type)
{
	switch (type) {
	case METRIC_COUNTER:
		return "_total";
	case METRIC_INFO:
		return "_info";
	case METRIC_GAUGE:
	case METRIC_HISTOGRAM:
		break;
	}
	return "";
}

void exposition_sample(struct exposition *e, const struct metric *metric, const char *name,
		       const char *value, struct number number)
{
	add_sample(e, metric, suffix_of(metric->type), name, value, number);
}

void exposition_bucket(struct exposition *e, const struct metric *metric, const char *le,
		       uint64_t count)
{
	add_sample(e, metric, "_bucket", "le", le, WHOLE(count));
}

void exposition_sum(struct exposition *e, const struct metric *metric, struct number sum,
		    uint64_t count)
{
	add_sample(e, metric, "_sum", NULL, NULL, sum);
	add_sample(e, metric, "_count", NULL, NULL, WHOLE(count));
}

/* --- families --------------------------------------------------------------------------------- */

static void add_line(struct exposition *e, const char *key, const struct metric *metric,
		     const char *text)
{
	add(e, "# ");
	add(e, key);
	add(e, " ");
	add(e, metric->name);
	/* There, the family is called what its samples are. */
	if (e->form == EXPOSITION_PROMETHEUS)
		add(e, suffix_of(metric->type));
	add(e, " ");
	add(e, text);
	add(e, "\n");
}

void exposition_head(struct exposition *e, const struct metric *metric)
{
	static const char *const types[] = {
		[METRIC_GAUGE] = "gauge",
		[METRIC_COUNTER] = "counter",
		[METRIC_HISTOGRAM] = "histogram",
		[METRIC_INFO] = "info",
	};
	bool is_open = e->form == EXPOSITION_OPENMETRICS;

	add_line(e, "HELP", metric, metric->help);
	add_line(e, "TYPE", metric,
		 !is_open && metric->type == METRIC_INFO ? "gauge" : types[metric->type]);
	if (is_open && metric->unit)
		add_line(e, "UNIT", metric, metric->unit);
}

void exposition_end(struct exposition *e)
{
	if (e->form == EXPOSITION_OPENMETRICS)
		add(e, "# EOF\n");
}

const char *exposition_content_type(enum exposition_form form)
{
	return form == EXPOSITION_OPENMETRICS
		       ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		       : "text/plain; version=0.0.4; charset=utf-8";
}
