// SPDX-License-Identifier: GPL-2.0-or-later
#include "l7/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define LOOK_MS 50 /* between looks whether to give up */

static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attr, const char *dir,
		   int out)
{
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	r = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						   POSIX_SPAWN_SETSID);
	if (!r)
		r = posix_spawnattr_setsigmask(attr, &none);
	if (!r)
		r = posix_spawnattr_setsigdefault(attr, &all);
	if (!r)
		r = posix_spawn_file_actions_addchdir_np(actions, dir);
	if (!r)
		r = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
	if (!r)
		r = posix_spawn_file_actions_adddup2(actions, out, 1);
	if (!r)
		r = posix_spawn_file_actions_adddup2(actions, out, 2);
	return r ? r : posix_spawn_file_actions_addclosefrom_np(actions, 3);
}

int spawn_start(pid_t *ret, const char *const argv[], const char *dir, int out)
{
	static const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
						   NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int r;

	r = posix_spawn_file_actions_init(&actions);
	if (r)
		return -r;
	r = posix_spawnattr_init(&attr);
	if (!r) {
		r = prepare(&actions, &attr, dir, out);
		/* The lists are of pointers to what is not written to. */
		if (!r)
			r = posix_spawn(ret, argv[0], &actions, &attr, (char **)(uintptr_t)argv,
					(char **)(uintptr_t)environment);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Until the end of what it says, which is also its own: nothing else has the pipe. */
static int read_all(int fd, uint64_t until_ms, const atomic_bool *gives_up, char *said, size_t size)
{
	size_t len = 0;

	for (;;) {
		struct pollfd pollfd = { .fd = fd, .events = POLLIN };
		uint64_t now_ms = clock_mono_ms();
		char spare[512];
		bool full = len + 1 >= size;
		ssize_t got;

		if (now_ms >= until_ms)
			return -ETIMEDOUT;
		if (gives_up && atomic_load(gives_up))
			return -ECANCELED;
		if (poll(&pollfd, 1, (int)MIN(until_ms - now_ms, LOOK_MS)) <= 0)
			continue;
		got = full ? read(fd, spare, sizeof(spare)) : read(fd, said + len, size - 1 - len);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			return 0;
		if (got > 0 && !full)
			len += (size_t)got;
		said[len] = '\0';
	}
}

int spawn_run(const char *const argv[], const char *dir, int timeout_ms,
	      const atomic_bool *gives_up, char *said, size_t size)
{
	int fds[2], status, r;
	pid_t pid;

	said[0] = '\0';
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	r = spawn_start(&pid, argv, dir, fds[1]);
	close(fds[1]);
	if (r < 0) {
		close(fds[0]);
		return r;
	}
	r = read_all(fds[0], clock_mono_ms() + (uint64_t)timeout_ms, gives_up, said, size);
	close(fds[0]);
	if (r < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (r < 0)
		return r;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
