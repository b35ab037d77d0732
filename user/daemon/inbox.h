/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inbox - verdicts on their way from the workers' threads to the pipeline's.
 *
 * Any thread may put; one thread takes all that is there at once. Never blocks for longer than a
 * copy takes.
 */
#ifndef SLUICE_DAEMON_INBOX_H
#define SLUICE_DAEMON_INBOX_H

#include <stddef.h>
#include <stdint.h>

#include "model/verdict.h"
#include "util/cleanup.h"

struct letter {
	uint32_t endpoint; /* index in the model */
	uint64_t at_us; /* wall clock: when the probe ended */
	uint64_t ended_us; /* the same, monotonic */
	struct verdict verdict;
};

struct inbox;

/* NULL: out of memory. */
struct inbox *inbox_new(void);
void inbox_free(struct inbox *inbox);
DEFINE_CLEANUP(struct inbox, inbox_free)

/* The verdict is kept (verdict_keep()). -ENOMEM: the letter is lost. */
int inbox_put(struct inbox *inbox, const struct letter *letter);

/*
 * All letters, in the order they came; they stay valid until the next call. Returns their number.
 * The caller drops each verdict with verdict_done().
 */
size_t inbox_take(struct inbox *inbox, struct letter **ret_letters);

#endif
