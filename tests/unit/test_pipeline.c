// SPDX-License-Identifier: GPL-2.0-or-later
/* The pipeline over a fake data plane: which words it stores, and what the board says then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "daemon/pipeline.h"
#include "tests/lib/fault.h"
#include "util/err.h"

#define N_BACKENDS 3

static struct sl_word words[N_BACKENDS];
static bool adopted[N_BACKENDS];
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
static struct sl_target_key seats[2 * LIMIT_NAME_ADDRESSES];

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

struct fixture {
	uv_loop_t loop;
	struct model *model;
	struct plan plans[N_BACKENDS];
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
	}
	model->services = calloc(2, sizeof(*model->services));
	model->n_services = 1;
	if (with_second_service) {
		model->pools[1].backends = calloc(1, sizeof(*model->pools[1].backends));
		model->pools[1].backends[0] = model->pools[0].backends[0];
		model->pools[1].n_backends = 1;
		model->n_pools = 2;
		model->services[1].pool = 1;
		model->n_services = 2;
	}
	assert_int_equal(model_link(model, &err), 0);
	assert_int_equal(model->n_endpoints, N_BACKENDS);
	return model;
}

static void begin(struct fixture *f, uint32_t min_servers)
{
	struct pipeline_parts parts = { .loop = &f->loop, .plans = f->plans };

	n_stores = 0;
	n_open_min = N_BACKENDS;
	uv_loop_init(&f->loop);
	f->model = make_model(min_servers);
	for (uint32_t i = 0; i < N_BACKENDS; i++)
		f->plans[i] = plan_endpoint(f->model, &f->model->endpoints[i]);
	f->board = board_new(N_BACKENDS);
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
}

static void report(struct fixture *f, uint32_t endpoint, enum sl_message code)
{
	struct verdict verdict = { .code = code };

	pipeline_report(f->pipeline, endpoint, &verdict);
	uv_run(&f->loop, UV_RUN_NOWAIT);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores_words_on_change_only),
		cmocka_unit_test(own_trouble_moves_no_word),
		cmocka_unit_test(adopts_what_is_in_force),
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
