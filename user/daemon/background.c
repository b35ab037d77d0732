// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/err.h"

#define READY 'r'

/* Exit as the daemon does, or with success once it says that it is ready. */
static _Noreturn void wait_for_daemon(pid_t pid, int fd)
{
	int status;
	char byte;

	if (read(fd, &byte, sizeof(byte)) == sizeof(byte) && byte == READY)
		_exit(EXIT_SUCCESS);
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status))
		_exit(WEXITSTATUS(status));
	_exit(EXIT_FAILURE);
}

int background_start(int *ret_fd, struct err *err)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, -errno, "pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0) {
		int r = err_set(err, -errno, "fork: %s", strerror(errno));

		close(fds[0]);
		close(fds[1]);
		return r;
	}
	if (pid > 0) {
		close(fds[1]);
		wait_for_daemon(pid, fds[0]);
	}

	close(fds[0]);
	setsid();
	*ret_fd = fds[1];
	return 0;
}

void background_ready(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const char byte = READY;

	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		if (null > STDERR_FILENO)
			close(null);
	}
	/* A starter that is gone needs no answer. */
	if (write(fd, &byte, sizeof(byte)) < 0)
		(void)errno;
	close(fd);
}
