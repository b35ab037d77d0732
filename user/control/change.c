// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/change.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "diagnose/json.h"
#include "util/cleanup.h"
#include "util/err.h"

#define SHOWN_MAX 64 /* of what was sent, in an error text */

static const char *const actions[] = {
	[CHANGE_DRAIN] = "drain",
	[CHANGE_ENABLE] = "enable",
	[CHANGE_DISABLE] = "disable",
	[CHANGE_WEIGHT] = "weight",
};

#define N_ACTIONS (sizeof(actions) / sizeof(actions[0]))

const char *change_name(enum change_action action)
{
	return actions[action];
}

static int take_action(struct change *change, const json_t *value, struct err *err)
{
	const char *text = json_string_value(value);

	for (size_t i = 0; text && i < N_ACTIONS; i++)
		if (!strcmp(text, actions[i])) {
			change->action = (enum change_action)i;
			return 0;
		}
	return err_set(err, -EINVAL,
		       "action '%.*s' is not available; allowed: drain, enable, disable, weight",
		       SHOWN_MAX, text ? text : "");
}

static int take_text(char *buf, size_t size, const char *key, const json_t *value, struct err *err)
{
	const char *text = json_string_value(value);

	if (!text || !*text || strlen(text) >= size)
		return err_set(err, -EINVAL, "%s is to be a string of 1 to %zu bytes", key,
			       size - 1);
	memcpy(buf, text, strlen(text) + 1);
	return 0;
}

static int take_pool(struct change *change, const json_t *value, struct err *err)
{
	return take_text(change->pool, sizeof(change->pool), "pool", value, err);
}

static int take_address(struct change *change, const json_t *value, struct err *err)
{
	return take_text(change->address, sizeof(change->address), "address", value, err);
}

static int take_number(uint32_t *ret, const json_t *value, json_int_t min, json_int_t max,
		       const char *key, struct err *err)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < min || number > max)
		return err_set(err, -EINVAL, "%s is to be a whole number from %lld to %lld", key,
			       (long long)min, (long long)max);
	*ret = (uint32_t)number;
	return 0;
}

static int take_timeout(struct change *change, const json_t *value, struct err *err)
{
	return take_number(&change->timeout_ms, value, LIMIT_DRAIN_MIN_MS, LIMIT_DRAIN_MAX_MS,
			   "timeout_ms", err);
}

static int take_weight(struct change *change, const json_t *value, struct err *err)
{
	return take_number(&change->weight, value, 0, LIMIT_WEIGHT, "weight", err);
}

#define BIT(action) (1u << (action))
#define EVERY (BIT(N_ACTIONS) - 1)

/* Members of the object. */
static const struct member {
	const char *key;
	int (*take)(struct change *change, const json_t *value, struct err *err);
	unsigned int needed_by, allowed_for; /* actions */
} members[] = {
	{ "action", take_action, EVERY, EVERY },
	{ "pool", take_pool, EVERY, EVERY },
	{ "address", take_address, EVERY, EVERY },
	{ "timeout_ms", take_timeout, 0, BIT(CHANGE_DRAIN) },
	{ "weight", take_weight, BIT(CHANGE_WEIGHT), BIT(CHANGE_WEIGHT) },
};

#define N_MEMBERS (sizeof(members) / sizeof(members[0]))

static int check_keys(json_t *json, struct err *err)
{
	const char *key;
	json_t *value;

	json_object_foreach(json, key, value)
	{
		bool known = false;

		for (size_t i = 0; i < N_MEMBERS; i++)
			known |= !strcmp(key, members[i].key);
		if (!known)
			return err_set(err, -EINVAL,
				       "'%.*s' is no member of a change; allowed: action, pool, "
				       "address, timeout_ms, weight",
				       SHOWN_MAX, key);
	}
	return 0;
}

/* The action comes first in the table, so that the others know it. */
static int take_members(struct change *change, const json_t *json, struct err *err)
{
	for (size_t i = 0; i < N_MEMBERS; i++) {
		const struct member *member = &members[i];
		const json_t *value = json_object_get(json, member->key);
		unsigned int bit = BIT(change->action);
		int r;

		if (!value && !(member->needed_by & bit))
			continue;
		if (!value)
			return err_set(err, -EINVAL, "%s is missing", member->key);
		if (!(member->allowed_for & bit))
			return err_set(err, -EINVAL, "%s does not go with action '%s'", member->key,
				       change_name(change->action));
		r = member->take(change, value, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int change_parse(struct change *ret_change, const char *body, size_t len, struct err *err)
{
	json_error_t error;
	CLEANUP(json_p) json_t *json = json_loadb(body, len, JSON_REJECT_DUPLICATES, &error);
	struct change change = { .action = CHANGE_DRAIN };
	int r;

	if (!json)
		return err_set(err, -EINVAL, "the body is not JSON: line %d, column %d: %s",
			       error.line, error.column, error.text);
	if (!json_is_object(json))
		return err_set(err, -EINVAL, "the body is to be a JSON object");
	r = check_keys(json, err);
	if (r < 0)
		return r;
	r = take_members(&change, json, err);
	if (r < 0)
		return r;
	*ret_change = change;
	return 0;
}
