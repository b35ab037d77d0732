// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/hooks.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "dataplane/clsact.h"
#include "dataplane/hookpin.h"
#include "dataplane/pins.h"
#include "dataplane/progpin.h"
#include "dataplane/tcx.h"
#include "dataplane/xdp.h"
#include "util/err.h"

/* Per interface at most: both directions, a detached XDP link and the gate that stands in for it. */
#define CHANGES_MAX (LIMIT_INTERFACES * 6)

enum change_what {
	CHANGE_ATTACHED,
	CHANGE_UPDATED,
	CHANGE_DETACHED, /* an XDP link, to make room for another mode */
	CHANGE_BRIDGED /* an unpinned link that gates for the length of the transaction */
};

/* One step, with what it takes to take it back. */
struct change {
	enum change_what what;
	struct hook hook;
	int fd; /* the link; clsact: none */
	int old_prog_fd; /* what was in place; -1: nothing */
	bool made_qdisc;
};

struct hooks {
	const struct pins *pins;
	uint32_t n;
	struct change changes[CHANGES_MAX];
};

int hooks_begin(struct hooks **ret, const struct pins *pins, struct err *err)
{
	CLEANUP(hooks_free_p) struct hooks *hooks = calloc(1, sizeof(*hooks));
	char old[PATH_MAX], now[PATH_MAX];
	int r;

	if (!hooks)
		return -ENOMEM;
	hooks->pins = pins;
	/* A daemon that was killed while starting may have left hooks that nobody knows of. */
	r = pins_path(pins, old, PINS_LINKS, true, "");
	if (r < 0)
		return err_set(err, r, "gateway.bpffs: %s", strerror(-r));
	r = pins_path(pins, now, PINS_LINKS, false, "");
	if (r < 0)
		return err_set(err, r, "gateway.bpffs: %s", strerror(-r));
	hookpin_discard(old, now);
	r = pins_stage(pins, PINS_LINKS, err);
	if (r < 0)
		return r;

	*ret = take_ptr(hooks);
	return 0;
}

void hooks_free(struct hooks *hooks)
{
	if (!hooks)
		return;
	for (uint32_t i = 0; i < hooks->n; i++) {
		close_p(&hooks->changes[i].fd);
		close_p(&hooks->changes[i].old_prog_fd);
	}
	free(hooks);
}

static int pin_path(const struct hooks *hooks, char ret[PATH_MAX], enum hook_kind kind,
		    const struct nic *nic, bool staged)
{
	char name[HOOKPIN_NAME_LEN];

	hookpin_name(name, kind, nic->name);
	return pins_path(hooks->pins, ret, PINS_LINKS, staged, name);
}

static bool is_clsact(enum hook_kind kind)
{
	return kind == HOOK_CLSACT_IN || kind == HOOK_CLSACT_OUT;
}

static bool is_egress(enum hook_kind kind)
{
	return kind == HOOK_TCX_OUT || kind == HOOK_CLSACT_OUT;
}

/*
 * Whether this device runs the program, in this hook. An ifindex alone does not tell: the pin may
 * be from another network namespace, where the number means another device.
 */
static bool runs(enum hook_kind kind, const struct nic *nic, uint32_t prog_id)
{
	struct xdp_state state;

	if (!prog_id)
		return false;
	if (is_clsact(kind))
		return clsact_prog_id(nic->ifindex, is_egress(kind)) == prog_id;
	if (kind == HOOK_XDP)
		return xdp_query(&state, nic) == 0 && xdp_mode_of(&state, prog_id) != ATTACH_NONE;
	return tcx_runs(nic, is_egress(kind), prog_id);
}

/* Open our pinned hook if it is in force on this device. The fd, or -errno. */
static int held_open(const struct hooks *hooks, enum hook_kind kind, const struct nic *nic,
		     uint32_t *ret_prog_id)
{
	CLEANUP(close_p) int fd = -1;
	struct hookpin_info info;
	char path[PATH_MAX];

	if (pin_path(hooks, path, kind, nic, false) < 0)
		return -ENOENT;
	fd = hookpin_open(path, kind, &info);
	if (fd < 0 || (!is_clsact(kind) && info.ifindex != nic->ifindex) ||
	    !runs(kind, nic, info.prog_id))
		return -ENOENT;
	*ret_prog_id = info.prog_id;
	return take_fd(fd);
}

uint32_t hooks_held_prog(const struct hooks *hooks, enum hook_kind kind, const struct nic *nic)
{
	uint32_t prog_id = 0;
	CLEANUP(close_p) int fd = held_open(hooks, kind, nic, &prog_id);

	return fd < 0 ? 0 : prog_id;
}

static struct change *record(struct hooks *hooks, enum change_what what, const struct hook *hook)
{
	struct change *change = &hooks->changes[hooks->n++];

	*change = (struct change){ .what = what, .hook = *hook, .fd = -1, .old_prog_fd = -1 };
	return change;
}

static int link_create(const struct hook *hook)
{
	if (hook->kind == HOOK_XDP)
		return xdp_link(hook->prog_fd, &hook->nic, hook->mode);
	return tcx_link(hook->prog_fd, &hook->nic, is_egress(hook->kind));
}

static int pin(const struct hooks *hooks, const struct hook *hook, int fd, bool staged)
{
	char path[PATH_MAX];
	int r;

	r = pin_path(hooks, path, hook->kind, &hook->nic, staged);
	if (r < 0)
		return r;
	return bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

/* --- taking back ----------------------------------------------------------------------------- */

static void take_back_clsact(const struct change *change)
{
	unsigned int ifindex = change->hook.nic.ifindex;

	if (change->what == CHANGE_UPDATED)
		clsact_put(ifindex, is_egress(change->hook.kind), change->old_prog_fd);
	else
		clsact_remove(ifindex, is_egress(change->hook.kind));
	if (change->made_qdisc)
		clsact_remove_qdisc(ifindex);
}

/* The pin of a link that was detached holds a corpse; the revived link takes its place. */
static void revive(const struct hooks *hooks, const struct change *change)
{
	struct hook old = change->hook;
	CLEANUP(close_p) int fd = -1;
	char path[PATH_MAX];

	old.prog_fd = change->old_prog_fd;
	fd = link_create(&old);
	if (fd < 0 || pin_path(hooks, path, old.kind, &old.nic, false) < 0)
		return;
	unlink(path);
	bpf_obj_pin(fd, path);
}

/* Undo the newest change and forget it. */
static void take_back(struct hooks *hooks)
{
	struct change *change = &hooks->changes[--hooks->n];
	char path[PATH_MAX];

	if (is_clsact(change->hook.kind))
		take_back_clsact(change);
	else if (change->what == CHANGE_UPDATED && change->old_prog_fd >= 0)
		bpf_link_update(change->fd, change->old_prog_fd, NULL);
	else if (change->what == CHANGE_DETACHED)
		revive(hooks, change);
	else if (change->what != CHANGE_UPDATED)
		bpf_link_detach(change->fd);
	close_p(&change->fd);
	close_p(&change->old_prog_fd);
	if (pin_path(hooks, path, change->hook.kind, &change->hook.nic, true) == 0)
		unlink(path);
}

/* --- links ----------------------------------------------------------------------------------- */

static int link_attach(struct hooks *hooks, const struct hook *hook)
{
	int fd = link_create(hook), r;

	if (fd < 0)
		return fd;
	record(hooks, CHANGE_ATTACHED, hook)->fd = fd;
	r = pin(hooks, hook, fd, true);
	if (r < 0)
		take_back(hooks);
	return r;
}

/*
 * What takes a change back. Of a daemon that was killed while it started, links have programs that
 * nobody has pinned: those are left as they become, rather than refused for ever.
 */
static int old_prog_open(const struct hooks *hooks, uint32_t prog_id)
{
	int fd = progpin_open(hooks->pins, prog_id);

	return fd == -ENOENT ? bpf_prog_get_fd_by_id(prog_id) : fd;
}

/* -ENOLINK: the device is gone, and the link with it. */
static int link_update(struct hooks *hooks, const struct hook *hook, int *link_fd,
		       uint32_t old_prog_id)
{
	CLEANUP(close_p) int old_prog_fd = old_prog_open(hooks, old_prog_id);
	struct change *change;
	int r;

	if (bpf_link_update(*link_fd, hook->prog_fd, NULL) < 0)
		return -errno;
	change = record(hooks, CHANGE_UPDATED, hook);
	change->fd = take_fd(*link_fd);
	change->old_prog_fd = take_fd(old_prog_fd);
	r = pin(hooks, hook, change->fd, true);
	if (r < 0)
		take_back(hooks);
	return r;
}

/*
 * Native and generic XDP exclude each other, so a change between them has a moment without XDP. A
 * tcx program gates meanwhile; on kernels without tcx the moment is some milliseconds long.
 */
static int xdp_make_room(struct hooks *hooks, const struct hook *hook, int *link_fd,
			 uint32_t old_prog_id, enum attach_mode old_mode)
{
	CLEANUP(close_p) int old_prog_fd = old_prog_open(hooks, old_prog_id);
	struct hook bridge = { .kind = HOOK_TCX_IN, .nic = hook->nic };
	struct change *change;
	int fd;

	if (old_prog_fd < 0)
		return old_prog_fd;
	fd = tcx_link(hook->bridge_fd, &hook->nic, false);
	if (fd >= 0)
		record(hooks, CHANGE_BRIDGED, &bridge)->fd = fd;
	if (bpf_link_detach(*link_fd) < 0)
		return -errno;
	change = record(hooks, CHANGE_DETACHED, hook);
	change->hook.mode = old_mode;
	change->fd = take_fd(*link_fd);
	change->old_prog_fd = take_fd(old_prog_fd);
	return 0;
}

static int link_put(struct hooks *hooks, const struct hook *hook, bool *ret_adopted)
{
	uint32_t old_prog_id = 0;
	CLEANUP(close_p) int fd = held_open(hooks, hook->kind, &hook->nic, &old_prog_id);
	enum attach_mode old_mode = hook->mode;
	struct xdp_state state;
	int r;

	if (fd >= 0 && hook->kind == HOOK_XDP && xdp_query(&state, &hook->nic) == 0)
		old_mode = xdp_mode_of(&state, old_prog_id);
	if (fd >= 0 && old_mode == hook->mode) {
		r = link_update(hooks, hook, &fd, old_prog_id);
		if (r != -ENOLINK) {
			*ret_adopted = r == 0;
			return r;
		}
	} else if (fd >= 0) {
		r = xdp_make_room(hooks, hook, &fd, old_prog_id, old_mode);
		if (r < 0)
			return r;
	}
	*ret_adopted = false;
	return link_attach(hooks, hook);
}

/* --- clsact ---------------------------------------------------------------------------------- */

/* Remember in "links:new" that the qdisc is ours: made now, or by an earlier start. */
static int mark_qdisc(const struct hooks *hooks, const struct nic *nic, bool made)
{
	char old[PATH_MAX], new[PATH_MAX], name[HOOKPIN_NAME_LEN];
	struct stat st;
	int r;

	hookpin_qdisc_name(name, nic->name);
	r = pins_path(hooks->pins, old, PINS_LINKS, false, name);
	if (r < 0)
		return r;
	r = pins_path(hooks->pins, new, PINS_LINKS, true, name);
	if (r < 0)
		return r;
	if (!made && stat(old, &st) < 0)
		return 0;
	return mkdir(new, HOOKPIN_DIR_MODE) < 0 && errno != EEXIST ? -errno : 0;
}

static int clsact_hook_put(struct hooks *hooks, const struct hook *hook, bool *ret_adopted)
{
	unsigned int ifindex = hook->nic.ifindex;
	bool egress = is_egress(hook->kind), made_qdisc;
	uint32_t old_prog_id = 0, there = clsact_prog_id(ifindex, egress);
	CLEANUP(close_p) int held = held_open(hooks, hook->kind, &hook->nic, &old_prog_id);
	struct change *change;
	int r;

	if (there && held < 0)
		return -EBUSY;
	r = clsact_make_qdisc(ifindex, &made_qdisc);
	if (r < 0)
		return r;
	change = record(hooks, held < 0 ? CHANGE_ATTACHED : CHANGE_UPDATED, hook);
	change->made_qdisc = made_qdisc;
	change->old_prog_fd = take_fd(held);
	*ret_adopted = change->what == CHANGE_UPDATED;
	r = mark_qdisc(hooks, &hook->nic, made_qdisc);
	if (r >= 0)
		r = clsact_put(ifindex, egress, hook->prog_fd);
	if (r >= 0)
		r = pin(hooks, hook, hook->prog_fd, true);
	if (r < 0)
		take_back(hooks);
	return r;
}

/* --- the transaction ------------------------------------------------------------------------- */

int hooks_put(struct hooks *hooks, const struct hook *hook, bool *ret_adopted)
{
	/* A hook takes three changes at most. */
	if (hooks->n + 3 > CHANGES_MAX)
		return -ENOSPC;
	return is_clsact(hook->kind) ? clsact_hook_put(hooks, hook, ret_adopted)
				     : link_put(hooks, hook, ret_adopted);
}

uint32_t hooks_changes(const struct hooks *hooks)
{
	return hooks->n;
}

void hooks_take_back(struct hooks *hooks, uint32_t changes)
{
	while (hooks->n > changes)
		take_back(hooks);
}

void hooks_rollback(struct hooks *hooks)
{
	hooks_take_back(hooks, 0);
	pins_unstage(hooks->pins, PINS_LINKS);
}

void hooks_settle(struct hooks *hooks)
{
	char old[PATH_MAX], now[PATH_MAX];

	for (uint32_t i = 0; i < hooks->n; i++)
		if (hooks->changes[i].what == CHANGE_BRIDGED)
			bpf_link_detach(hooks->changes[i].fd);
	if (pins_path(hooks->pins, old, PINS_LINKS, true, "") == 0 &&
	    pins_path(hooks->pins, now, PINS_LINKS, false, "") == 0)
		hookpin_discard(old, now);
	pins_unstage(hooks->pins, PINS_LINKS);
}

void hooks_detach_all(const char *layout_path)
{
	char path[PATH_MAX];

	for (int staged = 0; staged <= 1; staged++)
		if (snprintf(path, sizeof(path), "%s/%s", layout_path,
			     pins_dir_name(PINS_LINKS, staged)) < PATH_MAX)
			hookpin_discard(path, NULL);
}
