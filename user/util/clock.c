// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/clock.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "util/cleanup.h"

#define DATE_LEN 20 /* "2026-01-01T00:00:00" with its NUL */
#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

static const char *format_date(char buf[DATE_LEN], uint64_t wall_s)
{
	time_t seconds = (time_t)wall_s;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	if (!strftime(buf, DATE_LEN, "%Y-%m-%dT%H:%M:%S", &tm))
		buf[0] = '\0';
	return buf;
}

const char *clock_iso(char buf[CLOCK_ISO_LEN], uint64_t wall_ms)
{
	char date[DATE_LEN];

	snprintf(buf, CLOCK_ISO_LEN, "%s.%03uZ", format_date(date, wall_ms / MS_PER_SEC),
		 (unsigned int)(wall_ms % MS_PER_SEC));
	return buf;
}

const char *clock_iso_us(char buf[CLOCK_ISO_LEN], uint64_t wall_us)
{
	char date[DATE_LEN];

	snprintf(buf, CLOCK_ISO_LEN, "%s.%06uZ", format_date(date, wall_us / US_PER_SEC),
		 (unsigned int)(wall_us % US_PER_SEC));
	return buf;
}

const char *clock_iso_s(char buf[CLOCK_ISO_LEN], int64_t unix_s)
{
	time_t seconds = (time_t)unix_s;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(buf, CLOCK_ISO_LEN, "%Y-%m-%dT%H:%M:%SZ", &tm))
		buf[0] = '\0';
	return buf;
}

/* It is random: what its first and last digits say is as good as all of it. */
static uint64_t read_boot_id(void)
{
	CLEANUP(fclose_p) FILE *file = fopen(BOOT_ID_PATH, "re");
	uint64_t first, last;

	if (!file || fscanf(file, "%8" SCNx64 "-%*4s-%*4s-%*4s-%12" SCNx64, &first, &last) != 2)
		return 0;
	return first << 32 ^ last;
}

/* Asked for each of many endpoints, and the same for as long as a process may live. */
uint64_t clock_boot_id(void)
{
	static atomic_uint_fast64_t known;
	uint64_t id = atomic_load(&known);

	if (!id) {
		id = read_boot_id();
		atomic_store(&known, id);
	}
	return id;
}
