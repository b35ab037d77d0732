// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * killer - ends its process, as SIGKILL does, right before the Nth of the calls by which something of it outlives it:
 * to the kernel's BPF half, to files, to sockets. KILLER names a file of two numbers of 64 bits, which may change at any
 * time: the calls that are left (0: it is not to end), and all calls so far.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct counts {
	atomic_int_fast64_t left;
	atomic_int_fast64_t seen;
};

static struct counts *counts;

static __attribute__((constructor)) void open_counts(void)
{
	const char *path = getenv("KILLER");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *shared;

	if (fd < 0)
		return;
	shared = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (shared != MAP_FAILED)
		counts = shared;
}

static void count(void)
{
	if (!counts)
		return;
	atomic_fetch_add(&counts->seen, 1);
	if (atomic_load(&counts->left) > 0 && atomic_fetch_sub(&counts->left, 1) == 1)
		kill(getpid(), SIGKILL);
}

/* The rest of a function that counts and then does what the C library's does. */
#define COUNTED(type, name, params, args)                          \
	type name params;                                          \
	type name params                                           \
	{                                                          \
		static type(*real) params;                         \
                                                                   \
		if (!real)                                         \
			*(void **)&real = dlsym(RTLD_NEXT, #name); \
		count();                                           \
		return real args;                                  \
	}

COUNTED(ssize_t, write, (int fd, const void *buf, size_t n), (fd, buf, n))
COUNTED(ssize_t, pwrite, (int fd, const void *buf, size_t n, off_t at), (fd, buf, n, at))
COUNTED(ssize_t, pwrite64, (int fd, const void *buf, size_t n, off64_t at), (fd, buf, n, at))
COUNTED(int, fsync, (int fd), (fd))
COUNTED(int, fdatasync, (int fd), (fd))
COUNTED(int, ftruncate, (int fd, off_t length), (fd, length))
COUNTED(int, ftruncate64, (int fd, off64_t length), (fd, length))
COUNTED(int, unlink, (const char *path), (path))
COUNTED(int, rename, (const char *from, const char *to), (from, to))
COUNTED(int, mkdir, (const char *path, mode_t mode), (path, mode))
COUNTED(ssize_t, send, (int fd, const void *buf, size_t n, int flags), (fd, buf, n, flags))
COUNTED(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))

/* libbpf's way into the kernel. */
long syscall(long number, ...)
{
	static long (*real)(long number, ...);
	va_list rest;
	long a[6];

	va_start(rest, number);
	for (size_t i = 0; i < 6; i++)
		a[i] = va_arg(rest, long);
	va_end(rest);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	if (number == SYS_bpf)
		count();
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
