/* SPDX-License-Identifier: GPL-2.0-or-later */
/* escape - bytes that cannot be typed, written as \n, \r, \t, \\ and \xHH. */
#ifndef SLUICE_CONFIG_ESCAPE_H
#define SLUICE_CONFIG_ESCAPE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Write the bytes that text stands for, at most size. Returns their number, which is never more
 * than the text has; -EINVAL: a backslash begins none of the escapes; -ENOSPC: they are too many.
 */
int escape_resolve(uint8_t *buf, size_t size, const char *text);

#endif
