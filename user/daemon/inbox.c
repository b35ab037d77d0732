// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/inbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define LETTERS_MIN 64

struct batch {
	struct letter *letters;
	size_t n, capacity;
};

struct inbox {
	pthread_mutex_t lock;
	struct batch filling; /* under the lock */
	struct batch taken; /* the taker's */
};

struct inbox *inbox_new(void)
{
	struct inbox *inbox = calloc(1, sizeof(*inbox));

	if (inbox)
		pthread_mutex_init(&inbox->lock, NULL);
	return inbox;
}

void inbox_free(struct inbox *inbox)
{
	if (!inbox)
		return;
	pthread_mutex_destroy(&inbox->lock);
	for (size_t i = 0; i < inbox->filling.n; i++)
		verdict_done(&inbox->filling.letters[i].verdict);
	free(inbox->filling.letters);
	free(inbox->taken.letters);
	free(inbox);
}

static int batch_add(struct batch *batch, const struct letter *letter)
{
	size_t capacity = batch->capacity ? 2 * batch->capacity : LETTERS_MIN;
	struct letter *letters;

	if (batch->n == batch->capacity) {
		letters = realloc(batch->letters, capacity * sizeof(*letters));
		if (!letters)
			return -ENOMEM;
		batch->letters = letters;
		batch->capacity = capacity;
	}
	batch->letters[batch->n] = *letter;
	batch->letters[batch->n++].verdict = verdict_keep(&letter->verdict);
	return 0;
}

int inbox_put(struct inbox *inbox, const struct letter *letter)
{
	int r;

	pthread_mutex_lock(&inbox->lock);
	r = batch_add(&inbox->filling, letter);
	pthread_mutex_unlock(&inbox->lock);

	return r;
}

size_t inbox_take(struct inbox *inbox, struct letter **ret_letters)
{
	struct batch full;

	/* Swapping the two batches keeps both their buffers in use. */
	pthread_mutex_lock(&inbox->lock);
	full = inbox->filling;
	inbox->filling = inbox->taken;
	inbox->filling.n = 0;
	pthread_mutex_unlock(&inbox->lock);

	inbox->taken = full;
	*ret_letters = full.letters;
	return full.n;
}
