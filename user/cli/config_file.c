// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "config/config.h"
#include "model/limits.h"
#include "util/cleanup.h"
#include "util/err.h"

#define TEMPORARY ".sluice-save.XXXXXX" /* beside the file, so that it can take its place */
#define MODE_BITS 07777
#define DIGEST_LEN 17

void config_file_done(struct config_file *file)
{
	free(file->text);
	*file = (struct config_file){ .len = 0 };
}

static int failed(struct err *err, const struct config_file *file, const char *what, int os_errno)
{
	return err_set(err, -os_errno, "'%s' %s: %s", file->path, what, strerror(os_errno));
}

/* --- reading ---------------------------------------------------------------------------------- */

static int read_text(struct config_file *file, int fd, struct err *err)
{
	int r;

	if (fstat(fd, &file->stat) < 0)
		return failed(err, file, "cannot be read", errno);
	if (!S_ISREG(file->stat.st_mode))
		return err_set(err, -EINVAL, "'%s' is not a file that could be written",
			       file->path);
	r = config_read(&file->text, &file->len, fd);
	if (r == -EFBIG)
		return err_set(err, r, "'%s' is too large; allowed: at most %u bytes", file->path,
			       LIMIT_FILE_BYTES);
	return r < 0 ? failed(err, file, "cannot be read", -r) : 0;
}

int config_file_read(struct config_file *ret, const char *name, struct err *err)
{
	struct config_file file = { .len = 0 };
	CLEANUP(close_p) int fd = -1;
	int r;

	if (!realpath(name, file.path))
		return err_set(err, -errno, "'%s' cannot be read: %s", name, strerror(errno));
	fd = open(file.path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return failed(err, &file, "cannot be read", errno);
	r = read_text(&file, fd, err);
	if (r < 0) {
		config_file_done(&file);
		return r;
	}
	*ret = file;
	return 0;
}

bool config_file_is(const struct config_file *file, const char *digest)
{
	char text[DIGEST_LEN];

	snprintf(text, sizeof(text), "%016" PRIx64, config_digest(file->text, file->len));
	return !strcmp(text, digest);
}

/* --- writing ---------------------------------------------------------------------------------- */

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static int check_same(const struct config_file *file, struct err *err)
{
	const struct stat *seen = &file->stat;
	struct stat now;

	if (stat(file->path, &now) < 0)
		return failed(err, file, "is not there any more", errno);
	if (now.st_dev == seen->st_dev && now.st_ino == seen->st_ino &&
	    now.st_size == seen->st_size && is_same_time(&now.st_mtim, &seen->st_mtim) &&
	    is_same_time(&now.st_ctim, &seen->st_ctim))
		return 0;
	return err_set(err, -ESTALE, "'%s' has been changed by somebody else in this moment",
		       file->path);
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Access lists and labels, as far as the file system has such. */
static int copy_attributes(const char *from, int to)
{
	char names[XATTR_LIST_MAX], value[XATTR_SIZE_MAX], made[XATTR_SIZE_MAX];
	ssize_t n = listxattr(from, names, sizeof(names));

	if (n < 0)
		return errno == ENOTSUP ? 0 : -errno;
	for (const char *name = names; name < names + n; name += strlen(name) + 1) {
		ssize_t len = getxattr(from, name, value, sizeof(value));

		if (len < 0)
			return -errno;
		/* Labels that a file gets by itself are often not for everybody to set. */
		if (fgetxattr(to, name, made, sizeof(made)) == len &&
		    !memcmp(made, value, (size_t)len))
			continue;
		if (fsetxattr(to, name, value, (size_t)len, 0) < 0)
			return -errno;
	}
	return 0;
}

/* The owner before the mode: a change of the first takes bits of the second away. */
static int copy_standing(const struct config_file *file, int fd, struct err *err)
{
	struct stat now;
	int r;

	if (fstat(fd, &now) < 0)
		return failed(err, file, "cannot be written", errno);
	if ((now.st_uid != file->stat.st_uid || now.st_gid != file->stat.st_gid) &&
	    fchown(fd, file->stat.st_uid, file->stat.st_gid) < 0)
		return failed(err, file, "cannot be written: its owner would change", errno);
	if (fchmod(fd, file->stat.st_mode & MODE_BITS) < 0)
		return failed(err, file, "cannot be written: its mode would change", errno);
	r = copy_attributes(file->path, fd);
	return r < 0 ? failed(err, file, "cannot be written: its extended attributes would be lost",
			      -r)
		     : 0;
}

/* Make the temporary file whole, and put it in the place of the other. */
static int take_place(struct config_file *file, int fd, const char *temporary, const char *text,
		      size_t len, struct err *err)
{
	int r = write_all(fd, text, len);

	if (r < 0)
		return failed(err, file, "cannot be written", -r);
	r = copy_standing(file, fd, err);
	if (r < 0)
		return r;
	if (fsync(fd) < 0)
		return failed(err, file, "cannot be written", errno);
	r = check_same(file, err);
	if (r < 0)
		return r;
	if (rename(temporary, file->path) < 0)
		return failed(err, file, "cannot be written", errno);
	file->is_exchanged = true;
	return fstat(fd, &file->stat) < 0 ? failed(err, file, "cannot be looked at", errno) : 0;
}

/* What a rename has done is on the disk with the directory. */
static int sync_directory(const struct config_file *file, const char *directory, struct err *err)
{
	CLEANUP(close_p) int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_set(err, -EIO, "'%s' was written, but may not be on the disk yet: %s",
			       file->path, strerror(errno));
	return 0;
}

static int exchange(struct config_file *file, const char *text, size_t len, struct err *err)
{
	const char *name = strrchr(file->path, '/') + 1;
	char temporary[PATH_MAX + sizeof(TEMPORARY)], directory[PATH_MAX];
	CLEANUP(close_p) int fd = -1;
	int r;

	snprintf(directory, sizeof(directory), "%.*s", (int)(name - file->path), file->path);
	snprintf(temporary, sizeof(temporary), "%s%s", directory, TEMPORARY);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return failed(err, file, "cannot be written: no file can be made beside it", errno);
	r = take_place(file, fd, temporary, text, len, err);
	if (r < 0 && !file->is_exchanged)
		unlink(temporary);
	return r < 0 ? r : sync_directory(file, directory, err);
}

int config_file_exchange(struct config_file *file, const char *text, size_t len, struct err *err)
{
	sigset_t all, before;
	int r;

	/* Whoever is tired of waiting leaves no temporary file behind. */
	file->is_exchanged = false;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	r = exchange(file, text, len, err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}
