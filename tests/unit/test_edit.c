// SPDX-License-Identifier: GPL-2.0-or-later
/* What operators ask for, as changes over the file; and asked for nonsense. */
#include "tests/unit/layers_run.h"

#include "config/single.h"
#include "daemon/edit.h"
#include "model/compose.h"
#include "util/err.h"

#define NOW_MS 1000000ull

struct fixture {
	struct model *file, *now;
	struct overlay overlay;
};

static void begin(struct fixture *f)
{
	*f = (struct fixture){ .file = layers_file(layers_yaml) };
	assert_int_equal(compose_model(&f->now, f->file, &f->overlay, NULL), 0);
}

static void end(struct fixture *f)
{
	model_free(f->file);
	model_free(f->now);
	overlay_done(&f->overlay);
}

static int edit(struct fixture *f, struct change change, struct err *err)
{
	const struct edit_base base = { f->file, f->now };
	CLEANUP(overlay_done) struct overlay next;
	struct model *now = NULL;
	int r;

	assert_int_equal(overlay_copy(&next, &f->overlay), 0);
	r = edit_overlay(&next, &base, &change, NOW_MS, err);
	if (r < 0)
		return r;
	assert_int_equal(next.version, f->overlay.version + 1);
	assert_int_equal(compose_model(&now, f->file, &next, err), 0);
	model_free(f->now);
	f->now = now;
	overlay_done(&f->overlay);
	f->overlay = next;
	next = (struct overlay){ .n = 0 };
	return 0;
}

static struct change change_of(enum change_action action, const char *pool, const char *address,
			       uint32_t weight)
{
	struct change change = { .action = action, .weight = weight };

	snprintf(change.pool, sizeof(change.pool), "%s", pool);
	snprintf(change.address, sizeof(change.address), "%s", address);
	return change;
}

static void make(struct fixture *f, enum change_action action, const char *pool,
		 const char *address, uint32_t weight)
{
	struct err err = { "" };

	if (edit(f, change_of(action, pool, address, weight), &err) < 0)
		fail_msg("%s", err.text);
}

/* Step by step: what is to be seen then, and how many rows it takes to say. */
static void edits(void **state)
{
	static const struct {
		enum change_action action;
		const char *pool, *address;
		uint32_t weight;
		const char *alpha;
		uint32_t n;
	} steps[] = {
		{ CHANGE_ADD, "alpha", "10.0.0.3", 4, "10.0.0.1*1 10.0.0.2*5 app.test*1 10.0.0.3*4",
		  1 },
		/* Another spelling of an address is the same one. */
		{ CHANGE_ADD, "alpha", "FD00:0::0001", 1,
		  "10.0.0.1*1 10.0.0.2*5 app.test*1 10.0.0.3*4 fd00::1*1", 2 },
		{ CHANGE_REMOVE, "alpha", "fd00::1", 0,
		  "10.0.0.1*1 10.0.0.2*5 app.test*1 10.0.0.3*4", 1 },
		{ CHANGE_WEIGHT, "alpha", "10.0.0.3", 6,
		  "10.0.0.1*1 10.0.0.2*5 app.test*1 10.0.0.3*6", 1 },
		{ CHANGE_WEIGHT, "alpha", "10.0.0.1", 9,
		  "10.0.0.1*9 10.0.0.2*5 app.test*1 10.0.0.3*6", 2 },
		{ CHANGE_WEIGHT, "alpha", "10.0.0.1", 1,
		  "10.0.0.1*1 10.0.0.2*5 app.test*1 10.0.0.3*6", 1 },
		{ CHANGE_REMOVE, "alpha", "APP.test.", 0, "10.0.0.1*1 10.0.0.2*5 10.0.0.3*6", 2 },
		{ CHANGE_REMOVE, "alpha", "10.0.0.2", 0, "10.0.0.1*1 10.0.0.3*6", 3 },
		{ CHANGE_ADD, "alpha", "10.0.0.2", 1, "10.0.0.1*1 10.0.0.2*1 10.0.0.3*6", 3 },
		{ CHANGE_WEIGHT, "alpha", "10.0.0.2", 5, "10.0.0.1*1 10.0.0.2*5 10.0.0.3*6", 2 },
		{ CHANGE_REMOVE, "alpha", "10.0.0.3", 0, "10.0.0.1*1 10.0.0.2*5", 1 },
		{ CHANGE_ADD, "alpha", "app.test", 1, "10.0.0.1*1 10.0.0.2*5 app.test*1", 0 },
	};
	struct fixture f;
	char expected[256];

	(void)state;
	begin(&f);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		make(&f, steps[i].action, steps[i].pool, steps[i].address, steps[i].weight);
		snprintf(expected, sizeof(expected), "alpha[%s] beta", steps[i].alpha);
		if (strncmp(pools_of(f.now), expected, strlen(expected)) != 0)
			fail_msg("step %zu: %s", i, pools_of(f.now));
		assert_int_equal(f.overlay.n, steps[i].n);
	}
	end(&f);
}

static void pools(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	make(&f, CHANGE_ADD_POOL, "new", "", 0);
	make(&f, CHANGE_ADD, "new", "10.0.0.1", 1);
	assert_int_equal(f.overlay.n, 2);
	make(&f, CHANGE_REMOVE_POOL, "new", "", 0);
	assert_int_equal(f.overlay.n, 0);
	make(&f, CHANGE_WEIGHT, "spare", "10.0.9.9", 7);
	make(&f, CHANGE_REMOVE_POOL, "spare", "", 0);
	assert_int_equal(f.overlay.n, 1);
	assert_null(model_find_pool(f.now, "spare"));
	/* It is back as the file has it. */
	make(&f, CHANGE_ADD_POOL, "spare", "", 0);
	assert_int_equal(f.overlay.n, 0);
	assert_int_equal(model_find_pool(f.now, "spare")->backends[0].weight, 1);
	end(&f);
}

static void orders(void **state)
{
	struct change drain = change_of(CHANGE_DRAIN, "alpha", "10.0.0.1", 0);
	struct fixture f;
	struct err err;

	(void)state;
	begin(&f);
	assert_int_equal(edit(&f, drain, &err), 0);
	assert_int_equal(f.overlay.rows[0].admin, SL_DRAINING);
	assert_int_equal(f.overlay.rows[0].deadline_ms, NOW_MS + DRAIN_DEFAULT_MS);
	assert_int_equal(f.overlay.rows[0].at_ms, NOW_MS);
	drain.timeout_ms = 5000;
	assert_int_equal(edit(&f, drain, &err), 0);
	assert_int_equal(f.overlay.rows[0].deadline_ms, NOW_MS + 5000);
	make(&f, CHANGE_DISABLE, "alpha", "10.0.0.1", 0);
	assert_int_equal(f.overlay.rows[0].admin, SL_DISABLED);
	assert_int_equal(f.overlay.rows[0].deadline_ms, 0);
	make(&f, CHANGE_ENABLE, "alpha", "10.0.0.1", 0);
	assert_int_equal(f.overlay.n, 0);
	/* Who is taken away and comes back begins anew. */
	make(&f, CHANGE_DISABLE, "alpha", "10.0.0.1", 0);
	make(&f, CHANGE_REMOVE, "alpha", "10.0.0.1", 0);
	make(&f, CHANGE_ADD, "alpha", "10.0.0.1", 1);
	assert_int_equal(f.overlay.n, 0);
	end(&f);
}

/* Step by step: what is to be seen then, and how many rows it takes to say. */
static void interfaces(void **state)
{
	static const struct {
		struct change change;
		const char *interfaces;
		uint32_t n;
	} steps[] = {
		{ { .action = CHANGE_ATTACH, .interface = "wan0" }, "lan0/auto wan0/auto", 1 },
		{ { .action = CHANGE_ATTACH, .interface = "wan0", .has_egress = true },
		  "lan0/auto wan0/auto-",
		  1 },
		/* What is not said stays. */
		{ { .action = CHANGE_ATTACH,
		    .interface = "wan0",
		    .has_xdp = true,
		    .xdp = XDP_NATIVE },
		  "lan0/auto wan0/native-",
		  1 },
		{ { .action = CHANGE_DETACH, .interface = "wan0" }, "lan0/auto", 0 },
		{ { .action = CHANGE_ATTACH,
		    .interface = "lan0",
		    .has_xdp = true,
		    .xdp = XDP_GENERIC },
		  "lan0/generic",
		  1 },
		{ { .action = CHANGE_DETACH, .interface = "lan0" }, "", 1 },
		/* It is back as the file has it. */
		{ { .action = CHANGE_ATTACH, .interface = "lan0" }, "lan0/auto", 0 },
	};
	struct fixture f;

	(void)state;
	begin(&f);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct err err = { "" };

		if (edit(&f, steps[i].change, &err) < 0)
			fail_msg("step %zu: %s", i, err.text);
		assert_string_equal(interfaces_of(f.now), steps[i].interfaces);
		assert_int_equal(f.overlay.n, steps[i].n);
	}
	end(&f);
}

static void strange_interfaces_are_refused(void **state)
{
	static const struct {
		struct change change;
		int code;
		const char *why;
	} rows[] = {
		{ { .action = CHANGE_ATTACH, .interface = "lan0" },
		  -EEXIST,
		  "interface 'lan0' is guarded already, xdp: auto, egress: true" },
		{ { .action = CHANGE_ATTACH,
		    .interface = "lan0",
		    .has_xdp = true,
		    .has_egress = true,
		    .egress = true },
		  -EEXIST,
		  "is guarded already" },
		{ { .action = CHANGE_ATTACH, .interface = "a/b" }, -EINVAL, "name 'a/b'" },
		{ { .action = CHANGE_DETACH, .interface = "wan0" },
		  -ENOENT,
		  "interface 'wan0' is not guarded" },
	};
	struct fixture f;

	(void)state;
	begin(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = { "" };
		int r = edit(&f, rows[i].change, &err);

		if (r != rows[i].code || !strstr(err.text, rows[i].why))
			fail_msg("row %zu: %d %s", i, r, err.text);
	}
	assert_int_equal(f.overlay.n, 0);
	end(&f);
}

static void nonsense_is_refused(void **state)
{
	static const struct {
		enum change_action action;
		const char *pool, *address;
		int code;
		const char *why;
	} rows[] = {
		{ CHANGE_ADD, "alfa", "10.0.0.9", -ENOENT, "there is no pool 'alfa'" },
		{ CHANGE_REMOVE, "alfa", "10.0.0.9", -ENOENT, "there is no pool 'alfa'" },
		{ CHANGE_ADD, "alpha", "10.0.0.1", -EEXIST, "has the backend '10.0.0.1' already" },
		{ CHANGE_ADD, "alpha", "App.test", -EEXIST, "has the backend 'app.test' already" },
		{ CHANGE_ADD, "alpha", "10.0.0.1:80", -EINVAL, "address '10.0.0.1:80'" },
		{ CHANGE_ADD, "alpha", "10.0.0.300", -EINVAL, "address '10.0.0.300'" },
		{ CHANGE_ADD, "alpha", "a b", -EINVAL, "address 'a b'" },
		{ CHANGE_REMOVE, "alpha", "10.0.0.9", -ENOENT, "has no backend '10.0.0.9'" },
		{ CHANGE_WEIGHT, "alpha", "10.0.0.9", -ENOENT, "has no backend '10.0.0.9'" },
		{ CHANGE_DRAIN, "alpha", "10.0.0.9", -ENOENT, "has no backend '10.0.0.9'" },
		{ CHANGE_ADD_POOL, "alpha", "", -EEXIST, "there is a pool 'alpha' already" },
		{ CHANGE_ADD_POOL, "a/b", "", -EINVAL, "name 'a/b'" },
		{ CHANGE_REMOVE_POOL, "alfa", "", -ENOENT, "there is no pool 'alfa'" },
		{ CHANGE_REMOVE_POOL, "alpha", "", -EBUSY, "is used by 'shop'" },
		{ CHANGE_RELOAD, "", "", -EINVAL, "changes the file" },
	};
	struct fixture f;

	(void)state;
	begin(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = { "" };
		int r = edit(&f, change_of(rows[i].action, rows[i].pool, rows[i].address, 1), &err);

		if (r != rows[i].code || !strstr(err.text, rows[i].why))
			fail_msg("row %zu: %d %s", i, r, err.text);
	}
	assert_int_equal(f.overlay.n, 0);
	end(&f);
}

static int check_row(struct overlay_row row)
{
	const struct overlay overlay = { .rows = &row, .n = 1 };
	struct err err;

	return single_overlay(&overlay, &err);
}

static void rows_are_checked(void **state)
{
	(void)state;
	assert_int_equal(check_row(row_of("alpha", "10.0.0.1", OVERLAY_ADDED)), 0);
	assert_int_equal(check_row(row_of("alpha", "", OVERLAY_ADDED)), 0);
	assert_int_equal(check_row(row_of("alpha", "FD00::1", OVERLAY_ADDED)), -EINVAL);
	assert_int_equal(check_row(row_of("al\npha", "", OVERLAY_ADDED)), -EINVAL);
	assert_int_equal(check_row(interface_row("wan0", OVERLAY_REMOVED)), 0);
	assert_int_equal(check_row(interface_row("a b", OVERLAY_REMOVED)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edits),
		cmocka_unit_test(pools),
		cmocka_unit_test(orders),
		cmocka_unit_test(interfaces),
		cmocka_unit_test(strange_interfaces_are_refused),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(rows_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
