/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clock - the clocks in use, with their units in their names.
 *
 * Logic runs on monotonic time only; wall-clock time is for showing to people.
 */
#ifndef SLUICE_UTIL_CLOCK_H
#define SLUICE_UTIL_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_SEC 1000000000ull
#define NS_PER_MS 1000000ull
#define NS_PER_US 1000ull
#define MS_PER_SEC 1000ull
#define US_PER_SEC 1000000ull
#define US_PER_MS 1000ull

static inline uint64_t clock_read_ns_(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* CLOCK_MONOTONIC, which BPF programs read too. */
static inline uint64_t clock_mono_ns(void)
{
	return clock_read_ns_(CLOCK_MONOTONIC);
}

static inline uint64_t clock_mono_ms(void)
{
	return clock_mono_ns() / NS_PER_MS;
}

/* CLOCK_BOOTTIME, which goes on while the host is suspended, as the rest of the world does. */
static inline uint64_t clock_boot_ms(void)
{
	return clock_read_ns_(CLOCK_BOOTTIME) / NS_PER_MS;
}

/* For how long the calling thread has had a CPU. */
static inline uint64_t clock_thread_ms(void)
{
	return clock_read_ns_(CLOCK_THREAD_CPUTIME_ID) / NS_PER_MS;
}

/* Milliseconds since 1970-01-01 UTC. */
static inline uint64_t clock_wall_ms(void)
{
	return clock_read_ns_(CLOCK_REALTIME) / NS_PER_MS;
}

/* Microseconds since 1970-01-01 UTC. */
static inline uint64_t clock_wall_us(void)
{
	return clock_read_ns_(CLOCK_REALTIME) / NS_PER_US;
}

/* Tells this boot of the host from others, as long as neither is forgotten; 0: the kernel does not say. */
uint64_t clock_boot_id(void);

#define CLOCK_ISO_LEN 28

/* Write wall_ms as "2026-01-01T00:00:00.000Z" and return buf. */
const char *clock_iso(char buf[CLOCK_ISO_LEN], uint64_t wall_ms);

/* Write seconds since 1970, which may be negative, as "2026-01-01T00:00:00Z"; "" if too far off. */
const char *clock_iso_s(char buf[CLOCK_ISO_LEN], int64_t unix_s);

/* Write wall_us as "2026-01-01T00:00:00.000000Z" and return buf. */
const char *clock_iso_us(char buf[CLOCK_ISO_LEN], uint64_t wall_us);

#endif
