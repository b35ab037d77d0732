// SPDX-License-Identifier: GPL-2.0-or-later
#include "import/import.h"

#include <errno.h>
#include <string.h>

#include "import/work.h"
#include "util/err.h"

/* check wants an interface, whether or not there is one of that name. */
#define PLACEHOLDER "eth0"

/* The member of the gateway that a leaf is part of, or NULL: it is outside. */
static const struct prop *member_of(const struct work *work, const struct prop *leaf)
{
	const struct prop *properties = prop_child(work->gateway, "properties");

	for (const struct prop *prop = leaf; prop; prop = prop->parent)
		if (prop->parent && (prop->parent == properties ||
				     (prop->parent == work->gateway && prop != properties)))
			return prop;
	return NULL;
}

static bool is_of_other_resource(const struct work *work, const struct prop *leaf)
{
	for (const struct prop *prop = leaf; prop && prop != work->gateway; prop = prop->parent)
		if (prop->parent && prop->parent == work->gateway->parent)
			return true;
	return false;
}

/* Say of a leaf that no record has used what becomes of it; true: it has no counterpart. */
static bool tell_leftover(struct work *work, struct prop *leaf, const char **ret_why)
{
	enum outcome outcome = unmapped_outcome(leaf, ret_why);

	if (outcome == OUTCOME_NONE && is_of_other_resource(work, leaf))
		*ret_why = "part of another resource than the gateway";
	prop_tell(&work->tree, leaf, outcome, "%s", *ret_why);
	return outcome == OUTCOME_NONE;
}

/* One remark for each member of the gateway of which something is left. */
static void write_leftovers(struct work *work, struct prop *prop, const struct prop **last)
{
	const struct prop *member;
	const char *why;

	for (uint32_t i = 0; i < prop->n_children; i++)
		write_leftovers(work, &prop->children[i], last);
	if (!prop_is_leaf(prop) || prop->outcome != OUTCOME_UNTOLD ||
	    !tell_leftover(work, prop, &why))
		return;
	member = member_of(work, prop);
	if (!member || member == *last)
		return;
	if (!*last)
		fputc('\n', work->emit.out);
	emit_remark(&work->emit, "%s: %s", member->key ? member->key : "", why);
	*last = member;
}

static void write_gateway(struct work *work)
{
	fprintf(work->emit.out,
		"\ngateway:\n  interfaces:\n"
		"    # PLACEHOLDER: name the interface that clients' packets come in by, and with\n"
		"    # services that have a listen address the one that backends answer on.\n"
		"    - name: " PLACEHOLDER "\n");
}

static void write_all(struct work *work)
{
	const struct prop *last = NULL;

	emit_remark(&work->emit, "Imported from the Azure Application Gateway '%s'.",
		    work->gateway_name);
	emit_remark(&work->emit, "What is not as it was there is said where it would stand. What "
				 "became of every property");
	emit_remark(&work->emit, "is in the table that 'sluice import azure' prints beside this.");
	write_gateway(work);
	write_probes(work);
	write_settings(work);
	write_pools(work);
	write_services(work);
	write_leftovers(work, prop_root(&work->tree), &last);
}

static int write_yaml(struct work *work, char **ret)
{
	CLEANUP(free_p) char *yaml = NULL;
	size_t len;

	work->emit.out = open_memstream(&yaml, &len);
	if (!work->emit.out)
		return -ENOMEM;
	write_all(work);
	if (fclose(work->emit.out) || work->oom || work->tree.oom)
		return -ENOMEM;
	*ret = take_ptr(yaml);
	return 0;
}

static int add_row(struct import *import, const struct prop *leaf)
{
	struct import_row *row = &import->rows[import->n_rows];
	size_t len;
	FILE *out = open_memstream(&row->path, &len);

	if (!out)
		return -ENOMEM;
	prop_print_path(out, leaf);
	if (fclose(out))
		return -ENOMEM;
	import->n_rows++;
	row->outcome = leaf->outcome;
	row->note = strdup(leaf->note ? leaf->note : "");
	return row->note ? 0 : -ENOMEM;
}

/* The leaves under a property, in the order of the file. */
static int add_rows(struct import *import, const struct prop *prop)
{
	int r = 0; /* of a property with nothing in it that is no leaf */

	if (prop_is_leaf(prop))
		return add_row(import, prop);
	for (uint32_t i = 0; r >= 0 && i < prop->n_children; i++)
		r = add_rows(import, &prop->children[i]);
	return r;
}

static int make(struct import *import, struct work *work)
{
	int r;

	r = write_yaml(work, &import->yaml);
	if (r < 0)
		return r;
	import->name = strdup(work->gateway_name);
	import->rows = calloc(work->tree.n, sizeof(*import->rows));
	if (!import->name || !import->rows)
		return -ENOMEM;
	return add_rows(import, prop_root(&work->tree));
}

static int run(struct import *import, struct work *work, struct err *err)
{
	int r;

	r = work_find(work, err);
	if (r >= 0)
		r = work_gather(work, err);
	if (r >= 0)
		r = work_plan(work, err);
	return r < 0 ? r : make(import, work);
}

int import_azure(struct import **ret, const char *text, size_t len,
		 const struct import_options *options, struct err *err)
{
	CLEANUP(import_free_p) struct import *import = calloc(1, sizeof(*import));
	struct work work = { .options = options };
	int r;

	if (!import)
		return -ENOMEM;
	r = prop_tree_read(&work.tree, text, len, err);
	if (r < 0)
		return r;
	r = run(import, &work, err);
	work_done(&work);
	if (r >= 0)
		*ret = take_ptr(import);
	return r;
}

void import_free(struct import *import)
{
	if (!import)
		return;
	for (size_t i = 0; i < import->n_rows; i++) {
		free(import->rows[i].path);
		free(import->rows[i].note);
	}
	free(import->rows);
	free(import->name);
	free(import->yaml);
	free(import);
}
