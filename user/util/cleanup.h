/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cleanup - ownership that can be checked by reading one function.
 *
 * A local that owns something is declared with CLEANUP(fn_p) and initialised in the same line;
 * handing it on is always take_ptr() or take_fd(). DEFINE_CLEANUP(type, fn) makes fn_p from a
 * destructor that accepts NULL.
 */
#ifndef SLUICE_UTIL_CLEANUP_H
#define SLUICE_UTIL_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define DEFINE_CLEANUP(type, fn)                                    \
	static inline __attribute__((unused)) void fn##_p(type **p) \
	{                                                           \
		if (*p)                                             \
			fn(*p);                                     \
	}

#define take_(var, empty)                       \
	({                                      \
		__typeof__(var) taken_ = (var); \
		(var) = (empty);                \
		taken_;                         \
	})
#define take_ptr(p) take_(p, NULL)
#define take_fd(fd) take_(fd, -1)

static inline void free_p(void *p)
{
	free(*(void **)p);
}

static inline void close_p(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void fclose_p(FILE **file)
{
	if (*file)
		fclose(*file);
}

#endif
