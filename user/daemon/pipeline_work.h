/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipeline_work - what the pipeline keeps of every endpoint.
 *
 * pipeline.c takes in what is learned and who sits where; pipeline_order.c what is ordered;
 * pipeline_words.c turns health into the words that the kernel reads, min_servers included;
 * pipeline_adopt.c starts from those in force, pipeline_keep.c from what was kept over a restart, which it sees
 * to as well; pipeline_tell.c says what happened.
 */
#ifndef SLUICE_DAEMON_PIPELINE_WORK_H
#define SLUICE_DAEMON_PIPELINE_WORK_H

#include <stdatomic.h>

#include "daemon/hush.h"
#include "daemon/pipeline.h"
#include "model/event.h"

struct balancer;
struct inbox;
struct keeper;
struct kept;
struct letter;
struct weights;

/* Which state of administration, and until when. */
struct standing {
	enum sl_admin admin;
	uint64_t
		deadline_ms; /* monotonic: until when a draining one keeps its flows; 0: for ever */
};

/* Who sits in an endpoint's place. All but the seats of names never change. */
struct seat {
	struct standing leaving; /* what follows from DNS: of whoever sits there */
	struct standing ordered; /* by the operator: of the place, whoever sits there */
	struct addr addr;
	uint64_t passed_us; /* monotonic: when the last probe that passed began; 0: none */
	uint64_t recovered_ms; /* monotonic: when it last turned Healthy from Unhealthy; 0: never */
	uint32_t generation; /* grows with every change: verdicts about others are dropped */
	enum sl_health told; /* what was last said of it */
	bool taken;
	bool suspected; /* clients fail to connect: see pipeline_suspect() */
};

/* An address with its port, and the longest name. */
#define ENDPOINT_TEXT_LEN EVENT_ENDPOINT_LEN

struct pipeline {
	struct pipeline_parts parts;
	struct seat *seats; /* parallel to model->endpoints */
	struct inbox *inbox;
	struct balancer *balancer;
	struct hush *hush;
	struct keeper *keeper;
	struct weights *weights;
	char blocked[VERDICT_DETAIL_LEN]; /* why no verdict reaches the kernel; "": they do */
	uv_async_t wake;
	atomic_uint n_lost; /* verdicts that there was no memory for, any thread; not told yet */
	uint64_t lost_told_ms; /* monotonic */
	struct health *health; /* parallel to model->endpoints */
	uint64_t n_lapses; /* orders health->lapsed */
	bool shares; /* some endpoint is in more than one service */
	bool *forced; /* scratch, parallel to model->endpoints */
	const struct health **members; /* scratch for one service, */
	bool *chosen; /* as large as the largest */
};

/* "10.0.0.5:443", and for an address of a name "10.0.0.5:443 (app.test)". */
const char *pipeline_text(const struct pipeline *pipeline, uint32_t endpoint,
			  char buf[ENDPOINT_TEXT_LEN]);

/* Tell of health that is shown as another one since this letter. */
void pipeline_tell_change(struct pipeline *pipeline, const struct letter *letter,
			  enum sl_health before);

/* A hush_fn: tell of what was held. arg: the pipeline. */
void pipeline_sum_up(void *arg, uint32_t endpoint, enum hush_sort sort, uint32_t held,
		     uint32_t window_ms);

/* What is in force of what is ordered and what follows from DNS. */
struct standing seat_standing(const struct seat *seat);

/* Show what is in force. */
void pipeline_show_standing(struct pipeline *pipeline, uint32_t endpoint);

/* Something about a member has changed: others may be forced open now, or no longer. */
void pipeline_members_changed(struct pipeline *pipeline, uint32_t endpoint);

/* Whether the endpoint is one that new flows may go to, if it is well. */
bool pipeline_serves(const struct pipeline *pipeline, uint32_t endpoint);

/*
 * Store the words that follow from what changed about an endpoint. Whatever opens does so before
 * anything closes, and what has to stay open is never closed.
 */
void pipeline_publish_change(struct pipeline *pipeline, uint32_t changed);

/* Store an endpoint's word anew; nothing about its health has changed. */
void pipeline_publish(struct pipeline *pipeline, uint32_t endpoint);

/* Show and log whom min_servers keeps open since then, or no longer. */
void pipeline_note_change(struct pipeline *pipeline, uint32_t changed);

/* Judge min_servers anew everywhere, and store all words. */
void pipeline_publish_all(struct pipeline *pipeline);

/* Take health and seats over from the words in force, and from what was kept. */
void pipeline_adopt(struct pipeline *pipeline);

/* A keeper_read_fn; arg: the pipeline. */
bool pipeline_read_kept(void *arg, uint32_t endpoint, struct kept *ret_kept);

/* What the kernel knows an endpoint by, with whoever sits there. */
struct sl_target_key pipeline_key(const struct pipeline *pipeline, uint32_t endpoint);

/*
 * Let health go on from what was kept of whoever sits there. proven: what the kernel acts on, which counts if it
 * is another; NULL: it has forgotten, and only what is not too old counts. Whether there was something.
 */
bool pipeline_restore(struct pipeline *pipeline, uint32_t endpoint, const enum sl_health *proven);

#endif
