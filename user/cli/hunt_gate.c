// SPDX-License-Identifier: GPL-2.0-or-later
/* hunt_gate - what the gateway itself does with the packets: asked of the daemon, or of the maps. */
#include <errno.h>
#include <string.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/hunt.h"
#include "cli/text.h"
#include "dataplane/pinned.h"
#include "diagnose/json.h"
#include "model/health.h"
#include "util/err.h"

/* A daemon that hangs must not keep us from looking. A trial run takes it tenths of a second. */
#define DAEMON_MS 2000

/* --- which endpoint ---------------------------------------------------------------------------- */

static json_t *ask(const struct hunt *hunt, char *path)
{
	CLEANUP(free_p) char *owned = path;
	struct err err = { "" };
	json_t *json = NULL;
	uint32_t ms = hunt_time(hunt, DAEMON_MS);
	int r = owned && ms ? client_get_within(&json, hunt->cli->socket, owned, ms, &err)
			    : -ENOTCONN;

	if (r == 0)
		return json;
	/* A refusal comes with a document of its own. */
	if (r > 0)
		json_decref(json);
	return NULL;
}

struct search {
	struct hunt *hunt;
	const char *address;
	uint16_t port; /* 0: any */
	bool udp, any_proto;
};

static int try_endpoint(void *arg, const json_t *pool, const json_t *service,
			const json_t *endpoint)
{
	const struct search *search = arg;
	bool udp = !strcmp(text_get(endpoint, "proto"), "udp");
	struct addr wanted, found;

	(void)service;
	if (addr_parse(&wanted, search->address) < 0 ||
	    addr_parse(&found, text_get(endpoint, "address")) < 0 ||
	    memcmp(&wanted, &found, sizeof(wanted)) != 0 ||
	    (search->port && search->port != text_get_uint(endpoint, "port")) ||
	    (!search->any_proto && udp != search->udp))
		return 0;
	snprintf(search->hunt->pool, sizeof(search->hunt->pool), "%s", text_get(pool, "name"));
	view_address(search->hunt->address, endpoint);
	return 1;
}

bool hunt_find_endpoint(struct hunt *hunt, const char *address, uint16_t port)
{
	CLEANUP(json_p) json_t *json = ask(hunt, strdup("/v1/health"));
	struct search search = { .hunt = hunt, .address = address, .port = port };

	/* A bare address: whatever it is that has it. */
	search.any_proto = !port;
	search.udp = hunt->evidence.way.udp;
	return json && view_each_endpoint(json, try_endpoint, &search) != 0;
}

/* --- what is known of it ----------------------------------------------------------------------- */

static void note_probe(struct hunt *hunt, const json_t *endpoint)
{
	const json_t *plan = json_object_get(endpoint, "plan");
	const char *protocol = text_get(plan, "protocol"), *at = text_get(plan, "target");
	bool udp = !strcmp(protocol, "udp");
	struct addr addr;
	uint16_t port;

	if (addr_port_parse(&addr, &port, at) < 0)
		return;
	if (port == text_get_uint(endpoint, "port") &&
	    udp == !strcmp(text_get(endpoint, "proto"), "udp"))
		return;
	snprintf(hunt->probe_target, sizeof(hunt->probe_target), "%s%s://%s%s", protocol,
		 !strcmp(protocol, "grpc") && json_object_get(plan, "tls") ? "s" : "", at,
		 text_get(plan, "path"));
}

static void note_endpoint(struct hunt *hunt, const json_t *json)
{
	const json_t *endpoint = json_array_get(json_object_get(json, "endpoints"), 0);
	struct trouble_gate *gate = &hunt->evidence.gate;

	if (!endpoint)
		return;
	gate->is_endpoint = true;
	snprintf(gate->pool, sizeof(gate->pool), "%s", hunt->pool);
	snprintf(gate->health, sizeof(gate->health), "%s", text_get(endpoint, "health"));
	snprintf(gate->admin, sizeof(gate->admin), "%s", text_get(endpoint, "admin"));
	snprintf(gate->reason, sizeof(gate->reason), "%s", text_get(endpoint, "message"));
	note_probe(hunt, endpoint);
}

/* The traffic's protocol in a URL: the layer is known, what is spoken on it is not. */
static enum cli_status take_target(struct hunt *hunt, const json_t *json)
{
	const json_t *endpoint = json_array_get(json_object_get(json, "endpoints"), 0);
	char at[VIEW_ADDRESS_LEN];

	if (!endpoint || !*text_get(endpoint, "address"))
		return cli_fail(hunt->cli, STATUS_REFUSED, "not_found",
				"pool '%s' has no endpoint '%s' now", hunt->pool, hunt->address);
	if (view_address(at, endpoint) && json_array_size(json_object_get(json, "endpoints")) > 1)
		hunt_note(hunt, "Several endpoints have that address; this is the first, %s.", at);
	snprintf(hunt->target, sizeof(hunt->target), "%s://%s", text_get(endpoint, "proto"), at);
	return STATUS_DONE;
}

enum cli_status hunt_endpoint(struct hunt *hunt)
{
	const char *const pairs[] = { "pool", hunt->pool, "address", hunt->address, NULL };
	CLEANUP(free_p) char *path = client_query("/v1/why", pairs);
	CLEANUP(json_p) json_t *json = NULL;
	enum cli_status status = command_ask(&json, hunt->cli, path);

	return status == STATUS_DONE ? take_target(hunt, json) : status;
}

/* --- what the gate does ------------------------------------------------------------------------ */

static bool is_refusal(const char *decision)
{
	static const char *const refusals[] = { "reject_tcp", "reject_udp", "drop_closed",
						"drop_limited", "drop_no_reply" };

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (!strcmp(decision, refusals[i]))
			return true;
	return false;
}

/* false: no daemon answers. */
static bool ask_daemon(struct hunt *hunt)
{
	struct trouble_evidence *e = &hunt->evidence;
	char from[SL_TEXT_LEN], to[SL_TEXT_LEN];
	const char *const pairs[] = { "from",  addr_format(from, &e->route.source),
				      "to",    addr_port_format(to, &e->way.to, e->way.port),
				      "proto", e->way.udp ? "udp" : "tcp",
				      NULL };
	CLEANUP(json_p) json_t *json = ask(hunt, client_query("/v1/decide", pairs));
	const char *decision = text_get(json, "decision");

	if (!json)
		return false;
	e->gate.looked = true;
	e->gate.refuses = is_refusal(decision);
	if (!e->gate.is_endpoint)
		snprintf(e->gate.reason, sizeof(e->gate.reason), "%s", text_get(json, "meaning"));
	hunt_end(hunt, "gate", e->gate.refuses ? HUNT_BAD : HUNT_GOOD, "%s: %s%s%s%s%s", decision,
		 text_get(json, "meaning"), e->gate.is_endpoint ? "; endpoint is " : "",
		 e->gate.health, e->gate.is_endpoint ? ", pool " : "", e->gate.pool);
	return true;
}

static void ask_maps(struct hunt *hunt)
{
	struct trouble_evidence *e = &hunt->evidence;
	struct trouble_gate *gate = &e->gate;
	struct pinned_endpoint endpoint;
	int r = pinned_find(&endpoint, hunt->cli->bpffs, &e->way.to, e->way.port,
			    e->way.udp ? SL_UDP : SL_TCP);

	hunt_note(hunt, "No daemon answers at %s: what it knows of the target is not here.",
		  hunt->cli->socket);
	if (r < 0) {
		hunt_end(hunt, "gate", HUNT_SKIPPED, "%s",
			 r == -ENOENT ? "no pinned map names the target"
				      : "the pinned maps are not for this user to read");
		return;
	}
	gate->looked = gate->is_endpoint = true;
	gate->refuses = pinned_refuses(&endpoint);
	snprintf(gate->pool, sizeof(gate->pool), "%s", endpoint.pool);
	snprintf(gate->health, sizeof(gate->health), "%s", health_name(endpoint.word.health));
	snprintf(gate->reason, sizeof(gate->reason), "as the pinned maps say; no daemon runs.");
	hunt_end(hunt, "gate", gate->refuses ? HUNT_BAD : HUNT_GOOD,
		 "the pinned maps say %s, pool %s: the gate %s", gate->health, gate->pool,
		 gate->refuses ? "is closed" : "lets it pass");
}

void hunt_gate(struct hunt *hunt)
{
	struct trouble_evidence *e = &hunt->evidence;
	CLEANUP(json_p) json_t *why = NULL;
	char address[SL_TEXT_LEN];

	if (e->route.kind != ROUTE_FORWARD)
		return;
	hunt_begin(hunt, "gate");
	if (hunt->pool[0] ||
	    hunt_find_endpoint(hunt, addr_format(address, &e->way.to), e->way.port)) {
		const char *const pairs[] = { "pool", hunt->pool, "address", hunt->address, NULL };

		why = ask(hunt, client_query("/v1/why", pairs));
		note_endpoint(hunt, why);
	}
	if (!ask_daemon(hunt))
		ask_maps(hunt);
	if (why)
		hunt_clients(hunt, json_array_get(json_object_get(why, "endpoints"), 0));
}
