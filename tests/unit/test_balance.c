// SPDX-License-Identifier: GPL-2.0-or-later
/* Who gets a share of the new flows: the order of preference, slow start, and the timer for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "daemon/balancer.h"
#include "model/balance.h"
#include "model/maglev.h"
#include "model/weights.h"
#include "util/clock.h"

#define MEMBERS 8
#define FULL MAGLEV_SHARE_FULL

/*
 * A member is a letter: H Healthy, U Unknown, D Unhealthy ("down"), F the same but forced; in small
 * letters it does not serve. The digit is when its health lapsed last.
 */
struct row {
	const char *members;
	enum none_healthy none;
	const char *chosen; /* '1' or '0' for each */
	bool any;
};

static const struct row rows[] = {
	{ "", NONE_HEALTHY_REJECT, "", false },
	{ "H0H0", NONE_HEALTHY_REJECT, "11", false },
	{ "H0D1U0", NONE_HEALTHY_REJECT, "100", false },
	/* Unknown ones only when nothing is healthy. */
	{ "D1U0U2", NONE_HEALTHY_REJECT, "011", false },
	{ "D1F2", NONE_HEALTHY_REJECT, "01", false },
	{ "F2U0", NONE_HEALTHY_REJECT, "10", false },
	/* What does not serve is as if it were not there. */
	{ "h0U0", NONE_HEALTHY_REJECT, "01", false },
	{ "h0u0D1", NONE_HEALTHY_REJECT, "000", false },
	{ "h0u0D0", NONE_HEALTHY_LAST, "000", false },
	{ "D1D3D2", NONE_HEALTHY_REJECT, "000", false },
	{ "D1D3D2", NONE_HEALTHY_DROP, "000", false },
	{ "D1D3D2", NONE_HEALTHY_PASS, "000", false },
	{ "D1D3D2", NONE_HEALTHY_LAST, "010", true },
	{ "D1d3D2", NONE_HEALTHY_LAST, "001", true },
	/* One that never was healthy was not healthy last. */
	{ "D0D0", NONE_HEALTHY_LAST, "00", false },
	{ "D0D1", NONE_HEALTHY_LAST, "01", true },
};

static void check_row(const struct row *row)
{
	const struct settings settings = { .on_none_healthy = row->none };
	struct balance_member members[MEMBERS] = { 0 };
	struct health health[MEMBERS] = { 0 };
	uint32_t n = (uint32_t)strlen(row->members) / 2, n_chosen = 0;
	uint16_t shares[MEMBERS];
	struct balance balance;

	for (uint32_t i = 0; i < n; i++) {
		char letter = row->members[2 * i];

		health[i].proven = strchr("Hh", letter)   ? SL_HEALTHY
				   : strchr("Uu", letter) ? SL_UNKNOWN
							  : SL_UNHEALTHY;
		health[i].forced = letter == 'F';
		health[i].lapsed = (uint64_t)(row->members[2 * i + 1] - '0');
		members[i] = (struct balance_member){ .health = &health[i],
						      .serves = !!strchr("HUDF", letter) };
	}
	balance = balance_shares(members, n, &settings, 5000, shares);
	for (uint32_t i = 0; i < n; i++) {
		if (shares[i] != (row->chosen[i] == '1' ? FULL : 0))
			fail_msg("%s: share %u is %u", row->members, i, shares[i]);
		n_chosen += shares[i] != 0;
	}
	assert_int_equal(balance.n, n_chosen);
	assert_int_equal(balance.any, row->any);
	assert_int_equal(balance.next_ms, 0);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

/* The second member has recovered at 1,000 ms; slow start takes 16 s. */
static void test_slow_start(void **state)
{
	static const struct {
		uint64_t now_ms;
		uint16_t share;
		uint64_t next_ms;
	} steps[] = {
		{ 1000, FULL / 16, 2000 },
		{ 1999, FULL / 16, 2000 },
		{ 2000, 2 * FULL / 16, 3000 },
		{ 15999, 15 * FULL / 16, 16000 },
		{ 16000, FULL, 0 },
		{ 900000, FULL, 0 },
	};
	const struct settings settings = { .slow_start_ms = 16000 };
	struct health healthy = { .proven = SL_HEALTHY };
	const struct balance_member members[] = {
		{ .health = &healthy, .serves = true },
		{ .health = &healthy, .serves = true, .recovered_ms = 1000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		uint16_t shares[2];
		struct balance balance =
			balance_shares(members, 2, &settings, steps[i].now_ms, shares);

		assert_int_equal(shares[0], FULL);
		assert_int_equal(shares[1], steps[i].share);
		assert_int_equal(balance.next_ms, steps[i].next_ms);
		assert_int_equal(balance.n, 2);
	}
}

/* --- the balancer ------------------------------------------------------------------------------ */

/* Two services share endpoint 1; the third forwards nothing. */
struct fixture {
	struct health health[3];
	uint64_t recovered_ms[3];
	int calls[3]; /* by service */
	uint16_t shares[3][2];
	int r; /* what publishing returns */
	uv_loop_t loop;
	struct balancer *balancer;
	struct weights *weights;
};

static uint32_t both[][2] = { { 0, 1 }, { 1, 2 }, { 0, 2 } };
static uint32_t owners[] = { 0, 1 };
static struct backend backends[] = { { .weight = 1 }, { .weight = 1 } };
static struct pool pools[] = { { .backends = backends, .n_backends = 2 } };
static struct settings slow = { .slow_start_ms = 160 };
static struct endpoint endpoints[3];
static struct service services[] = {
	{ .name = "a",
	  .listen.key.port = 80,
	  .endpoints = both[0],
	  .owners = owners,
	  .n_endpoints = 2 },
	{ .name = "b",
	  .listen.key.port = 81,
	  .endpoints = both[1],
	  .owners = owners,
	  .n_endpoints = 2 },
	{ .name = "c", .endpoints = both[2], .owners = owners, .n_endpoints = 2 },
};
static const struct model model = {
	.settings = &slow,
	.pools = pools,
	.services = services,
	.endpoints = endpoints,
	.n_settings = 1,
	.n_pools = 1,
	.n_services = 3,
	.n_endpoints = 3,
};

static struct balance_member member(void *arg, uint32_t endpoint)
{
	struct fixture *f = arg;

	return (struct balance_member){ .health = &f->health[endpoint],
					.recovered_ms = f->recovered_ms[endpoint],
					.serves = true };
}

static int publish(void *arg, uint32_t service, const uint16_t shares[], bool any)
{
	struct fixture *f = arg;

	(void)any;
	f->calls[service]++;
	memcpy(f->shares[service], shares, sizeof(f->shares[service]));
	return f->r;
}

static void begin(struct fixture *f)
{
	const struct balancer_parts parts = { .loop = &f->loop,
					      .model = &model,
					      .weights = f->weights = weights_new(&model),
					      .member = member,
					      .publish = publish,
					      .arg = f };

	assert_non_null(f->weights);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(balancer_new(&f->balancer, &parts), 0);
}

static void end(struct fixture *f)
{
	balancer_free(f->balancer);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	weights_free(f->weights);
}

static void test_only_what_changed(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	begin(&f);
	balancer_run(f.balancer);
	assert_int_equal(f.calls[0] * 100 + f.calls[1] * 10 + f.calls[2], 110);
	balancer_run(f.balancer);
	assert_int_equal(f.calls[0] * 100 + f.calls[1] * 10 + f.calls[2], 110);

	f.health[0].proven = SL_HEALTHY;
	balancer_note(f.balancer, 0);
	balancer_note(f.balancer, 0);
	balancer_run(f.balancer);
	assert_int_equal(f.calls[0] * 100 + f.calls[1] * 10 + f.calls[2], 210);
	assert_int_equal(f.shares[0][0], FULL);
	assert_int_equal(f.shares[0][1], 0);

	balancer_note(f.balancer, 1);
	balancer_run(f.balancer);
	assert_int_equal(f.calls[0] * 100 + f.calls[1] * 10 + f.calls[2], 320);
	end(&f);
}

static void test_weight_zero(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	backends[0].weight = 0;
	begin(&f);
	balancer_run(f.balancer);
	assert_int_equal(f.shares[0][0], 0);
	assert_int_equal(f.shares[0][1], FULL);
	end(&f);
	backends[0].weight = 1;
}

/* The loop makes the share grow until it is whole, and then rests. */
static void test_grows(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	f.health[0].proven = f.health[1].proven = SL_HEALTHY;
	f.recovered_ms[0] = clock_mono_ms();
	begin(&f);
	balancer_run(f.balancer);
	assert_in_range(f.shares[0][0], 1, FULL - 1);
	assert_int_equal(f.shares[0][1], FULL);
	assert_int_equal(uv_run(&f.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(f.shares[0][0], FULL);
	assert_in_range(f.calls[0], 2, 17);
	end(&f);
}

static void test_memory_comes_back(void **state)
{
	struct fixture f = { .r = -ENOMEM };

	(void)state;
	begin(&f);
	balancer_run(f.balancer);
	assert_int_equal(f.calls[0], 1);
	f.r = 0;
	assert_int_equal(uv_run(&f.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(f.calls[0], 2);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_slow_start),
		cmocka_unit_test(test_only_what_changed),
		cmocka_unit_test(test_weight_zero),
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_memory_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
