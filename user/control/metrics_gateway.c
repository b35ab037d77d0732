// SPDX-License-Identifier: GPL-2.0-or-later
/* metrics_gateway - the gateway as a whole: the gate, its interfaces and maps, the prober. */
#include "control/jobs.h"
#include "control/metrics_rows.h"
#include "dataplane/census.h"
#include "util/clock.h"

static void sample(const struct metrics_row *row, const struct family *family, struct number number)
{
	exposition_sample(row->out, &family->metric, NULL, NULL, number);
}

/* --- the daemon and the gate ------------------------------------------------------------------ */

static void render_build(const struct metrics_row *row, const struct family *family)
{
	exposition_sample(row->out, &family->metric, "version", SLUICE_VERSION, WHOLE(1));
}

static void render_gateway(const struct metrics_row *row, const struct family *family)
{
	const struct sl_meta meta = dataplane_meta(row->context->dataplane);

	exposition_label(row->out, "mode", meta.mode == SL_MODE_OBSERVE ? "observe" : "enforce");
	exposition_label(row->out, "on_daemon_loss",
			 meta.on_daemon_loss == SL_LOSS_OPEN ? "open" : "hold");
	sample(row, family, WHOLE(1));
}

static void render_in_force(const struct metrics_row *row, const struct family *family)
{
	sample(row, family, WHOLE(dataplane_in_force(row->context->dataplane)));
}

static void render_current(const struct metrics_row *row, const struct family *family)
{
	sample(row, family, WHOLE(!dataplane_degraded(row->context->dataplane)));
}

static void render_heartbeat(const struct metrics_row *row, const struct family *family)
{
	const struct sl_meta meta = dataplane_meta(row->context->dataplane);
	uint64_t now_ns = clock_mono_ns();
	uint64_t age_ns = now_ns > meta.heartbeat_ns ? now_ns - meta.heartbeat_ns : 0;

	sample(row, family, MICRO(clock_wall_us() - age_ns / NS_PER_US));
}

static void render_reload(const struct metrics_row *row, const struct family *family)
{
	const struct jobs_last last = jobs_last_reload(row->context->jobs);

	sample(row, family, WHOLE(!last.number || !last.refused));
}

static void render_reload_at(const struct metrics_row *row, const struct family *family)
{
	const struct jobs_last last = jobs_last_reload(row->context->jobs);

	sample(row, family, MILLI(last.number ? last.at_ms : row->context->started_ms));
}

/* --- interfaces ------------------------------------------------------------------------------- */

static void render_interfaces(const struct metrics_row *row, const struct family *family)
{
	size_t common = row->out->labels_len;
	struct attachment a;

	for (uint32_t i = 0; dataplane_attachment(row->context->dataplane, i, &a); i++) {
		exposition_label(row->out, "interface", a.interface);
		exposition_label(row->out, "ingress", attach_mode_name(a.ingress));
		exposition_label(row->out, "egress", attach_mode_name(a.egress));
		sample(row, family, WHOLE(1));
		row->out->labels_len = common;
	}
}

static void render_present(const struct metrics_row *row, const struct family *family)
{
	struct attachment a;

	for (uint32_t i = 0; dataplane_attachment(row->context->dataplane, i, &a); i++)
		exposition_sample(row->out, &family->metric, "interface", a.interface,
				  WHOLE(attachment_is_present(&a)));
}

static void render_guarded(const struct metrics_row *row, const struct family *family)
{
	struct attachment a;

	for (uint32_t i = 0; dataplane_attachment(row->context->dataplane, i, &a); i++)
		exposition_sample(row->out, &family->metric, "interface", a.interface,
				  WHOLE(a.state == ATTACHMENT_ATTACHED));
}

static void render_returns(const struct metrics_row *row, const struct family *family)
{
	struct attachment a;

	for (uint32_t i = 0; dataplane_attachment(row->context->dataplane, i, &a); i++)
		exposition_sample(row->out, &family->metric, "interface", a.interface,
				  WHOLE(a.returns));
}

/* --- packets and maps ------------------------------------------------------------------------- */

static void render_decisions(const struct metrics_row *row, const struct family *family)
{
	struct sl_decision_counts counts;

	if (dataplane_decisions(row->context->dataplane, &counts) < 0)
		return;
#define RENDER_DECISION(NAME, name, text) \
	exposition_sample(row->out, &family->metric, "decision", #name, WHOLE(counts.name));
	SL_DECISIONS(RENDER_DECISION)
#undef RENDER_DECISION
}

static void render_flows(const struct metrics_row *row, const struct family *family)
{
	struct census_totals totals;

	if (dataplane_forwards(row->context->dataplane) &&
	    census_totals(row->context->census, &totals))
		sample(row, family, WHOLE(totals.flows));
}

static void render_fill(const struct metrics_row *row, const struct family *family, const char *map,
			struct flow_fill fill, bool max)
{
	exposition_sample(row->out, &family->metric, "map", map,
			  WHOLE(max ? fill.max : fill.entries));
}

static void render_fills(const struct metrics_row *row, const struct family *family, bool max)
{
	const struct dataplane_fills fills = dataplane_fills(row->context->dataplane);
	struct census_totals totals;

	render_fill(row, family, "targets", (struct flow_fill){ fills.targets, fills.targets_max },
		    max);
	render_fill(row, family, "endpoints",
		    (struct flow_fill){ fills.endpoints, fills.endpoints_max }, max);
	render_fill(row, family, "services",
		    (struct flow_fill){ fills.services, fills.services_max }, max);
	if (!dataplane_forwards(row->context->dataplane) ||
	    !census_totals(row->context->census, &totals))
		return;
	render_fill(row, family, "flows", totals.fills.flows, max);
	render_fill(row, family, "half_open", totals.fills.half_open, max);
}

static void render_entries(const struct metrics_row *row, const struct family *family)
{
	render_fills(row, family, false);
}

static void render_max_entries(const struct metrics_row *row, const struct family *family)
{
	render_fills(row, family, true);
}

/* --- the prober ------------------------------------------------------------------------------- */

#define RENDER_PROBER(name, number)                                                           \
	static void render_##name(const struct metrics_row *row, const struct family *family) \
	{                                                                                     \
		const struct engine_stats stats = engine_stats(row->context->engine);         \
                                                                                              \
		sample(row, family, number);                                                  \
	}

RENDER_PROBER(workers, WHOLE(stats.workers))
RENDER_PROBER(in_flight, WHOLE(stats.in_flight))
RENDER_PROBER(in_flight_limit, WHOLE(stats.in_flight_max))
RENDER_PROBER(queued, WHOLE(stats.queued))
RENDER_PROBER(started, WHOLE(stats.started))
RENDER_PROBER(finished, WHOLE(stats.finished))
RENDER_PROBER(put_off, WHOLE(stats.overloaded))
RENDER_PROBER(saturated, WHOLE(stats.holdable_interval_ms != 0))
RENDER_PROBER(holdable, MILLI(stats.holdable_interval_ms))
RENDER_PROBER(lag, MILLI(stats.loop_lag_ms))

static void render_names(const struct metrics_row *row, const struct family *family)
{
	static const enum name_state states[] = { NAME_PENDING, NAME_FRESH, NAME_KEPT,
						  NAME_FAILED };
	uint32_t n_names = row->context->model->n_names;
	uint32_t n[sizeof(states) / sizeof(states[0])] = { 0 };

	for (uint32_t i = 0; i < n_names; i++)
		n[board_name(row->context->board, i).state]++;
	for (size_t i = 0; n_names && i < sizeof(states) / sizeof(states[0]); i++)
		exposition_sample(row->out, &family->metric, "state", name_state_name(states[i]),
				  WHOLE(n[states[i]]));
}

#define GATEWAY(render, type, unit, name, help)                                                    \
	{                                                                                          \
		{ "sluice_" name, type, unit, help }, PART_GATEWAY, OVER_GATEWAY, render, 0, false \
	}

static const struct family families[] = {
	GATEWAY(render_build, METRIC_INFO, NULL, "build", "The version of the daemon"),
	GATEWAY(render_gateway, METRIC_INFO, NULL, "gateway",
		"What the gate does with packets, and what it does once the daemon is lost"),
	GATEWAY(render_in_force, METRIC_GAUGE, NULL, "gate_in_force",
		"1 while the gate is in force, 0 when it was removed under the daemon"),
	GATEWAY(render_current, METRIC_GAUGE, NULL, "programs_current",
		"1 while the programs in force are of this version, 0 while the kernel refuses those and "
		"the ones before stay"),
	GATEWAY(render_heartbeat, METRIC_GAUGE, "seconds", "heartbeat_timestamp_seconds",
		"When the daemon's main loop last told the kernel that it lives"),
	GATEWAY(render_reload, METRIC_GAUGE, NULL, "config_last_reload_successful",
		"1 if the last reload was applied or there was none, 0 if it was refused"),
	GATEWAY(render_reload_at, METRIC_GAUGE, "seconds", "config_last_reload_timestamp_seconds",
		"When the configuration was last read"),
	GATEWAY(render_interfaces, METRIC_INFO, NULL, "interface",
		"How each guarded interface is attached"),
	GATEWAY(render_present, METRIC_GAUGE, NULL, "interface_present",
		"1 while the device that is guarded exists, 0 when it went away"),
	GATEWAY(render_guarded, METRIC_GAUGE, NULL, "interface_guarded",
		"1 while the gate is attached to the interface, else 0"),
	GATEWAY(render_returns, METRIC_COUNTER, NULL, "interface_returns",
		"How often an interface was attached again that had gone away or lost its programs"),
	GATEWAY(render_decisions, METRIC_COUNTER, NULL, "decisions",
		"Packets by what was decided about them; each is counted once"),
	GATEWAY(render_flows, METRIC_GAUGE, NULL, "flows", "Flows through services that live"),
	GATEWAY(render_entries, METRIC_GAUGE, NULL, "map_entries",
		"Entries of a map that are in use"),
	GATEWAY(render_max_entries, METRIC_GAUGE, NULL, "map_max_entries",
		"Entries that a map has room for"),
	GATEWAY(render_workers, METRIC_GAUGE, NULL, "prober_workers", "Threads that probe"),
	GATEWAY(render_in_flight, METRIC_GAUGE, NULL, "prober_in_flight",
		"Probes that are under way"),
	GATEWAY(render_in_flight_limit, METRIC_GAUGE, NULL, "prober_in_flight_limit",
		"Probes that may be under way at the same time now"),
	GATEWAY(render_queued, METRIC_GAUGE, NULL, "prober_queued",
		"Probes that are due and wait for a place"),
	GATEWAY(render_started, METRIC_COUNTER, NULL, "prober_started_probes",
		"Probes that were started"),
	GATEWAY(render_finished, METRIC_COUNTER, NULL, "prober_finished_probes",
		"Probes that have ended"),
	GATEWAY(render_put_off, METRIC_COUNTER, NULL, "prober_overloads",
		"Verdicts that the prober could not reach because it had too much to do"),
	GATEWAY(render_saturated, METRIC_GAUGE, NULL, "prober_saturated",
		"1 while more probes are due than can be done, else 0"),
	GATEWAY(render_holdable, METRIC_GAUGE, "seconds", "prober_holdable_interval_seconds",
		"While the prober is saturated: the interval that it could hold for all endpoints, "
		"else 0"),
	GATEWAY(render_lag, METRIC_GAUGE, "seconds", "prober_loop_lag_seconds",
		"How late the prober's loops were at worst in the last second"),
	GATEWAY(render_names, METRIC_GAUGE, NULL, "dns_names",
		"DNS names of backends by the state of their last lookup"),
};

const struct family_list metrics_gateway = FAMILY_LIST(families);
