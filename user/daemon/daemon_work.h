/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon_work - what the daemon consists of: daemon.c starts, runs and stops it, configure.c changes what is
 * configured while it runs.
 */
#ifndef SLUICE_DAEMON_DAEMON_WORK_H
#define SLUICE_DAEMON_DAEMON_WORK_H

#include <uv.h>

#include "control/api.h"
#include "control/jobs.h"
#include "control/layers.h"
#include "daemon/daemon.h"
#include "daemon/generation.h"
#include "daemon/hangup.h"
#include "daemon/orders.h"
#include "daemon/refusals.h"
#include "daemon/runtime.h"
#include "daemon/tell.h"
#include "model/kept.h"
#include "util/err.h"
#include "util/notify.h"

struct daemon {
	const struct daemon_options *options;
	struct model *file; /* until the runtime has it */
	struct model *model; /* in force */
	struct runtime *runtime; /* what it is made from */
	uv_loop_t loop;
	uv_timer_t heartbeat;
	uv_signal_t signals[2];
	int n_signals;
	struct hangup hangup;
	struct dataplane *dataplane;
	struct generation *generation;
	struct events *events;
	struct kept_list kept; /* of the endpoints, before this start */
	struct refusals *refusals;
	struct tell_interfaces interfaces; /* as told last */
	struct orders *orders;
	struct api *api;
	struct jobs *jobs;
	struct layers *layers;
	uv_async_t job_queued;
	bool takes_jobs;
	struct notify notify;
	uint64_t started_ms; /* wall clock, */
	uint64_t started_mono_ms; /* and monotonic */
	int broken; /* a change got stuck half way: -errno, the loop ends */
	struct err broken_by;
	uv_poll_t network;
	bool follows_network;
	uv_timer_t network_rest; /* until a burst of changes is over */
	int devices_fd; /* dataplane/devwatch.h */
	uv_poll_t devices;
	bool watches_devices;
	uv_timer_t devices_rest; /* until a burst of changes is over */
	bool lost; /* somebody removed the gate; said once */
	uint64_t heartbeat_ms; /* clock_boot_ms() of the last one; 0: none yet */
	uint64_t worked_ms; /* clock_thread_ms() then */
	bool out_of_sight; /* its file system was unmounted, and it could not be pinned again; said once */
};

/* Parts of a start that a change repeats. */
int daemon_follow_network(struct daemon *daemon, struct err *err);
void daemon_start_heartbeat(struct daemon *daemon);
int daemon_start_generation(struct daemon *daemon, struct generation *generation,
			    const struct generation *before, struct err *err);
int daemon_serve(struct daemon *daemon, struct err *err);
/* To the service manager: ready, also again. */
void daemon_tell_manager(const struct daemon *daemon);
void daemon_mend_pins(struct daemon *daemon);
void daemon_note_stall(struct daemon *daemon);
void daemon_log_dataplane(struct daemon *daemon);

/* daemon/interfaces.c: interfaces that come and go while the daemon runs. */
int daemon_watch_interfaces(struct daemon *daemon, struct err *err);
void daemon_unwatch_interfaces(struct daemon *daemon); /* the loop must run once more */
void daemon_tend_interfaces(struct daemon *daemon);
void daemon_log_metrics(const struct listen *listen);

#endif
