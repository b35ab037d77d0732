// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/change.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "diagnose/json.h"
#include "util/cleanup.h"
#include "util/err.h"
#include "util/printable.h"

#define SHOWN_MAX 64 /* of what was sent, in an error text */

static const struct action {
	const char *name;
	enum change_subject subject;
} actions[] = {
	[CHANGE_DRAIN] = { "drain", CHANGE_OF_BACKEND },
	[CHANGE_ENABLE] = { "enable", CHANGE_OF_BACKEND },
	[CHANGE_DISABLE] = { "disable", CHANGE_OF_BACKEND },
	[CHANGE_WEIGHT] = { "weight", CHANGE_OF_BACKEND },
	[CHANGE_ADD] = { "add", CHANGE_OF_BACKEND },
	[CHANGE_REMOVE] = { "remove", CHANGE_OF_BACKEND },
	[CHANGE_ADD_POOL] = { "add", CHANGE_OF_POOL },
	[CHANGE_REMOVE_POOL] = { "remove", CHANGE_OF_POOL },
	[CHANGE_ATTACH] = { "attach", CHANGE_OF_INTERFACE },
	[CHANGE_DETACH] = { "detach", CHANGE_OF_INTERFACE },
	[CHANGE_RELOAD] = { "reload", CHANGE_OF_FILE },
};

#define N_ACTIONS (sizeof(actions) / sizeof(actions[0]))
#define LIST_LEN 128

const char *change_name(enum change_action action)
{
	return actions[action].name;
}

bool change_is_job(enum change_action action)
{
	return action >= CHANGE_ADD;
}

/* "drain, enable, …": what may be asked for about the subject. */
static const char *list_actions(char buf[LIST_LEN], enum change_subject subject)
{
	int len = 0;

	for (size_t i = 0; i < N_ACTIONS; i++)
		if (actions[i].subject == subject)
			len += snprintf(buf + len, LIST_LEN - (size_t)len, "%s%s", len ? ", " : "",
					actions[i].name);
	return buf;
}

static int take_action(struct change *change, enum change_subject subject, const json_t *value,
		       struct err *err)
{
	const char *text = json_string_value(value);
	char allowed[LIST_LEN];

	for (size_t i = 0; text && i < N_ACTIONS; i++)
		if (actions[i].subject == subject && !strcmp(text, actions[i].name)) {
			change->action = (enum change_action)i;
			return 0;
		}
	if (!value)
		return err_set(err, -EINVAL, "action is missing");
	return err_set(err, -EINVAL, "action '%.*s' is not available; allowed: %s", SHOWN_MAX,
		       text ? text : "", list_actions(allowed, subject));
}

static int take_text(char *buf, size_t size, const char *key, const json_t *value, struct err *err)
{
	const char *text = json_string_value(value);
	size_t n = 0;

	while (text && printable_is_ascii(text[n]))
		n++;
	if (!n || text[n] || n >= size)
		return err_set(err, -EINVAL,
			       "%s is to be a string of 1 to %zu printable ASCII characters", key,
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

static int take_interface(struct change *change, const json_t *value, struct err *err)
{
	return take_text(change->interface, sizeof(change->interface), "interface", value, err);
}

static int take_xdp(struct change *change, const json_t *value, struct err *err)
{
	const char *text = json_string_value(value);

	change->has_xdp = true;
	if (text && xdp_mode_parse(&change->xdp, text) == 0)
		return 0;
	return err_set(err, -EINVAL,
		       "xdp '%.*s' is no mode; allowed: auto, offload, native, generic, off",
		       SHOWN_MAX, text ? text : "");
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

static int take_flag(bool *ret, const json_t *value, const char *key, struct err *err)
{
	if (!json_is_boolean(value))
		return err_set(err, -EINVAL, "%s is to be true or false", key);
	*ret = json_is_true(value);
	return 0;
}

static int take_egress(struct change *change, const json_t *value, struct err *err)
{
	change->has_egress = true;
	return take_flag(&change->egress, value, "egress", err);
}

static int take_rehearsal(struct change *change, const json_t *value, struct err *err)
{
	return take_flag(&change->is_rehearsal, value, "dry_run", err);
}

static int take_discards(struct change *change, const json_t *value, struct err *err)
{
	return take_flag(&change->discards, value, "discard_runtime", err);
}

static int take_version(struct change *change, const json_t *value, struct err *err)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return err_set(err, -EINVAL, "if_version is to be a whole number");
	change->is_versioned = true;
	change->version = (uint64_t)json_integer_value(value);
	return 0;
}

#define BIT(action) (1u << (action))
#define EVERY (BIT(N_ACTIONS) - 1)
#define OF_BACKEND (BIT(CHANGE_ADD_POOL) - 1)
#define OF_POOL (BIT(CHANGE_ADD_POOL) | BIT(CHANGE_REMOVE_POOL))
#define OF_INTERFACE (BIT(CHANGE_ATTACH) | BIT(CHANGE_DETACH))

/* Members of the object, but for "action", which says which of them go with it. */
static const struct member {
	const char *key;
	int (*take)(struct change *change, const json_t *value, struct err *err);
	unsigned int needed_by, allowed_for; /* actions */
} members[] = {
	{ "pool", take_pool, OF_BACKEND | OF_POOL, OF_BACKEND | OF_POOL },
	{ "address", take_address, OF_BACKEND, OF_BACKEND },
	{ "interface", take_interface, OF_INTERFACE, OF_INTERFACE },
	{ "xdp", take_xdp, 0, BIT(CHANGE_ATTACH) },
	{ "egress", take_egress, 0, BIT(CHANGE_ATTACH) },
	{ "timeout_ms", take_timeout, 0, BIT(CHANGE_DRAIN) },
	{ "weight", take_weight, BIT(CHANGE_WEIGHT), BIT(CHANGE_WEIGHT) | BIT(CHANGE_ADD) },
	{ "discard_runtime", take_discards, 0, BIT(CHANGE_RELOAD) },
	{ "dry_run", take_rehearsal, 0, EVERY },
	{ "if_version", take_version, 0, EVERY },
};

#define N_MEMBERS (sizeof(members) / sizeof(members[0]))

static int check_keys(json_t *json, struct err *err)
{
	const char *key;
	json_t *value;

	json_object_foreach(json, key, value)
	{
		bool known = !strcmp(key, "action");

		for (size_t i = 0; i < N_MEMBERS; i++)
			known |= !strcmp(key, members[i].key);
		if (!known)
			return err_set(err, -EINVAL,
				       "'%.*s' is no member of a change; allowed: action, pool, "
				       "address, interface, xdp, egress, timeout_ms, weight, "
				       "discard_runtime, dry_run, if_version",
				       SHOWN_MAX, key);
	}
	return 0;
}

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

static int parse(struct change *change, enum change_subject subject, json_t *json, struct err *err)
{
	int r;

	if (!json_is_object(json))
		return err_set(err, -EINVAL, "the body is to be a JSON object");
	r = check_keys(json, err);
	if (r == 0 && subject != CHANGE_OF_FILE)
		r = take_action(change, subject, json_object_get(json, "action"), err);
	if (change->action == CHANGE_ADD)
		change->weight = 1;
	return r < 0 ? r : take_members(change, json, err);
}

int change_parse(struct change *ret_change, enum change_subject subject, const char *body,
		 size_t len, struct err *err)
{
	json_error_t error;
	CLEANUP(json_p) json_t *json = NULL;
	struct change change = { .action = CHANGE_RELOAD };
	int r;

	if (!len && subject == CHANGE_OF_FILE) {
		*ret_change = change;
		return 0;
	}
	json = json_loadb(body, len, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		return err_set(err, -EINVAL, "the body is not JSON: line %d, column %d: %s",
			       error.line, error.column, error.text);
	r = parse(&change, subject, json, err);
	if (r < 0)
		return r;
	*ret_change = change;
	return 0;
}
