// SPDX-License-Identifier: GPL-2.0-or-later
/* What is told of refusals, and how much of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/refusals.h"
#include "model/damper.h"
#include "store/events.h"
#include "util/clock.h"

#define USERS 32 /* that are told apart, and one less */

static char directory[64];
static struct events *events;
static struct refusals *refusals;
static struct events_page page;

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/sluice-test-XXXXXX");
	if (!mkdtemp(directory) ||
	    events_open(&events, &(struct events_options){ .directory = directory, .max = 1000 }) <
		    0)
		return -1;
	refusals = refusals_new(events);
	return refusals ? 0 : -1;
}

static int tear_down(void **state)
{
	char path[96];

	(void)state;
	free(take_ptr(page.events));
	refusals_free(refusals);
	events_close(events);
	snprintf(path, sizeof(path), "%s/state.db", directory);
	unlink(path);
	return rmdir(directory);
}

static void read_events(void)
{
	const struct events_query query = { .limit = EVENTS_PAGE_MAX };

	free(take_ptr(page.events));
	assert_int_equal(events_read(events, &query, &page), 0);
}

static void refuse(uid_t uid, const struct change *change, const char *what)
{
	const struct caller caller = { .uid = uid, .pid = getpid(), .at_ms = clock_boot_ms() };
	const struct refusal refusal = { &caller, what, change, "not permitted: no" };

	refusals_note(refusals, &refusal);
}

static void are_told(void **state)
{
	const struct change change = { .action = CHANGE_DRAIN,
				       .pool = "web",
				       .address = "10.0.0.5" };
	const struct change rehearsal = { .action = CHANGE_REMOVE_POOL,
					  .pool = "web",
					  .is_rehearsal = true };
	const struct change reload = { .action = CHANGE_RELOAD };
	char wanted[256];

	(void)state;
	refuse(1000, &change, "POST /v1/backend");
	refuse(1000, &rehearsal, "POST /v1/pool");
	refuse(1000, &reload, "POST /v1/reload");
	refuse(1001, NULL, "GET /v1/\x1b[2J\x80");
	read_events();
	assert_int_equal(page.n, 4);
	assert_int_equal(page.events[0].kind, EVENT_ORDER);
	assert_int_equal(page.events[0].severity, EVENT_WARNING);
	assert_string_equal(page.events[0].pool, "web");
	assert_string_equal(page.events[0].endpoint, "10.0.0.5");
	assert_string_equal(page.events[0].reason, "drain");
	assert_string_equal(page.events[0].after, "refused");
	snprintf(wanted, sizeof(wanted), "refused: drain by uid 1000, process %d (", getpid());
	assert_non_null(strstr(page.events[0].text, wanted));
	assert_non_null(strstr(page.events[0].text, "test_refusals): not permitted: no"));
	snprintf(wanted, sizeof(wanted), "{\"uid\": 1000, \"pid\": %d}", getpid());
	assert_string_equal(page.events[0].numbers, wanted);
	assert_non_null(strstr(page.events[1].text, "refused: remove pool (dry run) by uid 1000"));
	assert_string_equal(page.events[2].reason, "reload");

	assert_int_equal(page.events[3].kind, EVENT_ACCESS);
	assert_string_equal(page.events[3].after, "refused");
	assert_non_null(strstr(page.events[3].text, "refused: GET /v1/.[2J. of uid 1001, process"));
	snprintf(wanted, sizeof(wanted), "{\"uid\": 1001, \"pid\": %d}", getpid());
	assert_string_equal(page.events[3].numbers, wanted);
}

/* A few of each, then how many more; others are not drowned by it. */
static void are_not_many(void **state)
{
	(void)state;
	for (int i = 0; i < 5000; i++)
		refuse(1000, NULL, "GET /");
	refuse(1001, NULL, "GET /other");
	refusals_tell_held(refusals, clock_mono_ms());
	read_events();
	assert_int_equal(page.n, DAMPER_TOLD + 1);
	assert_non_null(strstr(page.events[DAMPER_TOLD].text, "GET /other of uid 1001"));

	refusals_tell_held(refusals, clock_mono_ms() + DAMPER_WINDOW_MIN_MS);
	refusals_tell_held(refusals, clock_mono_ms() + DAMPER_WINDOW_MIN_MS);
	read_events();
	assert_int_equal(page.n, DAMPER_TOLD + 2);
	assert_string_equal(page.events[DAMPER_TOLD + 1].text,
			    "refused 4994 more within 10 s, of uid 1000");
	assert_string_equal(page.events[DAMPER_TOLD + 1].numbers,
			    "{\"uid\": 1000, \"held\": 4994}");
	assert_int_equal(page.events[DAMPER_TOLD + 1].kind, EVENT_ACCESS);
}

/* Whoever has a lot of users to ask as. */
static void of_others_are_one(void **state)
{
	uint32_t held;

	(void)state;
	for (uid_t uid = 1; uid <= 10000; uid++)
		refuse(uid, NULL, "GET /");
	read_events();
	assert_int_equal(page.n, USERS - 1 + DAMPER_TOLD);
	refusals_tell_held(refusals, REFUSALS_END);
	read_events();
	assert_int_equal(page.n, USERS - 1 + DAMPER_TOLD + 1);
	held = 10000 - (USERS - 1) - DAMPER_TOLD;
	assert_int_equal(sscanf(page.events[page.n - 1].text, "refused %u more", &held), 1);
	assert_int_equal(held, 10000 - (USERS - 1) - DAMPER_TOLD);
	assert_non_null(strstr(page.events[page.n - 1].text, "of other users"));
	assert_string_equal(page.events[page.n - 1].numbers, "{\"held\": 9963}");
}

#define KEPT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEPT(are_told),
		KEPT(are_not_many),
		KEPT(of_others_are_one),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("refusals", tests, NULL, NULL);
}
