/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * socket - the Unix socket that the API listens on, as a file: made, replaced when stale, removed.
 */
#ifndef SLUICE_CONTROL_SOCKET_H
#define SLUICE_CONTROL_SOCKET_H

#include <sys/stat.h>
#include <sys/un.h>

struct err;

/* Which file is ours: somebody else's socket at the same path is left alone. */
struct socket_file {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	dev_t device;
	ino_t inode;
};

/*
 * Listen on path, which anybody may connect to (mode 0666): two groups and more are more than a mode can tell apart,
 * and whoever is refused is to be heard of. A missing directory is made (the
 * last component only). A socket that nobody answers on is replaced. Returns the descriptor or
 *   -EADDRINUSE    a process answers there (err names it), or the path is not a socket
 *   -ENAMETOOLONG  -errno of what the kernel refused
 */
int socket_listen(struct socket_file *ret_file, const char *path, struct err *err);

/* Remove the file if it is still ours. Call it while the socket is open: see api_stop(). */
void socket_remove(const struct socket_file *file);

#endif
