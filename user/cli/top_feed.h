/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * top_feed - one document of the daemon, asked for again and again by a thread of its own.
 *
 * However slow the daemon is, whoever shows what comes does not wait for it. The daemon is given four times as long to
 * rest as an answer took, and a second at least.
 */
#ifndef SLUICE_CLI_TOP_FEED_H
#define SLUICE_CLI_TOP_FEED_H

#include <jansson.h>
#include <stdbool.h>

#include "util/cleanup.h"
#include "util/err.h"

struct top_feed;

/* The socket's path is borrowed. -ENOMEM, -EAGAIN: no thread to be had. */
int top_feed_start(struct top_feed **ret, const char *socket);

/* Waits for an answer that is under way, for some seconds at most. NULL is fine. */
void top_feed_stop(struct top_feed *feed);
DEFINE_CLEANUP(struct top_feed, top_feed_stop)

/* From now on this path, and at once. Copied. -ENOMEM */
int top_feed_ask(struct top_feed *feed, const char *path);

/*
 * What has come of the path that was asked for last, since the last call. True: something did: a document, which the
 * caller releases, or NULL and why there is none.
 */
bool top_feed_take(struct top_feed *feed, json_t **ret, struct err *ret_err);

#endif
