// SPDX-License-Identifier: GPL-2.0-or-later
/* metrics_endpoints - health, probes and certificates of every endpoint. */
#include <inttypes.h>
#include <stdio.h>

#include "control/metrics_rows.h"

#define DEPTH_LEN 12

static void render_info(const struct metrics_row *row, const struct family *family)
{
	const struct model *model = row->context->model;
	const struct endpoint *endpoint = &model->endpoints[row->index];
	const struct settings *settings = &model->settings[endpoint->settings];

	exposition_label(row->out, "transport", endpoint->key.proto == SL_UDP ? "udp" : "tcp");
	exposition_label(row->out, "protocol", protocol_name(settings->protocol));
	if (endpoint->name)
		exposition_label(row->out, "backend", endpoint->name);
	exposition_sample(row->out, &family->metric, NULL, NULL, WHOLE(1));
}

/* --- health ----------------------------------------------------------------------------------- */

static void render_health_state(const struct metrics_row *row, const struct family *family)
{
	static const enum sl_health states[] = { SL_HEALTHY, SL_UNHEALTHY, SL_UNKNOWN };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		exposition_sample(row->out, &family->metric, "state", metrics_health(states[i]),
				  WHOLE(row->sheet->health.shown == states[i]));
}

static void render_admin(const struct metrics_row *row, const struct family *family)
{
	static const char *const names[] = {
		[SL_ENABLED] = "enabled",
		[SL_DRAINING] = "draining",
		[SL_DISABLED] = "disabled",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		exposition_sample(row->out, &family->metric, "state", names[i],
				  WHOLE(row->sheet->admin == i));
}

static void render_since(const struct metrics_row *row, const struct family *family)
{
	exposition_sample(row->out, &family->metric, NULL, NULL,
			  MILLI(row->sheet->health.since_ms));
}

static void render_failures(const struct metrics_row *row, const struct family *family)
{
	exposition_sample(row->out, &family->metric, NULL, NULL,
			  WHOLE(row->sheet->health.failures));
}

static void render_forced(const struct metrics_row *row, const struct family *family)
{
	exposition_sample(row->out, &family->metric, NULL, NULL, WHOLE(row->sheet->health.forced));
}

static void render_disagreement(const struct metrics_row *row, const struct family *family)
{
	if (row->sheet->disagreement)
		exposition_sample(row->out, &family->metric, "id", row->sheet->disagreement,
				  WHOLE(1));
}

/* --- verdicts --------------------------------------------------------------------------------- */

static void render_last(const struct metrics_row *row, const struct family *family)
{
	if (row->sheet->at_ms)
		exposition_sample(row->out, &family->metric, "id",
				  message_id(row->sheet->code) ?: "unknown", WHOLE(1));
}

static void render_last_at(const struct metrics_row *row, const struct family *family)
{
	if (row->sheet->at_ms)
		exposition_sample(row->out, &family->metric, NULL, NULL, MILLI(row->sheet->at_ms));
}

static const enum sl_message messages[] = {
#define MESSAGE_CODE(NAME, code, id, passed, ours) SL_MSG_##NAME,
	SL_MESSAGES(MESSAGE_CODE)
#undef MESSAGE_CODE
};

#define N_MESSAGES (sizeof(messages) / sizeof(messages[0]))

static void render_verdicts(const struct metrics_row *row, const struct family *family)
{
	for (size_t i = 0; i < N_MESSAGES; i++) {
		uint32_t n = outcomes_verdicts(&row->sheet->outcomes, messages[i]);

		if (n)
			exposition_sample(row->out, &family->metric, "id", message_id(messages[i]),
					  WHOLE(n));
	}
}

static void render_results(const struct metrics_row *row, const struct family *family)
{
	uint64_t passed = 0, failed = 0, undecided = 0;

	for (size_t i = 0; i < N_MESSAGES; i++) {
		uint32_t n = outcomes_verdicts(&row->sheet->outcomes, messages[i]);

		if (message_ours(messages[i]))
			undecided += n;
		else if (message_passed(messages[i]))
			passed += n;
		else
			failed += n;
	}
	exposition_sample(row->out, &family->metric, "result", "passed", WHOLE(passed));
	exposition_sample(row->out, &family->metric, "result", "failed", WHOLE(failed));
	exposition_sample(row->out, &family->metric, "result", "undecided", WHOLE(undecided));
}

/* --- times ------------------------------------------------------------------------------------ */

/* Of outcomes_bounds_us, in seconds and in the one form that OpenMetrics allows. */
static const char *const bounds[OUTCOMES_BUCKETS] = {
	"0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.1", "0.5", "2.5", "10.0", "+Inf",
};

static void render_times(const struct metrics_row *row, const struct family *family,
			 enum outcomes_stage stage)
{
	const struct outcomes_times *times = outcomes_times(&row->sheet->outcomes, stage);
	uint64_t n = 0;

	if (!times)
		return;
	for (size_t i = 0; i < OUTCOMES_BUCKETS; i++) {
		n += times->buckets[i];
		exposition_bucket(row->out, &family->metric, bounds[i], n);
	}
	exposition_sum(row->out, &family->metric, MICRO(times->sum_us), n);
}

static void render_total(const struct metrics_row *row, const struct family *family)
{
	render_times(row, family, OUTCOMES_TOTAL);
}

static void render_stages(const struct metrics_row *row, const struct family *family)
{
	size_t common = row->out->labels_len;

	for (enum outcomes_stage stage = 0; stage < OUTCOMES_TOTAL; stage++) {
		exposition_label(row->out, "stage", outcomes_stage_name(stage));
		render_times(row, family, stage);
		row->out->labels_len = common;
	}
}

/* --- certificates ----------------------------------------------------------------------------- */

static void render_certs(const struct metrics_row *row, const struct family *family)
{
	const struct certs *certs = row->sheet->certs;
	size_t common = row->out->labels_len;
	char depth[DEPTH_LEN];

	for (uint32_t i = 0; certs && i < certs->n; i++) {
		snprintf(depth, sizeof(depth), "%" PRIu32, i);
		exposition_label(row->out, "depth", depth);
		exposition_label(row->out, "common_name", certs->certs[i].common_name ?: "");
		exposition_sample(row->out, &family->metric, NULL, NULL,
				  WHOLE(certs->certs[i].not_after));
		row->out->labels_len = common;
	}
}

#define ENDPOINT(part, render, type, unit, name, help)                                         \
	{                                                                                      \
		{ "sluice_endpoint" name, type, unit, help }, part, OVER_ENDPOINTS, render, 0, \
			true                                                                   \
	}

static const struct family families[] = {
	ENDPOINT(PART_HEALTH, render_info, METRIC_INFO, NULL, "",
		 "What an endpoint is: transport, protocol of its settings, and the DNS name it is "
		 "an address of"),
	ENDPOINT(PART_HEALTH, render_health_state, METRIC_GAUGE, NULL, "_health",
		 "1 for the state that the endpoint's health is in, else 0"),
	ENDPOINT(PART_HEALTH, render_since, METRIC_GAUGE, "seconds",
		 "_health_since_timestamp_seconds", "When the endpoint's health last changed"),
	ENDPOINT(PART_HEALTH, render_admin, METRIC_GAUGE, NULL, "_admin",
		 "1 for the administrative state that the endpoint is in, else 0"),
	ENDPOINT(PART_HEALTH, render_failures, METRIC_GAUGE, NULL, "_consecutive_failures",
		 "Probes that have failed in a row"),
	ENDPOINT(PART_HEALTH, render_forced, METRIC_GAUGE, NULL, "_forced",
		 "1 while min_servers keeps the endpoint open although it is unhealthy, else 0"),
	ENDPOINT(PART_HEALTH, render_disagreement, METRIC_GAUGE, NULL, "_disagreement",
		 "1 while probes and clients do not say the same, with the id of what sluice why "
		 "says of it; else there is none"),
	ENDPOINT(PART_HEALTH, render_last, METRIC_INFO, NULL, "_last_verdict",
		 "The id of the endpoint's newest verdict, as in sluice explain"),
	ENDPOINT(PART_PROBES, render_last_at, METRIC_GAUGE, "seconds",
		 "_last_verdict_timestamp_seconds", "When the endpoint's newest verdict came"),
	ENDPOINT(PART_PROBES, render_results, METRIC_COUNTER, NULL, "_probes",
		 "Verdicts on the endpoint by what they say of it; undecided is the prober's own "
		 "trouble"),
	ENDPOINT(PART_PROBES, render_verdicts, METRIC_COUNTER, NULL, "_verdicts",
		 "Verdicts on the endpoint by their id, of those that have occurred"),
	ENDPOINT(PART_PROBES, render_total, METRIC_HISTOGRAM, "seconds", "_probe_duration_seconds",
		 "How long probes took from start to verdict"),
	ENDPOINT(PART_PROBES, render_stages, METRIC_HISTOGRAM, "seconds",
		 "_probe_stage_duration_seconds",
		 "How long the stages of probes took, of those that were completed"),
	ENDPOINT(
		PART_CERTIFICATES, render_certs, METRIC_GAUGE, "seconds",
		"_cert_not_after_timestamp_seconds",
		"When each certificate expires that the endpoint has sent last, in the order it was "
		"sent"),
};

const struct family_list metrics_endpoints = FAMILY_LIST(families);
