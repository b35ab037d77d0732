/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpffs - make sure that a directory is on a BPF file system, and take that back.
 *
 * Where the directory is on none, one is mounted: on /sys/fs/bpf for everything below it, else on
 * the directory itself. Mounts that are ours alone have the source "sluice", so that they are
 * recognised later and nobody else's is ever unmounted.
 */
#ifndef SLUICE_DATAPLANE_BPFFS_H
#define SLUICE_DATAPLANE_BPFFS_H

#include <stdbool.h>
#include <stddef.h>

struct err;

/* What bpffs_ensure() made, as lengths of prefixes of the path; 0: nothing. */
struct bpffs_made {
	size_t mounted; /* a bpffs is mounted there by us */
	size_t first_dir; /* the shortest prefix that we made a directory of */
};

/* Whether path exists and is on a bpffs. */
bool bpffs_is(const char *path);

/*
 * Make path a directory on a bpffs. On failure nothing is left behind.
 *   -EINVAL  not an absolute path, or one with empty, "." or ".." parts
 *   -ENOTEMPTY  a mount there would hide files
 *   -EOPNOTSUPP  the kernel has no bpffs   other -errno from the kernel
 */
int bpffs_ensure(struct bpffs_made *ret_made, const char *path, struct err *err);

/*
 * Whether the mount under path is for us to make, or was made by us and is to be taken off with the
 * gate.
 */
bool bpffs_is_ours(const char *path);

/* Remove what bpffs_ensure() made; whatever is not empty stays. */
void bpffs_undo(const struct bpffs_made *made, const char *path);

/* Remove the empty directory path, and unmount the bpffs under it if it is one of ours. */
void bpffs_remove(const char *path);

#endif
