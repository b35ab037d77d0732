// SPDX-License-Identifier: GPL-2.0-or-later
/* What a file and changes over it make together, and what is left of them over another file. */
#include "tests/unit/layers_run.h"

#include "model/compose.h"
#include "tests/lib/fault.h"
#include "util/err.h"

static struct overlay overlay;

static int begin(void **state)
{
	*state = layers_file(layers_yaml);
	return 0;
}

static int end(void **state)
{
	model_free(*state);
	overlay_done(&overlay);
	return 0;
}

static void expect_pools(const struct model *file, const char *pools)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	struct err err = { "" };

	if (compose_model(&model, file, &overlay, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(pools_of(model), pools);
	/* Services still have theirs. */
	assert_string_equal(model->pools[model->services[0].pool].name, "alpha");
	assert_string_equal(model->pools[model->services[1].pool].name, "beta");
}

static void expect_refused(const struct model *file, int code, const char *why)
{
	struct model *model = NULL;
	struct err err = { "" };

	assert_int_equal(compose_model(&model, file, &overlay, &err), code);
	assert_null(model);
	assert_non_null(strstr(err.text, why));
}

#define FILE_POOLS "alpha[10.0.0.1*1 10.0.0.2*5 app.test*1] beta[fd00::1*1] spare[10.0.9.9*1]"

static void nothing_is_the_file(void **state)
{
	struct model *file = *state;
	CLEANUP(model_free_p) struct model *model = NULL;

	expect_pools(file, FILE_POOLS);
	assert_int_equal(compose_model(&model, file, &overlay, NULL), 0);
	assert_int_equal(model->n_endpoints, file->n_endpoints);
	assert_true(model->digest == file->digest);
	assert_string_equal(model->names[0], "app.test");
	assert_ptr_not_equal(model->names[0], file->names[0]);
}

static void backends_come_and_go(void **state)
{
	struct model *file = *state;
	CLEANUP(model_free_p) struct model *model = NULL;

	put_weight(&overlay, row_of("alpha", "10.0.0.3", OVERLAY_ADDED), 7);
	put_weight(&overlay, row_of("alpha", "b.test", OVERLAY_ADDED), 0);
	put(&overlay, row_of("alpha", "10.0.0.1", OVERLAY_REMOVED));
	put_weight(&overlay, row_of("alpha", "app.test", OVERLAY_AS_FILE), 9);
	put_weight(&overlay, row_of("beta", "10.0.0.3", OVERLAY_ADDED), 1);
	expect_pools(file, "alpha[10.0.0.2*5 app.test*9 10.0.0.3*7 b.test*0] "
			   "beta[fd00::1*1 10.0.0.3*1] spare[10.0.9.9*1]");
	assert_int_equal(compose_model(&model, file, &overlay, NULL), 0);
	/* Two addresses and two names in shop, two addresses in store. */
	assert_int_equal(model->n_endpoints, 2 + 2 * LIMIT_NAME_ADDRESSES + 2);
	assert_string_equal(model->names[1], "b.test");
	assert_false(model->digest == file->digest);
}

static void pools_come_and_go(void **state)
{
	struct model *file = *state;

	put(&overlay, row_of("aaa", "", OVERLAY_ADDED));
	put(&overlay, row_of("new", "", OVERLAY_ADDED));
	put_weight(&overlay, row_of("new", "10.0.0.1", OVERLAY_ADDED), 2);
	put(&overlay, row_of("spare", "", OVERLAY_REMOVED));
	expect_pools(file, "alpha[10.0.0.1*1 10.0.0.2*5 app.test*1] beta[fd00::1*1] aaa[] "
			   "new[10.0.0.1*2]");
	put(&overlay, row_of("alpha", "", OVERLAY_REMOVED));
	expect_refused(file, -EINVAL, "a service uses pool 'alpha'");
}

/* A pool before those that services use: their indexes move. */
static void indexes_move(void **state)
{
	CLEANUP(model_free_p)
	struct model *file = layers_file(
		"gateway: { interfaces: [ { name: lan0 } ] }\n"
		"settings: [ { name: web, protocol: http, port: 80 } ]\n"
		"pools: [ { name: first }, { name: alpha }, { name: middle }, { name: beta } ]\n"
		"services: [ { name: a, pool: alpha, settings: web }, { name: b, pool: beta, "
		"settings: web } ]\n");

	(void)state;
	put(&overlay, row_of("first", "", OVERLAY_REMOVED));
	put(&overlay, row_of("middle", "", OVERLAY_REMOVED));
	expect_pools(file, "alpha[] beta[]");
}

static void expect_interfaces(const struct model *file, const char *interfaces)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	struct err err = { "" };

	if (compose_model(&model, file, &overlay, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(interfaces_of(model), interfaces);
}

static void interfaces_come_and_go(void **state)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	struct model *file = *state;
	char name[IFNAMSIZ];

	expect_interfaces(file, "lan0/auto");
	put(&overlay, with_options(interface_row("wan0", OVERLAY_ADDED), XDP_NATIVE, false));
	put(&overlay, with_options(interface_row("lan0", OVERLAY_AS_FILE), XDP_OFF, true));
	put(&overlay, row_of("spare", "", OVERLAY_REMOVED));
	expect_interfaces(file, "lan0/off wan0/native-");
	/* A start does without them, if need be. */
	assert_int_equal(compose_model(&model, file, &overlay, NULL), 0);
	assert_true(model->gateway.interfaces[0].may_wait);
	assert_true(model->gateway.interfaces[1].may_wait);
	assert_false(file->gateway.interfaces[0].may_wait);
	put(&overlay, interface_row("lan0", OVERLAY_REMOVED));
	expect_interfaces(file, "wan0/native-");
	put(&overlay, interface_row("wan0", OVERLAY_AS_FILE));
	expect_interfaces(file, "");

	put(&overlay, interface_row("lan0", OVERLAY_AS_FILE));
	for (int i = 1; i < LIMIT_INTERFACES; i++) {
		snprintf(name, sizeof(name), "x%d", i);
		put(&overlay, with_options(interface_row(name, OVERLAY_ADDED), XDP_AUTO, true));
	}
	model_free(take_ptr(model));
	assert_int_equal(compose_model(&model, file, &overlay, NULL), 0);
	assert_int_equal(model->gateway.n_interfaces, LIMIT_INTERFACES);
	put(&overlay, with_options(interface_row("toomany0", OVERLAY_ADDED), XDP_AUTO, true));
	expect_refused(file, -E2BIG, "there are 64 interfaces, and that is all there may be");
}

/* Of an order alone nothing is to be seen. */
static void orders_are_none_of_it(void **state)
{
	struct model *file = *state;
	struct overlay_row row = row_of("alpha", "10.0.0.1", OVERLAY_AS_FILE);

	row.admin = SL_DISABLED;
	put(&overlay, row);
	expect_pools(file, FILE_POOLS);
	assert_true(overlay_digest(&overlay, 5) == 5);
}

/* What linking refuses, it refuses of both together. */
static void conflicts_are_refused(void **state)
{
	CLEANUP(model_free_p)
	struct model *file = layers_file(
		"gateway: { interfaces: [ { name: lan0 } ], max_endpoints: 1 }\n"
		"settings: [ { name: a, protocol: http, port: 80 }, { name: b, protocol: http, port: 80 } ]\n"
		"pools: [ { name: alpha, backends: [ { address: 10.0.0.1 } ] }, { name: beta } ]\n"
		"services: [ { name: s, pool: alpha, settings: a }, { name: t, pool: beta, settings: b } ]\n");

	(void)state;
	put_weight(&overlay, row_of("beta", "10.0.0.1", OVERLAY_ADDED), 1);
	expect_refused(file, -EEXIST, "10.0.0.1:80");
	overlay_done(&overlay);
	put_weight(&overlay, row_of("beta", "10.0.0.2", OVERLAY_ADDED), 1);
	expect_refused(file, -ENOSPC, "more than 1 endpoints");
}

/* What a file may not say is not to come about by a change over it. */
static void backends_of_no_use_are_refused(void **state)
{
	CLEANUP(model_free_p)
	struct model *file = layers_file(
		"gateway: { interfaces: [ { name: lan0 } ] }\n"
		"settings: [ { name: web, protocol: http, port: 80 },\n"
		"  { name: named, protocol: http, port: 81, host_name_from_backend: true } ]\n"
		"pools: [ { name: alpha }, { name: beta } ]\n"
		"services: [ { name: s, listen: '192.0.2.1:80', pool: alpha, settings: web },\n"
		"  { name: t, pool: beta, settings: named } ]\n");

	(void)state;
	put_weight(&overlay, row_of("alpha", "fd00::1", OVERLAY_ADDED), 1);
	expect_refused(file, -EINVAL, "does not reach backend fd00::1 of pool 'alpha'");
	overlay_done(&overlay);
	put_weight(&overlay, row_of("beta", "10.0.0.1", OVERLAY_ADDED), 1);
	expect_refused(file, -EINVAL, "backend 10.0.0.1 of pool 'beta' has none");
}

/* --- over another file ------------------------------------------------------------------------ */

static char noted[1024];

static void note(void *arg, const struct overlay_row *row, const char *why)
{
	size_t len = strlen(noted);

	(void)arg;
	snprintf(noted + len, sizeof(noted) - len, "%s%s %s: %s\n", row->interface, row->pool,
		 row->address, why);
}

static void what_is_left(void **state)
{
	struct model *file = *state;

	noted[0] = '\0';
	/* The file says the same by now. */
	put_weight(&overlay, row_of("alpha", "10.0.0.2", OVERLAY_ADDED), 5);
	put_weight(&overlay, row_of("alpha", "app.test", OVERLAY_AS_FILE), 1);
	put(&overlay, row_of("alpha", "10.0.0.7", OVERLAY_REMOVED));
	put(&overlay, row_of("spare", "", OVERLAY_ADDED));
	put(&overlay, row_of("long-gone", "", OVERLAY_REMOVED));
	/* Nobody of that name any more. */
	put_weight(&overlay, row_of("alpha", "10.0.0.8", OVERLAY_AS_FILE), 2);
	put_weight(&overlay, row_of("gone", "10.0.0.1", OVERLAY_ADDED), 1);
	put(&overlay, row_of("beta", "", OVERLAY_REMOVED)); /* a service uses it again */
	/* These still say something. */
	put_weight(&overlay, row_of("alpha", "10.0.0.1", OVERLAY_ADDED), 3);
	put_weight(&overlay, row_of("alpha", "10.0.0.9", OVERLAY_ADDED), 1);
	put(&overlay, row_of("beta", "fd00::1", OVERLAY_REMOVED));
	put(&overlay, row_of("new", "", OVERLAY_ADDED));
	put_weight(&overlay, row_of("new", "10.0.0.1", OVERLAY_ADDED), 1);
	assert_int_equal(compose_prune(&overlay, file, note, NULL), 0);

	assert_string_equal(noted, "alpha 10.0.0.8: the file no longer has the backend\n"
				   "beta : it had been removed, and a service of the file uses it\n"
				   "gone 10.0.0.1: the file no longer has the pool\n");
	assert_int_equal(overlay.n, 5);
	assert_int_equal(overlay_find(&overlay, "alpha", "10.0.0.1")->presence, OVERLAY_AS_FILE);
	assert_int_equal(overlay_find(&overlay, "alpha", "10.0.0.1")->weight, 3);
	assert_non_null(overlay_find(&overlay, "alpha", "10.0.0.9"));
	assert_non_null(overlay_find(&overlay, "beta", "fd00::1"));
	assert_non_null(overlay_find(&overlay, "new", ""));
	assert_non_null(overlay_find(&overlay, "new", "10.0.0.1"));
	expect_pools(file, "alpha[10.0.0.1*3 10.0.0.2*5 app.test*1 10.0.0.9*1] beta[] "
			   "spare[10.0.9.9*1] new[10.0.0.1*1]");
}

static void interfaces_are_left(void **state)
{
	struct model *file = *state;

	noted[0] = '\0';
	put(&overlay, with_options(interface_row("lan0", OVERLAY_ADDED), XDP_AUTO, true));
	put(&overlay, interface_row("long-gone", OVERLAY_REMOVED));
	put(&overlay, with_options(interface_row("gone", OVERLAY_AS_FILE), XDP_NATIVE, true));
	put(&overlay, with_options(interface_row("new", OVERLAY_ADDED), XDP_NATIVE, true));
	assert_int_equal(compose_prune(&overlay, file, note, NULL), 0);
	assert_string_equal(noted, "gone : the file no longer has the interface\n");
	assert_int_equal(overlay.n, 1);
	assert_string_equal(overlay.rows[0].interface, "new");

	put(&overlay, with_options(interface_row("lan0", OVERLAY_ADDED), XDP_AUTO, false));
	put(&overlay, interface_row("new", OVERLAY_AS_FILE));
	assert_int_equal(compose_prune(&overlay, file, note, NULL), 0);
	assert_int_equal(overlay.n, 1);
	assert_int_equal(overlay.rows[0].presence, OVERLAY_AS_FILE);
	expect_interfaces(file, "lan0/auto-");
	put(&overlay, interface_row("lan0", OVERLAY_REMOVED));
	assert_int_equal(compose_prune(&overlay, file, note, NULL), 0);
	assert_int_equal(overlay.n, 1);
	expect_interfaces(file, "");
}

/* An order holds as long as there is somebody whom it is about. */
static void orders_are_left(void **state)
{
	struct model *file = *state;
	struct overlay_row row = row_of("alpha", "10.0.0.2", OVERLAY_ADDED);

	row.has_weight = true;
	row.weight = 5;
	row.admin = SL_DISABLED;
	put(&overlay, row);
	row = row_of("alpha", "10.0.0.77", OVERLAY_AS_FILE);
	row.admin = SL_DISABLED;
	put(&overlay, row);
	assert_int_equal(compose_prune(&overlay, file, NULL, NULL), 0);
	assert_int_equal(overlay.n, 1);
	assert_int_equal(overlay.rows[0].admin, SL_DISABLED);
	assert_false(overlay.rows[0].has_weight);
}

static void memory_runs_out(void **state)
{
	struct model *file = *state;
	bool failed = true;
	int n = 0;

	put(&overlay, row_of("new", "", OVERLAY_ADDED));
	put_weight(&overlay, row_of("new", "b.test", OVERLAY_ADDED), 1);
	put(&overlay, row_of("spare", "", OVERLAY_REMOVED));
	put(&overlay, with_options(interface_row("wan0", OVERLAY_ADDED), XDP_AUTO, true));
	for (; failed; n++) {
		CLEANUP(model_free_p) struct model *model = NULL;
		struct err err;
		int r;

		fault_after(FAULT_MEMORY, n, ENOMEM);
		r = compose_model(&model, file, &overlay, &err);
		failed = fault_clear(FAULT_MEMORY);
		assert_int_equal(r, failed ? -ENOMEM : 0);
	}
	assert_true(n > 10);
}

#define LAYERED(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAYERED(nothing_is_the_file),    LAYERED(backends_come_and_go),
		LAYERED(pools_come_and_go),      LAYERED(indexes_move),
		LAYERED(orders_are_none_of_it),  LAYERED(conflicts_are_refused),
		LAYERED(what_is_left),           LAYERED(orders_are_left),
		LAYERED(interfaces_come_and_go), LAYERED(interfaces_are_left),
		LAYERED(memory_runs_out),        LAYERED(backends_of_no_use_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
