// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/pipeline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/balancer.h"
#include "daemon/carrier.h"
#include "daemon/inbox.h"
#include "daemon/keeper.h"
#include "daemon/pipeline_work.h"
#include "model/weights.h"
#include "util/clock.h"
#include "util/log.h"

/* --- verdicts --------------------------------------------------------------------------------- */

const char *pipeline_text(const struct pipeline *pipeline, uint32_t endpoint,
			  char buf[ENDPOINT_TEXT_LEN])
{
	const struct endpoint *e = &pipeline->parts.model->endpoints[endpoint];
	const struct seat *seat = &pipeline->seats[endpoint];
	char text[SL_TEXT_LEN];

	if (!e->name)
		return e->text;
	if (seat->taken)
		snprintf(buf, ENDPOINT_TEXT_LEN, "%s (%s)",
			 addr_port_format(text, &seat->addr, e->key.port), e->name);
	else
		snprintf(buf, ENDPOINT_TEXT_LEN, "%s:%u", e->name, (unsigned int)e->key.port);
	return buf;
}

static void take_letter(struct pipeline *pipeline, const struct letter *letter)
{
	const struct plan *plan = &pipeline->parts.plans[letter->endpoint];
	struct health *health = &pipeline->health[letter->endpoint];
	const struct health_policy policy = { plan->unhealthy_threshold, plan->healthy_threshold };
	enum sl_health shown = health->shown, proven = health->proven;
	uint64_t at_ms = letter->at_us / US_PER_MS;
	struct board *board = pipeline->parts.board;

	if (letter->verdict.generation != pipeline->seats[letter->endpoint].generation)
		return;
	health_step(health, &policy, letter->verdict.code, at_ms);
	if (message_passed(letter->verdict.code))
		pipeline->seats[letter->endpoint].passed_us =
			letter->ended_us - letter->verdict.timing.total_us;
	if (proven == SL_HEALTHY && health->proven == SL_UNHEALTHY)
		health->lapsed = ++pipeline->n_lapses;
	if (proven == SL_UNHEALTHY && health->proven == SL_HEALTHY)
		pipeline->seats[letter->endpoint].recovered_ms = clock_mono_ms();
	if (health->proven != proven)
		pipeline_publish_change(pipeline, letter->endpoint);

	board_add_verdict(board, letter->endpoint, &letter->verdict, at_ms);
	board_set_health(board, letter->endpoint, health, false);
	keeper_note(pipeline->keeper, letter->endpoint, health, letter->verdict.code);
	if (health->shown != shown)
		pipeline_tell_change(pipeline, letter, shown);
	if (health->proven != proven)
		pipeline_note_change(pipeline, letter->endpoint);
}

/* Whatever a probe found, nobody is guarded by it. */
static struct letter blocked_letter(const struct pipeline *pipeline, const struct letter *letter)
{
	struct letter blocked = { .endpoint = letter->endpoint,
				  .at_us = letter->at_us,
				  .ended_us = letter->ended_us };

	blocked.verdict.code = SL_MSG_UNKNOWN_CONTROL_BLOCKED;
	blocked.verdict.generation = letter->verdict.generation;
	snprintf(blocked.verdict.detail, sizeof(blocked.verdict.detail), "%s", pipeline->blocked);
	return blocked;
}

static void take_any(struct pipeline *pipeline, const struct letter *letter)
{
	if (pipeline->blocked[0]) {
		struct letter blocked = blocked_letter(pipeline, letter);

		take_letter(pipeline, &blocked);
	} else {
		take_letter(pipeline, letter);
	}
}

void pipeline_block(struct pipeline *pipeline, const char *detail)
{
	snprintf(pipeline->blocked, sizeof(pipeline->blocked), "%s", detail);
	for (uint32_t i = 0; i < pipeline->parts.model->n_endpoints; i++) {
		struct letter letter = { .endpoint = i, .at_us = clock_wall_us() };

		letter.verdict.generation = pipeline->seats[i].generation;
		if (board_is_shown(pipeline->parts.board, i))
			take_any(pipeline, &letter);
	}
	balancer_run(pipeline->balancer);
}

/* Once a second at most: where one is lost, many are. */
static void say_lost(struct pipeline *pipeline)
{
	uint64_t now_ms = clock_mono_ms();
	unsigned int n;

	if (!atomic_load(&pipeline->n_lost) || now_ms - pipeline->lost_told_ms < MS_PER_SEC)
		return;
	pipeline->lost_told_ms = now_ms;
	n = atomic_exchange(&pipeline->n_lost, 0);
	log_error("out of memory: %u verdict%s lost", n, n == 1 ? " was" : "s were");
}

static void on_wake(uv_async_t *wake)
{
	struct pipeline *pipeline = wake->data;
	struct letter *letters;
	size_t n = inbox_take(pipeline->inbox, &letters);

	say_lost(pipeline);

	for (size_t i = 0; i < n; i++) {
		take_any(pipeline, &letters[i]);
		verdict_done(&letters[i].verdict);
	}
	balancer_run(pipeline->balancer);
}

void pipeline_report(void *arg, uint32_t endpoint, const struct verdict *verdict)
{
	struct pipeline *pipeline = arg;
	struct letter letter = { endpoint, clock_wall_us(), clock_mono_ns() / NS_PER_US, *verdict };

	/* A lost verdict is as if the probe had not run: the next one is an interval away. */
	if (inbox_put(pipeline->inbox, &letter) < 0)
		atomic_fetch_add(&pipeline->n_lost, 1);
	else if (verdict->routine)
		return;
	uv_async_send(&pipeline->wake);
}

void pipeline_flush(void *arg)
{
	struct pipeline *pipeline = arg;

	uv_async_send(&pipeline->wake);
}

/* --- seats ------------------------------------------------------------------------------------ */

bool pipeline_taken(const struct pipeline *pipeline, uint32_t endpoint)
{
	return pipeline->seats[endpoint].taken;
}

struct pipeline_standing pipeline_standing(const struct pipeline *pipeline, uint32_t endpoint)
{
	const struct health *health = &pipeline->health[endpoint];

	return (struct pipeline_standing){
		.open = pipeline_serves(pipeline, endpoint) && health->proven != SL_UNHEALTHY,
		.failing = health->failures || health->proven == SL_UNHEALTHY,
		.passed_us = pipeline->seats[endpoint].passed_us,
	};
}

void pipeline_suspect(struct pipeline *pipeline, uint32_t endpoint, bool suspected)
{
	struct seat *seat = &pipeline->seats[endpoint];

	if (seat->suspected == suspected)
		return;
	seat->suspected = suspected;
	pipeline_publish(pipeline, endpoint);
	board_set_suspected(pipeline->parts.board, endpoint, suspected);
}

struct plan pipeline_plan(const struct pipeline *pipeline, uint32_t endpoint)
{
	const struct seat *seat = &pipeline->seats[endpoint];
	struct plan plan = pipeline->parts.plans[endpoint];

	plan.idle = !seat->taken;
	plan.addr = seat->addr;
	plan.generation = seat->generation;
	return plan;
}

/* Nothing is known of who comes, and nothing of who went is to be known any more. */
static void begin_anew(struct pipeline *pipeline, uint32_t endpoint, enum board_seat seat)
{
	struct health *health = &pipeline->health[endpoint];

	pipeline->seats[endpoint].leaving = (struct standing){ SL_ENABLED, 0 };
	pipeline->seats[endpoint].recovered_ms = 0;
	pipeline->seats[endpoint].suspected = false;
	pipeline->seats[endpoint].told = SL_UNKNOWN;
	pipeline->seats[endpoint].generation++;
	health_init(health, SL_UNKNOWN, clock_wall_ms());
	keeper_reset(pipeline->keeper, endpoint);
	board_seat(pipeline->parts.board, endpoint, seat, &pipeline->seats[endpoint].addr);
	board_set_health(pipeline->parts.board, endpoint, health, false);
	pipeline_show_standing(pipeline, endpoint);
}

void pipeline_members_changed(struct pipeline *pipeline, uint32_t endpoint)
{
	pipeline_publish_change(pipeline, endpoint);
	pipeline_note_change(pipeline, endpoint);
	balancer_note(pipeline->balancer, endpoint);
	balancer_run(pipeline->balancer);
}

int pipeline_seat(struct pipeline *pipeline, uint32_t endpoint, const struct addr *addr,
		  struct err *err)
{
	struct sl_target_key key = pipeline->parts.model->endpoints[endpoint].key;
	int r;

	memcpy(key.addr, addr->bytes, sizeof(key.addr));
	r = dataplane_set_endpoint(pipeline->parts.dataplane, endpoint, &key, err);
	if (r < 0)
		return r;
	pipeline->seats[endpoint].taken = true;
	pipeline->seats[endpoint].addr = *addr;
	begin_anew(pipeline, endpoint, BOARD_FOUND);
	pipeline_restore(pipeline, endpoint, NULL);
	pipeline_members_changed(pipeline, endpoint);
	return 0;
}

void pipeline_vacate(struct pipeline *pipeline, uint32_t endpoint, bool shown)
{
	struct seat *seat = &pipeline->seats[endpoint];
	bool was_taken = seat->taken;

	seat->taken = false;
	if (was_taken) {
		const struct sl_target_key key = pipeline_key(pipeline, endpoint);

		keeper_forget(pipeline->keeper, &key);
		/* The tables name it no more when it goes, and then forget it. */
		balancer_note(pipeline->balancer, endpoint);
		balancer_run(pipeline->balancer);
		dataplane_set_endpoint(pipeline->parts.dataplane, endpoint, NULL, NULL);
	}
	seat->addr = (struct addr){ { 0 } };
	begin_anew(pipeline, endpoint, shown ? BOARD_NAME : BOARD_VACANT);
	if (was_taken)
		pipeline_members_changed(pipeline, endpoint);
}

void pipeline_judge(struct pipeline *pipeline, uint32_t endpoint, const struct verdict *verdict)
{
	struct letter letter = { endpoint, clock_wall_us(), clock_mono_ns() / NS_PER_US, *verdict };

	letter.verdict.generation = pipeline->seats[endpoint].generation;
	take_letter(pipeline, &letter);
	balancer_run(pipeline->balancer);
}

/* --- tables ----------------------------------------------------------------------------------- */

static struct balance_member member_of(void *arg, uint32_t endpoint)
{
	const struct pipeline *pipeline = arg;

	return (struct balance_member){
		.health = &pipeline->health[endpoint],
		.recovered_ms = pipeline->seats[endpoint].recovered_ms,
		.serves = pipeline_serves(pipeline, endpoint),
	};
}

static int publish_table(void *arg, uint32_t service, const uint16_t shares[], bool any)
{
	const struct pipeline *pipeline = arg;

	if (service_is_l7(&pipeline->parts.model->services[service]))
		return pipeline->parts.supervisor ? carrier_balance(pipeline->parts.supervisor,
								    pipeline, service, shares)
						  : 0;
	return dataplane_balance(pipeline->parts.dataplane, service, shares, any);
}

static int start_balancer(struct pipeline *pipeline)
{
	const struct balancer_parts parts = {
		.loop = pipeline->parts.loop,
		.model = pipeline->parts.model,
		.weights = pipeline->weights,
		.member = member_of,
		.publish = publish_table,
		.arg = pipeline,
	};

	return balancer_new(&pipeline->balancer, &parts);
}

/* --- start ------------------------------------------------------------------------------------ */

static int start_keeper(struct pipeline *pipeline)
{
	const struct keeper_parts parts = {
		.loop = pipeline->parts.loop,
		.n = pipeline->parts.model->n_endpoints,
		.events = pipeline->parts.events,
		.read = pipeline_read_kept,
		.arg = pipeline,
	};

	return keeper_new(&pipeline->keeper, &parts, pipeline->parts.kept);
}

/* Every endpoint is in one service at least. */
static bool shares_endpoints(const struct model *model)
{
	uint64_t n_members = 0;

	for (uint32_t i = 0; i < model->n_services; i++)
		n_members += model->services[i].n_endpoints;
	return n_members > model->n_endpoints;
}

static void free_parts(struct pipeline *pipeline)
{
	inbox_free(pipeline->inbox);
	weights_free(pipeline->weights);
	free(pipeline->seats);
	free(pipeline->health);
	free(pipeline->forced);
	free(pipeline->members);
	free(pipeline->chosen);
	free(pipeline);
}

static void on_closed(uv_handle_t *handle)
{
	free_parts(handle->data);
}

int pipeline_new(struct pipeline **ret, const struct pipeline_parts *parts)
{
	struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
	uint32_t n = parts->model->n_endpoints + 1; /* calloc(0) may be NULL */
	uint32_t n_members = model_largest_service(parts->model);
	int r;

	if (!pipeline)
		return -ENOMEM;
	pipeline->parts = *parts;
	pipeline->inbox = inbox_new();
	pipeline->weights = weights_new(parts->model);
	pipeline->seats = calloc(n, sizeof(*pipeline->seats));
	pipeline->health = calloc(n, sizeof(*pipeline->health));
	pipeline->forced = calloc(n, sizeof(*pipeline->forced));
	pipeline->members = calloc(n_members, sizeof(*pipeline->members));
	pipeline->chosen = calloc(n_members, sizeof(*pipeline->chosen));
	if (!pipeline->inbox || !pipeline->weights || !pipeline->seats || !pipeline->health ||
	    !pipeline->forced || !pipeline->members || !pipeline->chosen) {
		free_parts(pipeline);
		return -ENOMEM;
	}
	r = start_balancer(pipeline);
	if (r < 0) {
		free_parts(pipeline);
		return r;
	}
	r = hush_new(&pipeline->hush, parts->loop, parts->model->n_endpoints, pipeline_sum_up,
		     pipeline);
	if (r == 0)
		r = start_keeper(pipeline);
	if (r == 0)
		r = uv_async_init(parts->loop, &pipeline->wake, on_wake);
	if (r < 0) {
		keeper_free(pipeline->keeper);
		hush_free(pipeline->hush);
		balancer_free(pipeline->balancer);
		free_parts(pipeline);
		return r;
	}
	pipeline->wake.data = pipeline;
	pipeline->shares = shares_endpoints(parts->model);
	dataplane_use_weights(parts->dataplane, pipeline->weights);
	pipeline_adopt(pipeline);
	pipeline_publish_all(pipeline);
	balancer_run(pipeline->balancer);

	*ret = pipeline;
	return 0;
}

void pipeline_free(struct pipeline *pipeline)
{
	if (!pipeline)
		return;
	balancer_free(pipeline->balancer);
	hush_free(pipeline->hush);
	keeper_free(pipeline->keeper);
	uv_close((uv_handle_t *)&pipeline->wake, on_closed);
}
