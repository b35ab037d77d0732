// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/search.h"

#include <string.h>

/*
 * Knuth, Morris and Pratt: border[i] is the length of the longest proper prefix of the text that
 * also ends at i. A naive search would need to keep a text's length of the stream, and a hostile
 * stream would make it quadratic.
 */
struct search {
	const char *text;
	size_t len;
	size_t matched; /* bytes of the text that the stream ends with; len: found */
	uint16_t border[];
};

/* The longest prefix that still fits when c follows matched bytes of the text. */
static size_t step(const struct search *search, size_t matched, char c)
{
	while (matched && search->text[matched] != c)
		matched = search->border[matched - 1];
	return search->text[matched] == c ? matched + 1 : 0;
}

struct search *search_new(const char *text)
{
	size_t len = strlen(text);
	struct search *search = calloc(1, sizeof(*search) + len * sizeof(search->border[0]));

	if (!search)
		return NULL;
	search->text = text;
	search->len = len;
	for (size_t i = 1; i < len; i++)
		search->border[i] = (uint16_t)step(search, search->border[i - 1], text[i]);

	return search;
}

void search_free(struct search *search)
{
	free(search);
}

bool search_feed(struct search *search, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len && !search_found(search); i++)
		search->matched = step(search, search->matched, (char)data[i]);
	return search_found(search);
}

bool search_found(const struct search *search)
{
	return search->matched == search->len;
}
