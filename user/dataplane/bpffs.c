// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/bpffs.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "util/cleanup.h"
#include "util/err.h"

#define USUAL_MOUNT "/sys/fs/bpf"
#define OUR_SOURCE "sluice"
#define MOUNT_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME)
#define DIR_MODE 0755

bool bpffs_is(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

/* Prefixes are compared and cut as text, so the text must have one meaning only. */
static bool is_clean(const char *path)
{
	size_t len = strlen(path);

	return path[0] == '/' && len > 1 && len < PATH_MAX && path[len - 1] != '/' &&
	       !strstr(path, "//") && !strstr(path, "/./") && !strstr(path, "/../") &&
	       !(len >= 2 && !strcmp(path + len - 2, "/.")) &&
	       !(len >= 3 && !strcmp(path + len - 3, "/.."));
}

static void copy_prefix(char ret[PATH_MAX], const char *path, size_t len)
{
	memcpy(ret, path, len);
	ret[len] = '\0';
}

/* Length of the prefix of path that ends before its last '/', or 0 for the root. */
static size_t parent_length(const char *path, size_t len)
{
	while (len && path[len - 1] != '/')
		len--;
	return len ? len - 1 : 0;
}

static size_t existing_length(const char *path)
{
	char prefix[PATH_MAX];
	struct stat st;

	for (size_t len = strlen(path); len; len = parent_length(path, len)) {
		copy_prefix(prefix, path, len);
		if (stat(prefix, &st) == 0)
			return len;
	}
	return 0;
}

/* Make all directories of path up to length to; from is the length of the part that exists. */
static int make_dirs(struct bpffs_made *made, const char *path, size_t from, size_t to,
		     struct err *err)
{
	char prefix[PATH_MAX];

	while (from < to) {
		const char *slash = memchr(path + from + 1, '/', to - from - 1);

		from = slash ? (size_t)(slash - path) : to;
		copy_prefix(prefix, path, from);
		if (mkdir(prefix, DIR_MODE) < 0)
			return err_set(err, -errno, "make directory '%s': %s", prefix,
				       strerror(errno));
		if (!made->first_dir)
			made->first_dir = from;
	}
	return 0;
}

/*
 * The kernel puts files of its own into every bpffs ("maps.debug"). They are known by their dots,
 * which nobody else's names can have there.
 */
static bool is_kernels_own(const char *name, bool on_bpffs)
{
	return !strcmp(name, ".") || !strcmp(name, "..") || (on_bpffs && strchr(name, '.'));
}

static bool is_empty_dir(const char *path)
{
	const struct dirent *entry;
	bool on_bpffs = bpffs_is(path);
	int n = 0;
	DIR *dir = opendir(path);

	if (!dir)
		return false;
	while ((entry = readdir(dir)))
		n += !is_kernels_own(entry->d_name, on_bpffs);
	closedir(dir);
	return n == 0;
}

/* Where a bpffs for path belongs, as a prefix of path. */
static size_t mount_length(const char *path)
{
	size_t usual = strlen(USUAL_MOUNT);

	if (!strncmp(path, USUAL_MOUNT, usual) && (!path[usual] || path[usual] == '/'))
		return usual;
	return strlen(path);
}

static int mount_bpffs(struct bpffs_made *made, const char *path, size_t len, struct err *err)
{
	bool usual = len == strlen(USUAL_MOUNT) && !strncmp(path, USUAL_MOUNT, len);
	char target[PATH_MAX];

	copy_prefix(target, path, len);
	if (!is_empty_dir(target))
		return err_set(err, -ENOTEMPTY,
			       "'%s' (gateway.bpffs) is no empty directory, so no BPF file system "
			       "can be mounted on it",
			       target);
	if (mount(usual ? "bpf" : OUR_SOURCE, target, "bpf", MOUNT_FLAGS, "mode=0700") < 0)
		return err_set(err, errno == ENODEV ? -EOPNOTSUPP : -errno,
			       "mount a BPF file system on '%s': %s", target, strerror(errno));
	made->mounted = len;
	return 0;
}

static int ensure(struct bpffs_made *made, const char *path, struct err *err)
{
	size_t len = strlen(path), existing = existing_length(path), at;
	char prefix[PATH_MAX];
	int r;

	copy_prefix(prefix, path, existing);
	if (bpffs_is(prefix))
		return make_dirs(made, path, existing, len, err);

	at = mount_length(path);
	if (existing < at) {
		r = make_dirs(made, path, existing, at, err);
		if (r < 0)
			return r;
	}
	r = mount_bpffs(made, path, at, err);
	if (r < 0)
		return r;
	return make_dirs(made, path, at, len, err);
}

int bpffs_ensure(struct bpffs_made *ret_made, const char *path, struct err *err)
{
	struct bpffs_made made = { 0 };
	int r;

	if (!is_clean(path))
		return err_set(err, -EINVAL,
			       "gateway.bpffs '%s': must be an absolute path without empty, '.' or "
			       "'..' parts",
			       path);
	r = ensure(&made, path, err);
	if (r < 0) {
		bpffs_undo(&made, path);
		return r;
	}
	*ret_made = made;
	return 0;
}

/* Remove empty directories of path from its whole length down to length until. */
static void remove_dirs(const char *path, size_t from, size_t until)
{
	char prefix[PATH_MAX];

	for (size_t len = from; len && len >= until; len = parent_length(path, len)) {
		copy_prefix(prefix, path, len);
		if (rmdir(prefix) < 0 && errno != ENOENT)
			return;
	}
}

void bpffs_undo(const struct bpffs_made *made, const char *path)
{
	char target[PATH_MAX];

	if (made->mounted) {
		/* Directories on the bpffs go with it. */
		copy_prefix(target, path, made->mounted);
		remove_dirs(path, strlen(path), made->mounted + 1);
		if (umount(target) < 0)
			return;
	}
	if (made->first_dir)
		remove_dirs(path, made->mounted ? made->mounted : strlen(path), made->first_dir);
}

static bool is_our_mount(const char *path)
{
	const struct mntent *entry;
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	bool ours = false;

	if (!mounts)
		return false;
	while ((entry = getmntent(mounts)))
		if (!strcmp(entry->mnt_dir, path))
			ours = !strcmp(entry->mnt_type, "bpf") &&
			       !strcmp(entry->mnt_fsname, OUR_SOURCE);
	endmntent(mounts);
	return ours;
}

bool bpffs_is_ours(const char *path)
{
	char prefix[PATH_MAX];

	if (!is_clean(path))
		return false;
	copy_prefix(prefix, path, existing_length(path));
	return !bpffs_is(prefix) || is_our_mount(path);
}

void bpffs_remove(const char *path)
{
	if (is_our_mount(path)) {
		if (!is_empty_dir(path))
			return;
		/* Lazily: a daemon that is still running has its directory open. */
		if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
			return;
	}
	/* A mount point that is somebody else's, or a directory with something in it, stays. */
	rmdir(path);
}
