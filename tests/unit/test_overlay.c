// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/layers_run.h"

#include "tests/lib/fault.h"

static void rows_are_sorted_and_one_each(void **state)
{
	struct overlay overlay = { .version = 3 };
	char name[8];

	(void)state;
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "p%d", i * 37 % 100);
		put(&overlay, row_of(name, i % 2 ? "a" : "", OVERLAY_ADDED));
	}
	assert_int_equal(overlay.n, 100);
	for (uint32_t i = 1; i < overlay.n; i++)
		assert_true(overlay_compare(&overlay.rows[i - 1], &overlay.rows[i]) < 0);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		assert_true(!overlay_find(&overlay, name, "a") !=
			    !overlay_find(&overlay, name, ""));
	}
	assert_null(overlay_find(&overlay, "p", ""));
	overlay_done(&overlay);
	assert_int_equal(overlay.n, 0);
}

static void a_row_that_says_nothing_goes(void **state)
{
	struct overlay overlay = { .n = 0 };
	struct overlay_row row;

	(void)state;
	put(&overlay, row_of("p", "a", OVERLAY_AS_FILE));
	assert_int_equal(overlay.n, 0);
	put_weight(&overlay, row_of("p", "a", OVERLAY_AS_FILE), 0);
	assert_int_equal(overlay.n, 1);
	row = overlay_row_of(&overlay, "p", "a");
	assert_true(row.has_weight);
	row.has_weight = false;
	put(&overlay, row);
	assert_int_equal(overlay.n, 0);
	row = overlay_row_of(&overlay, "p", "a");
	assert_false(row.has_weight);
	assert_int_equal(row.presence, OVERLAY_AS_FILE);
	overlay_done(&overlay);
}

static void a_pool_is_forgotten_whole(void **state)
{
	struct overlay overlay = { .n = 0 };

	(void)state;
	put(&overlay, row_of("p", "", OVERLAY_ADDED));
	put(&overlay, row_of("p", "a", OVERLAY_ADDED));
	put(&overlay, row_of("p-2", "a", OVERLAY_ADDED));
	put(&overlay, row_of("o", "a", OVERLAY_ADDED));
	overlay_forget_pool(&overlay, "p");
	assert_int_equal(overlay.n, 2);
	assert_string_equal(overlay.rows[0].pool, "o");
	assert_string_equal(overlay.rows[1].pool, "p-2");
	overlay_done(&overlay);
}

static void interfaces_come_first(void **state)
{
	struct overlay overlay = { .n = 0 };
	char text[OVERLAY_TEXT_LEN];

	(void)state;
	put(&overlay, row_of("a", "", OVERLAY_ADDED));
	put(&overlay, row_of("a", "10.0.0.1", OVERLAY_ADDED));
	put(&overlay, interface_row("wan0", OVERLAY_REMOVED));
	put(&overlay, with_options(interface_row("lan0", OVERLAY_AS_FILE), XDP_NATIVE, true));
	put(&overlay, with_options(interface_row("lan0", OVERLAY_AS_FILE), XDP_OFF, false));
	assert_int_equal(overlay.n, 4);
	assert_string_equal(overlay_text(text, &overlay.rows[0]), "interface lan0");
	assert_string_equal(overlay_text(text, &overlay.rows[1]), "interface wan0");
	assert_string_equal(overlay_text(text, &overlay.rows[2]), "a");
	assert_string_equal(overlay_text(text, &overlay.rows[3]), "a 10.0.0.1");
	assert_int_equal(overlay_kind_of(&overlay.rows[1]), OVERLAY_INTERFACE);
	assert_int_equal(overlay_kind_of(&overlay.rows[2]), OVERLAY_POOL);
	assert_int_equal(overlay_kind_of(&overlay.rows[3]), OVERLAY_BACKEND);
	assert_int_equal(overlay_interface_row(&overlay, "lan0").xdp, XDP_OFF);
	assert_int_equal(overlay_interface_row(&overlay, "none0").presence, OVERLAY_AS_FILE);
	assert_string_equal(overlay_interface_row(&overlay, "none0").interface, "none0");
	/* A pool of the same name is something else. */
	assert_null(overlay_find(&overlay, "lan0", ""));
	/* One that says nothing goes. */
	put(&overlay, interface_row("lan0", OVERLAY_AS_FILE));
	assert_int_equal(overlay.n, 3);
	overlay_forget_pool(&overlay, "a");
	assert_int_equal(overlay.n, 1);
	/* What is known of endpoints does not depend on interfaces. */
	assert_true(overlay_digest(&overlay, 7) == 7);
	overlay_done(&overlay);
}

static void copies_are_their_own(void **state)
{
	struct overlay overlay = { .version = 4, .file_digest = 5 }, copy;

	(void)state;
	put(&overlay, row_of("p", "", OVERLAY_ADDED));
	assert_int_equal(overlay_copy(&copy, &overlay), 0);
	put(&copy, row_of("q", "", OVERLAY_ADDED));
	assert_int_equal(overlay.n, 1);
	assert_int_equal(copy.n, 2);
	assert_int_equal(copy.version, 4);
	assert_int_equal(copy.file_digest, 5);
	assert_true(overlay_digest(&copy, 1) != overlay_digest(&overlay, 1));
	overlay_done(&copy);
	fault_after(FAULT_MEMORY, 0, ENOMEM);
	assert_int_equal(overlay_copy(&copy, &overlay), -ENOMEM);
	assert_true(fault_clear(FAULT_MEMORY));
	overlay_done(&overlay);
}

static void the_stricter_order(void **state)
{
	struct overlay_row enabled = { .admin = SL_ENABLED };
	struct overlay_row soon = { .admin = SL_DRAINING, .deadline_ms = 1 };
	struct overlay_row late = { .admin = SL_DRAINING, .deadline_ms = 2 };
	struct overlay_row disabled = { .admin = SL_DISABLED };

	(void)state;
	assert_false(overlay_is_stricter(&enabled, NULL));
	assert_true(overlay_is_stricter(&late, NULL));
	assert_true(overlay_is_stricter(&soon, &late));
	assert_false(overlay_is_stricter(&late, &soon));
	assert_true(overlay_is_stricter(&disabled, &soon));
	assert_false(overlay_is_stricter(&soon, &disabled));
	assert_false(overlay_is_stricter(&disabled, &disabled));
}

static void memory_runs_out(void **state)
{
	struct overlay overlay = { .n = 0 };
	struct overlay_row row = row_of("p", "", OVERLAY_ADDED);

	(void)state;
	fault_after(FAULT_MEMORY, 0, ENOMEM);
	assert_int_equal(overlay_set(&overlay, &row), -ENOMEM);
	assert_true(fault_clear(FAULT_MEMORY));
	assert_int_equal(overlay.n, 0);
	put(&overlay, row);
	overlay_done(&overlay);
}

/* A drain ends when it was to, and not later by a clock that was set back. */
static void drains_end(void **state)
{
	const struct overlay_row row = { .at_ms = 100000, .deadline_ms = 160000 };

	(void)state;
	assert_int_equal(overlay_left_ms(&row, 100000), 60000);
	assert_int_equal(overlay_left_ms(&row, 159999), 1);
	assert_int_equal(overlay_left_ms(&row, 160000), 0);
	assert_int_equal(overlay_left_ms(&row, UINT64_MAX), 0);
	assert_int_equal(overlay_left_ms(&row, 0), 60000);
	assert_int_equal(overlay_left_ms(&(struct overlay_row){ .deadline_ms = 0 }, 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_sorted_and_one_each),
		cmocka_unit_test(a_row_that_says_nothing_goes),
		cmocka_unit_test(a_pool_is_forgotten_whole),
		cmocka_unit_test(interfaces_come_first),
		cmocka_unit_test(copies_are_their_own),
		cmocka_unit_test(the_stricter_order),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(drains_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
