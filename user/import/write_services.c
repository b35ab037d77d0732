// SPDX-License-Identifier: GPL-2.0-or-later
/* write_services - pools, and the services that the plan has made of rules. */
#include <string.h>

#include "import/work.h"

static void write_pool(struct work *work, struct item *pool)
{
	uint32_t n = 0;

	put_record(work, prop_child(pool->at, "name"), pool->label, pool->name, NULL);
	for (uint32_t i = 0; i < pool->n_members; i++) {
		struct member *member = &pool->members[i];
		CLEANUP(free_p) char *scalar = emit_scalar(member->text);

		if (!member->off && n == LIMIT_BACKENDS_PER_POOL)
			member->off = "is one backend too many";
		if (!scalar || member->off) {
			work->oom = work->oom || !scalar;
			prop_tell(&work->tree, member->at, OUTCOME_NONE, "%s",
				  member->off ? member->off : "");
			emit_comment(&work->emit, "address: %s  (%s)", scalar ? scalar : "",
				     member->off ? member->off : "");
			continue;
		}
		if (!n++)
			emit_line(&work->emit, 0, "backends", "", NULL);
		emit_item(&work->emit, "address", scalar, NULL);
		prop_tell(&work->tree, member->at, OUTCOME_CARRIED, "%s",
			  "pools[].backends[].address");
	}
	put_rest(work, pool->at);
}

void write_pools(struct work *work)
{
	struct items *pools = &work->items[KIND_POOL];

	if (pools->n)
		emit_section(&work->emit, "pools");
	for (uint32_t i = 0; i < pools->n; i++)
		write_pool(work, &pools->list[i]);
}

static bool is_mapped_default(const struct planned *service)
{
	return service->map && !service->path_rule;
}

/* What the listener asks for beyond an address and a port. */
static void write_layer7(struct work *work, const struct planned *service)
{
	struct prop *at = service->listener ? service->listener->at : NULL;
	struct prop *hosts = prop_field(at, "hostNames");
	struct prop *paths = prop_field(service->path_rule, "paths");
	const char *host = work_text(work, prop_field(at, "hostName"));

	if (host)
		emit_comment(&work->emit, "hosts: [ %s ]  (only forward: l7 tells hosts apart)",
			     host);
	for (uint32_t i = 0; hosts && i < hosts->n_children; i++)
		if (work_text(work, &hosts->children[i]))
			emit_comment(&work->emit,
				     "hosts: [ %s ]  (only forward: l7 tells hosts apart)",
				     work_text(work, &hosts->children[i]));
	for (uint32_t i = 0; paths && i < paths->n_children; i++) {
		const char *path = work_text(work, &paths->children[i]);

		if (!path)
			continue;
		emit_comment(&work->emit, "path_rule: %s  (only forward: l7 tells paths apart)",
			     path);
		prop_tell(&work->tree, &paths->children[i], OUTCOME_NONE, "%s",
			  "requests are not told apart by their paths");
	}
}

static void write_listen(struct work *work, const struct planned *service)
{
	const struct item *listener = service->listener;
	char scalar[SL_TEXT_LEN + 2];

	if (service->off)
		return;
	if (!*service->listen) {
		if (listener && listener->port && service->unheard == listener->unheard)
			emit_comment(&work->emit, "listen: ADDRESS:%u  (%s)",
				     (unsigned int)listener->port, service->unheard);
		else
			emit_comment(&work->emit, "no listen address: %s", service->unheard);
		emit_comment(&work->emit, "its endpoints are probed and guarded");
		return;
	}
	snprintf(scalar, sizeof(scalar), "\"%s\"", service->listen);
	emit_line(&work->emit, 0, "listen", scalar, NULL);
	emit_line(&work->emit, 0, "forward", "nat",
		  protocol_is_tls(listener->protocol)
			  ? "connections as they are: clients see the backend's certificate"
			  : NULL);
	if (service->settings->affinity)
		emit_line(&work->emit, 0, "source_affinity", "true", "instead of a cookie");
}

/* What became of the rule's references, of which a path map's default has others. */
static void tell_references(struct work *work, const struct planned *service)
{
	static const char *const keys[] = { "backendAddressPool", "backendHttpSettings",
					    "backendSettings", "defaultBackendAddressPool",
					    "defaultBackendHttpSettings" };
	enum outcome outcome = service->off ? OUTCOME_NONE : OUTCOME_CARRIED;
	bool is_heard = *service->listen;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct prop *id = prop_child(prop_field(service->at, keys[i]), "id");

		prop_tell(&work->tree, id, outcome, "%s",
			  service->off ? service->off : "services[]");
	}
	for (size_t i = 0; i < 2; i++) {
		static const char *const listeners[] = { "httpListener", "listener" };
		struct prop *id = prop_child(prop_field(service->rule->at, listeners[i]), "id");

		if (service->path_rule)
			continue;
		prop_tell(&work->tree, id,
			  service->off ? OUTCOME_NONE
			  : is_heard   ? OUTCOME_CARRIED
				       : OUTCOME_APPROXIMATED,
			  "%s%s",
			  service->off ? service->off
			  : is_heard   ? "services[].listen"
				       : "guards, without a listen address: ",
			  service->off || is_heard ? "" : service->unheard);
	}
}

static void tell_rule(struct work *work, const struct planned *service)
{
	struct prop *at = service->rule->at;
	bool is_path_based = service->map != NULL;

	if (service->path_rule)
		return;
	if (service->off && !is_path_based) {
		prop_tell(&work->tree, prop_field(at, "priority"), OUTCOME_NONE, "%s",
			  service->off);
		prop_tell(&work->tree, prop_field(at, "ruleType"), OUTCOME_NONE, "%s",
			  service->off);
	}
	prop_tell(&work->tree, prop_field(at, "priority"), OUTCOME_CARRIED, "%s",
		  "services are in this order");
	prop_tell(&work->tree, prop_field(at, "ruleType"),
		  is_path_based ? OUTCOME_APPROXIMATED : OUTCOME_CARRIED, "%s",
		  is_path_based ? "a service for each path rule, which guards" : "services[]");
	prop_tell(&work->tree, prop_child(prop_field(at, "urlPathMap"), "id"), OUTCOME_APPROXIMATED,
		  "%s", "a service for each path rule, which guards");
}

/* A reference, if there is something to refer to. */
static void write_name(struct work *work, const char *key, const struct item *item)
{
	CLEANUP(free_p) char *scalar = item ? emit_scalar(item->name) : NULL;

	if (item)
		emit_line(&work->emit, 0, key, scalar ? scalar : "", NULL);
	work->oom = work->oom || (item && !scalar);
}

static void write_service(struct work *work, const struct planned *service)
{
	struct prop *named = service->path_rule ? service->path_rule : service->rule->at;
	struct prop *name = prop_child(named, "name");

	if (service->path_rule && !service->off)
		prop_tell(&work->tree, name, OUTCOME_APPROXIMATED, "as '%s'", service->name);
	put_record(work, name, service->path_rule ? service->name : service->rule->label,
		   service->name, service->off);
	write_layer7(work, service);
	write_listen(work, service);
	write_name(work, "pool", service->pool);
	write_name(work, "settings", service->settings);
	tell_references(work, service);
	tell_rule(work, service);
	if (is_mapped_default(service)) {
		prop_tell(&work->tree, prop_child(service->map->at, "name"), OUTCOME_APPROXIMATED,
			  "%s", "its rules are services of their own");
		/* Its path rules have records of their own, which say what is left of them. */
		put_rest(work, service->rule->at);
		return;
	}
	put_rest(work, service->at);
}

static void tell_listener(struct work *work, const struct item *listener)
{
	enum protocol protocol = listener->protocol;
	struct prop *at = listener->at;
	struct prop *references[] = {
		prop_child(prop_field(at, "frontendIPConfiguration"), "id"),
		prop_child(prop_field(at, "frontendPort"), "id"),
	};
	const char *why =
		listener->unheard ? listener->unheard : "no service listens there; see its rules";
	bool is_exact = protocol == PROTO_TCP || protocol == PROTO_TLS;

	for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++)
		prop_tell(&work->tree, references[i],
			  listener->is_heard ? OUTCOME_CARRIED : OUTCOME_NONE, "%s",
			  listener->is_heard ? "services[].listen" : why);
	prop_tell(&work->tree, prop_child(at, "name"),
		  listener->is_heard ? OUTCOME_CARRIED : OUTCOME_NONE, "%s",
		  listener->is_heard ? "part of a service" : why);
	prop_tell(&work->tree, prop_field(at, "protocol"),
		  !listener->is_heard ? OUTCOME_NONE
		  : is_exact          ? OUTCOME_CARRIED
				      : OUTCOME_APPROXIMATED,
		  "%s",
		  !listener->is_heard ? why
		  : is_exact          ? "forward: nat"
				      : "forward: nat, which forwards connections, not requests");
}

static void tell_frontend(struct work *work, const struct item *item, const char *key)
{
	enum outcome outcome = item->is_heard ? OUTCOME_CARRIED : OUTCOME_NONE;
	const char *note = item->is_heard ? "services[].listen" : "no service listens there";

	prop_tell(&work->tree, prop_child(item->at, "name"), outcome, "%s",
		  item->is_heard ? "part of a service" : note);
	prop_tell(&work->tree, prop_field(item->at, key), outcome, "%s", note);
}

void write_services(struct work *work)
{
	struct items *listeners = &work->items[KIND_LISTENER];
	struct items *frontends = &work->items[KIND_FRONTEND], *ports = &work->items[KIND_PORT];

	if (work->n_services)
		emit_section(&work->emit, "services");
	for (uint32_t i = 0; i < work->n_services; i++)
		if (!work->services[i].is_repeat)
			write_service(work, &work->services[i]);
	for (uint32_t i = 0; i < listeners->n; i++)
		tell_listener(work, &listeners->list[i]);
	for (uint32_t i = 0; i < frontends->n; i++)
		tell_frontend(work, &frontends->list[i], "privateIPAddress");
	for (uint32_t i = 0; i < ports->n; i++)
		tell_frontend(work, &ports->list[i], "port");
}
