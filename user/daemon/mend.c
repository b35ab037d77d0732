// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mend - what happens beneath the daemon: a BPF file system that is unmounted, with all that was pinned there, and
 * time in which the process did not run.
 */
#include <stdio.h>

#include "daemon/daemon_work.h"
#include "util/clock.h"
#include "util/duration.h"

/* So late by its own timer, with so little done, the loop was not only busy. */
#define STALL_MS 5000
#define BUSY_PART 4

#define LINE_LEN 1024

/* Nothing is out of force yet; but the daemon's end would take the gate with it, and the next one would not find it. */
void daemon_mend_pins(struct daemon *daemon)
{
	const char *bpffs = daemon->model->gateway.bpffs;
	char line[LINE_LEN];
	struct err err;
	int r;

	if (daemon->lost || !dataplane_in_force(daemon->dataplane) ||
	    dataplane_in_sight(daemon->dataplane))
		return;
	r = dataplane_renew_pins(daemon->dataplane, &err);
	if (r < 0 && daemon->out_of_sight)
		return;
	daemon->out_of_sight = r < 0;
	if (r < 0)
		snprintf(
			line, sizeof(line),
			"the BPF file system under '%.200s' was unmounted: the gate stays in force for as "
			"long as sluiced runs, and cannot be pinned again (%s); tried again every "
			"second",
			bpffs, err.text);
	else
		snprintf(
			line, sizeof(line),
			"the BPF file system under '%.200s' was unmounted; the gate stayed in force, and "
			"is pinned there again",
			bpffs);
	tell_interface(daemon->events, r < 0 ? EVENT_ERROR : EVENT_WARNING,
		       r < 0 ? "out_of_sight" : "pinned_again", line);
}

/* By the clock that goes on while the machine sleeps, as the kernel's half does not. */
void daemon_note_stall(struct daemon *daemon)
{
	uint64_t now_ms = clock_boot_ms(), late_ms = now_ms - daemon->heartbeat_ms;
	uint64_t worked_ms = clock_thread_ms() - daemon->worked_ms;
	bool is_first = !daemon->heartbeat_ms;
	char line[LINE_LEN], stalled[DURATION_LEN];
	struct event event = { .kind = EVENT_DAEMON, .severity = EVENT_WARNING };

	daemon->heartbeat_ms = now_ms;
	daemon->worked_ms += worked_ms;
	if (is_first || late_ms < STALL_MS || worked_ms > late_ms / BUSY_PART)
		return;
	snprintf(
		line, sizeof(line),
		"the daemon stood still for %s: it was stopped, or the machine was, or there was no "
		"time or memory for it; what was in force stayed so%s",
		duration_human(stalled, late_ms),
		daemon->model->gateway.on_daemon_loss == SL_LOSS_OPEN
			? ", until the gate opened by on_daemon_loss"
			: "");
	event_set(event.reason, "stood_still");
	event_set(event.text, line);
	event_number(&event, "ms", (int64_t)late_ms);
	tell(daemon->events, &event, NULL);
}
