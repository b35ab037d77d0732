/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rehearsal - what HAProxy would say of a model that is only tried.
 *
 * Nothing of what is in force is touched. The loop makes what is to be asked, and whoever has given the order asks, and
 * waits.
 */
#ifndef SLUICE_DAEMON_REHEARSAL_H
#define SLUICE_DAEMON_REHEARSAL_H

#include <stdatomic.h>

#include "util/cleanup.h"

struct carrier;
struct err;
struct model;
struct rehearsal;

/*
 * On the loop's thread. *ret is NULL if there is nothing to ask: no services of layer 7, or what HAProxy has accepted
 * already. -errno: it would be refused without HAProxy; err names the key.
 */
int rehearsal_new(struct rehearsal **ret, const struct carrier *carrier, const struct model *model,
		  struct err *err);

/* Any thread. Takes timeout_ms at most. As l7_program_check(). */
int rehearsal_run(const struct rehearsal *rehearsal, int timeout_ms, const atomic_bool *gives_up,
		  struct err *err);

/* NULL is fine. */
void rehearsal_free(struct rehearsal *rehearsal);
DEFINE_CLEANUP(struct rehearsal, rehearsal_free)

#endif
