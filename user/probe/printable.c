// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/printable.h"

#include <ctype.h>

const char *printable_line(char *buf, size_t size, const uint8_t *data, size_t len)
{
	size_t n = 0;

	while (n < len && n + 1 < size && data[n] != '\r' && data[n] != '\n') {
		buf[n] = (char)(isascii(data[n]) && isprint(data[n]) ? data[n] : '.');
		n++;
	}
	buf[n] = '\0';
	return buf;
}
