// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "dataplane/bpffs.h"
#include "dataplane/pins_copy.h"
#include "sluice/abi.h"
#include "util/err.h"
#include "util/number.h"

#define DIR_MODE 0700
#define LOCK_TRIES 16
/* v1/links/NAME is the deepest there is; one more for what a later layout may hold. */
#define TREE_DEPTH 4
#define LAYOUT_NAME_LEN 16

struct pins {
	char bpffs[PATH_MAX];
	char mounted[PATH_MAX];
	struct bpffs_made made;
	char layout[LAYOUT_NAME_LEN]; /* "v1" */
	char path[PATH_MAX]; /* BPFFS/v1 */
	char taken_over
		[LAYOUT_NAME_LEN]; /* what it was called before; "": the same, or it was not */
	bool made_layout;
	bool made_dir[PINS_DIRS];
	int fd; /* of the layout's directory; holds the lock */
};

static const char *const dir_names[PINS_DIRS][2] = {
	[PINS_MAPS] = { "maps", "maps:new" },
	[PINS_PROGS] = { "progs", "progs:new" },
	[PINS_LINKS] = { "links", "links:new" },
};

const char *pins_dir_name(enum pins_dir dir, bool staged)
{
	return dir_names[dir][staged];
}

const char *pins_layout_path(const struct pins *pins)
{
	return pins->path;
}

const char *pins_taken_over(const struct pins *pins)
{
	return pins->taken_over[0] ? pins->taken_over : NULL;
}

const char *pins_mounted(const struct pins *pins)
{
	return pins->mounted[0] ? pins->mounted : NULL;
}

bool pins_exist(const struct pins *pins)
{
	struct stat st;

	return pins->fd >= 0 && fstat(pins->fd, &st) == 0 && st.st_nlink > 0;
}

bool pins_locked(int dir_fd)
{
	if (flock(dir_fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK;
	flock(dir_fd, LOCK_UN);
	return false;
}

int pins_path(const struct pins *pins, char ret[PATH_MAX], enum pins_dir dir, bool staged,
	      const char *name)
{
	int len = snprintf(ret, PATH_MAX, "%s/%s%s%s", pins->path, dir_names[dir][staged],
			   *name ? "/" : "", name);

	return len < 0 || len >= PATH_MAX ? -ENAMETOOLONG : 0;
}

void pins_name(char *ret, size_t len, const char *name)
{
	snprintf(ret, len, "%s", name);
	for (char *p = ret; *p; p++)
		if (*p == '.')
			*p = ':';
}

/* Remove name below dir_fd with all that is in it. The depth bounds the recursion. */
static void remove_tree(int dir_fd, const char *name, int depth)
{
	const struct dirent *entry;
	DIR *dir;
	int fd;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT || depth == 0)
		return;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			remove_tree(fd, entry->d_name, depth - 1);
	closedir(dir);
	unlinkat(dir_fd, name, AT_REMOVEDIR);
}

static bool is_layout(const char *name)
{
	uint64_t version;

	return name[0] == 'v' && number_parse(&version, name + 1, 0, UINT32_MAX) == 0;
}

static int busy(const struct pins *pins, struct err *err)
{
	return err_set(err, errno == EWOULDBLOCK ? -EBUSY : -errno,
		       "another daemon is running with '%s' (gateway.bpffs); one pin "
		       "directory belongs to one daemon",
		       pins->bpffs);
}

/* The name of a directory of another layout; false: there is none. */
static bool find_other(const struct pins *pins, char ret_name[LAYOUT_NAME_LEN])
{
	DIR *dir = opendir(pins->bpffs);
	const struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir)))
		if (is_layout(entry->d_name) && strcmp(entry->d_name, pins->layout) != 0 &&
		    strlen(entry->d_name) < LAYOUT_NAME_LEN) {
			memcpy(ret_name, entry->d_name, strlen(entry->d_name) + 1);
			found = true;
		}
	if (dir)
		closedir(dir);
	return found;
}

/*
 * Where there is none of ours, that of another layout becomes it, unless its daemon runs. *ret_fd: the directory,
 * locked; else it stays as it is.
 */
static int take_over(int *ret_fd, struct pins *pins, int bpffs_fd, struct err *err)
{
	CLEANUP(close_p) int fd = -1;
	char name[LAYOUT_NAME_LEN];
	struct stat st;

	if (!find_other(pins, name))
		return 0;
	fd = openat(bpffs_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -EAGAIN
				       : err_set(err, -errno, "open '%s/%s': %s", pins->bpffs, name,
						 strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return busy(pins, err);
	if (fstatat(bpffs_fd, pins->layout, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (renameat2(bpffs_fd, name, bpffs_fd, pins->layout, RENAME_NOREPLACE) < 0)
		return errno == ENOENT || errno == EEXIST
			       ? -EAGAIN
			       : err_set(err, -errno, "rename '%s/%s': %s", pins->bpffs, name,
					 strerror(errno));
	memcpy(pins->taken_over, name, sizeof(name));
	*ret_fd = take_fd(fd);
	return 0;
}

/*
 * Open and lock the layout's directory. Between the two, `sluice detach --all` may have removed it;
 * then the lock is on a directory that nobody will find, and the next try makes a new one.
 */
static int lock_once(struct pins *pins, int bpffs_fd, struct err *err)
{
	CLEANUP(close_p) int fd = -1;
	int r;

	r = take_over(&pins->fd, pins, bpffs_fd, err);
	if (r < 0 || pins->fd >= 0)
		return r;
	if (mkdirat(bpffs_fd, pins->layout, DIR_MODE) == 0)
		pins->made_layout = true;
	else if (errno != EEXIST)
		return err_set(err, -errno, "make directory '%s': %s", pins->path, strerror(errno));
	fd = openat(bpffs_fd, pins->layout, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT
			       ? -EAGAIN
			       : err_set(err, -errno, "open '%s': %s", pins->path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return busy(pins, err);
	pins->fd = take_fd(fd);
	if (pins_exist(pins))
		return 0;
	close_p(&pins->fd);
	pins->fd = -1;
	return -EAGAIN;
}

static int lock(struct pins *pins, struct err *err)
{
	CLEANUP(close_p) int fd = open(pins->bpffs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = -EAGAIN;

	if (fd < 0)
		return err_set(err, -errno, "open '%s': %s", pins->bpffs, strerror(errno));
	for (int i = 0; i < LOCK_TRIES && r == -EAGAIN; i++)
		r = lock_once(pins, fd, err);
	if (r == -EAGAIN)
		return err_set(err, r, "'%s' keeps being removed", pins->path);
	return r;
}

static int make_dirs(struct pins *pins, struct err *err)
{
	for (enum pins_dir dir = 0; dir < PINS_DIRS; dir++) {
		if (mkdirat(pins->fd, pins_dir_name(dir, false), DIR_MODE) == 0)
			pins->made_dir[dir] = true;
		else if (errno != EEXIST)
			return err_set(err, -errno, "make directory '%s/%s': %s", pins->path,
				       pins_dir_name(dir, false), strerror(errno));
	}
	return 0;
}

int pins_open(struct pins **ret, const char *bpffs, struct err *err)
{
	CLEANUP(pins_close_p) struct pins *pins = calloc(1, sizeof(*pins));
	int r;

	if (!pins)
		return -ENOMEM;
	pins->fd = -1;
	snprintf(pins->bpffs, sizeof(pins->bpffs), "%s", bpffs);
	snprintf(pins->layout, sizeof(pins->layout), "v%d", SL_LAYOUT);
	if (snprintf(pins->path, sizeof(pins->path), "%s/%s", pins->bpffs, pins->layout) >=
	    PATH_MAX)
		return err_set(err, -ENAMETOOLONG, "gateway.bpffs: %s", strerror(ENAMETOOLONG));
	r = bpffs_ensure(&pins->made, pins->bpffs, err);
	if (r < 0)
		return r;
	memcpy(pins->mounted, pins->bpffs, pins->made.mounted);
	r = lock(pins, err);
	if (r >= 0)
		r = make_dirs(pins, err);
	if (r < 0) {
		pins_undo(pins);
		return r;
	}
	*ret = take_ptr(pins);
	return 0;
}

void pins_close(struct pins *pins)
{
	if (!pins)
		return;
	close_p(&pins->fd);
	free(pins);
}

bool pins_in_sight(const struct pins *pins)
{
	struct stat here, there;

	/* What cannot be told is no reason to do anything. */
	if (pins->fd < 0 || fstat(pins->fd, &here) < 0)
		return true;
	if (stat(pins->path, &there) < 0)
		return errno != ENOENT;
	return here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

int pins_renew(struct pins *pins, struct err *err)
{
	CLEANUP(pins_close_p) struct pins *fresh = NULL;
	char path[PATH_MAX];
	int r;

	r = pins_open(&fresh, pins->bpffs, err);
	for (enum pins_dir dir = 0; dir < PINS_DIRS && r >= 0; dir++) {
		r = pins_path(fresh, path, dir, false, "");
		if (r >= 0)
			r = pins_copy(pins->fd, pins_dir_name(dir, false), path, err);
	}
	/* Others may be looking at the descriptor: its number stays. */
	if (r >= 0 && dup3(fresh->fd, pins->fd, O_CLOEXEC) < 0)
		r = err_set(err, -errno, "'%s': %s", pins->path, strerror(errno));
	if (r < 0 && fresh) {
		for (enum pins_dir dir = 0; dir < PINS_DIRS; dir++)
			remove_tree(fresh->fd, pins_dir_name(dir, false), TREE_DEPTH);
		pins_undo(fresh);
	}
	return r < 0 ? r : 0;
}

/* Whoever is started next may be of that layout again. */
static void give_back(struct pins *pins)
{
	CLEANUP(close_p) int fd = -1;

	if (!pins->taken_over[0])
		return;
	fd = open(pins->bpffs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		renameat2(fd, pins->layout, fd, pins->taken_over, RENAME_NOREPLACE);
	pins->taken_over[0] = '\0';
}

void pins_undo(struct pins *pins)
{
	for (enum pins_dir dir = 0; dir < PINS_DIRS && pins->fd >= 0; dir++)
		if (pins->made_dir[dir])
			unlinkat(pins->fd, pins_dir_name(dir, false), AT_REMOVEDIR);
	if (pins->made_layout)
		rmdir(pins->path);
	give_back(pins);
	/* An open directory would keep its file system from being unmounted. */
	close_p(&pins->fd);
	pins->fd = -1;
	bpffs_undo(&pins->made, pins->bpffs);
}

void pins_remove(struct pins *pins)
{
	CLEANUP(close_p) int fd = open(pins->bpffs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || !pins_exist(pins))
		return;
	remove_tree(fd, pins->layout, TREE_DEPTH);
	if (pins_exist(pins))
		return;
	/* An open directory would keep its file system from being unmounted. */
	close_p(&pins->fd);
	pins->fd = -1;
	close_p(&fd);
	fd = -1;
	bpffs_remove(pins->bpffs);
}

int pins_stage(const struct pins *pins, enum pins_dir dir, struct err *err)
{
	pins_unstage(pins, dir);
	if (mkdirat(pins->fd, pins_dir_name(dir, true), DIR_MODE) < 0)
		return err_set(err, -errno, "make directory '%s/%s': %s", pins->path,
			       pins_dir_name(dir, true), strerror(errno));
	return 0;
}

int pins_exchange(const struct pins *pins, enum pins_dir dir, struct err *err)
{
	if (renameat2(pins->fd, pins_dir_name(dir, true), pins->fd, pins_dir_name(dir, false),
		      RENAME_EXCHANGE) < 0)
		return err_set(err, -errno, "put the new '%s/%s' in place: %s", pins->path,
			       pins_dir_name(dir, false), strerror(errno));
	return 0;
}

void pins_unstage(const struct pins *pins, enum pins_dir dir)
{
	remove_tree(pins->fd, pins_dir_name(dir, true), TREE_DEPTH);
}

/* keep: the name of one that stays; NULL: none does. */
static int remove_layouts(const char *bpffs, const char *keep, pins_layout_fn *fn, void *arg)
{
	const struct dirent *entry;
	char path[PATH_MAX];
	int n = 0;
	DIR *dir;

	dir = opendir(bpffs);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir))) {
		CLEANUP(close_p) int fd = -1;
		int len = snprintf(path, sizeof(path), "%s/%s", bpffs, entry->d_name);

		if (!is_layout(entry->d_name) || len >= PATH_MAX ||
		    (keep && !strcmp(entry->d_name, keep)))
			continue;
		fd = openat(dirfd(dir), entry->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		fn(fd, path, arg);
		remove_tree(dirfd(dir), entry->d_name, TREE_DEPTH);
		n++;
	}
	closedir(dir);
	return n;
}

int pins_remove_all(const char *bpffs, pins_layout_fn *fn, void *arg)
{
	int n;

	if (!bpffs_is(bpffs))
		return 0;
	n = remove_layouts(bpffs, NULL, fn, arg);
	if (n > 0)
		bpffs_remove(bpffs);
	return n;
}

void pins_remove_others(const struct pins *pins, pins_layout_fn *fn, void *arg)
{
	remove_layouts(pins->bpffs, pins->layout, fn, arg);
}
