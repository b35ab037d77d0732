// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/refusals.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "daemon/changes.h"
#include "daemon/tell.h"
#include "model/damper.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/printable.h"

/* Whoever has more users than that at his disposal is told of as one of them. */
#define USERS_MAX 32
#define OTHERS (uid_t) - 1

#define WHAT_LEN 192

struct refusals {
	struct events *events;
	pthread_mutex_t lock;
	struct user {
		bool used;
		uid_t uid;
		struct damper damper;
	} users[USERS_MAX]; /* under the lock; the last one stands for all others */
};

struct refusals *refusals_new(struct events *events)
{
	struct refusals *refusals = calloc(1, sizeof(*refusals));

	if (!refusals)
		return NULL;
	refusals->events = events;
	pthread_mutex_init(&refusals->lock, NULL);
	refusals->users[USERS_MAX - 1] = (struct user){ .used = true, .uid = OTHERS };
	return refusals;
}

void refusals_free(struct refusals *refusals)
{
	if (!refusals)
		return;
	pthread_mutex_destroy(&refusals->lock);
	free(refusals);
}

/* Under the lock. A place is free again once all has been told, and some time has passed. */
static struct user *find_user(struct refusals *refusals, uid_t uid, uint64_t now_ms)
{
	struct user *place = NULL;

	for (size_t i = 0; i < USERS_MAX - 1; i++) {
		struct user *user = &refusals->users[i];

		if (user->used && user->uid == uid)
			return user;
		if (!place &&
		    (!user->used || (!user->damper.held && now_ms >= user->damper.end_ms)))
			place = user;
	}
	if (!place)
		return &refusals->users[USERS_MAX - 1];
	*place = (struct user){ .used = true, .uid = uid };
	return place;
}

static bool admit(struct refusals *refusals, uid_t uid)
{
	uint64_t now_ms = clock_mono_ms();
	bool told;

	pthread_mutex_lock(&refusals->lock);
	told = damper_admit(&find_user(refusals, uid, now_ms)->damper, now_ms);
	pthread_mutex_unlock(&refusals->lock);
	return told;
}

/* Something else than a change that could be read. */
static void tell_access(struct refusals *refusals, const struct refusal *refusal)
{
	struct change_giver giver = caller_giver(refusal->caller);
	struct event event = { .kind = EVENT_ACCESS, .severity = EVENT_WARNING };
	char by[GIVER_TEXT_LEN], what[WHAT_LEN];

	printable_line(what, sizeof(what), (const uint8_t *)refusal->what, strlen(refusal->what));
	event_set(event.after, "refused");
	event_number(&event, "uid", giver.uid);
	event_number(&event, "pid", giver.pid);
	snprintf(event.text, sizeof(event.text), "refused: %s of %s: %s", what,
		 giver_text(by, &giver), refusal->why);
	tell(refusals->events, &event, NULL);
}

void refusals_note(void *arg, const struct refusal *refusal)
{
	struct refusals *refusals = arg;
	struct change change;
	struct err why;

	if (!admit(refusals, refusal->caller->uid))
		return;
	if (!refusal->change) {
		tell_access(refusals, refusal);
		return;
	}
	change = *refusal->change;
	change.giver = caller_giver(refusal->caller);
	err_set(&why, -EPERM, "%s", refusal->why);
	changes_tell(refusals->events, &change, &why);
}

static void tell_held(struct refusals *refusals, uid_t uid, uint32_t held, uint32_t window_ms)
{
	struct event event = { .kind = EVENT_ACCESS, .severity = EVENT_WARNING };
	char who[32] = "other users";

	if (uid != OTHERS) {
		snprintf(who, sizeof(who), "uid %" PRIu32, uid);
		event_number(&event, "uid", uid);
	}
	event_number(&event, "held", held);
	event_set(event.after, "refused");
	snprintf(event.text, sizeof(event.text),
		 "refused %" PRIu32 " more within %" PRIu32 " s, of %s", held,
		 (uint32_t)(window_ms / MS_PER_SEC), who);
	tell(refusals->events, &event, NULL);
}

void refusals_tell_held(struct refusals *refusals, uint64_t now_ms)
{
	for (size_t i = 0; i < USERS_MAX; i++) {
		struct user *user = &refusals->users[i];
		uint32_t held, window_ms;
		uid_t uid;
		bool due;

		pthread_mutex_lock(&refusals->lock);
		due = damper_due(&user->damper, now_ms, &held, &window_ms);
		uid = user->uid;
		pthread_mutex_unlock(&refusals->lock);
		if (due)
			tell_held(refusals, uid, held, window_ms);
	}
}
