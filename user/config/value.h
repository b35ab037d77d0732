/* SPDX-License-Identifier: GPL-2.0-or-later */
/* value - one scalar of the file, checked against its key and put into a record of the model. */
#ifndef SLUICE_CONFIG_VALUE_H
#define SLUICE_CONFIG_VALUE_H

#include "config/keys.h"
#include "model/model.h"

/* What a text came to. Only the members of its key's type are set. */
struct value {
	uint64_t number; /* numbers, durations, booleans, the values of choices */
	bool not_yet; /* a choice that this version does not build */
	struct addr addr; /* of an address; all zero: text is a name */
	struct status_range status[LIMIT_STATUS_RANGES];
	uint32_t n_status;
	struct sl_target_key listen; /* of a service */
	struct port_range ports;
	const char *text; /* as written; borrowed */
	const char *
		directory; /* what a relative file name is relative to, "" or with '/' at its end */
};

/*
 * Check text against the type and range of the key; a list is checked item by item. References are
 * checked as names only. directory must outlive the value. Returns NULL, or what is wrong with the
 * text in a few words ("out of range"); *ret is then undefined.
 */
const char *value_parse(struct value *ret, const struct key *key, const char *text,
			const char *directory);

/* Whether a value that passed value_parse() is the key's default. */
bool value_is_default(const struct value *value, const struct key *key);

/* Put the value where the key is kept in the record. -ENOMEM. */
int value_store(const struct value *value, const struct key *key, void *record);

#endif
