// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static _Thread_local struct order {
	bool armed, happened;
	int left, os_errno;
} orders[FAULT_KINDS];

void fault_after(enum fault_kind kind, int n, int os_errno)
{
	orders[kind] = (struct order){ .armed = true, .left = n, .os_errno = os_errno };
}

bool fault_clear(enum fault_kind kind)
{
	bool happened = orders[kind].happened;

	orders[kind] = (struct order){ 0 };
	return happened;
}

static bool fails(enum fault_kind kind)
{
	struct order *order = &orders[kind];

	if (!order->armed || order->left-- > 0)
		return false;
	order->armed = false;
	order->happened = true;
	errno = order->os_errno;
	return true;
}

/* The linker's names for --wrap. */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

void *__wrap_malloc(size_t size)
{
	return fails(FAULT_MEMORY) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails(FAULT_MEMORY) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails(FAULT_MEMORY) ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *text)
{
	return fails(FAULT_MEMORY) ? NULL : __real_strdup(text);
}

int __wrap_socket(int domain, int type, int protocol)
{
	return fails(FAULT_SOCKET) ? -1 : __real_socket(domain, type, protocol);
}

int __wrap_open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);

	return fails(FAULT_OPEN) ? -1 : __real_open(path, flags, mode);
}
