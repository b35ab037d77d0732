/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hush - keeps endpoints that change all the time from filling log and events.
 *
 * A damper (model/damper.h) for each endpoint and sort of event, and a timer that tells of what they
 * hold. All on the loop's thread.
 */
#ifndef SLUICE_DAEMON_HUSH_H
#define SLUICE_DAEMON_HUSH_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "util/cleanup.h"

/* Evidence in abundance is not to hide what becomes of it. */
enum hush_sort { HUSH_HEALTH, HUSH_OTHER, HUSH_SORTS };

struct hush;

/* So much was held of an endpoint, in so long. */
typedef void hush_fn(void *arg, uint32_t endpoint, enum hush_sort sort, uint32_t held,
		     uint32_t window_ms);

/* For n endpoints. Loop and arg are borrowed. -ENOMEM, or what libuv returned. */
int hush_new(struct hush **ret, uv_loop_t *loop, uint32_t n, hush_fn *fn, void *arg);

/* Whether to tell of something now; otherwise it is held, and fn is called later. */
bool hush_admit(struct hush *hush, uint32_t endpoint, enum hush_sort sort);

/* Go on from where another was with an endpoint that had that number there. */
void hush_inherit(struct hush *hush, uint32_t endpoint, const struct hush *before, uint32_t was);

/* Have fn called now for all that is held. */
void hush_flush(struct hush *hush);

/* What is held is forgotten. The loop must run once more for the handle to close. NULL is fine. */
void hush_free(struct hush *hush);
DEFINE_CLEANUP(struct hush, hush_free)

#endif
