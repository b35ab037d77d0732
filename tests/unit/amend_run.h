/* SPDX-License-Identifier: GPL-2.0-or-later */
/* amend_run - files that are amended, in tests; included by one .c of each. */
#ifndef SLUICE_TESTS_AMEND_RUN_H
#define SLUICE_TESTS_AMEND_RUN_H

#include "tests/unit/layers_run.h"

#include "config/amend.h"
#include "util/err.h"

/* "wan0", "wan0:native", "wan0:off-": '-' for no egress. */
static inline void put_interface(struct overlay *overlay, char *text,
				 enum overlay_presence presence)
{
	char *xdp = strchr(text, ':'), *minus = strchr(text, '-');
	struct overlay_row row;

	if (minus)
		*minus = '\0';
	if (xdp)
		*xdp++ = '\0';
	row = interface_row(text, presence);
	if (presence != OVERLAY_REMOVED)
		row = with_options(row, XDP_AUTO, !minus);
	if (xdp)
		assert_int_equal(xdp_mode_parse(&row.xdp, xdp), 0);
	put(overlay, row);
}

static inline void put_word(struct overlay *overlay, const char *word)
{
	enum overlay_presence presence = *word == '+'   ? OVERLAY_ADDED
					 : *word == '-' ? OVERLAY_REMOVED
							: OVERLAY_AS_FILE;
	CLEANUP(free_p) char *text = strdup(word + (presence != OVERLAY_AS_FILE));
	char *address, *weight, *order;
	struct overlay_row row;

	assert_non_null(text);
	if (*text == '@') {
		put_interface(overlay, text + 1, presence);
		return;
	}
	address = strchr(text, '/');
	order = strchr(text, '!');
	weight = strchr(text, '*');
	if (address)
		*address++ = '\0';
	if (order)
		*order++ = '\0';
	if (weight)
		*weight++ = '\0';
	row = row_of(text, address ? address : "", presence);
	row.has_weight = weight || (address && presence == OVERLAY_ADDED);
	row.weight = weight ? (uint32_t)strtoul(weight, NULL, 10) : row.has_weight;
	if (order)
		row.admin = *order == 'd' ? SL_DISABLED : SL_DRAINING;
	put(overlay, row);
}

/*
 * An overlay in words: "+pool" and "-pool" of pools, "+pool/address*7", "-pool/address" and "pool/address*7" of
 * backends, with "!d" behind it of a disabled one; "+@wan0:native", "-@wan0" and "@wan0:off-" of interfaces.
 */
static inline struct overlay overlay_of(const char *words)
{
	struct overlay overlay = { .n = 0 };
	char text[1024];

	snprintf(text, sizeof(text), "%s", words);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		put_word(&overlay, word);
	return overlay;
}

/* Fails the test unless it succeeds. */
static inline struct amendment amended(const char *yaml, const char *words)
{
	CLEANUP(model_free_p) struct model *file = layers_file(yaml);
	CLEANUP(overlay_done) struct overlay overlay = overlay_of(words);
	struct amendment amendment = { .len = 0 };
	struct err err = { "" };

	if (amend(&amendment, file, yaml, strlen(yaml), "test.yaml", &overlay, &err) < 0)
		fail_msg("%s: %s\n%s", words, err.text, yaml);
	return amendment;
}

#endif
