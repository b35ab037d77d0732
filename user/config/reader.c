// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/reader.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "config/hint.h"
#include "config/note.h"
#include "config/rules.h"
#include "config/tree.h"
#include "config/value.h"
#include "util/err.h"

static int read_record(struct reader *reader, struct record *record);

static size_t index_of(const struct record *record, const struct key *key)
{
	return (size_t)(key - sections[record->section]->keys);
}

const struct node *record_value(const struct record *record, const char *key)
{
	return record->values[index_of(record, keys_find(record->section, key))];
}

bool record_active(const struct record *record, const char *key)
{
	return record->active[index_of(record, keys_find(record->section, key))];
}

static bool is_structure(const struct key *key)
{
	return key->type == TYPE_LIST || key->type == TYPE_RECORD || key->type == TYPE_RECORDS;
}

/* Sort the mapping's keys into the record. */
static void collect(struct reader *reader, struct record *record)
{
	const struct node *node, *value;

	for (node = tree_first(reader->tree, record->node); node;
	     node = tree_next(reader->tree, value)) {
		const struct key *key = keys_find(record->section, tree_text(reader->tree, node));
		size_t i;

		value = tree_next(reader->tree, node);
		if (!key) {
			note_unknown(reader, record, node);
			continue;
		}
		i = index_of(record, key);
		if (record->keys[i]) {
			note_key(reader, record, key->name, node,
				 "the key is given twice; the first is on line %u",
				 record->keys[i]->line);
			continue;
		}
		record->keys[i] = node;
		if (value->kind != NODE_NULL)
			record->values[i] = value;
	}
}

static int store_default(struct record *record, const struct key *key)
{
	struct value value;

	if (!key->size)
		return 0;
	if (key->type == TYPE_REFERENCE)
		value.number = INDEX_NONE;
	else if (!key->value)
		return 0;
	else if (value_parse(&value, key, key->value, ""))
		assert(!"a default is not allowed by its own key");
	return value_store(&value, key, record->base);
}

/* The record that a reference names. */
static bool resolve(struct reader *reader, struct record *record, const struct key *key,
		    const struct node *node, struct value *value)
{
	const struct index_entry *entry =
		index_find(&reader->names[key->section], value->text, strlen(value->text));

	if (entry) {
		value->number = entry->position;
		return true;
	}
	record->clean = false;
	if (!reader->skipped[key->section])
		note_key(reader, record, key->name, node,
			 "names nothing in %.*s; allowed: the name of an entry there",
			 (int)strcspn(sections[key->section]->path, "["),
			 sections[key->section]->path);
	return false;
}

static int read_scalar(struct reader *reader, struct record *record, const struct key *key,
		       const struct node *node)
{
	const size_t i = index_of(record, key);
	const char *problem;
	struct value value;

	if (!node && record->keys[i]) {
		note_problem(reader, record, key, record->keys[i], "has no value");
		return 0;
	}
	if (!node)
		return store_default(record, key);

	if (node->kind != NODE_TEXT) {
		note_kind(reader, record, key, node);
		return 0;
	}
	problem = value_parse(&value, key, tree_text(reader->tree, node), reader->directory);
	if (problem) {
		note_problem(reader, record, key, node, problem);
		return 0;
	}
	if (key->type == TYPE_REFERENCE && !resolve(reader, record, key, node, &value))
		return 0;

	record->active[i] = !value_is_default(&value, key);
	if (value.not_yet || key->availability == NOT_YET ||
	    (key->availability == ONLY_DEFAULT && record->active[i]))
		note_not_yet(reader, record, key, node);
	return value_store(&value, key, record->base);
}

/* Whether the item was in order and is kept; -ENOMEM. */
static int read_item(struct reader *reader, struct record *record, const struct key *key,
		     const struct place *place, const struct node *item)
{
	const char *problem = "is not a text";
	struct key item_key = *key;
	struct err err = { "" };
	char allowed[HINT_LEN];
	struct value value;
	int r;

	item_key.type = key->item;
	if (item->kind == NODE_TEXT)
		problem = value_parse(&value, &item_key, tree_text(reader->tree, item),
				      reader->directory);
	if (problem) {
		note_place(reader, place, item, "%s; allowed: %s", problem,
			   hint_allowed(allowed, &item_key));
		return false;
	}
	if (!key->keep_item)
		return true;
	r = key->keep_item(record->base, &value, &err);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		note_place(reader, place, item, "%s", err.text);
	return r >= 0;
}

/* A list of scalars. */
static int read_list(struct reader *reader, struct record *record, const struct key *key,
		     const struct node *node)
{
	struct place place = { .up = record->place, .key = key->name, .listed = true };
	const struct node *item;
	bool clean = true;
	int r;

	if (node->kind != NODE_LIST) {
		note_kind(reader, record, key, node);
		return 0;
	}
	if (node->n_children > LIMIT_LIST_ITEMS) {
		note_key(reader, record, key->name, node, "has %u entries; allowed: at most %u",
			 node->n_children, LIMIT_LIST_ITEMS);
		return 0;
	}
	for (item = tree_first(reader->tree, node); item; item = tree_next(reader->tree, item)) {
		r = read_item(reader, record, key, &place, item);
		if (r < 0)
			return r;
		clean = clean && r;
		place.position++;
	}

	record->clean = record->clean && clean;
	record->active[index_of(record, key)] = place.position > 0;
	if (clean && place.position && key->availability != AVAILABLE)
		note_not_yet(reader, record, key, tree_first(reader->tree, node));
	return 0;
}

static int read_mapping(struct reader *reader, struct record *record, const struct key *key,
			const struct node *node)
{
	const struct place place = { .up = record->place, .key = key->name };
	/* A key with nothing behind it is an empty mapping. */
	const struct node *given = node ? node : record->keys[index_of(record, key)];
	struct record inner = {
		.section = key->section,
		.place = &place,
		.node = given ? given : record->node,
		.absent = !given,
		.base = record->base,
		.clean = true,
	};
	int r;

	if (node && node->kind != NODE_MAP) {
		note_kind(reader, record, key, node);
		return 0;
	}
	r = read_record(reader, &inner);
	if (r < 0)
		return r;

	record->clean = record->clean && inner.clean;
	record->active[index_of(record, key)] = node != NULL;
	if (node && key->availability == NOT_YET)
		note_not_yet(reader, record, key, node);
	return 0;
}

/* Every record but the first of those with the same name or address is an error. */
static void note_duplicates(struct reader *reader, const struct place *list,
			    const struct index *index, const char *unique)
{
	const struct index_entry *first = index->entries;

	for (const struct index_entry *e = first + 1; e < index->entries + index->n_entries; e++) {
		struct place item = *list;
		const struct place place = { .up = &item, .key = unique };

		if (!index_equal(first, e)) {
			first = e;
			continue;
		}
		item.position = e->position;
		note_place(reader, &place, e->node,
			   "the same %s is on line %u already; it must be unique", unique,
			   first->node->line);
	}
}

/* Add a record to the index of its list, if the key that must be unique is in order. */
static void remember(struct index *index, const struct record *record, uint32_t position)
{
	const struct key *key = keys_find(record->section, sections[record->section]->unique);
	const char *kept = (const char *)record->base + key->offset;
	size_t i = index_of(record, key), len;

	if (!record->active[i])
		return;
	if (key->type == TYPE_ADDRESS) {
		const struct backend *backend = record->base;

		kept = backend->name ? backend->name : kept;
		len = backend->name ? strlen(kept) : sizeof(struct addr);
	} else {
		len = strlen(kept);
	}
	index_add(index, (struct index_entry){
				 .key = kept,
				 .len = len,
				 .node = record->values[i],
				 .position = position,
				 .clean = record->clean,
			 });
}

static int read_items(struct reader *reader, struct place *place, enum section section,
		      const struct node *node, char *items)
{
	struct index *index = &reader->names[section];
	const struct node *item;
	int r;

	index_done(index);
	r = index_init(index, node->n_children);
	if (r < 0)
		return r;
	for (item = tree_first(reader->tree, node); item; item = tree_next(reader->tree, item)) {
		struct record record = {
			.section = section,
			.place = place,
			.node = item,
			.base = items + place->position * sections[section]->size,
			.clean = true,
		};

		if (item->kind == NODE_MAP)
			r = read_record(reader, &record);
		else
			note_place(reader, place, item,
				   "is %s; allowed: a mapping, as in '- %s: ...'",
				   node_kind_name(item->kind), sections[section]->unique);
		if (r < 0)
			return r;
		if (item->kind == NODE_MAP)
			remember(index, &record, place->position);
		place->position++;
	}

	index_sort(index);
	note_duplicates(reader, place, index, sections[section]->unique);
	return 0;
}

static int read_records(struct reader *reader, struct record *record, const struct key *key,
			const struct node *node)
{
	struct place place = { .up = record->place, .key = key->name, .listed = true };
	uint32_t n = node->n_children;
	void *items;

	/* Until the list has been read whole, what refers to it is not to blame. */
	reader->skipped[key->section] = true;
	if (node->kind != NODE_LIST) {
		note_kind(reader, record, key, node);
		return 0;
	}
	if (n < key->min || n > key->max) {
		note_key(reader, record, key->name, node, "has %u entries; allowed: %u..%u", n,
			 (unsigned int)key->min, (unsigned int)key->max);
		return 0;
	}
	reader->skipped[key->section] = false;
	if (!n)
		return 0;

	items = calloc(n, sections[key->section]->size);
	if (!items)
		return -ENOMEM;
	memcpy((char *)record->base + key->offset, &items, sizeof(items));
	memcpy((char *)record->base + key->count_offset, &n, sizeof(n));

	return read_items(reader, &place, key->section, node, items);
}

static int read_key(struct reader *reader, struct record *record, const struct key *key)
{
	const struct node *node = record->values[index_of(record, key)];

	if (key->type == TYPE_RECORD)
		return read_mapping(reader, record, key, node);
	if (!node && key->required && (is_structure(key) || !record->keys[index_of(record, key)])) {
		char allowed[HINT_LEN];

		note_key(reader, record, key->name, NULL, "missing (%s); allowed: %s", key->help,
			 hint_allowed(allowed, key));
		return 0;
	}
	if (!is_structure(key))
		return read_scalar(reader, record, key, node);
	if (!node)
		return 0;
	if (key->type == TYPE_RECORDS)
		return read_records(reader, record, key, node);
	return read_list(reader, record, key, node);
}

static int read_record(struct reader *reader, struct record *record)
{
	const struct section_info *info = sections[record->section];
	int r;

	assert(info->n_keys <= KEYS_PER_SECTION);
	if (!record->absent)
		collect(reader, record);
	for (size_t i = 0; i < info->n_keys; i++) {
		r = read_key(reader, record, &info->keys[i]);
		if (r < 0)
			return r;
	}
	rules_check(reader, record);
	return 0;
}

int reader_run(struct reader *reader)
{
	const struct node *root = tree_root(reader->tree);
	struct record record = {
		.section = SECTION_ROOT,
		.node = root,
		.absent = root->kind == NODE_NULL,
		.base = reader->model,
		.clean = true,
	};

	if (root->kind != NODE_MAP && root->kind != NODE_NULL) {
		note_place(reader, NULL, root,
			   "the file is not a mapping; it must have a key gateway");
		return 0;
	}
	return read_record(reader, &record);
}

void reader_done(struct reader *reader)
{
	for (size_t i = 0; i < SECTION_COUNT; i++)
		index_done(&reader->names[i]);
}
