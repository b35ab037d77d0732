// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/evidence.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "daemon/clients.h"
#include "daemon/pipeline.h"
#include "model/event.h"
#include "model/suspicion.h"
#include "util/clock.h"

/* Refusals are looked for this often; what nobody answered, every so many times. */
#define TICK_MS 50
#define SWEEP_TICKS 2

/* From one probe of a suspected endpoint to the next. */
#define GAP_MS 20
/* A handshake that takes so many times its usual time is not slow, but lost. */
#define USUAL_TIMES 4
/* Probes that have not decided in so many times the time they are given are overtaken by something else. */
#define LIMIT_TIMES 4

struct row {
	struct suspicion suspicion;
	uint64_t raised_us; /* monotonic: when it was suspected */
	uint32_t failed; /* attempts, at the last look */
};

struct evidence {
	struct evidence_parts parts;
	uv_timer_t timer;
	uint64_t n_ticks;
	struct clients *clients;
	struct row *rows; /* parallel to model->endpoints */
};

static const struct settings *settings_of(const struct evidence *evidence, uint32_t endpoint)
{
	const struct model *model = evidence->parts.model;

	return &model->settings[model->endpoints[endpoint].settings];
}

/* How long a probe waits for the handshake of one that clients fail to connect to. */
static uint32_t connect_ms(const struct evidence *evidence, uint32_t endpoint)
{
	CLEANUP(board_entry_done)
	struct board_entry entry = board_read(evidence->parts.board, endpoint);
	uint32_t least_ms = settings_of(evidence, endpoint)->passive_connect_ms;
	uint64_t usual_us = 0;

	for (int i = 0; i < BOARD_RECENT && entry.recent[i].at_ms && !usual_us; i++)
		usual_us = entry.recent[i].verdict.timing.connect_us;
	usual_us = usual_us * USUAL_TIMES / US_PER_MS;
	return usual_us > least_ms ? (uint32_t)usual_us : least_ms;
}

static struct suspicion_policy policy_of(const struct evidence *evidence, uint32_t endpoint,
					 const struct plan *plan)
{
	const struct settings *settings = settings_of(evidence, endpoint);
	uint64_t probes_ms = (uint64_t)plan->unhealthy_threshold * (plan->timeout_ms + GAP_MS);

	return (struct suspicion_policy){
		.enabled = settings->passive,
		.failures = settings->passive_failures,
		.window_ms = settings->passive_window_ms,
		.rest_max_ms = plan->interval_ms > SUSPICION_REST_MIN_MS ? plan->interval_ms
									 : SUSPICION_REST_MIN_MS,
		.limit_ms = probes_ms < UINT32_MAX / LIMIT_TIMES ? (uint32_t)probes_ms * LIMIT_TIMES
								 : UINT32_MAX,
	};
}

static void probe_fast(struct evidence *evidence, uint32_t endpoint, struct plan plan)
{
	plan.connect_ms = connect_ms(evidence, endpoint);
	if (plan.interval_ms > GAP_MS)
		plan.interval_ms = GAP_MS;
	/* Without memory the next probe comes when it is due. */
	(void)engine_set(evidence->parts.engine, endpoint, &plan);
}

static void suspect(struct evidence *evidence, uint32_t endpoint, const struct plan *plan,
		    struct attempt_evidence seen)
{
	struct event event = { .kind = EVENT_EVIDENCE, .severity = EVENT_WARNING };
	uint32_t failures = evidence->rows[endpoint].suspicion.failures;

	event_set(event.after, "suspected");
	snprintf(event.text, sizeof(event.text),
		 "suspected, and probed now: %" PRIu32
		 " attempts of clients to connect failed lately; so far refused %" PRIu32
		 ", unreachable %" PRIu32 ", SYNs sent again %" PRIu32 "; waiting now %" PRIu32,
		 failures, seen.refused, seen.unreachable, seen.retransmitted, seen.late);
	event_number(&event, "failures", failures);
	event_number(&event, "refused", seen.refused);
	event_number(&event, "unreachable", seen.unreachable);
	event_number(&event, "retransmitted", seen.retransmitted);
	event_number(&event, "late", seen.late);
	pipeline_tell(evidence->parts.pipeline, endpoint, &event);
	pipeline_suspect(evidence->parts.pipeline, endpoint, true);
	probe_fast(evidence, endpoint, *plan);
}

static void clear(struct evidence *evidence, uint32_t endpoint, const struct plan *plan)
{
	bool open = pipeline_standing(evidence->parts.pipeline, endpoint).open;
	struct event event = { .kind = EVENT_EVIDENCE, .severity = EVENT_INFO };

	event_set(event.before, "suspected");
	snprintf(event.text, sizeof(event.text), "suspected no more: %s",
		 open ? "it answers its probes" : "nothing is sent there");
	pipeline_tell(evidence->parts.pipeline, endpoint, &event);
	pipeline_suspect(evidence->parts.pipeline, endpoint, false);
	(void)engine_set(evidence->parts.engine, endpoint, plan->idle ? NULL : plan);
}

static void look_at(struct evidence *evidence, uint32_t endpoint, uint64_t now_ms)
{
	struct attempt_evidence seen = dataplane_evidence(evidence->parts.dataplane, endpoint);
	struct pipeline_standing standing = pipeline_standing(evidence->parts.pipeline, endpoint);
	struct row *row = &evidence->rows[endpoint];
	const struct suspicion_sample sample = {
		.failed = seen.refused + seen.unreachable + seen.retransmitted,
		.late = seen.late,
		.blind = !standing.open || !seen.seen,
		.acquitted = standing.passed_us > row->raised_us,
	};

	struct suspicion_policy policy;
	struct plan plan;

	clients_look(evidence->clients, endpoint, &standing,
		     sample.late || row->failed != sample.failed, now_ms);
	/* Who is idle is not written to: of large arrays, most takes no memory then. */
	if (row->failed != sample.failed)
		row->failed = sample.failed;
	if (suspicion_is_idle(&row->suspicion, &sample))
		return;
	plan = pipeline_plan(evidence->parts.pipeline, endpoint);
	policy = policy_of(evidence, endpoint, &plan);
	switch (suspicion_step(&row->suspicion, &policy, &sample, now_ms)) {
	case SUSPICION_RAISED:
		row->raised_us = clock_mono_ns() / NS_PER_US;
		suspect(evidence, endpoint, &plan, seen);
		break;
	case SUSPICION_CLEARED:
		clear(evidence, endpoint, &plan);
		break;
	case SUSPICION_NONE:
		break;
	}
}

static void on_tick(uv_timer_t *timer)
{
	struct evidence *evidence = timer->data;

	uint64_t now_ms = clock_mono_ms();

	if (evidence->n_ticks++ % SWEEP_TICKS == 0)
		dataplane_sweep(evidence->parts.dataplane, clock_mono_ns());
	clients_begin(evidence->clients);
	for (uint32_t i = 0; i < evidence->parts.model->n_endpoints; i++)
		if (evidence->parts.model->endpoints[i].key.proto == SL_TCP &&
		    pipeline_taken(evidence->parts.pipeline, i))
			look_at(evidence, i, now_ms);
}

static void on_closed(uv_handle_t *handle)
{
	struct evidence *evidence = handle->data;

	clients_free(evidence->clients);
	free(evidence->rows);
	free(evidence);
}

int evidence_new(struct evidence **ret, const struct evidence_parts *parts)
{
	struct evidence *evidence;

	*ret = NULL;
	if (!parts->model->gateway.watch)
		return 0;
	evidence = calloc(1, sizeof(*evidence));
	if (!evidence)
		return -ENOMEM;
	evidence->parts = *parts;
	evidence->rows = calloc(parts->model->n_endpoints + 1, sizeof(*evidence->rows));
	if (!evidence->rows || clients_new(&evidence->clients, &evidence->parts) < 0) {
		free(evidence->rows);
		free(evidence);
		return -ENOMEM;
	}
	uv_timer_init(parts->loop, &evidence->timer);
	evidence->timer.data = evidence;
	uv_timer_start(&evidence->timer, on_tick, TICK_MS, TICK_MS);
	*ret = evidence;
	return 0;
}

void evidence_free(struct evidence *evidence)
{
	if (evidence)
		uv_close((uv_handle_t *)&evidence->timer, on_closed);
}
