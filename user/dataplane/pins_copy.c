// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/pins_copy.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"
#include "util/err.h"

#define DIR_MODE 0700

DEFINE_CLEANUP(DIR, closedir)

static int copy_one(int dir_fd, const char *name, const char *to)
{
	CLEANUP(close_p) int fd = -1;
	char from[PATH_MAX], path[PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/%s", to, name) >= PATH_MAX)
		return -ENAMETOOLONG;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return mkdir(path, DIR_MODE) < 0 && errno != EEXIST ? -errno : 0;
	/* The call takes a path and no directory; this one leads there wherever that is mounted. */
	snprintf(from, sizeof(from), "/proc/self/fd/%d/%s", dir_fd, name);
	fd = bpf_obj_get(from);
	if (fd < 0)
		return -errno;
	unlink(path);
	return bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

int pins_copy(int from_fd, const char *name, const char *to, struct err *err)
{
	CLEANUP(closedir_p) DIR *dir = NULL;
	const struct dirent *entry;
	int fd = openat(from_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, -errno, "open '%s' as it was: %s", name, strerror(errno));
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir))) {
		int r;

		if (entry->d_name[0] == '.')
			continue;
		r = copy_one(fd, entry->d_name, to);
		if (r < 0)
			return err_set(err, r, "pin '%s' again in '%s': %s", entry->d_name, to,
				       strerror(-r));
	}
	return 0;
}
