// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/progpin.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>

#include "dataplane/pins.h"
#include "util/cleanup.h"

DEFINE_CLEANUP(DIR, closedir)

static bool has_id(int fd, uint32_t prog_id)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) == 0 && info.id == prog_id;
}

int progpin_open(const struct pins *pins, uint32_t prog_id)
{
	CLEANUP(closedir_p) DIR *directory = NULL;
	const struct dirent *entry;
	char path[PATH_MAX];
	int r;

	r = pins_path(pins, path, PINS_PROGS, false, "");
	if (r < 0)
		return r;
	directory = opendir(path);
	if (!directory)
		return -errno;
	while ((entry = readdir(directory))) {
		CLEANUP(close_p) int fd = -1;

		if (entry->d_name[0] == '.' ||
		    pins_path(pins, path, PINS_PROGS, false, entry->d_name) < 0)
			continue;
		fd = bpf_obj_get(path);
		if (fd >= 0 && has_id(fd, prog_id))
			return take_fd(fd);
	}
	return -ENOENT;
}
