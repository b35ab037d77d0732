/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pins - the pin directory: who may write it, what is where in it, and how it changes at once.
 *
 *   BPFFS/v1/               locked with flock() while a daemon runs; v1: SL_LAYOUT of who was started last
 *   BPFFS/v1/maps/NAME      the maps of bpf/maps.h
 *   BPFFS/v1/progs/NAME     the programs in force
 *   BPFFS/v1/links/...      one pin per attachment, see hook.h
 *   BPFFS/v1/DIR:new/       what a daemon that is starting prepares
 *
 * A start fills the directories "DIR:new" and then exchanges each with DIR, which is atomic; what
 * was in force until then is afterwards in "DIR:new" and is taken apart there. bpffs allows no dot
 * in a name; pins_name() writes it as ':', which no interface name contains.
 *
 * A daemon of another layout takes the directory over, with all that is in force, by renaming it; so there is
 * one, whoever was there before.
 *
 * `sluice detach --all` does not ask for the lock: whoever wants the gate gone gets it gone.
 */
#ifndef SLUICE_DATAPLANE_PINS_H
#define SLUICE_DATAPLANE_PINS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/cleanup.h"

struct err;
struct pins;

enum pins_dir { PINS_MAPS, PINS_PROGS, PINS_LINKS, PINS_DIRS };

/*
 * Make (and mount) what is missing of the pin directory, lock it, and empty no directory: what a
 * starting daemon left behind when it was killed stays in "DIR:new" for the caller to look at.
 *   -EBUSY  somebody else holds the lock    other -errno from the kernel
 */
int pins_open(struct pins **ret, const char *bpffs, struct err *err);

/* Release the lock. NULL is fine. */
void pins_close(struct pins *pins);
DEFINE_CLEANUP(struct pins, pins_close)

/* Which directory pins_open() took over from a daemon of another layout ("v1"). NULL: none. */
const char *pins_taken_over(const struct pins *pins);

/* Whether pins_open() mounted a bpffs, and where. NULL: it was there. */
const char *pins_mounted(const struct pins *pins);

/* Whether the directory is still the one in force: false once somebody has removed it. */
bool pins_exist(const struct pins *pins);

/*
 * Whether others find it under its path: false once its file system was unmounted. What is pinned stays in force
 * for as long as it is open here, and nobody who comes later knows of it.
 */
bool pins_in_sight(const struct pins *pins);

/*
 * Make it anew under its path, with all that is pinned, and let go of the old one. As pins_open(); on failure it is
 * as it was.
 */
int pins_renew(struct pins *pins, struct err *err);

/* Remove whatever pins_open() made and is still empty; what it took over has its name again. */
void pins_undo(struct pins *pins);

/* Remove the pin directory and what it is in, as far as it is ours. */
void pins_remove(struct pins *pins);

/* "maps", or "maps:new" if staged. */
const char *pins_dir_name(enum pins_dir dir, bool staged);

/* "BPFFS/v1" */
const char *pins_layout_path(const struct pins *pins);

/* Full path of a pin: for the bpf system call, which takes no directory fd. -ENAMETOOLONG. */
int pins_path(const struct pins *pins, char ret[PATH_MAX], enum pins_dir dir, bool staged,
	      const char *name);

/* Make an empty "DIR:new"; whatever was in it is removed. */
int pins_stage(const struct pins *pins, enum pins_dir dir, struct err *err);

/* Exchange DIR and "DIR:new". */
int pins_exchange(const struct pins *pins, enum pins_dir dir, struct err *err);

/* Remove "DIR:new" with all that is in it. */
void pins_unstage(const struct pins *pins, enum pins_dir dir);

/* name with '.' replaced, cut to len bytes. */
void pins_name(char *ret, size_t len, const char *name);

/*
 * Call fn for the pin directory of every layout under bpffs ("v1", "v2", ...), then remove it.
 * Returns how many there were, or -errno.
 */
typedef void pins_layout_fn(int dir_fd, const char *path, void *arg);
int pins_remove_all(const char *bpffs, pins_layout_fn *fn, void *arg);

/* The same for those that are not ours: left there by who did not know of ours. */
void pins_remove_others(const struct pins *pins, pins_layout_fn *fn, void *arg);

/* Whether a daemon holds the lock of the pin directory that fd is. */
bool pins_locked(int dir_fd);

#endif
