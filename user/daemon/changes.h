/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * changes - what an operator orders, found in the model and done.
 *
 * An order about a backend is one for all endpoints that it has in services of the pool. An endpoint
 * that another pool shares is one and the same there.
 */
#ifndef SLUICE_DAEMON_CHANGES_H
#define SLUICE_DAEMON_CHANGES_H

#include "control/change.h"

struct model;
struct pipeline;

/* On the loop's thread. See change_fn. */
int changes_make(struct pipeline *pipeline, const struct model *model, const struct change *change,
		 struct err *err);

#endif
