// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list args;

	assert(code < 0);
	if (!e)
		return code;

	va_start(args, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, args);
	va_end(args);

	return code;
}

int err_in(struct err *e, int code, const char *fmt, ...)
{
	char text[sizeof(e->text)];
	va_list args;
	size_t len;

	assert(code < 0);
	if (!e)
		return code;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);

	len = strlen(text);
	snprintf(text + len, sizeof(text) - len, "%s", e->text);
	memcpy(e->text, text, sizeof(e->text));

	return code;
}
