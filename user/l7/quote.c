// SPDX-License-Identifier: GPL-2.0-or-later
#include "l7/quote.h"

#include <ctype.h>
#include <string.h>

#include "util/printable.h"

static void put(FILE *out, char c)
{
	if (isascii((unsigned char)c) && (isalnum((unsigned char)c) || strchr("._-/:@*+=~", c)))
		fputc(c, out);
	else
		fprintf(out, "\\x%02x", (unsigned int)(unsigned char)c);
}

void quote_word(FILE *out, const char *text)
{
	for (; *text; text++)
		put(out, *text);
}

void quote_format(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '%')
			put(out, '%');
		put(out, *text);
	}
}

void quote_comment(FILE *out, const char *text)
{
	for (; *text; text++)
		if (!printable_is_control(*text))
			fputc(*text, out);
}
