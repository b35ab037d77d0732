// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/hookpin.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/stat.h>

#include "dataplane/clsact.h"
#include "dataplane/pins.h"

static const char *const prefixes[HOOK_KINDS] = {
	[HOOK_XDP] = "xdp-",
	[HOOK_TCX_IN] = "tcx-in-",
	[HOOK_TCX_OUT] = "tcx-out-",
	[HOOK_CLSACT_IN] = "clsact-in-",
	[HOOK_CLSACT_OUT] = "clsact-out-",
};

static const char qdisc_prefix[] = "qdisc-";

static void compose(char ret[HOOKPIN_NAME_LEN], const char *prefix, const char *interface)
{
	char name[HOOKPIN_NAME_LEN];

	snprintf(name, sizeof(name), "%s%s", prefix, interface);
	pins_name(ret, HOOKPIN_NAME_LEN, name);
}

void hookpin_name(char ret[HOOKPIN_NAME_LEN], enum hook_kind kind, const char *interface)
{
	compose(ret, prefixes[kind], interface);
}

void hookpin_qdisc_name(char ret[HOOKPIN_NAME_LEN], const char *interface)
{
	compose(ret, qdisc_prefix, interface);
}

/* The interface in name after prefix, with its dots. Returns whether there is one. */
static bool parse(char ret_interface[IFNAMSIZ], const char *prefix, const char *name)
{
	size_t len = strlen(prefix);

	if (strncmp(name, prefix, len) || strlen(name + len) >= IFNAMSIZ)
		return false;
	snprintf(ret_interface, IFNAMSIZ, "%s", name + len);
	for (char *p = ret_interface; *p; p++)
		if (*p == ':')
			*p = '.';
	return true;
}

int hookpin_parse(enum hook_kind *ret_kind, char ret_interface[IFNAMSIZ], const char *name)
{
	for (enum hook_kind kind = 0; kind < HOOK_KINDS; kind++)
		if (parse(ret_interface, prefixes[kind], name)) {
			*ret_kind = kind;
			return 0;
		}
	return -ENOENT;
}

static bool is_clsact(enum hook_kind kind)
{
	return kind == HOOK_CLSACT_IN || kind == HOOK_CLSACT_OUT;
}

static int read_prog(int fd, struct hookpin_info *ret_info)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	*ret_info = (struct hookpin_info){ .id = info.id, .prog_id = info.id };
	return 0;
}

static int read_link(int fd, struct hookpin_info *ret_info)
{
	struct bpf_link_info info = { 0 };
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	/* The union's tcx member is newer than our headers; like xdp it starts with the ifindex. */
	*ret_info = (struct hookpin_info){ .id = info.id,
					   .prog_id = info.prog_id,
					   .ifindex = info.xdp.ifindex };
	return 0;
}

int hookpin_open(const char *path, enum hook_kind kind, struct hookpin_info *ret_info)
{
	CLEANUP(close_p) int fd = bpf_obj_get(path);
	int r;

	if (fd < 0)
		return -errno;
	r = is_clsact(kind) ? read_prog(fd, ret_info) : read_link(fd, ret_info);
	return r < 0 ? r : take_fd(fd);
}

static bool is_kept(const char *keep, const char *name, enum hook_kind kind, uint32_t id)
{
	CLEANUP(close_p) int fd = -1;
	struct hookpin_info info;
	char path[PATH_MAX];

	if (!keep || snprintf(path, sizeof(path), "%s/%s", keep, name) >= PATH_MAX)
		return false;
	fd = hookpin_open(path, kind, &info);
	return fd >= 0 && info.id == id;
}

static void discard_hook(const char *dir, const char *keep, const char *name)
{
	CLEANUP(close_p) int fd = -1;
	char path[PATH_MAX], interface[IFNAMSIZ];
	struct hookpin_info info;
	enum hook_kind kind;
	unsigned int ifindex;

	if (hookpin_parse(&kind, interface, name) < 0 ||
	    snprintf(path, sizeof(path), "%s/%s", dir, name) >= PATH_MAX)
		return;
	fd = hookpin_open(path, kind, &info);
	if (fd < 0 || is_kept(keep, name, kind, info.id))
		return;
	if (!is_clsact(kind)) {
		bpf_link_detach(fd);
		return;
	}
	ifindex = if_nametoindex(interface);
	if (ifindex && clsact_prog_id(ifindex, kind == HOOK_CLSACT_OUT) == info.prog_id)
		clsact_remove(ifindex, kind == HOOK_CLSACT_OUT);
}

static void discard_qdisc(const char *keep, const char *name)
{
	char path[PATH_MAX], interface[IFNAMSIZ];
	unsigned int ifindex;
	struct stat st;

	if (!parse(interface, qdisc_prefix, name))
		return;
	if (keep && snprintf(path, sizeof(path), "%s/%s", keep, name) < PATH_MAX &&
	    stat(path, &st) == 0)
		return;
	ifindex = if_nametoindex(interface);
	if (ifindex)
		clsact_remove_qdisc(ifindex);
}

void hookpin_discard(const char *dir, const char *keep)
{
	const struct dirent *entry;
	DIR *entries = opendir(dir);

	if (!entries)
		return;
	while ((entry = readdir(entries)))
		discard_hook(dir, keep, entry->d_name);
	/* The qdiscs last, when their filters are gone. */
	rewinddir(entries);
	while ((entry = readdir(entries)))
		discard_qdisc(keep, entry->d_name);
	closedir(entries);
}
