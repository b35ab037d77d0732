/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * refusals - tells log and events who was refused what.
 *
 * Of each user a few are told one by one, then as a number (model/damper.h): nobody drives what others did out of the
 * events by asking for what he may not have.
 */
#ifndef SLUICE_DAEMON_REFUSALS_H
#define SLUICE_DAEMON_REFUSALS_H

#include "control/api.h"

struct events;
struct refusals;

/* events is borrowed. NULL: out of memory. */
struct refusals *refusals_new(struct events *events);
void refusals_free(struct refusals *refusals);
DEFINE_CLEANUP(struct refusals, refusals_free)

/* A refused_fn. */
void refusals_note(void *arg, const struct refusal *refusal);

/*
 * Any thread, every second or so: tell of those that were held long enough; of all of them, if now_ms (monotonic) is
 * REFUSALS_END.
 */
#define REFUSALS_END (UINT64_MAX / 2)
void refusals_tell_held(struct refusals *refusals, uint64_t now_ms);

#endif
