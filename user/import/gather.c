// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gather - lists what a gateway is made of, under names that are allowed here.
 */
#include <ctype.h>
#include <errno.h>
#include <search.h>
#include <string.h>
#include <strings.h>

#include "config/value.h"
#include "import/work.h"
#include "util/err.h"
#include "util/number.h"

/* Where each kind is in a resource: the lists of layer 7 and, where there is one, of layer 4. */
static const struct source {
	const char *lists[2];
} sources[KIND_COUNT] = {
	[KIND_PROBE] = { { "probes", NULL } },
	[KIND_SETTINGS] = { { "backendHttpSettingsCollection", "backendSettingsCollection" } },
	[KIND_POOL] = { { "backendAddressPools", NULL } },
	[KIND_LISTENER] = { { "httpListeners", "listeners" } },
	[KIND_FRONTEND] = { { "frontendIPConfigurations", NULL } },
	[KIND_PORT] = { { "frontendPorts", NULL } },
	[KIND_PATH_MAP] = { { "urlPathMaps", NULL } },
	[KIND_ROOT_CERT] = { { "trustedRootCertificates", NULL } },
	[KIND_LISTED_CERT] = { { "authenticationCertificates", NULL } },
	[KIND_RULE] = { { "requestRoutingRules", "routingRules" } },
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

void work_name(struct work *work, char ret[SL_NAME_LEN], const char *label, void **names)
{
	char base[SL_NAME_LEN], suffix[16] = "";
	size_t len = 0;

	for (; label[len] && len < SL_NAME_LEN - 1; len++) {
		bool allowed = isalnum((unsigned char)label[len]) || strchr("._-", label[len]);

		base[len] = allowed ? label[len] : '-';
	}
	base[len] = '\0';
	for (unsigned int i = 2;; i++) {
		size_t room = SL_NAME_LEN - 1 - strlen(suffix);

		snprintf(ret, SL_NAME_LEN, "%.*s%s", (int)(len < room ? len : room), base, suffix);
		if (!tfind(ret, names, compare_names))
			break;
		snprintf(suffix, sizeof(suffix), "-%u", i);
	}
	if (!tsearch(ret, names, compare_names))
		work->oom = true;
}

static void keep_name(void *name)
{
	(void)name;
}

void work_forget_names(void *names)
{
	tdestroy(names, keep_name);
}

static void add_item(struct work *work, enum kind kind, enum layer layer, struct prop *at,
		     void **names)
{
	struct items *items = &work->items[kind];
	struct item *item = &items->list[items->n];
	const char *label = work_segment(work, prop_child(at, "name"));

	if (!label)
		label = work_segment(work, prop_child(at, "id"));
	if (!label)
		label = work_say(work, "unnamed-%u", items->n + 1);
	*item = (struct item){ .at = at, .layer = layer, .label = label };
	work_name(work, item->name, label, names);
	items->n++;
}

static int gather_kind(struct work *work, enum kind kind, struct err *err)
{
	struct prop *lists[2];
	void *names = NULL;
	uint32_t n = 0;

	for (int layer = LAYER_7; layer <= LAYER_4; layer++) {
		const char *name = sources[kind].lists[layer];

		lists[layer] = name ? prop_field(work->gateway, name) : NULL;
		n += lists[layer] ? lists[layer]->n_children : 0;
	}
	if (n > LIMIT_IMPORT_ITEMS)
		return err_set(err, -EFBIG, "has %u %s; at most %d can be imported", n,
			       sources[kind].lists[0], LIMIT_IMPORT_ITEMS);
	work->items[kind].list = calloc(n + 1, sizeof(*work->items[kind].list));
	if (!work->items[kind].list)
		return -ENOMEM;
	for (int layer = LAYER_7; layer <= LAYER_4; layer++)
		for (uint32_t i = 0; lists[layer] && i < lists[layer]->n_children; i++)
			if (json_is_object(lists[layer]->children[i].json))
				add_item(work, kind, (enum layer)layer, &lists[layer]->children[i],
					 &names);
	work_forget_names(names);
	return 0;
}

/* The number of a leaf, or 0. */
static uint16_t port_of(struct work *work, struct prop *prop)
{
	const char *text = work_text(work, prop);
	uint64_t port;

	return text && !number_parse(&port, text, 1, UINT16_MAX) ? (uint16_t)port : 0;
}

static void gather_probe(struct work *work, struct item *probe)
{
	struct prop *at = probe->at;
	const char *host = work_text(work, prop_field(at, "host"));

	if (work_protocol(work, prop_field(at, "protocol"), &probe->protocol) < 0)
		probe->off = "its protocol is none that Sluice probes";
	/* A TCP probe asks for nobody; a host of its own wins. */
	probe->host_from_settings =
		!host && probe->protocol != PROTO_TCP &&
		(work_is_on(work, prop_field(at, "pickHostNameFromBackendHttpSettings")) ||
		 work_is_on(work, prop_field(at, "pickHostNameFromBackendSettings")));
}

static bool is_host(const char *text)
{
	struct value value;

	return text && !value_parse(&value, keys_find(SECTION_SETTINGS, "host_name"), text, "");
}

/* Which probes may judge which settings, as the configuration has it. */
static bool fits(const struct item *settings, const struct item *probe)
{
	if (settings->protocol == PROTO_HTTP || settings->protocol == PROTO_HTTPS)
		return probe->protocol == settings->protocol;
	return true;
}

static void gather_settings(struct work *work, struct item *settings)
{
	struct prop *at = settings->at, *reference = prop_field(at, "probe");

	settings->port = port_of(work, prop_field(at, "port"));
	if (!settings->port)
		settings->off = "they have no port";
	if (work_protocol(work, prop_field(at, "protocol"), &settings->protocol) < 0)
		settings->off = "their protocol is none that Sluice has";
	settings->has_host = is_host(work_text(work, prop_field(at, "hostName")));
	settings->host_from_backend =
		!settings->has_host &&
		work_is_on(work, prop_field(at, "pickHostNameFromBackendAddress"));
	settings->affinity = work_is_on(work, prop_field(at, "cookieBasedAffinity"));
	settings->probe = work_ref(work, reference, KIND_PROBE, LAYER_7);
	if (settings->probe && (settings->probe->off || !fits(settings, settings->probe))) {
		prop_tell(&work->tree, prop_child(reference, "id"), OUTCOME_NONE,
			  "%s; the default probe takes its place",
			  settings->probe->off ? settings->probe->off
					       : "speaks another protocol than the settings");
		settings->probe = NULL;
	}
}

/* Whether a member before it is the same address, however it is written. */
static bool is_known(const struct item *pool, const struct member *member)
{
	size_t len = strlen(member->text);

	len -= len && member->text[len - 1] == '.';
	for (uint32_t i = 0; i < pool->n_members; i++) {
		const struct member *other = &pool->members[i];
		size_t other_len = strlen(other->text);

		other_len -= other_len && other->text[other_len - 1] == '.';
		if (other->off || memcmp(&other->addr, &member->addr, sizeof(member->addr)) != 0)
			continue;
		if (!member_is_name(member) ||
		    (len == other_len && !strncasecmp(other->text, member->text, len)))
			return true;
	}
	return false;
}

static void add_member(struct work *work, struct item *pool, struct prop *at)
{
	struct member *member = &pool->members[pool->n_members];
	const char *text = work_text(work, at), *problem;
	struct value value;

	if (!text)
		return;
	*member = (struct member){ .at = at, .text = text };
	problem = value_parse(&value, keys_find(SECTION_BACKEND, "address"), text, "");
	if (problem)
		member->off = problem;
	else
		member->addr = value.addr;
	if (!problem && is_known(pool, member))
		member->off = "is in the pool already";
	pool->n_members++;
	if (!member->off && !member_is_name(member))
		pool->address = at;
}

static int gather_pool(struct work *work, struct item *pool)
{
	struct prop *addresses = prop_field(pool->at, "backendAddresses");
	uint32_t n = addresses ? 2 * addresses->n_children : 0;

	pool->members = calloc(n + 1, sizeof(*pool->members));
	if (!pool->members)
		return -ENOMEM;
	for (uint32_t i = 0; addresses && i < addresses->n_children; i++) {
		add_member(work, pool, prop_child(&addresses->children[i], "ipAddress"));
		add_member(work, pool, prop_child(&addresses->children[i], "fqdn"));
	}
	return 0;
}

/* Why nothing can listen at the frontend; NULL: its address is known. */
static const char *frontend_problem(struct work *work, const struct item *frontend)
{
	struct prop *address = prop_field(frontend->at, "privateIPAddress");

	if (work_text(work, address))
		return NULL;
	if (prop_field(frontend->at, "publicIPAddress"))
		return work_say(work,
				"frontend '%s' is a public address, which the export does not "
				"tell; clients need an address that is routed to this host",
				frontend->label);
	return work_say(work, "frontend '%s' has no address in the export", frontend->label);
}

static void gather_listener(struct work *work, struct item *listener)
{
	struct prop *at = listener->at;

	if (work_protocol(work, prop_field(at, "protocol"), &listener->protocol) < 0)
		listener->off = "the listener's protocol is none that Sluice has";
	listener->frontend =
		work_ref(work, prop_field(at, "frontendIPConfiguration"), KIND_FRONTEND, LAYER_7);
	listener->frontend_port =
		work_ref(work, prop_field(at, "frontendPort"), KIND_PORT, LAYER_7);
	if (listener->frontend_port)
		listener->port = port_of(work, prop_field(listener->frontend_port->at, "port"));
	if (!listener->frontend || !listener->port)
		listener->unheard = "the listener's address or port is not in the file";
	else
		listener->unheard = frontend_problem(work, listener->frontend);
}

static void for_each(struct work *work, enum kind kind,
		     void gather(struct work *work, struct item *item))
{
	for (uint32_t i = 0; i < work->items[kind].n; i++)
		gather(work, &work->items[kind].list[i]);
}

int work_gather(struct work *work, struct err *err)
{
	struct items *pools = &work->items[KIND_POOL];
	int r;

	for (int kind = 0; kind < KIND_COUNT; kind++) {
		r = gather_kind(work, (enum kind)kind, err);
		if (r < 0)
			return r;
	}
	for_each(work, KIND_PROBE, gather_probe);
	for_each(work, KIND_SETTINGS, gather_settings);
	for_each(work, KIND_LISTENER, gather_listener);
	for (uint32_t i = 0; i < pools->n; i++) {
		r = gather_pool(work, &pools->list[i]);
		if (r < 0)
			return r;
	}
	return work->oom ? -ENOMEM : 0;
}
