/* SPDX-License-Identifier: GPL-2.0-or-later */
/* amend_work - what the parts of amend share. */
#ifndef SLUICE_CONFIG_AMEND_WORK_H
#define SLUICE_CONFIG_AMEND_WORK_H

#include "config/patch.h"
#include "config/source.h"
#include "config/tree.h"
#include "config/writer.h"

struct err;

struct amending {
	struct source source;
	const struct tree *tree;
	struct patch *patch;
	struct writer writer; /* into the patch */
	struct err *err;
};

/* A list of the file, and what becomes of it. */
struct listing {
	const char *name; /* its key */
	const struct node *map, *key,
		*list; /* key and list NULL: there is none, or nothing in it */
	bool *goes; /* parallel to its items: it is taken out */
	uint32_t n, n_gone;
	struct items items; /* come behind the others */
};

/* The value of the mapping's key, or NULL; ret_key may be NULL. */
const struct node *amend_find(const struct amending *a, const struct node *map, const char *name,
			      const struct node **ret_key);

/* -ENOTSUP: it is written in a way that is not known here; err says on which line */
int amend_list(const struct amending *a, const struct listing *listing);

/* Give the record that key with this value, at its end unless it has it. A word is written as it is. */
void amend_word(const struct amending *a, const struct node *map, const char *name,
		const char *word);
void amend_text(const struct amending *a, const struct node *map, const char *name,
		const char *text);
void amend_number(const struct amending *a, const struct node *map, const char *name,
		  uint32_t number);

/* Parts of amend_list(): of a list whose items begin with a dash, one in brackets, and one that is empty. */
int amend_block(const struct amending *a, const struct listing *listing);
int amend_flow(const struct amending *a, const struct listing *listing);
int amend_empty(const struct amending *a, const struct listing *listing);

struct amendment;
struct model;

/* Fill in digest and left, if the text is what it is to be; else as amend(). */
int amend_check(struct amendment *amendment, const struct model *file,
		const struct overlay *overlay, const char *name, struct err *err);

int amend_refuse(const struct amending *a, const struct node *node, const char *why);

#endif
