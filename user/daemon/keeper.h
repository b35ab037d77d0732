/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper - has what is known of endpoints kept over restarts, and knows what was kept before this one.
 *
 * A change of what is known is handed to the thread that writes (store/events.h) within about a second; what
 * goes on as it was, only now and then, so that its age is right and the disk is spared. All on the loop's thread.
 */
#ifndef SLUICE_DAEMON_KEEPER_H
#define SLUICE_DAEMON_KEEPER_H

#include <uv.h>

#include "model/kept.h"

struct events;
struct keeper;

/* Read what is to be kept of an endpoint: all but the time. false: nobody sits there. */
typedef bool keeper_read_fn(void *arg, uint32_t endpoint, struct kept *ret_kept);

/* All borrowed until keeper_free(). */
struct keeper_parts {
	uv_loop_t *loop;
	uint32_t n; /* endpoints */
	struct events *events; /* NULL: nothing is kept */
	keeper_read_fn *read;
	void *arg;
};

/* kept: of before; taken over, may be NULL. -ENOMEM: it is not. */
int keeper_new(struct keeper **ret, const struct keeper_parts *parts, struct kept_list *kept);

/*
 * What was kept of it before this process, once, and for as long as it may be of use; else NULL. It lives until
 * the loop goes on.
 */
const struct kept *keeper_recall(struct keeper *keeper, const struct sl_target_key *key);

/*
 * What is known is what was kept, so long ago: there is nothing to write until a verdict comes, unless it was kept
 * by the clock of another boot.
 */
void keeper_restored(struct keeper *keeper, uint32_t endpoint, const struct kept *kept,
		     uint64_t age_ms);

/* A verdict came. */
void keeper_note(struct keeper *keeper, uint32_t endpoint, const struct health *health,
		 enum sl_message code);

/* Somebody else, or nobody, is the endpoint from now on. */
void keeper_reset(struct keeper *keeper, uint32_t endpoint);

/* Nobody has this address any more. */
void keeper_forget(struct keeper *keeper, const struct sl_target_key *key);

/* Go on from where another was with an endpoint that had that number there. */
void keeper_inherit(struct keeper *keeper, uint32_t endpoint, const struct keeper *before,
		    uint32_t was);

/* ... and with all that it had besides. */
void keeper_succeed(struct keeper *keeper, struct keeper *before);

/* Hand all of it over now: nothing comes any more. */
void keeper_flush(struct keeper *keeper);

/* The loop must run once more for the handle to close. NULL is fine. */
void keeper_free(struct keeper *keeper);
DEFINE_CLEANUP(struct keeper, keeper_free)

#endif
