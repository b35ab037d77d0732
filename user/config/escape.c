// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/escape.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define HEX_BASE 16

static int hex_value(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -EINVAL;
}

/* The byte behind a backslash at *text, which moves to the last letter of the escape. */
static int take_escape(uint8_t *ret, const char **text)
{
	static const char letters[] = "nrt\\", bytes[] = "\n\r\t\\";
	const char *letter = **text ? strchr(letters, **text) : NULL;
	int high, low;

	if (letter) {
		*ret = (uint8_t)bytes[letter - letters];
		return 0;
	}
	if (**text != 'x')
		return -EINVAL;
	high = hex_value((*text)[1]);
	low = high < 0 ? high : hex_value((*text)[2]);
	if (low < 0)
		return -EINVAL;
	*ret = (uint8_t)(high * HEX_BASE + low);
	*text += 2;
	return 0;
}

int escape_resolve(uint8_t *buf, size_t size, const char *text)
{
	size_t len = 0;

	for (; *text; text++) {
		uint8_t byte = (uint8_t)*text;

		if (*text == '\\') {
			text++;
			if (take_escape(&byte, &text) < 0)
				return -EINVAL;
		}
		if (len == size)
			return -ENOSPC;
		buf[len++] = byte;
	}
	return (int)len;
}
