// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/instant.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"
#include "util/duration.h"

#define MINUTE_S 60
#define HOUR_S (60 * MINUTE_S)

/* Whether text begins like the pattern, where a 9 stands for a digit and letters for either case. */
static bool fits(const char *text, const char *pattern)
{
	for (; *pattern; text++, pattern++) {
		if (*pattern == '9' ? !isdigit((unsigned char)*text)
				    : toupper((unsigned char)*text) != *pattern)
			return false;
	}
	return true;
}

/* The two digits there. */
static int two(const char *text)
{
	return (text[0] - '0') * 10 + (text[1] - '0');
}

/* What does not exist, like the 30th of February, is moved by timegm(). */
static bool exists(const struct tm *tm, time_t seconds)
{
	struct tm back;

	return gmtime_r(&seconds, &back) && back.tm_mday == tm->tm_mday &&
	       back.tm_mon == tm->tm_mon && back.tm_hour == tm->tm_hour &&
	       back.tm_min == tm->tm_min && back.tm_sec == tm->tm_sec;
}

/* "Z", or "+02:00" as seconds to take off. */
static bool parse_offset(int64_t *ret_s, const char *text)
{
	if (!strcasecmp(text, "Z")) {
		*ret_s = 0;
		return true;
	}
	if ((!fits(text, "+99:99") && !fits(text, "-99:99")) || text[6] || two(text + 1) > 23 ||
	    two(text + 4) > 59)
		return false;
	*ret_s = two(text + 1) * HOUR_S + two(text + 4) * MINUTE_S;
	if (*text == '-')
		*ret_s = -*ret_s;
	return true;
}

static int parse_time(uint64_t *ret_us, const char *text)
{
	uint64_t fraction_us = 0, unit = US_PER_SEC / 10;
	struct tm tm = { 0 }, copy;
	int64_t offset_s;
	time_t seconds;

	if (!fits(text, "9999-99-99T99:99:99"))
		return -EINVAL;
	tm.tm_year = two(text) * 100 + two(text + 2) - 1900;
	tm.tm_mon = two(text + 5) - 1;
	tm.tm_mday = two(text + 8);
	tm.tm_hour = two(text + 11);
	tm.tm_min = two(text + 14);
	tm.tm_sec = two(text + 17);
	copy = tm;
	seconds = timegm(&copy);
	if (!exists(&tm, seconds))
		return -EINVAL;

	text += strlen("9999-99-99T99:99:99");
	if (*text == '.') {
		if (!isdigit((unsigned char)*++text))
			return -EINVAL;
		for (; isdigit((unsigned char)*text); text++, unit /= 10)
			fraction_us += unit * (uint64_t)(*text - '0');
	}
	if (!parse_offset(&offset_s, text))
		return -EINVAL;
	seconds -= offset_s;
	*ret_us = seconds < 0 ? 0 : (uint64_t)seconds * US_PER_SEC + fraction_us;
	return 0;
}

int instant_parse(uint64_t *ret_us, const char *text, uint64_t now_us)
{
	uint64_t ms;

	if (duration_parse(&ms, text) < 0)
		return parse_time(ret_us, text);
	*ret_us = now_us / US_PER_MS > ms ? now_us - ms * US_PER_MS : 0;
	return 0;
}
