/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printable - what came from outside, made fit for a terminal or a line of text.
 *
 * Control characters can drive a terminal: C0, DEL, and C1, which UTF-8 writes in two bytes. Other
 * UTF-8 is left alone where people read it, and is no more than bytes where a protocol speaks ASCII.
 */
#ifndef SLUICE_UTIL_PRINTABLE_H
#define SLUICE_UTIL_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* C0 or DEL. */
bool printable_is_control(char c);

/* Bytes of the control character that text begins with: 0 (none), 1, or 2 (C1). */
size_t printable_control_len(const char *text);

/*
 * What may be shown of a path or a URL to whoever may see that it is there: bytes up to its query, which may hold a
 * key. PRINTABLE_QUERY stands for the rest, if there is one.
 */
#define PRINTABLE_QUERY "?..."
size_t printable_path_len(const char *path);

/* Replace every byte of control characters by '?', in place; returns text. */
char *printable_clean(char *text);

/* Whether c is a printable ASCII character, the blank among them. */
bool printable_is_ascii(char c);

/*
 * Copy data up to its first line end into buf, NUL-terminated, at most size bytes with the NUL; what
 * is not printable ASCII becomes a dot. Returns buf.
 */
const char *printable_line(char *buf, size_t size, const uint8_t *data, size_t len);

#endif
