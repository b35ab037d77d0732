// SPDX-License-Identifier: GPL-2.0-or-later
/* aside - damaged databases, kept for whoever wants to know what happened to them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "store/database.h"
#include "util/clock.h"
#include "util/err.h"

#define MARK ".damaged-"

/* Whether it is one that was set aside of this file. A log belongs to its database. */
static bool is_aside(const char *name, const char *file)
{
	size_t len = strlen(name), prefix = strlen(file);

	return !strncmp(name, file, prefix) && !strncmp(name + prefix, MARK, strlen(MARK)) &&
	       (len < 4 || strcmp(name + len - 4, "-wal") != 0);
}

static void remove_one(int directory_fd, const char *name)
{
	char log[NAME_MAX + 8];

	snprintf(log, sizeof(log), "%s-wal", name);
	unlinkat(directory_fd, log, 0);
	unlinkat(directory_fd, name, 0);
}

/* A disk that damages one after the other is not to be filled by them. Names sort by time. */
static void remove_oldest(int directory_fd, const char *directory, const char *file)
{
	struct dirent **entries;
	int n = scandir(directory, &entries, NULL, alphasort), n_aside = 0;

	if (n < 0)
		return;
	for (int i = n - 1; i >= 0; i--) {
		if (is_aside(entries[i]->d_name, file) && ++n_aside > DATABASE_ASIDE_MAX)
			remove_one(directory_fd, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

/* What belongs to the file, by its suffix. */
static const char *beside(char buf[DATABASE_ASIDE_LEN + 8], const char *name, const char *suffix)
{
	snprintf(buf, DATABASE_ASIDE_LEN + 8, "%s%s", name, suffix);
	return buf;
}

int database_set_aside(const struct database_kind *kind, const char *directory,
		       char ret_name[DATABASE_ASIDE_LEN], struct err *err)
{
	CLEANUP(close_p) int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[DATABASE_ASIDE_LEN], from[DATABASE_ASIDE_LEN + 8], to[DATABASE_ASIDE_LEN + 8];
	char time[CLOCK_ISO_LEN];

	if (fd < 0)
		return err_set(err, -errno, "'%s': %s", directory, strerror(errno));
	snprintf(name, sizeof(name), "%s" MARK "%s", kind->file, clock_iso(time, clock_wall_ms()));
	if (renameat(fd, kind->file, fd, name) < 0)
		return err_set(err, -errno, "cannot set '%s/%s' aside: %s", directory, kind->file,
			       strerror(errno));
	/* The log holds what is not in the file yet; the index of the log is made anew. */
	renameat(fd, beside(from, kind->file, "-wal"), fd, beside(to, name, "-wal"));
	unlinkat(fd, beside(from, kind->file, "-shm"), 0);
	remove_oldest(fd, directory, kind->file);
	memcpy(ret_name, name, sizeof(name));
	return 0;
}
