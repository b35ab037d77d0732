// SPDX-License-Identifier: GPL-2.0-or-later
/* filter_judge - a packet's way through the chains of a ruleset. */
#include <stdlib.h>
#include <string.h>

#include "survey/filter_expr.h"
#include "util/cleanup.h"

/* As the kernel allows. */
#define JUMPS_MAX 16
#define BASES_MAX 64
/* Rules looked at for one packet: a ruleset of jumps can be exponential. */
#define RULES_MAX 100000

enum fate {
	FATE_GO_ON, /* with the next rule */
	FATE_RETURN, /* to the chain that jumped here */
	FATE_ACCEPT, /* out of the base chain */
	FATE_END, /* dropped or rejected */
};

/* Where a packet is on its way. */
struct walker {
	struct filter_scope scope;
	struct filter_report *report;
	const char *hook, *chain;
	bool doubt; /* a rule before may have taken the packet out of the chain */
	uint32_t jumps, rules;
};

static const char *get(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

static void note(struct walker *walker, enum filter_action action, bool certain, const json_t *rule)
{
	struct filter_report *report = walker->report;
	struct filter_match *match;

	if (report->n == FILTER_MATCHES_MAX)
		return;
	match = &report->of[report->n++];
	*match = (struct filter_match){
		.action = action,
		.certain = certain && !walker->doubt,
		.is_policy = !rule,
		.handle = (uint64_t)json_integer_value(json_object_get(rule, "handle")),
	};
	snprintf(match->family, sizeof(match->family), "%s", walker->scope.family);
	snprintf(match->table, sizeof(match->table), "%s", walker->scope.table);
	snprintf(match->chain, sizeof(match->chain), "%s", walker->chain);
	snprintf(match->hook, sizeof(match->hook), "%s", walker->hook);
}

static enum fate run_chain(struct walker *walker, const char *name);

static enum fate jump(struct walker *walker, const char *target, bool come_back)
{
	const char *before = walker->chain;
	enum fate fate;

	if (walker->jumps == JUMPS_MAX)
		return FATE_GO_ON;
	walker->jumps++;
	fate = run_chain(walker, target);
	walker->jumps--;
	walker->chain = before;
	if (fate == FATE_RETURN || fate == FATE_GO_ON)
		return come_back ? FATE_GO_ON : FATE_RETURN;
	return fate;
}

/* What a verdict does; one that only may apply leaves doubt, and the packet goes on. */
static enum fate apply(struct walker *walker, const json_t *statement, const json_t *rule,
		       enum holds holds)
{
	bool certain = holds == HOLDS_YES, before = walker->doubt;
	const json_t *inner;
	enum fate fate = FATE_GO_ON;

	if (json_object_get(statement, "drop") || json_object_get(statement, "reject")) {
		note(walker, json_object_get(statement, "drop") ? FILTER_DROP : FILTER_REJECT,
		     certain, rule);
		return certain ? FATE_END : FATE_GO_ON;
	}
	if (json_object_get(statement, "accept"))
		fate = FATE_ACCEPT;
	else if (json_object_get(statement, "return"))
		fate = FATE_RETURN;
	inner = json_object_get(statement, "jump") ?: json_object_get(statement, "goto");
	if (inner) {
		walker->doubt |= !certain;
		fate = jump(walker, get(inner, "target"),
			    json_object_get(statement, "jump") != NULL);
		walker->doubt = before;
	}
	/* Doubt comes of what may have ended here, and did not certainly. */
	if (!certain && fate != FATE_GO_ON) {
		walker->doubt = true;
		return FATE_GO_ON;
	}
	return fate;
}

/* {"vmap": {"key": …, "data": {"set": [[VALUE, VERDICT], …]}}} */
static enum fate apply_map(struct walker *walker, const json_t *vmap, const json_t *rule,
			   enum holds holds)
{
	const json_t *pairs = json_object_get(json_object_get(vmap, "data"), "set");

	/* A named map: which verdict it has is not looked up. */
	if (!pairs) {
		walker->doubt = true;
		return FATE_GO_ON;
	}
	for (size_t i = 0; i < json_array_size(pairs); i++) {
		const json_t *pair = json_array_get(pairs, i);
		enum holds here = filter_is(&walker->scope, json_object_get(vmap, "key"),
					    json_array_get(pair, 0));
		enum fate fate;

		if (here == HOLDS_NO)
			continue;
		fate = apply(walker, json_array_get(pair, 1), rule, here < holds ? here : holds);
		if (fate != FATE_GO_ON || here == HOLDS_YES)
			return fate;
	}
	return FATE_GO_ON;
}

/* Statements that neither ask for anything nor end anything. */
static bool is_harmless(const json_t *statement)
{
	static const char *const keys[] = { "counter",   "log",     "mangle", "notrack",
					    "ct helper", "comment", "last" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_object_get(statement, keys[i]))
			return true;
	return false;
}

static bool is_verdict(const json_t *statement)
{
	static const char *const keys[] = { "accept", "drop", "reject", "return", "jump", "goto" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_object_get(statement, keys[i]))
			return true;
	return false;
}

static enum fate run_rule(struct walker *walker, const json_t *rule)
{
	const json_t *statements = json_object_get(rule, "expr");
	enum holds holds = HOLDS_YES;

	for (size_t i = 0; i < json_array_size(statements); i++) {
		const json_t *statement = json_array_get(statements, i);
		const json_t *match = json_object_get(statement, "match");
		const json_t *vmap = json_object_get(statement, "vmap");
		enum holds here = HOLDS_MAYBE;

		if (is_verdict(statement))
			return apply(walker, statement, rule, holds);
		if (vmap)
			return apply_map(walker, vmap, rule, holds);
		if (is_harmless(statement))
			continue;
		if (match)
			here = filter_holds(&walker->scope, match);
		if (here == HOLDS_NO)
			return FATE_GO_ON;
		if (here < holds)
			holds = here;
	}
	return FATE_GO_ON;
}

static bool is_here(const struct walker *walker, const json_t *object)
{
	return !strcmp(get(object, "family"), walker->scope.family) &&
	       !strcmp(get(object, "table"), walker->scope.table);
}

static enum fate run_chain(struct walker *walker, const char *name)
{
	const json_t *objects = walker->scope.objects;

	walker->chain = name;
	for (size_t i = 0; i < json_array_size(objects); i++) {
		const json_t *rule = json_object_get(json_array_get(objects, i), "rule");
		enum fate fate;

		if (!rule || !is_here(walker, rule) || strcmp(get(rule, "chain"), name) != 0)
			continue;
		if (walker->rules++ == RULES_MAX) {
			walker->doubt = true;
			return FATE_ACCEPT;
		}
		fate = run_rule(walker, rule);
		if (fate != FATE_GO_ON)
			return fate;
	}
	return FATE_GO_ON;
}

/* false: the packet has ended. */
static bool run_base(struct walker *walker, const json_t *chain)
{
	enum fate fate;

	walker->scope.family = get(chain, "family");
	walker->scope.table = get(chain, "table");
	walker->doubt = false;
	fate = run_chain(walker, get(chain, "name"));
	if (fate == FATE_END)
		return false;
	walker->chain = get(chain, "name");
	if (fate == FATE_ACCEPT || strcmp(get(chain, "policy"), "drop") != 0)
		return true;
	note(walker, FILTER_DROP, true, NULL);
	return false;
}

static bool is_base_of(const json_t *chain, const char *hook, bool v4)
{
	const char *family = get(chain, "family");

	return !strcmp(get(chain, "hook"), hook) &&
	       (!strcmp(family, "inet") || !strcmp(family, v4 ? "ip" : "ip6"));
}

static int by_priority(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;
	json_int_t p = json_integer_value(json_object_get(*x, "prio"));
	json_int_t q = json_integer_value(json_object_get(*y, "prio"));

	return (p > q) - (p < q);
}

void filter_judge(const json_t *ruleset, const struct filter_packet *packet,
		  const char *const hooks[], struct filter_report *report)
{
	const json_t *objects = json_object_get(ruleset, "nftables");
	struct walker walker = {
		.scope = { .objects = objects, .packet = packet },
		.report = report,
	};

	report->state = FILTER_LOOKED;
	for (size_t h = 0; hooks[h]; h++) {
		const json_t *bases[BASES_MAX];
		size_t n = 0;

		for (size_t i = 0; i < json_array_size(objects) && n < BASES_MAX; i++) {
			const json_t *chain = json_object_get(json_array_get(objects, i), "chain");

			if (chain && is_base_of(chain, hooks[h], addr_is_v4(&packet->to)))
				bases[n++] = chain;
		}
		qsort(bases, n, sizeof(bases[0]), by_priority);
		walker.hook = hooks[h];
		for (size_t i = 0; i < n; i++)
			if (!run_base(&walker, bases[i]))
				return;
	}
}
