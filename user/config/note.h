/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * note - errors found while reading: where in the file, which key, which value, what is allowed.
 *
 * Every function adds one error to the reader's report. A node says where, and its text is shown
 * as the value read. Those that take a record mark it as not clean.
 */
#ifndef SLUICE_CONFIG_NOTE_H
#define SLUICE_CONFIG_NOTE_H

#include <stdbool.h>
#include <stdint.h>

struct key;
struct node;
struct reader;
struct record;

/* Where in the file a key is: printed as "settings[2].port". */
struct place {
	const struct place *up; /* NULL: the file itself */
	const char *key;
	uint32_t position;
	bool listed; /* position counts */
};

/* Any error; place may be NULL: the file as a whole. */
void note_place(struct reader *reader, const struct place *place, const struct node *node,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Any error of a key of the record; node may be NULL: the record itself. */
void note_key(struct reader *reader, struct record *record, const char *key,
	      const struct node *node, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* node is a key that the record's section does not know. */
void note_unknown(struct reader *reader, struct record *record, const struct node *node);

/* "PROBLEM; allowed: …" */
void note_problem(struct reader *reader, struct record *record, const struct key *key,
		  const struct node *node, const char *problem);

/* The value is of another kind than the key wants: "is a list; allowed: …". */
void note_kind(struct reader *reader, struct record *record, const struct key *key,
	       const struct node *node);

/* The value is in order, but of a later version. */
void note_not_yet(struct reader *reader, struct record *record, const struct key *key,
		  const struct node *node);

#endif
