// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * put - writes one key of a record and says of the property behind it what became of it.
 *
 * What the key takes, and whether this version has it, is asked of the table of keys: what is written
 * passes the check, and what is not is written as a comment that says why.
 */
#include <inttypes.h>
#include <string.h>

#include "config/hint.h"
#include "config/value.h"
#include "import/work.h"
#include "util/number.h"

#define MS_PER_SECOND 1000
#define KEY_LEN 64

/* "probes[].interval" */
static const char *key_path(char buf[KEY_LEN], enum section section, const char *key)
{
	snprintf(buf, KEY_LEN, "%s.%s", sections[section]->path, key);
	return buf;
}

static bool is_text(enum key_type type)
{
	return type != TYPE_BOOL && type != TYPE_NUMBER && type != TYPE_DURATION &&
	       type != TYPE_CHOICE;
}

void put_record(struct work *work, struct prop *name, const char *label, const char *here,
		const char *off)
{
	CLEANUP(free_p) char *scalar = emit_scalar(here);

	work->off = off;
	emit_record(&work->emit, off != NULL);
	if (off)
		emit_comment(&work->emit, "'%s' can only be a comment: %s", label, off);
	emit_line(&work->emit, 0, "name", scalar ? scalar : "", NULL);
	work->oom = work->oom || !scalar;
	if (off)
		prop_tell(&work->tree, name, OUTCOME_NONE, "%s", off);
	else if (!strcmp(label, here))
		prop_tell(&work->tree, name, OUTCOME_CARRIED, "%s", "");
	else
		prop_tell(&work->tree, name, OUTCOME_APPROXIMATED,
			  "as '%s': names are unique, of at most %d of A-Z a-z 0-9 . _ -", here,
			  LIMIT_NAME_BYTES);
}

/* Say why a key is not there, in the report and in a comment. */
static bool refuse(struct work *work, struct prop *leaf, const char *key, const char *scalar,
		   const char *why)
{
	prop_tell(&work->tree, leaf, OUTCOME_NONE, "%s", why);
	emit_comment(&work->emit, "%s: %s  (%s)", key, scalar, why);
	return false;
}

/* Why a text cannot be the value of a key, or NULL. */
static const char *problem_of(struct work *work, const struct key *key, const char *text,
			      bool *ret_is_default)
{
	char allowed[HINT_LEN];
	struct value value;
	const char *problem = value_parse(&value, key, text, "");

	if (problem)
		return work_say(work, "%s; allowed: %s", problem, hint_allowed(allowed, key));
	*ret_is_default = key->type != TYPE_LIST && value_is_default(&value, key);
	if (value.not_yet || key->availability == NOT_YET ||
	    (key->availability == ONLY_DEFAULT && !*ret_is_default))
		return "this version of Sluice does not have it";
	if (key->layer7 && !*ret_is_default)
		return "only services with forward: l7 have a use for it";
	return NULL;
}

bool put_text(struct work *work, struct prop *leaf, int level, enum section section,
	      const char *name, const char *text, const char *how)
{
	const struct key *key = keys_find(section, name);
	CLEANUP(free_p) char *scalar = is_text(key->type) ? emit_scalar(text) : strdup(text);
	bool is_default = false;
	const char *problem;
	char path[KEY_LEN];

	if (!scalar) {
		work->oom = true;
		return false;
	}
	problem = problem_of(work, key, text, &is_default);
	if (problem)
		return refuse(work, leaf, name, scalar, problem);
	/* A switch that says what holds anyway would only be in the way of others. */
	if (key->type != TYPE_BOOL || !is_default)
		emit_line(&work->emit, level, name, scalar, how);
	if (work->off)
		prop_tell(&work->tree, leaf, OUTCOME_NONE, "%s", work->off);
	else
		prop_tell(&work->tree, leaf, how ? OUTCOME_APPROXIMATED : OUTCOME_CARRIED, "%s%s%s",
			  how ? how : key_path(path, section, name), how ? ": " : "",
			  how ? text : "");
	return true;
}

bool put_leaf(struct work *work, struct prop *leaf, enum section section, const char *key)
{
	const char *text = work_text(work, leaf);

	return text && put_text(work, leaf, 0, section, key, text, NULL);
}

void put_protocol(struct work *work, struct prop *leaf, enum section section)
{
	enum protocol protocol;

	if (work_protocol(work, leaf, &protocol) < 0)
		put_leaf(work, leaf, section, "protocol");
	else
		put_text(work, leaf, 0, section, "protocol", protocol_name(protocol), NULL);
}

/* "30s", or "100ms" where it is no whole number of seconds. */
static const char *unit_text(struct work *work, const struct key *key, uint64_t value)
{
	if (key->type != TYPE_DURATION)
		return work_say(work, "%" PRIu64, value);
	if (value % MS_PER_SECOND)
		return work_say(work, "%" PRIu64 "ms", value);
	return work_say(work, "%" PRIu64 "s", value / MS_PER_SECOND);
}

bool put_number(struct work *work, struct prop *leaf, int level, enum section section,
		const char *name)
{
	const struct key *key = keys_find(section, name);
	uint64_t unit = key->type == TYPE_DURATION ? MS_PER_SECOND : 1;
	uint64_t number = 0, nearest;
	const char *text = work_text(work, leaf), *how = NULL;
	char allowed[HINT_LEN];

	if (!text)
		return false;
	/* What is below zero is below every range. */
	if (text[0] != '-' && number_parse(&number, text, 0, UINT32_MAX) < 0)
		return put_text(work, leaf, level, section, name, text, NULL);
	nearest = number * unit;
	nearest = nearest < key->min ? key->min : nearest > key->max ? key->max : nearest;
	if (nearest != number * unit || text[0] == '-')
		how = work_say(work, "%s is out of range (%s)", text, hint_allowed(allowed, key));
	return put_text(work, leaf, level, section, name, unit_text(work, key, nearest), how);
}

void put_none(struct work *work, struct prop *prop, const char *why)
{
	if (!prop)
		return;
	emit_comment(&work->emit, "%s: %s",
		     prop->key || !prop->parent ? prop->key : prop->parent->key, why);
	prop_tell_rest(&work->tree, prop, OUTCOME_NONE, why);
}

static void put_rest_leaf(struct work *work, struct prop *leaf, const struct prop *below)
{
	CLEANUP(free_p) char *path = NULL;
	const char *why;
	enum outcome outcome;
	size_t len;
	FILE *out;

	if (leaf->outcome != OUTCOME_UNTOLD)
		return;
	outcome = unmapped_outcome(leaf, &why);
	prop_tell(&work->tree, leaf, outcome, "%s", why);
	if (outcome != OUTCOME_NONE)
		return;
	out = open_memstream(&path, &len);
	if (!out) {
		work->oom = true;
		return;
	}
	prop_print_path_below(out, leaf, below);
	if (fclose(out))
		work->oom = true;
	else
		emit_comment(&work->emit, "%s: %s", path, why);
}

/* Below what the comment's reader knows already to be a property. */
static void put_rest_below(struct work *work, struct prop *prop, const struct prop *below)
{
	if (prop_is_leaf(prop)) {
		put_rest_leaf(work, prop, below);
		return;
	}
	for (uint32_t i = 0; i < prop->n_children; i++)
		put_rest_below(work, &prop->children[i], below);
}

void put_rest(struct work *work, struct prop *prop)
{
	struct prop *nested = prop_child(prop, "properties");

	if (nested)
		put_rest_below(work, nested, nested);
	put_rest_below(work, prop, prop);
}
