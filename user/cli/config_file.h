/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_file - the configuration as a file that is read, and exchanged for another text whole or not at all.
 *
 * Links are followed: what is exchanged is the file that the name leads to. Mode, owner and extended attributes stay
 * as they are.
 */
#ifndef SLUICE_CLI_CONFIG_FILE_H
#define SLUICE_CLI_CONFIG_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct err;

struct config_file {
	char path[PATH_MAX]; /* without links */
	char *text;
	size_t len;
	struct stat stat; /* as it was when it was read or exchanged */
	bool is_exchanged; /* what is there is no longer what was read */
};

/* -errno, with err; *ret is empty then. */
int config_file_read(struct config_file *ret, const char *name, struct err *err);

void config_file_done(struct config_file *file);

/* Whether the text is the one with that digest, as the daemon writes it. */
bool config_file_is(const struct config_file *file, const char *digest);

/*
 * Exchange the file; file->text stays what was read. Returns 0 when it is on the disk, or -errno, with err: nothing
 * was changed, unless file->is_exchanged says so, and it may be the old one again after a loss of power. -ESTALE: it is
 * no longer the file that was read.
 */
int config_file_exchange(struct config_file *file, const char *text, size_t len, struct err *err);

#endif
