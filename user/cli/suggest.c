// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define SUGGEST_DISTANCE_MAX 2
#define SUGGEST_LEN_MAX 32

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static bool differ(char a, char b)
{
	return tolower((unsigned char)a) != tolower((unsigned char)b);
}

/* Insertions, deletions and replacements that make b of a (the rows of the usual matrix in turn). */
static unsigned int distance_of(const char *a, const char *b)
{
	unsigned int row[SUGGEST_LEN_MAX + 1];
	size_t len = strlen(b);

	if (len > SUGGEST_LEN_MAX || strlen(a) > SUGGEST_LEN_MAX)
		return SUGGEST_LEN_MAX;

	for (unsigned int j = 0; j <= len; j++)
		row[j] = j;
	for (unsigned int i = 1; a[i - 1]; i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			unsigned int replaced = diagonal + differ(a[i - 1], b[j - 1]);

			diagonal = row[j];
			row[j] = min3(replaced, row[j] + 1, row[j - 1] + 1);
		}
	}
	return row[len];
}

struct suggest suggest_for(const char *text)
{
	return (struct suggest){ .text = text, .distance = SUGGEST_DISTANCE_MAX + 1 };
}

void suggest_try(struct suggest *suggest, const char *candidate, const char **best)
{
	size_t len = strlen(suggest->text);
	unsigned int distance = distance_of(suggest->text, candidate);

	/* The beginning of a longer word is as good as a typing error. */
	if (len > 1 && !strncasecmp(suggest->text, candidate, len) && distance > 1)
		distance = 1;
	if (distance >= suggest->distance)
		return;
	suggest->distance = distance;
	*best = candidate;
}
