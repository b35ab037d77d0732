// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/hint.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/clock.h"

#define GUESS_MAX 32 /* bytes; longer names are no misspelling of a key */

/* Letters that people mix up without meaning another key. */
static int fold(char c)
{
	return c == '-' ? '_' : tolower((unsigned char)c);
}

static unsigned int min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Letters to insert, delete, replace or swap with their neighbour to make b of a. */
static unsigned int distance(const char *a, const char *b)
{
	/* rows[i]: distance of the first i letters of a to each prefix of b, modulo three rows. */
	unsigned int rows[3][GUESS_MAX + 1];
	size_t len_a = strlen(a), len_b = strlen(b);

	for (size_t j = 0; j <= len_b; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= len_a; i++) {
		unsigned int *row = rows[i % 3];
		const unsigned int *last = rows[(i - 1) % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= len_b; j++) {
			row[j] = min(last[j], row[j - 1]) + 1;
			row[j] = min(row[j], last[j - 1] + (fold(a[i - 1]) != fold(b[j - 1])));
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1]))
				row[j] = min(row[j], rows[(i - 2) % 3][j - 2] + 1);
		}
	}
	return rows[len_a % 3][len_b];
}

const struct key *hint_nearest(enum section section, const char *name)
{
	const struct section_info *info = sections[section];
	const struct key *nearest = NULL;
	size_t len = strlen(name);
	unsigned int best;

	if (len > GUESS_MAX)
		return NULL;
	best = len < 4 ? 2 : len < 8 ? 3 : 4; /* one more than the mistakes forgiven */
	for (size_t i = 0; i < info->n_keys; i++) {
		unsigned int d = distance(name, info->keys[i].name);

		if (d < best) {
			best = d;
			nearest = &info->keys[i];
		}
	}
	return nearest;
}

static void print_duration(char *buf, size_t size, unsigned long long ms)
{
	bool whole = ms % MS_PER_SEC == 0;

	snprintf(buf, size, "%llu%s", whole ? ms / MS_PER_SEC : ms, whole ? "s" : "ms");
}

static const char *print_choices(char *buf, const struct key *key, bool all)
{
	size_t len = 0;

	buf[0] = '\0';
	for (const struct choice *c = key->choices; c->name; c++)
		if (all || !c->not_yet)
			len += (size_t)snprintf(buf + len, HINT_LEN - len, "%s%s", len ? ", " : "",
						c->name);
	return buf;
}

/* Types whose range is a sentence of its own, without numbers. */
static const char *const fixed_ranges[TYPE_COUNT] = {
	[TYPE_BOOL] = "true, false",
	[TYPE_ADDRESS] = "an IPv4 or IPv6 address, or a host name",
	[TYPE_LISTEN] = "ADDRESS:PORT[/tcp or /udp], ports 1..65535",
	[TYPE_LISTEN_OR_NONE] = "none, ADDRESS:PORT, ports 1..65535",
	[TYPE_PORTS] = "LOW-HIGH, at least 64 ports in 1024..65535",
	[TYPE_LIST] = "a list",
	[TYPE_RECORD] = "a mapping",
};

/* Types whose range is a pair of numbers between two texts. */
static const struct {
	const char *before, *after;
} ranges[TYPE_COUNT] = {
	[TYPE_NUMBER] = { "", "" },
	[TYPE_AUTO] = { "auto, ", "" },
	[TYPE_NAME] = { "", " bytes of A-Z a-z 0-9 . _ -" },
	[TYPE_REFERENCE] = { "a name, ", " bytes of A-Z a-z 0-9 . _ -" },
	[TYPE_INTERFACE] = { "", " bytes without blanks, '/' and ':'" },
	[TYPE_HOST] = { "a host name or IP address, ", " bytes" },
	[TYPE_URL_PATH] = { "", " bytes from '/' on, without blanks and control characters" },
	[TYPE_FILE] = { "", " bytes without control characters" },
	[TYPE_STATUS] = { "", " codes or ranges in 100..599, as 200-399,401" },
	[TYPE_TEXT] = { "", " bytes" },
	[TYPE_BYTES] = { "", " bytes, of which \\n \\r \\t \\\\ and \\xHH stand for one each" },
	[TYPE_CRL] = { "a file or URL of http://, ", " bytes without control characters" },
	[TYPE_RECORDS] = { "a list of ", " mappings" },
};

static const char *print_range(char *buf, const struct key *key)
{
	snprintf(buf, HINT_LEN, "%s%" PRIu64 "..%" PRIu64 "%s", ranges[key->type].before, key->min,
		 key->max, ranges[key->type].after);
	return buf;
}

static const char *print(char *buf, const struct key *key, bool all)
{
	size_t len;

	if (key->type == TYPE_CHOICE)
		return print_choices(buf, key, all);
	if (fixed_ranges[key->type]) {
		snprintf(buf, HINT_LEN, "%s", fixed_ranges[key->type]);
		return buf;
	}
	if (key->type != TYPE_DURATION)
		return print_range(buf, key);

	print_duration(buf, HINT_LEN, key->min);
	len = strlen(buf);
	len += (size_t)snprintf(buf + len, HINT_LEN - len, "..");
	print_duration(buf + len, HINT_LEN - len, key->max);
	return buf;
}

const char *hint_range(char buf[HINT_LEN], const struct key *key)
{
	return print(buf, key, true);
}

const char *hint_allowed(char buf[HINT_LEN], const struct key *key)
{
	return print(buf, key, false);
}
