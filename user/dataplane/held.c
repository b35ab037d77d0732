// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/held.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/clsact.h"
#include "dataplane/hookpin.h"
#include "dataplane/pins.h"

static int pin_path(char ret[PATH_MAX], const struct pins *pins, enum hook_kind kind,
		    const char *interface, bool staged)
{
	char name[HOOKPIN_NAME_LEN];

	hookpin_name(name, kind, interface);
	return pins_path(pins, ret, PINS_LINKS, staged, name);
}

static bool exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

bool held_any(const struct pins *pins, const char *interface)
{
	char path[PATH_MAX];

	for (enum hook_kind kind = 0; kind < HOOK_KINDS; kind++)
		if (pin_path(path, pins, kind, interface, false) == 0 && exists(path))
			return true;
	return false;
}

/* --- in force --------------------------------------------------------------------------------- */

static bool is_clsact(enum hook_kind kind)
{
	return kind == HOOK_CLSACT_IN || kind == HOOK_CLSACT_OUT;
}

static bool runs(const struct pins *pins, const struct attachment *attachment, enum hook_kind kind)
{
	CLEANUP(close_p) int fd = -1;
	struct hookpin_info info;
	char path[PATH_MAX];

	if (pin_path(path, pins, kind, attachment->interface, false) < 0)
		return false;
	fd = hookpin_open(path, kind, &info);
	if (fd < 0)
		return false;
	if (is_clsact(kind))
		return clsact_prog_id(attachment->ifindex, kind == HOOK_CLSACT_OUT) == info.prog_id;
	return info.ifindex == attachment->ifindex;
}

static enum hook_kind ingress_of(enum attach_mode mode)
{
	if (mode == ATTACH_TCX)
		return HOOK_TCX_IN;
	return mode == ATTACH_CLSACT ? HOOK_CLSACT_IN : HOOK_XDP;
}

bool held_in_force(const struct pins *pins, const struct attachment *attachment)
{
	if (!runs(pins, attachment, ingress_of(attachment->ingress)))
		return false;
	return attachment->egress == ATTACH_NONE ||
	       runs(pins, attachment,
		    attachment->egress == ATTACH_TCX ? HOOK_TCX_OUT : HOOK_CLSACT_OUT);
}

/* --- keeping ---------------------------------------------------------------------------------- */

static int keep(const struct pins *pins, enum hook_kind kind, const char *interface)
{
	char old[PATH_MAX], new[PATH_MAX];
	CLEANUP(close_p) int fd = -1;
	int r;

	r = pin_path(old, pins, kind, interface, false);
	if (r == 0)
		r = pin_path(new, pins, kind, interface, true);
	if (r < 0)
		return r;
	fd = bpf_obj_get(old);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return bpf_obj_pin(fd, new) < 0 && errno != EEXIST ? -errno : 0;
}

static int qdisc_path(char ret[PATH_MAX], const struct pins *pins, const char *interface,
		      bool staged)
{
	char name[HOOKPIN_NAME_LEN];

	hookpin_qdisc_name(name, interface);
	return pins_path(pins, ret, PINS_LINKS, staged, name);
}

static int keep_qdisc(const struct pins *pins, const char *interface)
{
	char old[PATH_MAX], new[PATH_MAX];
	int r;

	r = qdisc_path(old, pins, interface, false);
	if (r == 0)
		r = qdisc_path(new, pins, interface, true);
	if (r < 0 || !exists(old))
		return r;
	return mkdir(new, HOOKPIN_DIR_MODE) < 0 && errno != EEXIST ? -errno : 0;
}

int held_keep(const struct pins *pins, const char *interface)
{
	for (enum hook_kind kind = 0; kind < HOOK_KINDS; kind++) {
		int r = keep(pins, kind, interface);

		if (r < 0)
			return r;
	}
	return keep_qdisc(pins, interface);
}

/* --- letting go ------------------------------------------------------------------------------- */

static void release(const struct pins *pins, const struct attachment *attachment,
		    enum hook_kind kind)
{
	CLEANUP(close_p) int fd = -1;
	struct hookpin_info info;
	char path[PATH_MAX];
	bool egress = kind == HOOK_CLSACT_OUT;

	if (pin_path(path, pins, kind, attachment->interface, false) < 0)
		return;
	fd = hookpin_open(path, kind, &info);
	if (fd < 0)
		return;
	if (!is_clsact(kind))
		bpf_link_detach(fd);
	else if (clsact_prog_id(attachment->ifindex, egress) == info.prog_id)
		clsact_remove(attachment->ifindex, egress);
}

void held_release(const struct pins *pins, const struct attachment *attachment)
{
	char path[PATH_MAX];

	for (enum hook_kind kind = 0; kind < HOOK_KINDS; kind++)
		release(pins, attachment, kind);
	if (qdisc_path(path, pins, attachment->interface, false) == 0 && exists(path))
		clsact_remove_qdisc(attachment->ifindex);
}
