/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe - one probe of one endpoint: connect, ask, judge, report a verdict exactly once.
 *
 * A machine of stages, each of which takes what it needs from the stream below it and either hands
 * on to the next or waits: connect → (PROXY header) → TLS handshake → certificates → exchange. One
 * timeout covers them all.
 *
 * Runs on the caller's libuv loop and thread. It never blocks, never logs and never looks at
 * health: what a verdict means is not its business.
 */
#ifndef SLUICE_PROBE_PROBE_H
#define SLUICE_PROBE_PROBE_H

#include <uv.h>

#include "model/plan.h"
#include "model/verdict.h"
#include "probe/resume.h"

struct probe;

/*
 * Called once, from the loop, never from within probe_start(). The verdict is borrowed for the
 * call. The probe's resources are released by itself after the call.
 */
typedef void probe_done_fn(void *arg, const struct verdict *verdict);

/*
 * Start a probe; its timeout begins now. plan and state are borrowed until done is called. state is
 * what earlier probes of this endpoint left behind, NULL: nothing, and nothing is to be kept. Local
 * trouble (no file descriptor, no port) is reported as a verdict too. NULL: out of memory, done is
 * not called.
 */
struct probe *probe_start(uv_loop_t *loop, const struct plan *plan, struct probe_state *state,
			  probe_done_fn *done, void *arg);

/* Abandon the probe: done will not be called. Its handles close on the next turn of the loop. */
void probe_cancel(struct probe *probe);

#endif
