// SPDX-License-Identifier: GPL-2.0-or-later
/* hunt_json - what was found, in the vocabulary of Network Watcher, and in our own. */
#include "cli/hunt.h"
#include "cli/text.h"
#include "diagnose/json.h"

static json_t *issue(const char *origin, const char *severity, const char *type,
		     const char *context)
{
	json_t *json = json_object(), *list = json_array();

	json_put_text(&json, "Origin", origin);
	json_put_text(&json, "Severity", severity);
	json_put_text(&json, "Type", type);
	json_push(&list, json_text(context));
	json_put(&json, "Context", list);
	return json;
}

/* At which hop the cause lies: here, or at the target. What is on the way is at the target's side. */
static bool is_here(enum cause cause)
{
	switch (cause) {
	case CAUSE_NAME_UNKNOWN:
	case CAUSE_NAME_WITHOUT_ADDRESS:
	case CAUSE_NAME_SERVER_FAILED:
	case CAUSE_NAME_SERVER_SILENT:
	case CAUSE_NO_ROUTE:
	case CAUSE_ROUTE_REFUSES:
	case CAUSE_NO_SOURCE_ADDRESS:
	case CAUSE_LINK_DOWN:
	case CAUSE_OWN_FILTER:
	case CAUSE_FORWARD_FILTER:
	case CAUSE_GATE_CLOSED:
	case CAUSE_OWN_TROUBLE:
		return true;
	default:
		return false;
	}
}

static json_t *issues_here(const struct hunt *hunt)
{
	const struct trouble_evidence *e = &hunt->evidence;
	const struct trouble_finding *finding = &hunt->finding;
	const char *type = cause_row(finding->cause)->issue;
	char rule[TROUBLE_RULE_LEN];
	json_t *list = json_array();

	if (type && is_here(finding->cause))
		json_push(&list, issue("Local", "Error", type, finding->text));
	for (uint32_t i = 0; i < e->filters.n; i++)
		if (!e->filters.of[i].certain)
			json_push(&list, issue("Local", "Warning", "NetworkSecurityRule",
					       trouble_rule(rule, &e->filters.of[i])));
	for (uint32_t i = 0; i < e->forward.n; i++)
		json_push(&list,
			  issue("Outbound", e->forward.of[i].certain ? "Error" : "Warning",
				"NetworkSecurityRule", trouble_rule(rule, &e->forward.of[i])));
	return list;
}

static json_t *issues_there(const struct hunt *hunt)
{
	const struct trouble_finding *finding = &hunt->finding;
	enum cause cause = finding->has_behind ? finding->behind : finding->cause;
	const char *type = cause_row(cause)->issue;
	json_t *list = json_array();

	if (type && !is_here(cause))
		json_push(&list, issue("Inbound", "Error", type,
				       finding->has_behind ? finding->behind_text : finding->text));
	return list;
}

static json_t *hop(const char *type, const char *id, const char *address, const char *next,
		   json_t *issues)
{
	json_t *json = json_object(), *list = json_array();

	json_put_text(&json, "Type", type);
	json_put_text(&json, "Id", id);
	json_put_text(&json, "Address", address);
	if (next)
		json_push(&list, json_text(next));
	json_put(&json, "NextHopIds", list);
	json_put(&json, "Issues", issues);
	return json;
}

#define ID_LEN 16

static json_t *render_hops(const struct hunt *hunt)
{
	const struct trouble_evidence *e = &hunt->evidence;
	const struct walk *walk = e->walk.done ? &e->walk : &e->other_walk;
	char id[ID_LEN], next[ID_LEN], text[SL_TEXT_LEN] = "";
	json_t *list = json_array();
	uint32_t n = 0;

	if (e->route.has_source)
		addr_format(text, &e->route.source);
	snprintf(next, sizeof(next), "hop1");
	json_push(&list, hop("Source", "hop0", text, next, issues_here(hunt)));
	for (uint32_t i = 0; i < walk->n && walk->hops[i].kind != HOP_TARGET; i++) {
		if (walk->hops[i].kind == HOP_SILENT)
			continue;
		snprintf(id, sizeof(id), "hop%u", ++n);
		snprintf(next, sizeof(next), "hop%u", n + 1);
		json_push(&list, hop("Router", id, addr_format(text, &walk->hops[i].icmp.from),
				     next, json_array()));
	}
	snprintf(id, sizeof(id), "hop%u", n + 1);
	json_push(&list,
		  hop("Destination", id, e->dns && !e->dns->n ? "" : addr_format(text, &e->way.to),
		      NULL, issues_there(hunt)));
	return list;
}

static void put_network_watcher(json_t **json, const struct hunt *hunt)
{
	const struct trouble_evidence *e = &hunt->evidence;
	const struct attempt_tally *a = &e->attempts;

	json_put_text(json, "ConnectionStatus", trouble_connection_status(e));
	if (a->answered) {
		json_put(json, "MinLatencyInMs", json_real((double)a->min_us / 1000));
		json_put(json, "AvgLatencyInMs", json_real((double)a->sum_us / a->answered / 1000));
		json_put(json, "MaxLatencyInMs", json_real((double)a->max_us / 1000));
	}
	json_put_uint(json, "ProbesSent", a->sent);
	json_put_uint(json, "ProbesFailed", a->sent - a->answered);
	json_put_text(json, "DestinationPortStatus", trouble_port_status(e));
	json_put(json, "Hops", render_hops(hunt));
}

static json_t *render_steps(const struct hunt *hunt)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < hunt->n_steps; i++) {
		json_t *json = json_object();

		json_put_text(&json, "step", hunt->steps[i].name);
		json_put_text(&json, "state", hunt_state_name(hunt->steps[i].state));
		json_put_text(&json, "evidence", hunt->steps[i].text);
		json_put_uint(&json, "ms", hunt->steps[i].ms);
		json_push(&list, json);
	}
	return list;
}

static void put_cause(json_t **json, enum cause cause, const char *text)
{
	const struct cause_row *row = cause_row(cause);

	if (cause_area(cause) != AREA_NONE)
		json_put_text(json, "area", area_letter(cause_area(cause)));
	else
		json_put(json, "area", json_null());
	json_put_text(json, "area_name", area_name(cause_area(cause)));
	json_put_text(json, "cause", cause_id(cause));
	json_put_text(json, "meaning", row->meaning);
	json_put_text(json, "evidence", text);
	json_put(json, "remedies", json_texts(row->remedies, cause_n_remedies(cause)));
}

static json_t *render_notes(const struct hunt *hunt)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < hunt->n_notes; i++)
		json_push(&list, json_text(hunt->notes[i]));
	return list;
}

void hunt_json(const struct hunt *hunt)
{
	const struct trouble_finding *finding = &hunt->finding;
	json_t *json = json_object(), *behind;

	json_put_text(&json, "target", hunt->local ? "" : hunt->target);
	if (hunt->local) {
		json_put_uint(&json, "local_port", hunt->evidence.way.port);
		json_put_text(&json, "proto", hunt->evidence.way.udp ? "udp" : "tcp");
	} else {
		put_network_watcher(&json, hunt);
	}
	put_cause(&json, finding->cause, finding->text);
	if (finding->has_behind) {
		behind = json_object();
		put_cause(&behind, finding->behind, finding->behind_text);
		json_put(&json, "behind_gate", behind);
	}
	json_put(&json, "steps", render_steps(hunt));
	json_put(&json, "not_looked_at", render_notes(hunt));
	text_dump(hunt->cli->out, json);
}
