// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/reader.h"
#include "config/report.h"
#include "config/tree.h"
#include "util/err.h"

#define READ_MIN 65536 /* bytes of room to start with, where the file does not tell its size */

/* An error of the file as a whole. */
static int refuse(struct report *report, int code, const char *message)
{
	struct report_item *item = report_add(report, 0, 0);

	if (item)
		report_copy(item->message, sizeof(item->message), message);
	return code;
}

static int refuse_size(struct report *report)
{
	char message[sizeof(report->items[0].message)];

	snprintf(message, sizeof(message), "the file is too large; allowed: at most %u bytes",
		 LIMIT_FILE_BYTES);
	return refuse(report, -EFBIG, message);
}

static int refuse_errno(struct report *report, int os_errno)
{
	char message[sizeof(report->items[0].message)];

	snprintf(message, sizeof(message), "cannot be read: %s", strerror(os_errno));
	return refuse(report, -os_errno, message);
}

/* "etc/" for "etc/sluice.yaml", "" for "sluice.yaml". */
static int directory_of(char ret[PATH_MAX], const char *name)
{
	const char *slash = strrchr(name, '/');
	size_t len = slash ? (size_t)(slash - name) + 1 : 0;

	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(ret, name, len);
	ret[len] = '\0';
	return 0;
}

static int build(struct model **ret, const struct tree *tree, const char *name,
		 struct report *report)
{
	CLEANUP(model_free_p) struct model *model = model_new();
	CLEANUP(reader_done)
	struct reader reader = {
		.tree = tree,
		.model = model,
		.report = report,
	};
	struct err err = { 0 };
	int r;

	if (!model)
		return -ENOMEM;
	r = directory_of(reader.directory, name);
	if (r < 0)
		return refuse_errno(report, -r);
	r = reader_run(&reader);
	if (r < 0)
		return r;
	if (report->n_errors)
		return -EINVAL;

	r = model_link(model, &err);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return refuse(report, -EINVAL, err.text);

	*ret = take_ptr(model);
	return 0;
}

/* FNV-1a */
uint64_t config_digest(const char *text, size_t len)
{
	uint64_t digest = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < len; i++)
		digest = (digest ^ (uint8_t)text[i]) * 0x100000001b3ull;
	return digest;
}

int config_parse(struct model **ret, const char *text, size_t len, const char *name,
		 struct report *report)
{
	CLEANUP(tree_free_p) struct tree *tree = NULL;
	int r;

	report_init(report, name);
	if (len > LIMIT_FILE_BYTES)
		return refuse_size(report);
	r = tree_parse(&tree, text, len, report);
	if (r < 0)
		return r;

	r = build(ret, tree, name, report);
	if (r == 0)
		(*ret)->digest = config_digest(text, len);
	return r;
}

/* Room for the whole file and one byte more, so that the end is seen without growing. */
static size_t first_room(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > LIMIT_FILE_BYTES)
		return READ_MIN;
	return (size_t)st.st_size + 1;
}

/* Until the end, wherever that is: the file may be a pipe, or grow. */
int config_read(char **ret, size_t *ret_len, int fd)
{
	size_t room = first_room(fd), len = 0;
	CLEANUP(free_p) char *text = malloc(room);
	ssize_t got;

	if (!text)
		return -ENOMEM;
	for (;;) {
		if (len == room) {
			char *grown = realloc(text, 2 * room);

			if (!grown)
				return -ENOMEM;
			text = grown;
			room *= 2;
		}
		got = read(fd, text + len, room - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		len += (size_t)got;
		if (len > LIMIT_FILE_BYTES)
			return -EFBIG;
	}

	*ret = take_ptr(text);
	*ret_len = len;
	return 0;
}

int config_load(struct model **ret, const char *path, struct report *report)
{
	CLEANUP(free_p) char *text = NULL;
	CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t len = 0; /* gcc does not see that config_read() sets it */
	int r;

	report_init(report, path);
	if (fd < 0)
		return refuse_errno(report, errno);
	r = config_read(&text, &len, fd);
	if (r == -EFBIG)
		return refuse_size(report);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return refuse_errno(report, -r);

	return config_parse(ret, text, len, path, report);
}
