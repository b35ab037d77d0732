/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipeline_run - a pipeline over a fake data plane, for tests of which words and tables it stores.
 *
 * Defines the data plane's calls itself: the archive with the real ones is then not linked. Included by
 * one .c of a test program. Tests set adopted, words, seats and with_* before they begin.
 */
#ifndef SLUICE_TESTS_PIPELINE_RUN_H
#define SLUICE_TESTS_PIPELINE_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/pipeline.h"
#include "util/err.h"

#define N_BACKENDS 3
#define N_MAX (N_BACKENDS + LIMIT_NAME_ADDRESSES)

static struct sl_word words[N_MAX];
static bool adopted[N_MAX];
static bool with_name; /* the last backend has a name: endpoints 2.. are its seats */
static int n_stores;
static bool with_second_service; /* over the first backend alone */
static int n_open_min; /* the fewest that were open at once */

static inline int n_open(void)
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
static struct events *with_events; /* NULL: the log has to do */
static struct kept_list *with_kept; /* of before a restart */

struct fixture {
	uv_loop_t loop;
	struct model *model;
	struct plan plans[N_MAX];
	struct board *board;
	struct pipeline *pipeline;
};

static inline struct model *make_model(uint32_t min_servers)
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
	if (with_listen) {
		struct sl_target_key *listen = &model->services[0].listen.key;

		*listen = (struct sl_target_key){ .port = 1, .proto = SL_TCP };
		memcpy(listen->addr, model->pools[0].backends[0].addr.bytes, sizeof(listen->addr));
	}
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

static inline void begin(struct fixture *f, uint32_t min_servers)
{
	struct pipeline_parts parts = {
		.loop = &f->loop, .plans = f->plans, .events = with_events, .kept = with_kept
	};

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

static inline void end(struct fixture *f)
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

static inline void report(struct fixture *f, uint32_t endpoint, enum sl_message code)
{
	struct verdict verdict = { .code = code };

	pipeline_report(f->pipeline, endpoint, &verdict);
	uv_run(&f->loop, UV_RUN_NOWAIT);
}

#define SEAT 2

static inline void sit(struct fixture *f, uint32_t seat, const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, text), 0);
	assert_int_equal(pipeline_seat(f->pipeline, seat, &addr, NULL), 0);
}

static inline int table_is(int a, int b)
{
	return !!table[0] == a && !!table[1] == b;
}

/* The kernel has somebody in a seat that a former daemon gave away. */
static inline void adopt_seat(uint32_t seat, struct sl_word word)
{
	seats[seat] = (struct sl_target_key){ .port = 80, .proto = SL_TCP };
	seats[seat].addr[0] = 0xfd;
	adopted[seat] = true;
	words[seat] = word;
}

#endif
