/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printable - what a server sent, cut and made fit for a line of text.
 */
#ifndef SLUICE_PROBE_PRINTABLE_H
#define SLUICE_PROBE_PRINTABLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Copy data up to its first line end into buf, NUL-terminated, at most size bytes with the NUL; what
 * is not printable ASCII becomes a dot. Returns buf.
 */
const char *printable_line(char *buf, size_t size, const uint8_t *data, size_t len);

#endif
