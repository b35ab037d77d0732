/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree - a YAML document as nodes, each with its line and column.
 *
 * One document of plain mappings, lists and texts: aliases, anchors and tags are refused, because
 * no configuration needs them and a few bytes of them can stand for gigabytes. Depth and number of
 * nodes are bounded. All text is NUL-terminated UTF-8 without NUL bytes inside.
 */
#ifndef SLUICE_CONFIG_TREE_H
#define SLUICE_CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"

#define TREE_DEPTH_MAX 16
#define TREE_NODES_MAX (2u << 20) /* twice what all limits of the model together need */

enum node_kind { NODE_NULL, NODE_KEY, NODE_TEXT, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind; /* NODE_NULL: nothing, ~ or null was written; NODE_KEY: of a map */
	uint32_t line, column; /* from 1 */
	uint32_t text; /* use tree_text() */
	uint32_t first, next; /* use tree_first(), tree_next() */
	uint32_t n_children; /* items of a list; keys and values of a map */
	uint32_t start,
		end; /* bytes of the text that it was written with, without blanks around it */
	bool is_flow; /* a list or map: [] or {}, or one pair in [] that has no braces */
};

struct report;
struct tree;

/*
 * Read the text. Returns 0 and sets *ret, or leaves *ret alone and returns
 *   -EINVAL  it is not what we call a document; the report says where and why
 *   -ENOMEM
 */
int tree_parse(struct tree **ret, const char *text, size_t len, struct report *report);

/* NULL is fine. */
void tree_free(struct tree *tree);
DEFINE_CLEANUP(struct tree, tree_free)

/* The document's one node, NODE_NULL when it is empty. Nodes live as long as the tree. */
const struct node *tree_root(const struct tree *tree);

/* Children in the order of the file, a map's as key, value, key, value; NULL: no (more) children. */
const struct node *tree_first(const struct tree *tree, const struct node *node);
const struct node *tree_next(const struct tree *tree, const struct node *node);

/* The text of a node as read; "" for lists and maps. */
const char *tree_text(const struct tree *tree, const struct node *node);

/* "a text", "a list", …; what a person would call it. */
const char *node_kind_name(enum node_kind kind);

#endif
