/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * amend - writes into the text of a configuration what was changed over it, and leaves the rest of it alone.
 *
 * Every byte that is not about what was changed stays: comments, order, quotes, line ends. What is added looks like
 * what stands beside it. The result is read as any other file, and is to make, with nothing over it but orders, the
 * very model that file and overlay made before; else there is no result.
 */
#ifndef SLUICE_CONFIG_AMEND_H
#define SLUICE_CONFIG_AMEND_H

#include "config/patch.h"
#include "model/overlay.h"

struct err;
struct model;

/* A part of the text as it was, that went with what it stood in: from its '#' to the end of its line. */
struct amend_comment {
	uint32_t line; /* from 1 */
	uint32_t start, end; /* bytes */
};

struct amendment {
	char *text;
	size_t len;
	uint64_t digest; /* model->digest of the text */
	struct patch patch; /* from the text as it was; settled */
	struct overlay left; /* what no file can say: orders, and that nothing is guarded */
	struct amend_comment *comments; /* in the order of the text */
	uint32_t n_comments;
};

/*
 * name stands for the file, as for config_parse(); file is its model. Returns 0 and fills *ret, which the caller
 * releases, or leaves it empty, and err says why:
 *   -EINVAL   the overlay does not go with the file
 *   -ENOTSUP  the text is written in a way that cannot be changed safely
 *   -ENOMEM
 */
int amend(struct amendment *ret, const struct model *file, const char *text, size_t len,
	  const char *name, const struct overlay *overlay, struct err *err);

void amendment_done(struct amendment *amendment);

#endif
