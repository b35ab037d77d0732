/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal - a line with fields for systemd's journal, by its native protocol.
 *
 * Never waits: a journal that does not read is the caller's to notice, by -EAGAIN.
 */
#ifndef SLUICE_UTIL_JOURNAL_H
#define SLUICE_UTIL_JOURNAL_H

#include <stddef.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

struct journal_field {
	const char *name; /* capital letters, digits and underscores */
	const char *value; /* line ends become blanks; NULL or "": the field is left out */
};

/* Send one entry to the socket there. 0, -EMSGSIZE past 8 kB, or -errno of what failed. */
int journal_send(const char *path, const struct journal_field fields[], size_t n_fields);

#endif
