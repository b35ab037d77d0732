// SPDX-License-Identifier: GPL-2.0-or-later
/* aside - damaged databases, kept for whoever wants to know what happened to them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "store/database.h"
#include "util/clock.h"
#include "util/err.h"

#define PREFIX DATABASE_FILE ".damaged-"

static int is_aside(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	/* A log belongs to its database. */
	return !strncmp(entry->d_name, PREFIX, strlen(PREFIX)) &&
	       (len < 4 || strcmp(entry->d_name + len - 4, "-wal") != 0);
}

static void remove_one(int directory_fd, const char *name)
{
	char log[NAME_MAX + 8];

	snprintf(log, sizeof(log), "%s-wal", name);
	unlinkat(directory_fd, log, 0);
	unlinkat(directory_fd, name, 0);
}

/* A disk that damages one after the other is not to be filled by them. Names sort by time. */
static void remove_oldest(int directory_fd, const char *directory)
{
	struct dirent **entries;
	int n = scandir(directory, &entries, is_aside, alphasort);

	if (n < 0)
		return;
	for (int i = 0; i < n; i++) {
		if (i + DATABASE_ASIDE_MAX < n)
			remove_one(directory_fd, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

int database_set_aside(const char *directory, char ret_name[DATABASE_ASIDE_LEN], struct err *err)
{
	CLEANUP(close_p) int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[DATABASE_ASIDE_LEN], log[DATABASE_ASIDE_LEN + 8], time[CLOCK_ISO_LEN];

	if (fd < 0)
		return err_set(err, -errno, "'%s': %s", directory, strerror(errno));
	snprintf(name, sizeof(name), PREFIX "%s", clock_iso(time, clock_wall_ms()));
	snprintf(log, sizeof(log), "%s-wal", name);
	if (renameat(fd, DATABASE_FILE, fd, name) < 0)
		return err_set(err, -errno, "cannot set '%s/" DATABASE_FILE "' aside: %s",
			       directory, strerror(errno));
	/* The log holds what is not in the file yet; the index of the log is made anew. */
	renameat(fd, DATABASE_FILE "-wal", fd, log);
	unlinkat(fd, DATABASE_FILE "-shm", 0);
	remove_oldest(fd, directory);
	memcpy(ret_name, name, sizeof(name));
	return 0;
}
