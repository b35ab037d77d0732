// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/layers.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct layers {
	pthread_mutex_t lock;
	struct layers_copy now;
};

struct layers *layers_new(void)
{
	struct layers *layers = calloc(1, sizeof(*layers));

	if (layers)
		pthread_mutex_init(&layers->lock, NULL);
	return layers;
}

void layers_free(struct layers *layers)
{
	if (!layers)
		return;
	layers_copy_done(&layers->now);
	pthread_mutex_destroy(&layers->lock);
	free(layers);
}

void layers_copy_done(struct layers_copy *copy)
{
	overlay_done(&copy->overlay);
}

void layers_set(struct layers *layers, struct overlay *overlay)
{
	struct overlay before;

	pthread_mutex_lock(&layers->lock);
	before = layers->now.overlay;
	layers->now.overlay = *overlay;
	pthread_mutex_unlock(&layers->lock);
	*overlay = (struct overlay){ .n = 0 };
	overlay_done(&before);
}

void layers_set_trouble(struct layers *layers, const char *why)
{
	pthread_mutex_lock(&layers->lock);
	snprintf(layers->now.trouble, sizeof(layers->now.trouble), "%s", why);
	pthread_mutex_unlock(&layers->lock);
}

int layers_read(struct layers *layers, struct layers_copy *ret)
{
	int r;

	pthread_mutex_lock(&layers->lock);
	*ret = layers->now;
	r = overlay_copy(&ret->overlay, &layers->now.overlay);
	pthread_mutex_unlock(&layers->lock);
	return r;
}

uint64_t layers_version(struct layers *layers)
{
	uint64_t version;

	pthread_mutex_lock(&layers->lock);
	version = layers->now.overlay.version;
	pthread_mutex_unlock(&layers->lock);
	return version;
}

uint32_t layers_count(struct layers *layers)
{
	uint32_t n;

	pthread_mutex_lock(&layers->lock);
	n = layers->now.overlay.n;
	pthread_mutex_unlock(&layers->lock);
	return n;
}
