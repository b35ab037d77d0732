// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "util/cleanup.h"
#include "util/err.h"

/* Who comes in is found out behind it: see door.h. */
#define SOCKET_MODE 0666
#define DIRECTORY_MODE 0755
#define BACKLOG 4096 /* whoever comes, comes to his turn; the host may allow less */

static int open_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

static int make_directory(const char *path, struct err *err)
{
	CLEANUP(free_p) char *directory = strdup(path);
	char *slash = directory ? strrchr(directory, '/') : NULL;

	if (!directory)
		return -ENOMEM;
	if (!slash || slash == directory)
		return 0;
	*slash = '\0';

	if (mkdir(directory, DIRECTORY_MODE) < 0)
		return errno == EEXIST ? 0
				       : err_set(err, -errno, "cannot make the directory '%s': %s",
						 directory, strerror(errno));
	/* The umask may have taken bits that the group needs to reach the socket. */
	if (chmod(directory, DIRECTORY_MODE) < 0)
		return err_set(err, -errno, "cannot open the directory '%s' to readers: %s",
			       directory, strerror(errno));
	return 0;
}

static int refuse_occupied(int fd, const char *path, struct err *err)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.pid <= 0)
		return err_set(err, -EADDRINUSE, "socket '%s': another process answers there",
			       path);
	return err_set(err, -EADDRINUSE, "socket '%s': process %d answers there", path,
		       (int)peer.pid);
}

/* Make room at the path: 0 when nothing is there, or nothing is any more. */
static int clear_path(const struct sockaddr_un *address, struct err *err)
{
	const char *path = address->sun_path;
	CLEANUP(close_p) int fd = -1;
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT
			       ? 0
			       : err_set(err, -errno, "socket '%s': %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, -EADDRINUSE, "'%s' exists and is not a socket", path);

	fd = open_socket();
	if (fd < 0)
		return err_set(err, fd, "socket '%s': %s", path, strerror(-fd));
	/* EAGAIN: somebody listens there and is too busy to accept. */
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		return refuse_occupied(fd, path, err);
	if (errno == ENOENT)
		return 0;
	if (errno != ECONNREFUSED)
		return err_set(err, -errno, "socket '%s': %s", path, strerror(errno));
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(err, -errno, "cannot remove the stale socket '%s': %s", path,
			       strerror(errno));
	return 0;
}

static int bind_socket(int fd, const struct sockaddr_un *address, struct socket_file *ret_file,
		       struct err *err)
{
	const char *path = address->sun_path;
	struct stat st;

	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return err_set(err, -errno, "socket '%s': cannot bind: %s", path, strerror(errno));
	if (lstat(path, &st) < 0)
		return err_set(err, -errno, "socket '%s': %s", path, strerror(errno));

	ret_file->device = st.st_dev;
	ret_file->inode = st.st_ino;
	memcpy(ret_file->path, path, sizeof(ret_file->path));
	return 0;
}

int socket_listen(struct socket_file *ret_file, const char *path, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct socket_file file = { 0 };
	CLEANUP(close_p) int fd = -1;
	int r;

	if (!*path || strlen(path) >= sizeof(address.sun_path))
		return err_set(err, -ENAMETOOLONG,
			       "socket '%s': a socket's path has 1 to %zu bytes", path,
			       sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);

	r = make_directory(path, err);
	if (r < 0)
		return r;
	r = clear_path(&address, err);
	if (r < 0)
		return r;
	fd = open_socket();
	if (fd < 0)
		return err_set(err, fd, "socket '%s': %s", path, strerror(-fd));
	r = bind_socket(fd, &address, &file, err);
	if (r < 0)
		return r;
	/* The umask may have taken bits. */
	if (chmod(path, SOCKET_MODE) < 0)
		r = err_set(err, -errno, "socket '%s': cannot set its mode: %s", path,
			    strerror(errno));
	else if (listen(fd, BACKLOG) < 0)
		r = err_set(err, -errno, "socket '%s': cannot listen: %s", path, strerror(errno));
	if (r < 0) {
		socket_remove(&file);
		return r;
	}

	*ret_file = file;
	return take_fd(fd);
}

void socket_remove(const struct socket_file *file)
{
	struct stat st;

	if (lstat(file->path, &st) == 0 && st.st_dev == file->device && st.st_ino == file->inode)
		unlink(file->path);
}
