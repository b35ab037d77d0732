// SPDX-License-Identifier: GPL-2.0-or-later
#include "import/emit.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "config/plain.h"
#include "util/cleanup.h"

/* Code points that YAML refuses, or that end a line, or that change how a line looks. */
static const struct range {
	uint32_t first, last;
} unsafe[] = {
	{ 0x00, 0x1f },     { 0x7f, 0xa0 },     { 0xad, 0xad },
	{ 0x2000, 0x206f }, { 0xd800, 0xf8ff }, { 0xfe00, 0xfe0f },
	{ 0xfeff, 0xfeff }, { 0xfff0, 0xffff }, { 0xe0000, UINT32_MAX },
};

static bool is_safe(uint32_t point)
{
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
		if (point >= unsafe[i].first && point <= unsafe[i].last)
			return false;
	return true;
}

/* The code point at text and its bytes; a byte that begins none stands for itself. */
static uint32_t decode(const char *text, size_t *ret_len)
{
	static const struct lead {
		uint8_t mask, bits;
		size_t len;
	} leads[] = { { 0xe0, 0xc0, 2 }, { 0xf0, 0xe0, 3 }, { 0xf8, 0xf0, 4 } };
	const uint8_t *byte = (const uint8_t *)text;

	*ret_len = 1;
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		uint32_t point = byte[0] & (uint8_t)~leads[i].mask;
		size_t n = 1;

		if ((byte[0] & leads[i].mask) != leads[i].bits)
			continue;
		for (; n < leads[i].len && (byte[n] & 0xc0) == 0x80; n++)
			point = point << 6 | (byte[n] & 0x3f);
		if (n < leads[i].len)
			break;
		*ret_len = n;
		return point;
	}
	return byte[0];
}

static void write_escape(FILE *out, uint32_t point)
{
	if (point <= UINT8_MAX)
		fprintf(out, "\\x%02X", (unsigned int)point);
	else if (point <= UINT16_MAX)
		fprintf(out, "\\u%04X", (unsigned int)point);
	else
		fprintf(out, "\\U%08X", (unsigned int)point);
}

static void write_quoted(FILE *out, const char *text)
{
	size_t len;

	fputc('"', out);
	for (; *text; text += len) {
		uint32_t point = decode(text, &len);

		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if (is_safe(point))
			fwrite(text, 1, len, out);
		else
			write_escape(out, point);
	}
	fputc('"', out);
}

static void write_comment(FILE *out, const char *text)
{
	size_t len;

	for (; *text; text += len) {
		uint32_t point = decode(text, &len);

		if (is_safe(point) && (len > 1 || isascii(*text)))
			fwrite(text, 1, len, out);
		else
			fputc('?', out);
	}
}

char *emit_scalar(const char *text)
{
	char *scalar = NULL;
	size_t len;
	FILE *out;

	if (plain_is(text))
		return strdup(text);
	out = open_memstream(&scalar, &len);
	if (!out)
		return NULL;
	write_quoted(out, text);
	if (!fclose(out))
		return scalar;
	free(scalar);
	return NULL;
}

void emit_section(struct emit *emit, const char *name)
{
	emit->is_off = false;
	fprintf(emit->out, "\n%s:\n", name);
}

void emit_record(struct emit *emit, bool is_off)
{
	emit->is_off = is_off;
	emit->is_begun = false;
}

static void end_line(struct emit *emit, const char *note)
{
	if (note) {
		fputs("  # ", emit->out);
		write_comment(emit->out, note);
	}
	fputc('\n', emit->out);
}

static void write_pair(struct emit *emit, const char *key, const char *value, const char *note)
{
	fprintf(emit->out, "%s:%s%s", key, *value ? " " : "", value);
	end_line(emit, note);
}

void emit_line(struct emit *emit, int level, const char *key, const char *value, const char *note)
{
	fputs(emit->is_off ? "  # " : "  ", emit->out);
	fputs(emit->is_begun ? "  " : "- ", emit->out);
	emit->is_begun = true;
	fprintf(emit->out, "%*s", 2 * level, "");
	write_pair(emit, key, value, note);
}

void emit_item(struct emit *emit, const char *key, const char *value, const char *note)
{
	fputs(emit->is_off ? "  #     - " : "      - ", emit->out);
	write_pair(emit, key, value, note);
}

static void write_line(struct emit *emit, const char *margin, const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		return;
	fprintf(emit->out, "%s# ", margin);
	write_comment(emit->out, text);
	fputc('\n', emit->out);
	free(text);
}

void emit_comment(struct emit *emit, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_line(emit, !emit->is_off ? "    " : emit->is_begun ? "  #   " : "  ", fmt, args);
	va_end(args);
}

void emit_remark(struct emit *emit, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_line(emit, "", fmt, args);
	va_end(args);
}
