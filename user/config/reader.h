/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reader - walks the tree along the table of keys, fills the model and notes every error.
 *
 * Errors of the file do not stop it: its functions return 0 and go on, and fail only for want of
 * memory (-ENOMEM). Records with errors stay in the model, so that what refers to them is not
 * blamed too; the caller throws the model away when the report is not empty.
 */
#ifndef SLUICE_CONFIG_READER_H
#define SLUICE_CONFIG_READER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/index.h"
#include "config/keys.h"
#include "model/model.h"

struct node;
struct place;
struct report;
struct tree;

struct reader {
	const struct tree *tree;
	struct model *model;
	struct report *report;
	char directory[PATH_MAX]; /* of the file, with '/' at its end, or "" */
	struct index names[SECTION_COUNT]; /* of the lists that others refer to, once read */
	bool skipped[SECTION_COUNT]; /* the list was refused as a whole: its names are unknown */
};

/* One mapping of the file while it is read. Arrays are parallel to the section's keys. */
struct record {
	enum section section;
	const struct place *place;
	const struct node *node; /* where errors point; the enclosing mapping when absent */
	bool absent; /* the mapping is not in the file: defaults apply */
	void *base; /* its part of the model */
	bool clean;
	const struct node *keys[KEYS_PER_SECTION]; /* NULL: not given */
	const struct node *values[KEYS_PER_SECTION]; /* NULL: not given, or nothing was given */
	bool active[KEYS_PER_SECTION]; /* has a good value, and not its default */
};

/* Read the whole tree. -ENOMEM. The caller calls reader_done() in any case. */
int reader_run(struct reader *reader);

void reader_done(struct reader *reader);

/* The value of the record's key as read, or NULL when it was not given. */
const struct node *record_value(const struct record *record, const char *key);

/* Whether the record's key was given a good value that is not its default. */
bool record_active(const struct record *record, const char *key);

#endif
