// SPDX-License-Identifier: GPL-2.0-or-later
#include "import/prop.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "model/limits.h"
#include "util/err.h"

#define INDEX_LEN 12 /* of "[1234567890]" */

/* What a document comes to, before a node is made for any of it. */
struct measure {
	uint64_t values;
	uint64_t path_bytes; /* of all leaves' paths */
};

static int measure(struct measure *measure, const json_t *json, size_t path_len, uint32_t depth,
		   struct err *err);

static int measure_members(struct measure *total, const json_t *json, size_t path_len,
			   uint32_t depth, struct err *err)
{
	const char *key;
	json_t *value;
	size_t i;
	int r;

	/* jansson asks for an object that may be changed, and does not change it. */
	json_object_foreach((json_t *)(uintptr_t)json, key, value)
	{
		r = measure(total, value, path_len + strlen(key) + 1, depth + 1, err);
		if (r < 0)
			return r;
	}
	json_array_foreach(json, i, value)
	{
		r = measure(total, value, path_len + INDEX_LEN, depth + 1, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int measure(struct measure *total, const json_t *json, size_t path_len, uint32_t depth,
		   struct err *err)
{
	if (depth > LIMIT_IMPORT_DEPTH)
		return err_set(err, -EFBIG, "is nested more deeply than %d levels",
			       LIMIT_IMPORT_DEPTH);
	if (++total->values > LIMIT_IMPORT_VALUES)
		return err_set(err, -EFBIG, "has more than %u values", LIMIT_IMPORT_VALUES);
	if (!json_object_size(json) && !json_array_size(json))
		total->path_bytes += path_len;
	if (total->path_bytes > LIMIT_IMPORT_PATH_BYTES)
		return err_set(err, -EFBIG, "has properties whose names are too long");
	return measure_members(total, json, path_len, depth, err);
}

/* Nodes for what a node holds; returns how many. */
static uint32_t add_children(struct prop *parent, struct prop *room)
{
	const char *key;
	json_t *value;
	uint32_t n = 0;
	size_t i;

	parent->children = room;
	json_object_foreach((json_t *)(uintptr_t)parent->json, key, value)
	{
		room[n] = (struct prop){ .json = value, .key = key };
		n++;
	}
	json_array_foreach(parent->json, i, value) room[n++] = (struct prop){ .json = value };
	for (uint32_t c = 0; c < n; c++) {
		room[c].parent = parent;
		room[c].index = c;
		room[c].depth = parent->depth + 1;
	}
	parent->n_children = n;
	return n;
}

static const char byte_order_mark[] = "\xef\xbb\xbf";

static int parse_json(json_t **ret, const char *text, size_t len, struct err *err)
{
	json_error_t error;

	if (len > LIMIT_IMPORT_BYTES)
		return err_set(err, -EFBIG, "is larger than %u bytes", LIMIT_IMPORT_BYTES);
	if (len >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2)))
		return err_set(err, -EINVAL, "is UTF-16; save it as UTF-8");
	/* Some shells put one in front of all that they write. */
	if (len >= 3 && !memcmp(text, byte_order_mark, 3)) {
		text += 3;
		len -= 3;
	}
	*ret = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (*ret)
		return 0;
	if (json_error_code(&error) == json_error_out_of_memory)
		return -ENOMEM;
	return err_set(err, -EINVAL, "line %d, column %d: %s", error.line, error.column,
		       error.text);
}

int prop_tree_read(struct prop_tree *ret, const char *text, size_t len, struct err *err)
{
	struct measure total = { .values = 0 };
	struct prop_tree tree = { .n = 1 };
	int r;

	r = parse_json(&tree.json, text, len, err);
	if (r < 0)
		return r;
	r = measure(&total, tree.json, 0, 1, err);
	if (r >= 0) {
		tree.all = calloc(total.values, sizeof(*tree.all));
		r = tree.all ? 0 : -ENOMEM;
	}
	if (r < 0) {
		prop_tree_done(&tree);
		return r;
	}

	tree.all[0].json = tree.json;
	for (uint32_t i = 0; i < tree.n; i++)
		tree.n += add_children(&tree.all[i], &tree.all[tree.n]);
	*ret = tree;
	return 0;
}

void prop_tree_done(struct prop_tree *tree)
{
	for (uint32_t i = 0; tree->all && i < tree->n; i++) {
		free(tree->all[i].note);
		free(tree->all[i].text);
	}
	free(tree->all);
	json_decref(tree->json);
	*tree = (struct prop_tree){ .n = 0 };
}

struct prop *prop_root(const struct prop_tree *tree)
{
	return &tree->all[0];
}

struct prop *prop_child(const struct prop *prop, const char *key)
{
	for (uint32_t i = 0; prop && i < prop->n_children; i++) {
		struct prop *child = &prop->children[i];

		if (child->key && !strcasecmp(child->key, key))
			return json_is_null(child->json) ? NULL : child;
	}
	return NULL;
}

struct prop *prop_field(const struct prop *resource, const char *key)
{
	struct prop *nested = prop_child(prop_child(resource, "properties"), key);

	return nested ? nested : prop_child(resource, key);
}

bool prop_is_leaf(const struct prop *prop)
{
	return !prop->n_children;
}

static void keep_note(struct prop_tree *tree, struct prop *prop, enum outcome outcome, char *note)
{
	if (!note)
		tree->oom = true;
	free(prop->note);
	prop->note = note;
	prop->outcome = outcome;
}

void prop_tell(struct prop_tree *tree, struct prop *prop, enum outcome outcome, const char *fmt,
	       ...)
{
	char *note;
	va_list args;

	if (!prop || prop->outcome >= outcome)
		return;
	va_start(args, fmt);
	if (vasprintf(&note, fmt, args) < 0)
		note = NULL;
	va_end(args);
	keep_note(tree, prop, outcome, note);
}

void prop_tell_rest(struct prop_tree *tree, struct prop *prop, enum outcome outcome,
		    const char *note)
{
	if (!prop)
		return;
	if (prop_is_leaf(prop) && prop->outcome == OUTCOME_UNTOLD)
		prop_tell(tree, prop, outcome, "%s", note);
	/* The depth is bounded by LIMIT_IMPORT_DEPTH. */
	for (uint32_t i = 0; i < prop->n_children; i++)
		prop_tell_rest(tree, &prop->children[i], outcome, note);
}

static bool is_plain(const char *key)
{
	if (!*key)
		return false;
	for (; *key; key++)
		if (!isalnum((unsigned char)*key) && *key != '_' && *key != '-' && *key != '$')
			return false;
	return true;
}

/* In brackets and quotes, so that two paths are the same only if they name the same property. */
static void print_quoted(FILE *out, const char *key)
{
	fputs("['", out);
	for (; *key; key++) {
		if (*key == '\'' || *key == '\\')
			fputc('\\', out);
		fputc(*key, out);
	}
	fputs("']", out);
}

void prop_print_path_below(FILE *out, const struct prop *prop, const struct prop *ancestor)
{
	if (!prop->parent || prop == ancestor)
		return;
	prop_print_path_below(out, prop->parent, ancestor);
	if (!prop->key)
		fprintf(out, "[%u]", prop->index);
	else if (!is_plain(prop->key))
		print_quoted(out, prop->key);
	else
		fprintf(out, "%s%s", prop->parent->parent && prop->parent != ancestor ? "." : "",
			prop->key);
}

void prop_print_path(FILE *out, const struct prop *prop)
{
	prop_print_path_below(out, prop, NULL);
}

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[] = {
		[OUTCOME_UNTOLD] = "untold",       [OUTCOME_IGNORED] = "ignored",
		[OUTCOME_CARRIED] = "carried",     [OUTCOME_APPROXIMATED] = "approximated",
		[OUTCOME_NONE] = "no counterpart",
	};

	return names[outcome];
}
