// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/printable.h"

#include <string.h>

#define DELETE 0x7f

/* U+0080..U+009F are 0xc2 0x80 .. 0xc2 0x9f in UTF-8. */
#define C1_LEAD 0xc2
#define C1_LOW 0x80
#define C1_HIGH 0x9f

bool printable_is_control(char c)
{
	return (unsigned char)c < ' ' || c == DELETE;
}

size_t printable_control_len(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	if (!*c)
		return 0;
	if (c[0] == C1_LEAD && c[1] >= C1_LOW && c[1] <= C1_HIGH)
		return 2;
	return printable_is_control(*text);
}

size_t printable_path_len(const char *path)
{
	return strcspn(path, "?");
}

char *printable_clean(char *text)
{
	for (char *c = text; *c; c++)
		for (size_t n = printable_control_len(c); n; n--)
			c[n - 1] = '?';
	return text;
}

bool printable_is_ascii(char c)
{
	return c >= ' ' && c < DELETE;
}

const char *printable_line(char *buf, size_t size, const uint8_t *data, size_t len)
{
	size_t n = 0;

	while (n < len && n + 1 < size && data[n] != '\r' && data[n] != '\n') {
		buf[n] = printable_is_ascii((char)data[n]) ? (char)data[n] : '.';
		n++;
	}
	buf[n] = '\0';
	return buf;
}
