/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patch - replacements in a text: collected in any order, then made all at once, or shown.
 *
 * Places are bytes of the text as it was. Of replacements at one place, insertions come first, in the order in
 * which they were collected. What runs out of memory is told at the end, by patch_settle().
 */
#ifndef SLUICE_CONFIG_PATCH_H
#define SLUICE_CONFIG_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct patch_edit {
	uint32_t start, end; /* what goes; nothing where both are the same */
	size_t from, to; /* what comes: bytes of patch->added */
};

struct patch {
	struct patch_edit *edits; /* sorted after patch_settle() */
	size_t n, room;
	FILE *out; /* what comes in the place of the replacement that was begun last is written here; NULL: settled */
	char *added;
	size_t added_len;
	bool lost; /* memory has run out */
};

/* -ENOMEM */
int patch_init(struct patch *patch);

/* NULL pointers inside are fine: also for one that was zeroed, and never initialised. */
void patch_done(struct patch *patch);

/* Begin a replacement: of nothing, what is written is inserted; where nothing is written, it is taken out. */
void patch_replace(struct patch *patch, uint32_t start, uint32_t end);

/* End the collecting. -ENOMEM; -EINVAL: two replacements overlap */
int patch_settle(struct patch *patch);

/* The text with all replacements made; the caller frees it. Settled before. -ENOMEM */
int patch_apply(char **ret, size_t *ret_len, const struct patch *patch, const char *text,
		size_t len);

/* Write the difference between both, as diff -u does, with the name for both. Settled before. -ENOMEM */
int patch_print(FILE *out, const struct patch *patch, const char *text, size_t len,
		const char *name);

#endif
