// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/scan.h"

#include <ctype.h>
#include <string.h>

#define HEX_DIGITS 4

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* --- numbers and literals ---------------------------------------------------------------------- */

static const char *skip_digits(const char *p)
{
	while (isdigit((unsigned char)*p))
		p++;
	return p;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool is_number(const char *p)
{
	const char *start;

	if (*p == '-')
		p++;
	start = p;
	p = skip_digits(p);
	if (p == start || (*start == '0' && p > start + 1))
		return false;
	if (*p == '.') {
		start = ++p;
		p = skip_digits(p);
		if (p == start)
			return false;
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		if (*p == '+' || *p == '-')
			p++;
		start = p;
		p = skip_digits(p);
		if (p == start)
			return false;
	}
	return !*p;
}

static bool is_word(struct scan *scan)
{
	if (scan->word_len >= sizeof(scan->word))
		return false;
	scan->word[scan->word_len] = '\0';
	return !strcmp(scan->word, "true") || !strcmp(scan->word, "false") ||
	       !strcmp(scan->word, "null") || is_number(scan->word);
}

static void keep(struct scan *scan, unsigned char c)
{
	if (scan->word_len < sizeof(scan->word))
		scan->word[scan->word_len] = (char)c;
	scan->word_len++;
}

/* --- structure --------------------------------------------------------------------------------- */

static void value_ended(struct scan *scan)
{
	scan->counts = false;
	scan->state = scan->depth ? SCAN_NEXT : SCAN_END;
}

static bool open_nesting(struct scan *scan, char kind)
{
	if (scan->depth == SCAN_DEPTH_MAX)
		return false;
	scan->nesting[scan->depth++] = kind;
	scan->counts = false;
	scan->state = kind == '{' ? SCAN_FIRST_KEY : SCAN_FIRST_VALUE;
	return true;
}

static bool close_nesting(struct scan *scan, char kind)
{
	if (!scan->depth || scan->nesting[scan->depth - 1] != kind)
		return false;
	scan->depth--;
	value_ended(scan);
	return true;
}

static bool begin_text(struct scan *scan, bool is_key)
{
	scan->is_key = is_key;
	scan->word_len = 0;
	scan->state = SCAN_TEXT;
	return true;
}

static bool is_text(const struct scan *scan, const char *text)
{
	size_t len = strlen(text);

	return scan->word_len == len && len <= sizeof(scan->word) && !memcmp(scan->word, text, len);
}

static void end_text(struct scan *scan)
{
	if (scan->is_key) {
		scan->counts = scan->key && is_text(scan, scan->key);
		scan->state = SCAN_COLON;
		return;
	}
	if (scan->counts && !is_text(scan, scan->expected))
		scan->n_others++;
	value_ended(scan);
}

static bool begin_value(struct scan *scan, unsigned char c)
{
	if (c == '{' || c == '[')
		return open_nesting(scan, (char)c);
	if (c == '"')
		return begin_text(scan, false);
	if (c != '-' && !isalnum(c))
		return false;
	scan->word_len = 0;
	keep(scan, c);
	scan->state = SCAN_WORD;
	return true;
}

static bool next(struct scan *scan, unsigned char c)
{
	if (c == ']')
		return close_nesting(scan, '[');
	if (c == '}')
		return close_nesting(scan, '{');
	if (c != ',')
		return false;
	scan->state = scan->nesting[scan->depth - 1] == '{' ? SCAN_KEY : SCAN_VALUE;
	return true;
}

/* --- bytes ------------------------------------------------------------------------------------- */

static bool text_byte(struct scan *scan, unsigned char c)
{
	if (c < ' ')
		return false;
	if (c == '"') {
		end_text(scan);
		return true;
	}
	if (c == '\\')
		scan->state = SCAN_ESCAPE;
	keep(scan, c);
	return true;
}

static bool escape_byte(struct scan *scan, unsigned char c)
{
	if (!c || !strchr("\"\\/bfnrtu", c))
		return false;
	keep(scan, c);
	scan->n_hex = 0;
	scan->state = c == 'u' ? SCAN_HEX : SCAN_TEXT;
	return true;
}

static bool hex_byte(struct scan *scan, unsigned char c)
{
	if (!isxdigit(c))
		return false;
	keep(scan, c);
	if (++scan->n_hex == HEX_DIGITS)
		scan->state = SCAN_TEXT;
	return true;
}

static bool structure_byte(struct scan *scan, unsigned char c)
{
	switch (scan->state) {
	case SCAN_FIRST_VALUE:
		return c == ']' ? close_nesting(scan, '[') : begin_value(scan, c);
	case SCAN_VALUE:
		return begin_value(scan, c);
	case SCAN_FIRST_KEY:
		if (c == '}')
			return close_nesting(scan, '{');
		return c == '"' && begin_text(scan, true);
	case SCAN_KEY:
		return c == '"' && begin_text(scan, true);
	case SCAN_COLON:
		scan->state = SCAN_VALUE;
		return c == ':';
	case SCAN_NEXT:
		return next(scan, c);
	default:
		return false;
	}
}

static bool feed_byte(struct scan *scan, unsigned char c)
{
	switch (scan->state) {
	case SCAN_TEXT:
		return text_byte(scan, c);
	case SCAN_ESCAPE:
		return escape_byte(scan, c);
	case SCAN_HEX:
		return hex_byte(scan, c);
	case SCAN_WORD:
		if (isalnum(c) || c == '.' || c == '+' || c == '-') {
			keep(scan, c);
			return true;
		}
		if (!is_word(scan))
			return false;
		value_ended(scan);
		break;
	default:
		break;
	}
	return is_blank(c) || structure_byte(scan, c);
}

/* How many bytes are text and nothing else, of one that is too long to be compared already. */
static size_t plain_text(struct scan *scan, const char *data, size_t n)
{
	size_t i = 0;

	if (scan->word_len <= sizeof(scan->word))
		return 0;
	while (i < n && (unsigned char)data[i] >= ' ' && data[i] != '"' && data[i] != '\\')
		i++;
	return i;
}

bool scan_feed(struct scan *scan, const char *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (scan->state == SCAN_TEXT)
			i += plain_text(scan, data + i, n - i);
		if (i < n && !feed_byte(scan, (unsigned char)data[i]))
			return false;
	}
	return true;
}

/* A document that is one number has no other end than that of the data. */
bool scan_is_complete(const struct scan *scan)
{
	struct scan last = *scan;

	return last.state == SCAN_END || (last.state == SCAN_WORD && !last.depth && is_word(&last));
}
