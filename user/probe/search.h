/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * search - looks for a text in a stream of pieces, in time linear in the stream.
 *
 * Keeps two bytes per byte of the text and nothing of the stream. The text is borrowed.
 */
#ifndef SLUICE_PROBE_SEARCH_H
#define SLUICE_PROBE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"

struct search;

/* text: 1..LIMIT_MATCH_BODY_BYTES bytes. NULL: out of memory. */
struct search *search_new(const char *text);
void search_free(struct search *search);
DEFINE_CLEANUP(struct search, search_free)

/* Look at the next piece. Returns whether the text has been seen, in this piece or before. */
bool search_feed(struct search *search, const uint8_t *data, size_t len);

bool search_found(const struct search *search);

#endif
