// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * plan - rules, path maps and listeners become services.
 *
 * A rule is a service, and so is each path rule of its map. Sluice forwards connections, not requests:
 * a service gets the listener's address only if all that arrives there goes to one pool under one
 * settings, and if neither side expects the gateway to begin or end TLS. The others guard.
 */
#include <errno.h>
#include <string.h>

#include "import/work.h"
#include "util/err.h"
#include "util/number.h"

/* Rules without a priority come last, in the order of the file. */
struct ranked {
	uint64_t priority;
	uint32_t index;
};

static int compare_ranks(const void *a, const void *b)
{
	const struct ranked *left = a, *right = b;

	if (left->priority != right->priority)
		return left->priority < right->priority ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

static struct planned *add_service(struct work *work, struct item *rule, struct prop *at)
{
	struct planned *service = &work->services[work->n_services++];

	*service = (struct planned){ .rule = rule, .at = at };
	service->listener = work_ref(
		work, prop_field(rule->at, rule->layer == LAYER_4 ? "listener" : "httpListener"),
		KIND_LISTENER, rule->layer);
	return service;
}

/* The pool and settings that the keys name; without them a redirection, or what cannot be read. */
static void resolve(struct work *work, struct planned *service, const char *pool,
		    const char *settings, const char *redirect)
{
	service->is_redirect = prop_field(service->at, redirect) != NULL;
	service->pool = work_ref(work, prop_field(service->at, pool), KIND_POOL, LAYER_7);
	service->settings = work_ref(work, prop_field(service->at, settings), KIND_SETTINGS,
				     service->rule->layer);
	if (service->is_redirect)
		service->off = "it redirects clients, for which there is no counterpart";
	else if (!service->pool || !service->settings)
		service->off = service->pool ? "the settings that it names are not in the file"
					     : "it names no pool that is in the file";
	else if (service->settings->off)
		service->off = work_say(work, "its settings '%s' are a comment: %s",
					service->settings->label, service->settings->off);
}

static void add_path_rule(struct work *work, struct item *rule, struct item *map,
			  struct prop *path_rule)
{
	struct planned *service = add_service(work, rule, path_rule);
	const char *label = work_segment(work, prop_child(path_rule, "name"));

	service->map = map;
	service->path_rule = path_rule;
	service->is_repeat = map->same != NULL;
	resolve(work, service, "backendAddressPool", "backendHttpSettings",
		"redirectConfiguration");
	work_name(work, service->name, work_say(work, "%s-%s", rule->label, label ? label : "path"),
		  &work->service_names);
}

static void add_mapped(struct work *work, struct item *rule, struct item *map)
{
	struct planned *service = add_service(work, rule, map->at);
	struct prop *paths = prop_field(map->at, "pathRules");

	service->map = map;
	resolve(work, service, "defaultBackendAddressPool", "defaultBackendHttpSettings",
		"defaultRedirectConfiguration");
	work_name(work, service->name, rule->label, &work->service_names);
	for (uint32_t i = 0; paths && i < paths->n_children; i++)
		add_path_rule(work, rule, map, &paths->children[i]);
	map->same = rule;
}

static void add_rule(struct work *work, struct item *rule)
{
	struct item *map =
		work_ref(work, prop_field(rule->at, "urlPathMap"), KIND_PATH_MAP, LAYER_7);
	struct planned *service;

	if (map) {
		add_mapped(work, rule, map);
		return;
	}
	service = add_service(work, rule, rule->at);
	resolve(work, service, "backendAddressPool",
		rule->layer == LAYER_4 ? "backendSettings" : "backendHttpSettings",
		"redirectConfiguration");
	work_name(work, service->name, rule->label, &work->service_names);
}

/* How many services the rules come to, at most. */
static uint64_t count_services(struct work *work)
{
	struct items *rules = &work->items[KIND_RULE];
	uint64_t n = rules->n;

	for (uint32_t i = 0; i < rules->n; i++) {
		struct item *map = work_ref(work, prop_field(rules->list[i].at, "urlPathMap"),
					    KIND_PATH_MAP, LAYER_7);
		struct prop *paths = map ? prop_field(map->at, "pathRules") : NULL;

		n += paths ? paths->n_children : 0;
	}
	return n;
}

static int add_services(struct work *work)
{
	struct items *rules = &work->items[KIND_RULE];
	CLEANUP(free_p) struct ranked *order = calloc(rules->n + 1, sizeof(*order));

	if (!order)
		return -ENOMEM;
	for (uint32_t i = 0; i < rules->n; i++) {
		const char *text = work_text(work, prop_field(rules->list[i].at, "priority"));

		order[i].index = i;
		if (!text || number_parse(&order[i].priority, text, 0, UINT32_MAX) < 0)
			order[i].priority = UINT64_MAX;
	}
	qsort(order, rules->n, sizeof(*order), compare_ranks);
	for (uint32_t i = 0; i < rules->n; i++)
		add_rule(work, &rules->list[order[i].index]);
	return 0;
}

/* A host that comes from a backend's name needs backends that have one. */
static void check_backend_names(struct work *work)
{
	for (uint32_t i = 0; i < work->n_services; i++) {
		struct item *settings = work->services[i].settings;
		const struct item *pool = work->services[i].pool;

		if (!settings || !pool || !settings->host_from_backend || !pool->address)
			continue;
		settings->no_backend_names = work_say(
			work,
			"pool '%s', which rule '%s' uses with them, has backends without a "
			"name",
			pool->label, work->services[i].rule->label);
	}
}

static bool same_place(const struct item *a, const struct item *b)
{
	return a && b && a->frontend && a->frontend == b->frontend && a->port == b->port;
}

/* Another service of the same address that goes elsewhere, or NULL. */
static const struct planned *find_rival(const struct work *work, const struct planned *service)
{
	for (uint32_t i = 0; i < work->n_services; i++) {
		const struct planned *other = &work->services[i];

		if (same_place(service->listener, other->listener) &&
		    (other->pool != service->pool || other->settings != service->settings))
			return other;
	}
	return NULL;
}

static const char *why_unheard(struct work *work, const struct planned *service)
{
	const struct item *listener = service->listener;
	const struct planned *rival;

	if (!listener)
		return "its listener is not in the file";
	if (service->path_rule)
		return "requests are not told apart by their paths";
	rival = find_rival(work, service);
	if (rival)
		return work_say(work,
				"rule '%s' has the same address and port and goes elsewhere; "
				"requests are not told apart by host or path",
				rival->name);
	if (listener->off)
		return listener->off;
	if (protocol_is_tls(listener->protocol) == protocol_is_tls(service->settings->protocol))
		return listener->unheard;
	return protocol_is_tls(listener->protocol)
		       ? "the listener ends TLS, which the backends do not speak"
		       : "the backends speak TLS, which the clients do not";
}

int work_plan(struct work *work, struct err *err)
{
	uint64_t n = count_services(work);
	int r;

	if (n > LIMIT_IMPORT_ITEMS)
		return err_set(err, -EFBIG,
			       "has more than %d rules, path rules counted for each rule that uses "
			       "them",
			       LIMIT_IMPORT_ITEMS);
	work->services = calloc(n + 1, sizeof(*work->services));
	if (!work->services)
		return -ENOMEM;
	r = add_services(work);
	work_forget_names(work->service_names);
	if (r < 0)
		return r;
	check_backend_names(work);
	for (uint32_t i = 0; i < work->n_services; i++)
		if (!work->services[i].off)
			work->services[i].unheard = why_unheard(work, &work->services[i]);
	return work_claim(work);
}
