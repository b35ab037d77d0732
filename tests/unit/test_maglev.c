// SPDX-License-Identifier: GPL-2.0-or-later
/* Selection tables: who has which flows, and which of them move when something changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/maglev.h"
#include "tests/lib/fault.h"

#define N_FLOWS 1000000
#define MOST_MEMBERS 1000
#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* The same numbers in every run. */
static uint64_t seed;

static uint64_t draw(void)
{
	uint64_t x = seed += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

/* Of random tuples, what decides: the hash. */
static uint32_t flows[N_FLOWS];

struct pool {
	uint32_t n, size;
	struct maglev_member members[MOST_MEMBERS + 1];
	uint16_t shares[MOST_MEMBERS + 1];
};

struct table {
	uint32_t slots[MAGLEV_SIZE_MAX];
};

static struct pool pool;
static struct table before, after, again;

static int setup(void **state)
{
	(void)state;
	seed = 1;
	for (uint32_t i = 0; i < N_FLOWS; i++)
		flows[i] = (uint32_t)draw();
	return 0;
}

/* n members of weight 1 with full shares. */
static void pool_init(uint32_t n, uint32_t size)
{
	pool.n = n;
	pool.size = size;
	for (uint32_t i = 0; i < n; i++) {
		pool.members[i] = (struct maglev_member){ .key = draw(), .weight = 1 };
		pool.shares[i] = MAGLEV_SHARE_FULL;
	}
}

static struct maglev *base(void)
{
	struct maglev *maglev = NULL;

	assert_int_equal(maglev_new(&maglev, pool.members, pool.n, pool.size), 0);
	assert_non_null(maglev);
	return maglev;
}

static void fill(struct table *table)
{
	CLEANUP(maglev_free_p) struct maglev *maglev = base();

	maglev_fill(maglev, pool.shares, table->slots);
}

static uint32_t owner(const struct table *table, uint32_t flow)
{
	return table->slots[flow & (pool.size - 1)];
}

static uint32_t slots_of(const struct table *table, uint32_t member)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < pool.size; i++)
		n += table->slots[i] == member;
	return n;
}

static bool same(const struct table *a, const struct table *b)
{
	return memcmp(a->slots, b->slots, pool.size * sizeof(a->slots[0])) == 0;
}

/* One leaves and comes back, by its health: nobody else's flow moves. */
static void check_health(uint32_t out)
{
	CLEANUP(maglev_free_p) struct maglev *maglev = base();
	uint32_t n_moved = 0, n_its = 0;

	maglev_fill(maglev, pool.shares, before.slots);
	pool.shares[out] = 0;
	maglev_fill(maglev, pool.shares, after.slots);
	for (uint32_t i = 0; i < N_FLOWS; i++) {
		const uint32_t was = owner(&before, flows[i]), is = owner(&after, flows[i]);

		assert_true(is < pool.n && pool.shares[is]);
		n_moved += is != was;
		n_its += was == out;
		if (is != was && was != out)
			fail_msg("member %u out: a flow of %u went to %u", out, was, is);
	}
	assert_int_equal(n_moved, n_its);
	assert_true(n_its > 0);

	pool.shares[out] = MAGLEV_SHARE_FULL;
	maglev_fill(maglev, pool.shares, again.slots);
	assert_true(same(&before, &again));
}

/*
 * In parts per million of those who stay: the flows that move when one is taken off the list. They
 * move back when it is added, for a table does not know what it was before.
 */
static uint32_t others_moved(uint32_t gone)
{
	uint32_t n_its = 0, n_moved = 0;

	fill(&before);
	memmove(&pool.members[gone], &pool.members[gone + 1],
		(pool.n - gone) * sizeof(pool.members[0]));
	pool.n--;
	fill(&after);

	for (uint32_t i = 0; i < N_FLOWS; i++) {
		const uint32_t was = owner(&before, flows[i]), is = owner(&after, flows[i]);

		assert_true(is < pool.n);
		if (was == gone)
			n_its++;
		else
			n_moved += (is < gone ? is : is + 1) != was;
	}
	/* It had its part: one of n, and the luck of a million draws from whole slots. */
	assert_in_range(n_its, N_FLOWS / (pool.n + 1) * 95 / 100,
			N_FLOWS / (pool.n + 1) * 105 / 100);
	return (uint32_t)((uint64_t)n_moved * 1000000 / (N_FLOWS - n_its));
}

static const uint32_t pool_sizes[] = { 2, 3, 10, 100, 256, 1000 };

static void test_health(void **state)
{
	(void)state;
	for (size_t k = 0; k < N_ELEMENTS(pool_sizes); k++) {
		const uint32_t n = pool_sizes[k];

		pool_init(n, maglev_size(n, 0));
		check_health((uint32_t)draw() % n);

		/* The same while every other one is out, the last included. */
		for (uint32_t i = 1; i < n; i += 2)
			pool.shares[i] = 0;
		if (n > 2)
			check_health((uint32_t)draw() % (n / 2) * 2);
	}
}

static void test_membership(void **state)
{
	(void)state;
	for (size_t k = 0; k < N_ELEMENTS(pool_sizes); k++) {
		const uint32_t n = pool_sizes[k];

		for (uint32_t times = 0; times < 3; times++) {
			uint32_t moved;

			pool_init(n, maglev_size(n, 0));
			moved = others_moved((uint32_t)draw() % n);
			if (moved > 20000)
				fail_msg("1 of %u gone: %u of a million others moved", n, moved);
		}
	}
}

/* Few members, many pools: permutations that run after one another would show here first. */
static void test_membership_of_few(void **state)
{
	uint32_t worst = 0;

	(void)state;
	for (uint32_t times = 0; times < 200; times++) {
		uint32_t n_moved = 0, n_others = 0;

		pool_init(3, maglev_size(3, 0));
		fill(&before);
		pool.n = 2;
		fill(&after);
		for (uint32_t i = 0; i < pool.size; i++) {
			n_others += before.slots[i] != 2;
			n_moved += before.slots[i] != 2 && before.slots[i] != after.slots[i];
		}
		worst = n_moved * 1000 / n_others > worst ? n_moved * 1000 / n_others : worst;
	}
	assert_in_range(worst, 1, 20);
}

/* Of n members every k-th is out: what the most loaded has, in thousandths of the mean. */
static const struct load_row {
	uint32_t n, out_every, most;
} load_rows[] = {
	{ 2, 0, 1001 },   { 3, 0, 1002 },    { 10, 0, 1003 },  { 100, 0, 1010 },
	{ 256, 0, 1005 }, { 1000, 0, 1010 }, { 3, 3, 1030 },   { 10, 10, 1040 },
	{ 10, 2, 1060 },  { 100, 2, 1150 },  { 256, 2, 1120 }, { 1000, 2, 1220 },
};

static void test_load(void **state)
{
	(void)state;
	for (size_t k = 0; k < N_ELEMENTS(load_rows); k++) {
		const struct load_row *row = &load_rows[k];
		uint32_t counts[MOST_MEMBERS] = { 0 }, n_well = 0, most = 0;

		pool_init(row->n, maglev_size(row->n, 0));
		for (uint32_t i = 0; i < row->n; i++) {
			if (row->out_every && i % row->out_every == 0)
				pool.shares[i] = 0;
			n_well += pool.shares[i] != 0;
		}
		fill(&after);
		for (uint32_t i = 0; i < pool.size; i++)
			counts[after.slots[i]]++;
		for (uint32_t i = 0; i < row->n; i++)
			most = counts[i] > most ? counts[i] : most;
		if (1000ull * most * n_well > (uint64_t)row->most * pool.size)
			fail_msg("%u members, every %u. out: most loaded has %u of %u slots",
				 row->n, row->out_every, most, pool.size);
	}
}

static uint32_t weight_random(uint32_t i)
{
	(void)i;
	return (uint32_t)draw() % (MAGLEV_WEIGHT_MAX + 1);
}

static uint32_t weight_extremes(uint32_t i)
{
	return i % 2 ? MAGLEV_WEIGHT_MAX : 1;
}

static uint32_t weight_one_heavy(uint32_t i)
{
	return i ? 1 : MAGLEV_WEIGHT_MAX;
}

static uint32_t weight_steps(uint32_t i)
{
	return i % (MAGLEV_WEIGHT_MAX + 1);
}

/*
 * Everybody's part by weight: at most two slots more, for the lightest have one anyway; and less by
 * what these rounded up, one in fifty at most.
 */
static void check_weights(uint32_t n, uint32_t (*weight)(uint32_t i))
{
	uint32_t counts[MOST_MEMBERS] = { 0 }, sum = 0;

	pool_init(n, maglev_size(n, 0));
	for (uint32_t i = 0; i < n; i++)
		sum += pool.members[i].weight = weight(i);
	fill(&after);
	for (uint32_t i = 0; i < pool.size; i++)
		counts[after.slots[i]]++;

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t w = pool.members[i].weight, part = pool.size * w / sum;

		assert_int_equal(counts[i] == 0, w == 0);
		if (counts[i] > part + 2 || counts[i] + 2 + part / 50 < part)
			fail_msg("weight %u of %u: %u slots, not %u", w, sum, counts[i], part);
	}
}

static void test_weights(void **state)
{
	static uint32_t (*const kinds[])(uint32_t i) = { weight_random, weight_extremes,
							 weight_one_heavy, weight_steps };

	(void)state;
	for (size_t k = 0; k < N_ELEMENTS(kinds); k++)
		for (size_t i = 0; i < N_ELEMENTS(pool_sizes); i++)
			check_weights(pool_sizes[i], kinds[k]);
}

/* A weight's flows on tuples: 1 to 3 is a quarter to three. */
static void test_weighted_flows(void **state)
{
	uint32_t counts[2] = { 0 };

	(void)state;
	pool_init(2, maglev_size(2, 0));
	pool.members[1].weight = 3;
	fill(&after);
	for (uint32_t i = 0; i < N_FLOWS; i++)
		counts[owner(&after, flows[i])]++;
	assert_in_range(counts[0], N_FLOWS / 100 * 24, N_FLOWS / 100 * 26);
	assert_in_range(counts[1], N_FLOWS / 100 * 74, N_FLOWS / 100 * 76);
}

/* What has a share moves to it only, and by as many of its own slots as the share says. */
static void check_rise(struct maglev *maglev, uint32_t member, uint32_t n_own)
{
	static const uint16_t steps[] = { 1, 2, 100, 101, 512, 700, 1023, MAGLEV_SHARE_FULL };

	pool.shares[member] = 0;
	maglev_fill(maglev, pool.shares, before.slots);
	assert_int_equal(slots_of(&before, member), 0);
	for (size_t k = 0; k < N_ELEMENTS(steps); k++) {
		uint32_t n_held = 0;

		pool.shares[member] = steps[k];
		maglev_fill(maglev, pool.shares, after.slots);
		for (uint32_t i = 0; i < pool.size; i++) {
			if (after.slots[i] != before.slots[i])
				assert_int_equal(after.slots[i], member);
			n_held += after.slots[i] == member && again.slots[i] == member;
		}
		assert_true(n_held >=
			    (n_own * steps[k] + MAGLEV_SHARE_FULL - 1) / MAGLEV_SHARE_FULL);
		before = after;
	}
}

static void test_slow_start(void **state)
{
	(void)state;
	for (uint32_t times = 0; times < 4; times++) {
		pool_init(20, 4096);
		for (uint32_t i = 0; i < pool.n; i++)
			pool.members[i].weight = 1 + (uint32_t)draw() % 10;

		CLEANUP(maglev_free_p) struct maglev *maglev = base();

		maglev_fill(maglev, pool.shares, again.slots);
		check_rise(maglev, 7, slots_of(&again, 7));

		/* Others in every state. */
		for (uint32_t i = 0; i < pool.n; i++)
			pool.shares[i] = i % 3 ? (uint16_t)(draw() % (MAGLEV_SHARE_FULL + 1)) : 0;
		check_rise(maglev, 7, slots_of(&again, 7));
	}
}

/* While all others are well, a share is what it says, to the slot and to what it inherits. */
static void test_share(void **state)
{
	(void)state;
	pool_init(8, 4096);
	for (uint32_t part = 1; part <= 4; part++) {
		pool.shares[3] = (uint16_t)(MAGLEV_SHARE_FULL * part / 4);
		fill(&after);
		assert_in_range(slots_of(&after, 3), 512 * part / 4, 512 * part / 4 * 9 / 8);
	}
	/* More than all of it is all of it. */
	fill(&before);
	pool.shares[3] = UINT16_MAX;
	fill(&after);
	assert_true(same(&before, &after));

	/* The smallest share of the last one left is the whole table. */
	for (uint32_t i = 0; i < pool.n; i++)
		pool.shares[i] = i == 5;
	fill(&after);
	assert_int_equal(slots_of(&after, 5), 4096);
}

/* The same members in another order, and after any history: the same table. */
static void test_determinism(void **state)
{
	uint32_t at[100];

	(void)state;
	pool_init(100, maglev_size(100, 0));
	for (uint32_t i = 0; i < pool.n; i++) {
		pool.members[i].weight = (uint32_t)draw() % 5;
		pool.shares[i] = i % 7 ? MAGLEV_SHARE_FULL : (uint16_t)(i * 10);
		at[i] = i;
	}
	fill(&before);

	for (uint32_t i = pool.n - 1; i > 0; i--) {
		const uint32_t k = (uint32_t)draw() % (i + 1), index = at[i];
		const struct maglev_member member = pool.members[i];
		const uint16_t share = pool.shares[i];

		pool.members[i] = pool.members[k], pool.shares[i] = pool.shares[k], at[i] = at[k];
		pool.members[k] = member, pool.shares[k] = share, at[k] = index;
	}

	CLEANUP(maglev_free_p) struct maglev *maglev = base();
	uint16_t others[100] = { [17] = 3, [50] = MAGLEV_SHARE_FULL };

	maglev_fill(maglev, others, after.slots);
	maglev_fill(maglev, pool.shares, after.slots);
	for (uint32_t i = 0; i < pool.size; i++)
		assert_int_equal(at[after.slots[i]], before.slots[i]);
}

/*
 * Gateways of different versions share flows: a table that comes out otherwise than it did moves
 * them, and is a change to announce.
 */
static void test_the_table_stays(void **state)
{
	uint64_t digest = 0;

	(void)state;
	pool.n = 5;
	pool.size = 1024;
	for (uint32_t i = 0; i < pool.n; i++) {
		pool.members[i] = (struct maglev_member){ .key = i, .weight = i + 1 };
		pool.shares[i] = i == 2 ? 0 : i == 3 ? 300 : MAGLEV_SHARE_FULL;
	}
	fill(&after);
	for (uint32_t i = 0; i < pool.size; i++)
		digest = digest * 1099511628211ull + after.slots[i] + 1;
	assert_true(digest == 0x72fdac3917c34ef8ull);
}

static void check_nobody(void)
{
	memset(&after, 0, sizeof(after));
	fill(&after);
	assert_int_equal(slots_of(&after, MAGLEV_NONE), pool.size);
}

static void test_nobody(void **state)
{
	(void)state;
	pool_init(0, 4096);
	check_nobody();

	pool_init(3, 4096);
	for (uint32_t i = 0; i < pool.n; i++)
		pool.members[i].weight = 0;
	check_nobody();

	pool_init(3, 4096);
	for (uint32_t i = 0; i < pool.n; i++)
		pool.shares[i] = 0;
	check_nobody();

	/* Well, but without a weight; with a weight, but not well. */
	pool_init(2, 4096);
	pool.members[0].weight = 0;
	pool.shares[1] = 0;
	check_nobody();
}

/* Every size works, with one member and with as many as there are slots. */
static void test_sizes(void **state)
{
	(void)state;
	for (uint32_t size = 1; size <= MAGLEV_SIZE_MAX; size *= 2) {
		pool_init(1, size);
		fill(&after);
		assert_int_equal(slots_of(&after, 0), size);

		pool_init(size < MOST_MEMBERS ? size : MOST_MEMBERS, size);
		pool.members[0].weight = MAGLEV_WEIGHT_MAX;
		fill(&after);
		for (uint32_t i = 0; i < pool.n; i += 13)
			assert_in_range(slots_of(&after, i), 1, size);

		/* Only the last slot is held, or the first: everything goes there, around the table. */
		for (uint32_t edge = 0; edge < 2; edge++) {
			const uint32_t heir = after.slots[edge ? size - 1 : 0];

			memset(pool.shares, 0, sizeof(pool.shares));
			pool.shares[heir] = 1;
			fill(&before);
			assert_int_equal(slots_of(&before, heir), size);
		}
	}
}

static const struct size_row {
	uint32_t members, at_least, size;
} size_rows[] = {
	{ 0, 0, 4096 },           { 1, 0, 4096 },     { 10, 0, 4096 },     { 11, 0, 16384 },
	{ 128, 0, 16384 },        { 129, 0, 65536 },  { 65536, 0, 65536 }, { 1, 4096, 4096 },
	{ 1, 4097, 16384 },       { 11, 256, 16384 }, { 1, 65536, 65536 }, { 1, UINT32_MAX, 65536 },
	{ UINT32_MAX, 0, 65536 },
};

static void test_size(void **state)
{
	(void)state;
	for (size_t k = 0; k < N_ELEMENTS(size_rows); k++)
		assert_int_equal(maglev_size(size_rows[k].members, size_rows[k].at_least),
				 size_rows[k].size);
}

static void check_refused(int wanted)
{
	struct maglev *maglev = NULL;

	assert_int_equal(maglev_new(&maglev, pool.members, pool.n, pool.size), wanted);
	assert_null(maglev);
}

static void test_refused(void **state)
{
	static const uint32_t bad_sizes[] = { 0,         3, 1021, 65535, 65537, 2 * MAGLEV_SIZE_MAX,
					      UINT32_MAX };

	(void)state;
	for (size_t k = 0; k < N_ELEMENTS(bad_sizes); k++) {
		pool_init(3, bad_sizes[k]);
		check_refused(-EINVAL);
	}

	pool_init(65, 64);
	check_refused(-E2BIG);

	pool_init(3, 64);
	pool.members[1].weight = MAGLEV_WEIGHT_MAX + 1;
	check_refused(-EINVAL);

	/* Also when their weights set them apart, or one has none. */
	for (uint32_t weight = 0; weight < 3; weight++) {
		pool_init(30, 64);
		pool.members[29].key = pool.members[4].key;
		pool.members[29].weight = weight;
		check_refused(-EEXIST);
	}
}

static void test_memory(void **state)
{
	int n = 0, r;

	(void)state;
	pool_init(3, 64);
	for (;; n++) {
		CLEANUP(maglev_free_p) struct maglev *maglev = NULL;

		fault_after(FAULT_MEMORY, n, ENOMEM);
		r = maglev_new(&maglev, pool.members, pool.n, pool.size);
		if (!fault_clear(FAULT_MEMORY))
			break;
		assert_int_equal(r, -ENOMEM);
		assert_null(maglev);
	}
	assert_int_equal(r, 0);
	assert_int_equal(n, 5);
	maglev_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_health),
		cmocka_unit_test(test_membership),
		cmocka_unit_test(test_membership_of_few),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_weighted_flows),
		cmocka_unit_test(test_slow_start),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_determinism),
		cmocka_unit_test(test_the_table_stays),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("maglev", tests, setup, NULL);
}
