// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/plain.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "util/addr.h"

/* Words that YAML takes for something else than text. */
static bool is_word_of_yaml(const char *text)
{
	static const char *const words[] = { "null", "true", "false", "yes", "no",
					     "on",   "off",  "y",     "n" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcasecmp(text, words[i]))
			return true;
	return false;
}

bool plain_is(const char *text)
{
	struct addr addr;

	if (!strchr(text, ':') && !addr_parse(&addr, text))
		return true;
	if (!isalpha((unsigned char)*text) || is_word_of_yaml(text))
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("._-/", *text))
			return false;
	return true;
}
