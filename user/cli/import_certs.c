// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/import_certs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "config/cert_file.h"
#include "util/err.h"

#define DIRECTORY_MODE 0755
#define FILE_MODE 0644

static int write_new(const char *path, const char *pem, struct err *err)
{
	CLEANUP(close_p) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	size_t len = strlen(pem);

	if (fd < 0)
		return errno == EEXIST ? -EEXIST
				       : err_set(err, -errno, "%s: %s", path, strerror(errno));
	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, pem + at, len - at);

		if (n < 0 && errno != EINTR) {
			int r = err_set(err, -errno, "%s: %s", path, strerror(errno));

			unlink(path);
			return r;
		}
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* Whether the file is that text. */
static bool is_same(const char *path, const char *pem)
{
	CLEANUP(fclose_p) FILE *file = fopen(path, "re");
	size_t len = strlen(pem);
	CLEANUP(free_p) char *there = malloc(len + 1);

	/* One byte more than there should be tells a longer file. */
	return file && there && fread(there, 1, len + 1, file) == len && !memcmp(there, pem, len);
}

static int check(const char *path, struct err *err)
{
	struct trust_spec spec = { .n_certs = 0 };
	int r;

	r = cert_file_load(&spec, path, err);
	trust_spec_done(&spec);
	return r;
}

/* In its directory, which is there. */
static int keep(const char *path, const char *pem, struct err *err)
{
	int r;

	r = write_new(path, pem, err);
	if (r == -EEXIST)
		return is_same(path, pem) ? check(path, err)
					  : err_set(err, -EEXIST,
						    "%s is there and holds something else", path);
	if (r < 0)
		return r;
	r = check(path, err);
	if (r < 0)
		unlink(path);
	return r;
}

int import_certs_keep(void *directory, const char *name, const char *pem, char **ret_path,
		      struct err *err)
{
	CLEANUP(free_p) char *real = NULL;
	CLEANUP(free_p) char *path = NULL;
	int r;

	if (mkdir(directory, DIRECTORY_MODE) < 0 && errno != EEXIST)
		return err_set(err, -errno, "%s: %s", (const char *)directory, strerror(errno));
	real = realpath(directory, NULL);
	if (!real)
		return err_set(err, -errno, "%s: %s", (const char *)directory, strerror(errno));
	if (asprintf(&path, "%s/%s.pem", real, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = keep(path, pem, err);
	if (r >= 0)
		*ret_path = take_ptr(path);
	return r;
}
