/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * changes - what an operator orders, found in the model and done.
 *
 * An order about a backend is one for all endpoints that it has in services of the pool. An endpoint
 * that another pool shares is one and the same there: of two orders the stricter one holds.
 */
#ifndef SLUICE_DAEMON_CHANGES_H
#define SLUICE_DAEMON_CHANGES_H

#include "control/change.h"

struct difference;
struct events;
struct model;
struct overlay;
struct overlay_row;
struct pipeline;

/* All on the loop's thread; changes of backends that are no jobs, checked by edit_overlay(). */

/* -ENOLINK, err set: nothing that is ordered reaches the kernel. */
int changes_check(const struct pipeline *pipeline, struct err *err);

/* overlay: what is kept, this change included. */
void changes_make(struct pipeline *pipeline, const struct model *model,
		  const struct overlay *overlay, const struct change *change);

/* When a drain that is kept ends by the monotonic clock, which no reboot and no change of the time survives; or 0. */
uint64_t changes_deadline_ms(const struct overlay_row *row);

/* What it would come to. -ENOMEM */
int changes_rehearse(struct difference *difference, const struct pipeline *pipeline,
		     const struct model *model, const struct change *change);

/* Any thread. Tell the log and the events of any change, but of a reload only that it was refused; refused: why, or NULL. */
void changes_tell(struct events *events, const struct change *change, const struct err *refused);

#endif
