/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prop - the properties of an exported resource, each with what became of it.
 *
 * A tree over a JSON document: one node for every value, in the order of the file. A property that
 * holds no other is a leaf, and every leaf ends with an outcome. The tree owns the document, its
 * nodes, their texts and their notes; pointers into it live as long as it does.
 */
#ifndef SLUICE_IMPORT_PROP_H
#define SLUICE_IMPORT_PROP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/cleanup.h"

struct err;

/* In the order in which one replaces the other, when a property is used in several places. */
enum outcome {
	OUTCOME_UNTOLD,
	OUTCOME_IGNORED, /* says nothing about traffic: ids, states of provisioning */
	OUTCOME_CARRIED,
	OUTCOME_APPROXIMATED,
	OUTCOME_NONE /* no counterpart */
};

struct prop {
	const json_t *json;
	const char *key; /* in an object; NULL: an element of an array, or the root */
	struct prop *parent; /* NULL: the root */
	struct prop *children;
	uint32_t n_children;
	uint32_t index; /* among the parent's children */
	uint32_t depth;
	enum outcome outcome;
	char *note; /* NULL: none */
	char *text; /* as prop_text() found it */
	bool is_read; /* text is known, or that there is none */
};

struct prop_tree {
	json_t *json;
	struct prop *all; /* parents before children */
	uint32_t n;
	bool oom; /* a note or a text was lost */
};

/*
 * Read a document. Returns 0 or
 *   -EINVAL  it is no JSON, or has a key twice; err says where
 *   -EFBIG   more than LIMIT_IMPORT_BYTES, LIMIT_IMPORT_VALUES or LIMIT_IMPORT_DEPTH
 *   -ENOMEM
 */
int prop_tree_read(struct prop_tree *ret, const char *text, size_t len, struct err *err);

void prop_tree_done(struct prop_tree *tree);

/* The root; every tree has one. */
struct prop *prop_root(const struct prop_tree *tree);

/* The member of that name, whatever its case; NULL: there is none, or it is null. */
struct prop *prop_child(const struct prop *prop, const char *key);

/*
 * The same for a resource, whose members are under "properties" in templates and beside its name
 * where a tool has flattened them. A NULL resource has none.
 */
struct prop *prop_field(const struct prop *resource, const char *key);

bool prop_is_leaf(const struct prop *prop);

/* Say what became of a property; of two outcomes the later of the enum stays. NULL is fine. */
void prop_tell(struct prop_tree *tree, struct prop *prop, enum outcome outcome, const char *fmt,
	       ...) __attribute__((format(printf, 4, 5)));

/* The same for every leaf under a property that has no outcome yet. */
void prop_tell_rest(struct prop_tree *tree, struct prop *prop, enum outcome outcome,
		    const char *note);

/* Write "probes[0].properties.interval". */
void prop_print_path(FILE *out, const struct prop *prop);

/* The same below an ancestor; NULL: from the root. */
void prop_print_path_below(FILE *out, const struct prop *prop, const struct prop *ancestor);

/* "carried", "approximated", "no counterpart", "ignored" */
const char *outcome_name(enum outcome outcome);

#endif
