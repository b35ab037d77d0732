// SPDX-License-Identifier: GPL-2.0-or-later
/* exposition_choose - which of its forms a client wants, by the header Accept (RFC 9110, 12.5.1). */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "control/exposition.h"

#define QUALITY_FULL 1000 /* q=1, which also holds without a q */

/* A part of the header, without blanks around it. */
struct piece {
	const char *start;
	size_t len;
};

/* The part of *rest up to the separator, which *rest then begins behind. */
static struct piece next_piece(const char **rest, const char *end, char separator)
{
	const char *stop = memchr(*rest, separator, (size_t)(end - *rest));
	struct piece piece = { *rest, (size_t)((stop ?: end) - *rest) };

	*rest = stop ? stop + 1 : end;
	while (piece.len && isblank((unsigned char)piece.start[piece.len - 1]))
		piece.len--;
	while (piece.len && isblank((unsigned char)*piece.start)) {
		piece.start++;
		piece.len--;
	}
	return piece;
}

static bool is(struct piece piece, const char *text)
{
	return piece.len == strlen(text) && !strncasecmp(piece.start, text, piece.len);
}

static bool begins(struct piece piece, const char *text)
{
	return piece.len >= strlen(text) && !strncasecmp(piece.start, text, strlen(text));
}

/* Thousandths of "0.5"; nonsense is 0. */
static unsigned int quality(struct piece piece)
{
	unsigned int q = 0, unit = QUALITY_FULL;

	for (size_t i = 2; i < piece.len && unit; i++) {
		char c = piece.start[i];

		if (i == 3 ? c != '.' : !isdigit((unsigned char)c))
			return 0;
		if (i == 3)
			continue;
		q += (unsigned int)(c - '0') * unit;
		unit /= 10;
	}
	return q > QUALITY_FULL ? QUALITY_FULL : q;
}

/* One of the media ranges: raise what it speaks for. */
static void weigh(struct piece range, unsigned int *open, unsigned int *plain)
{
	const char *rest = range.start, *end = range.start + range.len;
	struct piece type = next_piece(&rest, end, ';');
	unsigned int q = QUALITY_FULL, *of;
	bool known = true;

	while (rest < end) {
		struct piece parameter = next_piece(&rest, end, ';');

		if (begins(parameter, "q="))
			q = quality(parameter);
		else if (begins(parameter, "version="))
			known = is(parameter, "version=1.0.0") ||
				is(parameter, "version=\"1.0.0\"") ||
				is(parameter, "version=0.0.4");
	}
	if (is(type, "application/openmetrics-text"))
		of = open;
	else if (is(type, "text/plain") || is(type, "text/*") || is(type, "*/*"))
		of = plain;
	else
		return;
	if (known && q > *of)
		*of = q;
}

enum exposition_form exposition_choose(const char *accept)
{
	const char *rest = accept ?: "", *end = rest + strlen(rest);
	unsigned int open = 0, plain = 0;

	while (rest < end)
		weigh(next_piece(&rest, end, ','), &open, &plain);
	return open && open >= plain ? EXPOSITION_OPENMETRICS : EXPOSITION_PROMETHEUS;
}
