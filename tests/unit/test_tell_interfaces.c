// SPDX-License-Identifier: GPL-2.0-or-later
/* What is said of interfaces: once each time, whether they come, go or cannot; and not without end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/tell.h"
#include "dataplane/dataplane.h"
#include "util/clock.h"

/* The data plane, as far as this asks it. */
static struct attachment attachments[3];
static uint32_t n_attachments;

bool dataplane_attachment(const struct dataplane *dp, uint32_t i, struct attachment *ret)
{
	(void)dp;
	if (i < n_attachments)
		*ret = attachments[i];
	return i < n_attachments;
}

const char *attach_mode_name(enum attach_mode mode)
{
	return mode == ATTACH_TCX ? "tcx" : "none";
}

static char directory[] = "/tmp/sluice-test-XXXXXX";
static struct events *events;
static struct tell_interfaces known;

static int begin(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/sluice-test-XXXXXX");
	known = (struct tell_interfaces){ .n = 0 };
	n_attachments = 0;
	if (!mkdtemp(directory))
		return -1;
	return events_open(&events,
			   &(struct events_options){ .directory = directory, .max = 1000 });
}

static int end(void **state)
{
	char path[64];

	(void)state;
	events_close(events);
	snprintf(path, sizeof(path), "%s/state.db", directory);
	unlink(path);
	return rmdir(directory);
}

/* "attached lan0: ingress tcx, egress none|…": the events so far. */
static void expect(const char *wanted)
{
	static char text[8192];
	struct events_page page;
	size_t len = 0;

	assert_int_equal(
		events_read(events, &(struct events_query){ .newest = true, .limit = 100 }, &page),
		0);
	text[0] = '\0';
	for (uint32_t i = 0; i < page.n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %s|",
					page.events[i].reason, page.events[i].text);
	free(page.events);
	assert_string_equal(text, wanted);
}

static struct attachment *add(const char *name)
{
	struct attachment *a = &attachments[n_attachments++];

	*a = (struct attachment){ .ingress = ATTACH_TCX, .since_ms = 1000 };
	snprintf(a->interface, sizeof(a->interface), "%s", name);
	return a;
}

static void lose(struct attachment *a, enum attachment_state state, const char *why)
{
	a->state = state;
	a->lost_ms = 5000;
	a->since_ms = 5000;
	snprintf(a->why, sizeof(a->why), "%s", why);
	tell_attachment(events, &known, a);
}

static void find(struct attachment *a)
{
	a->state = ATTACHMENT_ATTACHED;
	a->since_ms = 6500;
	a->why[0] = '\0';
	tell_attachment(events, &known, a);
}

#define LAN "attached lan0: ingress tcx, egress none|"

static void what_comes_and_goes(void **state)
{
	struct attachment *lan = add("lan0"), *wan;

	(void)state;
	tell_attachments(events, &known, NULL, false);
	expect(LAN);
	/* The same again is no news. */
	lan->adopted = true;
	tell_attachments(events, &known, NULL, false);
	expect(LAN);
	wan = add("wan0");
	wan->egress = ATTACH_TCX;
	tell_attachments(events, &known, NULL, true);
	expect(LAN "attached wan0: ingress tcx, egress tcx|");
	n_attachments = 1;
	tell_attachments(events, &known, NULL, true);
	expect(LAN "attached wan0: ingress tcx, egress tcx|detached wan0: detached|");
	n_attachments = 0;
	tell_attachments(events, &known, NULL, true);
	expect(LAN
	       "attached wan0: ingress tcx, egress tcx|detached wan0: detached|"
	       "detached lan0: detached|"
	       "nothing_guarded no interface is attached: all packets pass unjudged, and services "
	       "get none|");
}

static void what_vanishes_and_returns(void **state)
{
	struct attachment *lan = add("lan0");

	(void)state;
	tell_attachments(events, &known, NULL, false);
	lose(lan, ATTACHMENT_GONE, "away");
	/* A change meanwhile says nothing of it. */
	tell_attachments(events, &known, NULL, true);
	lose(lan, ATTACHMENT_REFUSED, "no");
	find(lan);
	expect(LAN "gone interface 'lan0' is not guarded: away|"
		   "refused interface 'lan0' is not guarded: no|"
		   "attached interface 'lan0' is guarded again, after 1.5s: ingress tcx, egress "
		   "none|");
	/* One that nobody has told of is none of ours. */
	add("other0")->state = ATTACHMENT_GONE;
	tell_attachment(events, &known, &attachments[1]);
	expect(LAN "gone interface 'lan0' is not guarded: away|"
		   "refused interface 'lan0' is not guarded: no|"
		   "attached interface 'lan0' is guarded again, after 1.5s: ingress tcx, egress "
		   "none|");
}

static void what_never_rests(void **state)
{
	struct attachment *lan = add("lan0");
	struct events_page page;

	(void)state;
	tell_attachments(events, &known, NULL, false);
	for (int i = 0; i < 50; i++) {
		lose(lan, ATTACHMENT_GONE, "away");
		find(lan);
	}
	lose(lan, ATTACHMENT_GONE, "away");
	tell_held_attachments(events, &known, clock_mono_ms());
	assert_int_equal(
		events_read(events, &(struct events_query){ .newest = true, .limit = 100 }, &page),
		0);
	assert_int_equal(page.n, 1 + DAMPER_TOLD);
	free(page.events);
	tell_held_attachments(events, &known, clock_mono_ms() + DAMPER_WINDOW_MIN_MS);
	assert_int_equal(
		events_read(events, &(struct events_query){ .newest = true, .limit = 100 }, &page),
		0);
	assert_int_equal(page.n, 1 + DAMPER_TOLD + 1);
	assert_string_equal(page.events[page.n - 1].reason, "unsteady");
	assert_string_equal(page.events[page.n - 1].text,
			    "interface 'lan0' changed 95 more times within 10s, and is gone now");
	free(page.events);
}

#define TOLD(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOLD(what_comes_and_goes),
		TOLD(what_vanishes_and_returns),
		TOLD(what_never_rests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
