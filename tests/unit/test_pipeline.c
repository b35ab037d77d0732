// SPDX-License-Identifier: GPL-2.0-or-later
/* The pipeline over a fake data plane: which words it stores, and what the board says then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "daemon/changes.h"
#include "daemon/pipeline.h"
#include "model/weights.h"
#include "tests/lib/fault.h"
#include "util/clock.h"
#include "util/err.h"

#define N_BACKENDS 3
#define N_MAX (N_BACKENDS + LIMIT_NAME_ADDRESSES)

static struct sl_word words[N_MAX];
static bool adopted[N_MAX];
static bool with_name; /* the last backend has a name: endpoints 2.. are its seats */
static int n_stores;
static bool with_second_service; /* over the first backend alone */
static int n_open_min; /* the fewest that were open at once */

static int n_open(void)
{
	int n = 0;

	for (int i = 0; i < N_BACKENDS; i++)
		n += words[i].health != SL_UNHEALTHY || words[i].flags & SL_WORD_FORCED;
	return n;
}

bool dataplane_was_adopted(const struct dataplane *dp, uint32_t endpoint)
{
	(void)dp;
	return adopted[endpoint];
}

/* What sits where; port 0: nobody. */
static struct sl_target_key seats[N_MAX];

bool dataplane_key(const struct dataplane *dp, uint32_t endpoint, struct sl_target_key *ret_key,
		   bool *ret_stale)
{
	(void)dp;
	(void)ret_stale;
	*ret_key = seats[endpoint];
	return ret_key->port != 0;
}

int dataplane_set_endpoint(struct dataplane *dp, uint32_t endpoint, const struct sl_target_key *key,
			   struct err *err)
{
	(void)dp;
	(void)err;
	seats[endpoint] = key ? *key : (struct sl_target_key){ 0 };
	words[endpoint] = (struct sl_word){ 0 };
	return 0;
}

struct sl_word dataplane_word(const struct dataplane *dp, uint32_t endpoint)
{
	(void)dp;
	return words[endpoint];
}

void dataplane_store_word(struct dataplane *dp, uint32_t endpoint, struct sl_word word)
{
	(void)dp;
	words[endpoint] = word;
	n_stores++;
	n_open_min = n_open() < n_open_min ? n_open() : n_open_min;
}

/* The table of the one service: shares of its members, and how often it was published. */
static uint16_t table[N_MAX];
static int n_tables;

int dataplane_balance(struct dataplane *dp, uint32_t service, const uint16_t shares[], bool any)
{
	(void)dp;
	(void)any;
	assert_int_equal(service, 0);
	memcpy(table, shares, N_BACKENDS * sizeof(*table));
	n_tables++;
	/* Whoever leaves does so with an order, or a word that speaks against it. */
	for (int i = 0; i < N_BACKENDS; i++)
		assert_false(shares[i] && words[i].health == SL_UNHEALTHY &&
			     !(words[i].flags & SL_WORD_FORCED));
	return 0;
}

/* What the data plane was told to make tables by. */
static const struct weights *weights;

void dataplane_use_weights(struct dataplane *dp, const struct weights *in_force)
{
	(void)dp;
	weights = in_force;
}

static bool with_listen;

struct fixture {
	uv_loop_t loop;
	struct model *model;
	struct plan plans[N_MAX];
	struct board *board;
	struct pipeline *pipeline;
};

static struct model *make_model(uint32_t min_servers)
{
	struct model *model = model_new();
	struct err err;

	model->probes = calloc(1, sizeof(*model->probes));
	model->n_probes = 1;
	model->probes[0] = *probe_default(PROTO_TCP);
	model->probes[0].unhealthy_threshold = 2;
	model->probes[0].min_servers = min_servers;
	model->settings = calloc(1, sizeof(*model->settings));
	model->n_settings = 1;
	model->settings[0] = (struct settings){ .name = "web",
						.protocol = PROTO_TCP,
						.port = 80,
						.on_unhealthy = SL_ACTION_REJECT,
						.reset_established = true };
	model->pools = calloc(2, sizeof(*model->pools));
	model->n_pools = 1;
	model->pools[0].backends = calloc(N_BACKENDS, sizeof(*model->pools[0].backends));
	model->pools[0].n_backends = N_BACKENDS;
	for (uint8_t i = 0; i < N_BACKENDS; i++) {
		addr_parse(&model->pools[0].backends[i].addr, "10.0.0.0");
		model->pools[0].backends[i].addr.bytes[15] = i;
		model->pools[0].backends[i].weight = 1;
	}
	model->services = calloc(2, sizeof(*model->services));
	model->n_services = 1;
	if (with_listen)
		model->services[0].listen.key =
			(struct sl_target_key){ .port = 1, .proto = SL_TCP };
	if (with_second_service) {
		model->pools[1].backends = calloc(1, sizeof(*model->pools[1].backends));
		model->pools[1].backends[0] = model->pools[0].backends[0];
		model->pools[1].n_backends = 1;
		model->n_pools = 2;
		model->services[1].pool = 1;
		model->n_services = 2;
	}
	if (with_name)
		model->pools[0].backends[N_BACKENDS - 1].name = strdup("app.test");
	assert_int_equal(model_link(model, &err), 0);
	assert_int_equal(model_declared(model), N_BACKENDS);
	return model;
}

static void begin(struct fixture *f, uint32_t min_servers)
{
	struct pipeline_parts parts = { .loop = &f->loop, .plans = f->plans };

	n_stores = n_tables = 0;
	n_open_min = N_BACKENDS;
	uv_loop_init(&f->loop);
	f->model = make_model(min_servers);
	for (uint32_t i = 0; i < f->model->n_endpoints; i++)
		f->plans[i] = plan_endpoint(f->model, &f->model->endpoints[i]);
	f->board = board_new(f->model->n_endpoints);
	parts.model = f->model;
	parts.board = f->board;
	assert_int_equal(pipeline_new(&f->pipeline, &parts), 0);
}

static void end(struct fixture *f)
{
	pipeline_free(f->pipeline);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	board_free(f->board);
	model_free(f->model);
	memset(words, 0, sizeof(words));
	memset(adopted, 0, sizeof(adopted));
	memset(seats, 0, sizeof(seats));
}

static void report(struct fixture *f, uint32_t endpoint, enum sl_message code)
{
	struct verdict verdict = { .code = code };

	pipeline_report(f->pipeline, endpoint, &verdict);
	uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void nothing_reaches_the_kernel(void **state)
{
	struct board_entry entry;
	struct fixture f;

	(void)state;
	begin(&f, 0);
	report(&f, 0, SL_MSG_OK);
	pipeline_block(f.pipeline, "it is gone");
	entry = board_read(f.board, 0);
	assert_int_equal(entry.health.shown, SL_UNKNOWN);
	assert_int_equal(entry.health.proven, SL_HEALTHY);
	assert_int_equal(entry.recent[0].verdict.code, SL_MSG_UNKNOWN_CONTROL_BLOCKED);
	assert_string_equal(entry.recent[0].verdict.detail, "it is gone");

	/* What probes find from now on moves nothing. */
	n_stores = 0;
	for (int i = 0; i < 3; i++)
		report(&f, 0, SL_MSG_TCP_CONNECT_FAILED);
	assert_int_equal(board_health(f.board, 0).shown, SL_UNKNOWN);
	assert_int_equal(board_health(f.board, 0).proven, SL_HEALTHY);
	assert_int_equal(n_stores, 0);
	end(&f);
}

static void stores_words_on_change_only(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 0);
	assert_int_equal(words[0].health, SL_UNKNOWN);
	assert_int_equal(words[0].action, SL_ACTION_REJECT);
	assert_int_equal(words[0].flags, SL_WORD_RESET);

	n_stores = 0;
	report(&f, 0, SL_MSG_OK);
	assert_int_equal(words[0].health, SL_HEALTHY);
	report(&f, 0, SL_MSG_OK);
	report(&f, 0, SL_MSG_TCP_CONNECT_FAILED);
	assert_int_equal(words[0].health, SL_HEALTHY);
	assert_int_equal(n_stores, 1);
	report(&f, 0, SL_MSG_TCP_CONNECT_FAILED);
	assert_int_equal(words[0].health, SL_UNHEALTHY);
	assert_int_equal(n_stores, 2);
	end(&f);
}

static void own_trouble_moves_no_word(void **state)
{
	struct board_entry entry;
	struct fixture f;

	(void)state;
	begin(&f, 0);
	report(&f, 1, SL_MSG_OK);
	n_stores = 0;
	report(&f, 1, SL_MSG_PROBER_OVERLOADED);
	assert_int_equal(n_stores, 0);
	entry = board_read(f.board, 1);
	assert_int_equal(entry.health.shown, SL_UNKNOWN);
	assert_int_equal(entry.health.proven, SL_HEALTHY);
	assert_int_equal(entry.n_verdicts, 2);
	assert_int_equal(entry.recent[0].verdict.code, SL_MSG_PROBER_OVERLOADED);
	assert_int_equal(entry.recent[1].verdict.code, SL_MSG_OK);
	end(&f);
}

static void adopts_what_is_in_force(void **state)
{
	struct fixture f;

	(void)state;
	adopted[0] = adopted[1] = true;
	words[0] = (struct sl_word){ .health = SL_UNHEALTHY };
	words[2] = (struct sl_word){ .health = SL_UNHEALTHY }; /* not adopted: left-over */
	begin(&f, 0);
	assert_int_equal(words[0].health, SL_UNHEALTHY);
	assert_int_equal(words[0].flags, SL_WORD_RESET);
	assert_int_equal(words[2].health, SL_UNKNOWN);
	assert_true(board_read(f.board, 0).adopted);
	assert_false(board_read(f.board, 1).adopted);
	assert_false(board_read(f.board, 2).adopted);

	report(&f, 0, SL_MSG_OK);
	assert_int_equal(words[0].health, SL_HEALTHY);
	assert_false(board_read(f.board, 0).adopted);
	end(&f);
}

static void min_servers_forces_open(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 1);
	for (uint32_t i = 0; i < N_BACKENDS; i++)
		report(&f, i, SL_MSG_TCP_CONNECT_FAILED);
	for (uint32_t i = 0; i < N_BACKENDS; i++)
		assert_int_equal(words[i].health, SL_UNHEALTHY);
	assert_int_equal(n_open(), 1);
	/* On the way there was no moment at which all were closed. */
	assert_int_equal(n_open_min, 1);

	report(&f, 1, SL_MSG_OK);
	for (uint32_t i = 0; i < N_BACKENDS; i++) {
		assert_false(words[i].flags & SL_WORD_FORCED);
		assert_false(board_read(f.board, i).health.forced);
	}
	end(&f);
}

static void min_servers_prefers_the_last_healthy(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 1);
	report(&f, 1, SL_MSG_OK);
	report(&f, 0, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 2, SL_MSG_TCP_CONNECT_FAILED);
	/* The others failed before and after it, and have never been healthy. */
	assert_false(words[0].flags & SL_WORD_FORCED);
	assert_true(words[1].flags & SL_WORD_FORCED);
	assert_false(words[2].flags & SL_WORD_FORCED);
	assert_int_equal(n_open_min, 1);
	end(&f);
}

/* An endpoint of two services is forced as long as one of them needs it. */
static void min_servers_counts_in_each_service(void **state)
{
	struct fixture f;

	(void)state;
	with_second_service = true;
	begin(&f, 1);
	with_second_service = false;
	report(&f, 1, SL_MSG_OK);
	report(&f, 2, SL_MSG_OK);
	report(&f, 0, SL_MSG_TCP_CONNECT_FAILED);
	assert_true(words[0].flags & SL_WORD_FORCED);
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	assert_true(words[0].flags & SL_WORD_FORCED);
	assert_int_equal(words[1].health, SL_UNHEALTHY);
	assert_false(words[1].flags & SL_WORD_FORCED);
	assert_true(board_read(f.board, 0).health.forced);
	/* Now the first service needs one as well: the last that was healthy. */
	report(&f, 2, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 2, SL_MSG_TCP_CONNECT_FAILED);
	assert_true(words[0].flags & SL_WORD_FORCED);
	assert_true(words[2].flags & SL_WORD_FORCED);
	report(&f, 0, SL_MSG_OK);
	assert_int_equal(words[0].flags & SL_WORD_FORCED, 0);
	assert_int_equal(words[2].flags & SL_WORD_FORCED, 0);
	end(&f);
}

/* Words of endpoints that are all unhealthy; the last was kept open. */
static void close_all(void)
{
	for (int i = 0; i < N_BACKENDS; i++) {
		adopted[i] = true;
		words[i] = (struct sl_word){ .health = SL_UNHEALTHY };
	}
	words[2].flags = SL_WORD_FORCED;
}

static void min_servers_may_have_gone(void **state)
{
	struct fixture f;

	(void)state;
	close_all();
	begin(&f, 0);
	assert_int_equal(n_open(), 0);
	assert_false(board_read(f.board, 2).health.forced);
	assert_true(board_read(f.board, 2).adopted);
	end(&f);
}

static void min_servers_may_have_come(void **state)
{
	struct fixture f;

	(void)state;
	close_all();
	begin(&f, 2);
	assert_int_equal(n_open(), 2);
	/* Who was kept open still is. */
	assert_true(words[2].flags & SL_WORD_FORCED);
	assert_true(words[0].flags & SL_WORD_FORCED);
	assert_true(board_read(f.board, 0).health.forced);
	assert_true(board_read(f.board, 0).adopted);
	assert_int_equal(n_open_min, 2);
	end(&f);
}

static void adopts_no_nonsense(void **state)
{
	struct fixture f;

	(void)state;
	adopted[0] = true;
	words[0] = (struct sl_word){ .health = (enum sl_health)77 };
	begin(&f, 0);
	assert_int_equal(words[0].health, SL_UNKNOWN);
	assert_false(board_read(f.board, 0).adopted);
	end(&f);
}

static void says_when_memory_ends(void **state)
{
	struct fixture f;
	int n = 0;

	(void)state;
	begin(&f, 0);
	for (;; n++) {
		struct pipeline_parts parts = {
			.loop = &f.loop,
			.model = f.model,
			.plans = f.plans,
			.board = f.board,
		};
		struct pipeline *other;
		int r;

		fault_after(FAULT_MEMORY, n, ENOMEM);
		r = pipeline_new(&other, &parts);
		if (!fault_clear(FAULT_MEMORY)) {
			assert_int_equal(r, 0);
			pipeline_free(other);
			break;
		}
		assert_int_equal(r, -ENOMEM);
	}
	assert_true(n >= 5);
	end(&f);
}

#define SEAT 2

static void sit(struct fixture *f, uint32_t seat, const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, text), 0);
	assert_int_equal(pipeline_seat(f->pipeline, seat, &addr, NULL), 0);
}

/* Nobody in a seat: nothing in the kernel, and its name's first seat stands for the name. */
static void seats_begin_vacant(void **state)
{
	struct fixture f;

	(void)state;
	with_name = true;
	begin(&f, 0);
	assert_true(pipeline_taken(f.pipeline, 0));
	assert_false(pipeline_taken(f.pipeline, SEAT));
	assert_true(pipeline_plan(f.pipeline, SEAT).idle);
	assert_int_equal(board_read(f.board, SEAT).seat, BOARD_NAME);
	assert_int_equal(board_read(f.board, SEAT + 1).seat, BOARD_VACANT);
	assert_int_equal(words[SEAT].action, 0);
	pipeline_judge(f.pipeline, SEAT, &(struct verdict){ .code = SL_MSG_DNS_RESOLUTION_FAILED });
	assert_int_equal(board_health(f.board, SEAT).shown, SL_UNHEALTHY);
	assert_int_equal(words[SEAT].health, SL_UNKNOWN);
	end(&f);
	with_name = false;
}

/* Verdicts are about who sat there when the probe began, and nobody else. */
static void seats_change_hands(void **state)
{
	struct verdict verdict = { .code = SL_MSG_TCP_CONNECT_FAILED };
	struct fixture f;

	(void)state;
	with_name = true;
	begin(&f, 0);
	sit(&f, SEAT, "10.0.0.9");
	assert_int_equal(seats[SEAT].addr[15], 9);
	assert_int_equal(seats[SEAT].port, 80);
	assert_int_equal(board_read(f.board, SEAT).seat, BOARD_FOUND);
	assert_int_equal(words[SEAT].action, SL_ACTION_REJECT);
	verdict.generation = pipeline_plan(f.pipeline, SEAT).generation;
	assert_false(pipeline_plan(f.pipeline, SEAT).idle);
	pipeline_report(f.pipeline, SEAT, &verdict);
	uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(words[SEAT].health, SL_UNHEALTHY);

	pipeline_vacate(f.pipeline, SEAT, false);
	assert_int_equal(seats[SEAT].port, 0);
	sit(&f, SEAT, "10.0.0.8");
	assert_int_equal(words[SEAT].health, SL_UNKNOWN);
	pipeline_report(f.pipeline, SEAT, &verdict);
	uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(words[SEAT].health, SL_UNKNOWN);
	assert_int_equal(board_read(f.board, SEAT).n_verdicts, 0);
	end(&f);
	with_name = false;
}

/* Draining closes the gate for new flows, lets open ones be, and takes a member away. */
static void seats_drain(void **state)
{
	struct fixture f;

	(void)state;
	with_name = true;
	begin(&f, 1);
	sit(&f, SEAT, "10.0.0.9");
	report(&f, 0, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	/* The one in the seat is Unknown, which is open enough for min_servers. */
	assert_int_equal(words[0].flags & SL_WORD_FORCED, 0);
	assert_int_equal(words[1].flags & SL_WORD_FORCED, 0);
	pipeline_set_admin(f.pipeline, SEAT, SL_DRAINING, 41001);
	assert_int_equal(words[SEAT].admin, SL_DRAINING);
	assert_int_equal(words[SEAT].deadline_s, 42);
	assert_int_equal(words[SEAT].flags & SL_WORD_RESET, 0);
	assert_int_equal(board_read(f.board, SEAT).admin, SL_DRAINING);
	assert_true((words[0].flags | words[1].flags) & SL_WORD_FORCED);
	pipeline_set_admin(f.pipeline, SEAT, SL_ENABLED, 0);
	assert_int_equal(words[SEAT].admin, SL_ENABLED);
	assert_int_equal(words[SEAT].deadline_s, 0);
	assert_int_equal((words[0].flags | words[1].flags) & SL_WORD_FORCED, 0);
	pipeline_vacate(f.pipeline, SEAT, true);
	assert_true((words[0].flags | words[1].flags) & SL_WORD_FORCED);
	end(&f);
	with_name = false;
}

static int table_is(int a, int b)
{
	return !!table[0] == a && !!table[1] == b;
}

/* The tables follow health, in one go for everything that came at once, and only when it moved. */
static void tables_follow(void **state)
{
	struct verdict down = { .code = SL_MSG_TCP_CONNECT_FAILED };
	struct fixture f;

	(void)state;
	with_listen = true;
	begin(&f, 0);
	assert_int_equal(n_tables, 1);
	assert_true(table_is(1, 1));
	report(&f, 0, SL_MSG_OK);
	assert_int_equal(n_tables, 2);
	assert_true(table_is(1, 0));
	report(&f, 0, SL_MSG_OK);
	assert_int_equal(n_tables, 2);
	report(&f, 1, SL_MSG_OK);
	assert_true(table_is(1, 1));

	/* Two failures in a row close it; what comes in one go makes one table. */
	n_tables = 0;
	for (int i = 0; i < 2; i++)
		for (uint32_t e = 0; e < 2; e++)
			pipeline_report(f.pipeline, e, &down);
	uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(n_tables, 1);
	assert_true(table_is(0, 0));

	report(&f, 1, SL_MSG_OK);
	assert_true(table_is(0, 1));
	pipeline_set_admin(f.pipeline, 1, SL_DRAINING, 0);
	assert_true(table_is(0, 0));
	pipeline_set_admin(f.pipeline, 1, SL_ENABLED, 0);
	assert_true(table_is(0, 1));
	end(&f);
	with_listen = false;
}

/* One that has come back gets its share bit by bit. */
static void tables_start_slowly(void **state)
{
	struct fixture f;

	(void)state;
	with_listen = true;
	begin(&f, 0);
	f.model->settings[0].slow_start_ms = 3600000;
	report(&f, 0, SL_MSG_OK);
	report(&f, 1, SL_MSG_OK);
	/* The first time is no recovery. */
	assert_int_equal(table[0], table[1]);
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 1, SL_MSG_OK);
	assert_in_range(table[1], 1, table[0] / 2);
	end(&f);
	with_listen = false;
}

/* What the operator ordered, and until when, outlives the daemon. */
static void orders_are_adopted(void **state)
{
	struct fixture f;

	(void)state;
	adopted[0] = adopted[1] = true;
	words[0] = (struct sl_word){ .health = SL_HEALTHY, .admin = SL_DRAINING, .deadline_s = 42 };
	words[1] = (struct sl_word){ .health = SL_HEALTHY, .admin = SL_DISABLED };
	words[2] = (struct sl_word){ .admin = SL_DISABLED }; /* not adopted: left-over */
	begin(&f, 0);
	assert_int_equal(words[0].admin, SL_DRAINING);
	assert_int_equal(words[0].deadline_s, 42);
	assert_int_equal(board_read(f.board, 0).admin, SL_DRAINING);
	assert_int_equal(words[1].admin, SL_DISABLED);
	assert_int_equal(board_read(f.board, 1).admin, SL_DISABLED);
	assert_int_equal(words[2].admin, SL_ENABLED);
	end(&f);
}

static int order(struct fixture *f, enum change_action action, const char *address, uint32_t n)
{
	struct change change = { .action = action, .timeout_ms = n, .weight = n };
	struct err err = { "" };

	snprintf(change.address, sizeof(change.address), "%s", address);
	return changes_make(f->pipeline, f->model, &change, &err);
}

/*
 * The next configuration's pipeline takes over what is known: counts that are not yet a change, and
 * what people see. An endpoint that the one before has not begins anew.
 */
static void next_inherits(void **state)
{
	struct pipeline_parts parts;
	struct fixture f, next = { .model = NULL };
	struct health before;

	(void)state;
	begin(&f, 0);
	report(&f, 0, SL_MSG_OK);
	report(&f, 0, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 1, SL_MSG_TCP_CONNECT_FAILED);
	report(&f, 2, SL_MSG_OK);
	assert_int_equal(order(&f, CHANGE_WEIGHT, "10.0.0.1", 7), 0);
	before = board_health(f.board, 0);

	next.model = make_model(0);
	/* Somebody else at the third place. */
	next.model->endpoints[2].key.addr[15] = 99;
	next.model->settings[0].on_unhealthy = SL_ACTION_DROP;
	for (uint32_t i = 0; i < next.model->n_endpoints; i++)
		next.plans[i] = plan_endpoint(next.model, &next.model->endpoints[i]);
	next.board = board_new(next.model->n_endpoints);
	parts = (struct pipeline_parts){
		.loop = &f.loop, .model = next.model, .plans = next.plans, .board = next.board
	};
	words[2] = (struct sl_word){ 0 };
	assert_int_equal(pipeline_new(&next.pipeline, &parts), 0);
	pipeline_inherit(next.pipeline, f.pipeline);
	assert_int_equal(weights_get(pipeline_weights(next.pipeline), 0, 0), 1);
	assert_int_equal(weights_get(pipeline_weights(next.pipeline), 0, 1), 7);

	assert_int_equal(board_health(next.board, 0).shown, SL_HEALTHY);
	assert_int_equal(board_health(next.board, 0).failures, 1);
	assert_int_equal(board_health(next.board, 0).since_ms, before.since_ms);
	assert_int_equal(board_read(next.board, 0).n_verdicts, 2);
	assert_int_equal(board_read(next.board, 0).recent[0].verdict.code,
			 SL_MSG_TCP_CONNECT_FAILED);
	assert_int_equal(board_health(next.board, 1).shown, SL_UNHEALTHY);
	assert_int_equal(words[1].health, SL_UNHEALTHY);
	assert_int_equal(words[1].action, SL_ACTION_DROP);
	assert_int_equal(board_health(next.board, 2).shown, SL_UNKNOWN);
	assert_int_equal(board_read(next.board, 2).n_verdicts, 0);

	/* The second failure in a row counts the first, which the one before saw. */
	pipeline_free(f.pipeline);
	f.pipeline = next.pipeline;
	report(&f, 0, SL_MSG_TCP_CONNECT_FAILED);
	assert_int_equal(board_health(next.board, 0).shown, SL_UNHEALTHY);
	end(&f);
	board_free(next.board);
	model_free(next.model);
}

/* What an operator orders is in the word at once, and the tables follow. */
static void orders_are_carried_out(void **state)
{
	uint64_t before_s = clock_mono_ms() / MS_PER_SEC;
	struct fixture f;

	(void)state;
	with_listen = true;
	begin(&f, 0);
	report(&f, 0, SL_MSG_OK);
	report(&f, 1, SL_MSG_OK);
	assert_int_equal(order(&f, CHANGE_DRAIN, "10.0.0.1", 60000), 0);
	assert_int_equal(words[1].admin, SL_DRAINING);
	assert_true(words[1].flags & SL_WORD_ORDERED);
	assert_in_range(words[1].deadline_s, before_s + 60, before_s + 70);
	assert_true(table_is(1, 0));
	assert_true(board_read(f.board, 1).ordered);
	assert_in_range(board_read(f.board, 1).deadline_ms, 1000 * (before_s + 60),
			1000 * (before_s + 70));
	assert_int_equal(words[0].admin, SL_ENABLED);

	/* Without a time: what the settings say, or half a minute. */
	assert_int_equal(order(&f, CHANGE_DRAIN, "10.0.0.1", 0), 0);
	assert_in_range(words[1].deadline_s, before_s + 30, before_s + 40);
	f.model->settings[0].drains = true;
	f.model->settings[0].drain_ms = 600000;
	assert_int_equal(order(&f, CHANGE_DRAIN, "10.0.0.1", 0), 0);
	assert_in_range(words[1].deadline_s, before_s + 600, before_s + 610);

	assert_int_equal(order(&f, CHANGE_ENABLE, "10.0.0.1", 0), 0);
	assert_int_equal(words[1].admin, SL_ENABLED);
	assert_int_equal(words[1].deadline_s, 0);
	assert_false(words[1].flags & SL_WORD_ORDERED);
	assert_true(table_is(1, 1));
	assert_int_equal(order(&f, CHANGE_DISABLE, "10.0.0.0", 0), 0);
	assert_int_equal(words[0].admin, SL_DISABLED);
	assert_int_equal(words[0].deadline_s, 0);
	assert_true(table_is(0, 1));

	assert_int_equal(order(&f, CHANGE_DRAIN, "10.0.0.77", 0), -ENOENT);
	assert_int_equal(order(&f, CHANGE_DRAIN, "10.0.0.1:80", 0), -ENOENT);
	assert_int_equal(order(&f, CHANGE_DRAIN, "app.test", 0), -ENOENT);
	pipeline_block(f.pipeline, "it is gone");
	assert_int_equal(order(&f, CHANGE_DRAIN, "10.0.0.1", 0), -ENOLINK);
	assert_int_equal(words[1].admin, SL_ENABLED);
	end(&f);
	with_listen = false;
}

/* The model stays as it is; tables are made by the weights in force. */
static void weights_are_changed(void **state)
{
	struct fixture f;

	(void)state;
	with_listen = true;
	begin(&f, 0);
	assert_ptr_equal(weights, pipeline_weights(f.pipeline));
	assert_int_equal(weights_get(weights, 0, 1), 1);
	n_tables = 0;
	assert_int_equal(order(&f, CHANGE_WEIGHT, "10.0.0.1", 7), 0);
	assert_int_equal(weights_get(weights, 0, 1), 7);
	assert_int_equal(weights_get(weights, 0, 0), 1);
	assert_int_equal(n_tables, 1);
	assert_true(table_is(1, 1));
	assert_int_equal(order(&f, CHANGE_WEIGHT, "10.0.0.1", 0), 0);
	assert_true(table_is(1, 0));
	assert_int_equal(f.model->pools[0].backends[1].weight, 1);
	end(&f);
	with_listen = false;
}

/* An order for a name is one for whoever sits in its seats; DNS does not take it back. */
static void orders_for_names(void **state)
{
	struct fixture f;

	(void)state;
	with_name = true;
	begin(&f, 0);
	sit(&f, SEAT, "10.0.0.9");
	assert_int_equal(order(&f, CHANGE_DRAIN, "APP.test.", 60000), 0);
	assert_int_equal(words[SEAT].admin, SL_DRAINING);
	assert_int_equal(pipeline_admin(f.pipeline, SEAT), SL_ENABLED);
	sit(&f, SEAT + 1, "10.0.0.10");
	assert_int_equal(words[SEAT + 1].admin, SL_DRAINING);
	assert_int_equal(board_read(f.board, SEAT + 1).admin, SL_DRAINING);

	/* The earlier of both ends is the end. */
	pipeline_set_admin(f.pipeline, SEAT, SL_DRAINING, 41001);
	assert_int_equal(words[SEAT].deadline_s, 42);
	pipeline_set_admin(f.pipeline, SEAT, SL_ENABLED, 0);
	assert_int_equal(words[SEAT].admin, SL_DRAINING);
	assert_true(words[SEAT].deadline_s > 42);
	pipeline_set_admin(f.pipeline, SEAT, SL_DRAINING, 41001);
	assert_int_equal(order(&f, CHANGE_ENABLE, "app.test", 0), 0);
	assert_int_equal(words[SEAT].admin, SL_DRAINING);
	assert_int_equal(words[SEAT].deadline_s, 42);
	assert_false(words[SEAT].flags & SL_WORD_ORDERED);
	assert_int_equal(words[SEAT + 1].admin, SL_ENABLED);
	end(&f);
	with_name = false;
}

/* A seat's word tells a daemon who ordered, and an order is for all seats of the name. */
static void orders_for_names_are_adopted(void **state)
{
	struct fixture f;

	(void)state;
	with_name = true;
	seats[SEAT + 3] = (struct sl_target_key){ .port = 80, .proto = SL_TCP };
	seats[SEAT + 3].addr[0] = 0xfd;
	adopted[SEAT + 3] = true;
	words[SEAT + 3] =
		(struct sl_word){ .admin = SL_DISABLED, .flags = SL_WORD_ORDERED | SL_WORD_RESET };
	begin(&f, 0);
	assert_int_equal(words[SEAT + 3].admin, SL_DISABLED);
	assert_int_equal(pipeline_admin(f.pipeline, SEAT + 3), SL_ENABLED);
	sit(&f, SEAT, "10.0.0.9");
	assert_int_equal(words[SEAT].admin, SL_DISABLED);
	assert_int_equal(words[0].admin, SL_ENABLED);
	end(&f);
	with_name = false;
}

/* What the kernel holds for a seat, draining included, is taken over. */
static void seats_are_adopted(void **state)
{
	struct fixture f;

	(void)state;
	with_name = true;
	seats[SEAT + 3] = (struct sl_target_key){ .port = 80, .proto = SL_TCP };
	seats[SEAT + 3].addr[0] = 0xfd;
	adopted[SEAT + 3] = true;
	words[SEAT + 3] = (struct sl_word){ .health = SL_UNHEALTHY, .admin = SL_DRAINING };
	begin(&f, 0);
	assert_true(pipeline_taken(f.pipeline, SEAT + 3));
	assert_int_equal(pipeline_plan(f.pipeline, SEAT + 3).addr.bytes[0], 0xfd);
	assert_int_equal(pipeline_admin(f.pipeline, SEAT + 3), SL_DRAINING);
	assert_int_equal(words[SEAT + 3].health, SL_UNHEALTHY);
	assert_int_equal(words[SEAT + 3].admin, SL_DRAINING);
	assert_int_equal(board_read(f.board, SEAT + 3).seat, BOARD_FOUND);
	assert_true(board_read(f.board, SEAT + 3).adopted);
	end(&f);
	with_name = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_reaches_the_kernel),
		cmocka_unit_test(stores_words_on_change_only),
		cmocka_unit_test(own_trouble_moves_no_word),
		cmocka_unit_test(adopts_what_is_in_force),
		cmocka_unit_test(seats_begin_vacant),
		cmocka_unit_test(seats_change_hands),
		cmocka_unit_test(seats_drain),
		cmocka_unit_test(seats_are_adopted),
		cmocka_unit_test(tables_follow),
		cmocka_unit_test(tables_start_slowly),
		cmocka_unit_test(orders_are_adopted),
		cmocka_unit_test(next_inherits),
		cmocka_unit_test(orders_are_carried_out),
		cmocka_unit_test(weights_are_changed),
		cmocka_unit_test(orders_for_names),
		cmocka_unit_test(orders_for_names_are_adopted),
		cmocka_unit_test(min_servers_forces_open),
		cmocka_unit_test(min_servers_prefers_the_last_healthy),
		cmocka_unit_test(min_servers_counts_in_each_service),
		cmocka_unit_test(min_servers_may_have_gone),
		cmocka_unit_test(min_servers_may_have_come),
		cmocka_unit_test(adopts_no_nonsense),
		cmocka_unit_test(says_when_memory_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
