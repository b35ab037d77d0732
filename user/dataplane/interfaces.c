// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/interfaces.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct interfaces {
	pthread_mutex_t lock; /* of what others read: of[].now */
	uint32_t n;
	struct guarded of[];
};

struct interfaces *interfaces_new(uint32_t n)
{
	struct interfaces *interfaces =
		calloc(1, sizeof(*interfaces) + n * sizeof(interfaces->of[0]));

	if (!interfaces)
		return NULL;
	pthread_mutex_init(&interfaces->lock, NULL);
	interfaces->n = n;
	return interfaces;
}

void interfaces_free(struct interfaces *interfaces)
{
	if (!interfaces)
		return;
	pthread_mutex_destroy(&interfaces->lock);
	free(interfaces);
}

uint32_t interfaces_n(const struct interfaces *interfaces)
{
	return interfaces->n;
}

struct guarded *interfaces_at(struct interfaces *interfaces, uint32_t i)
{
	assert(i < interfaces->n);
	return &interfaces->of[i];
}

struct guarded *interfaces_find(struct interfaces *interfaces, const char *name)
{
	for (uint32_t i = 0; i < interfaces->n; i++)
		if (!strcmp(interfaces->of[i].now.interface, name))
			return &interfaces->of[i];
	return NULL;
}

void interfaces_set(struct interfaces *interfaces, struct guarded *guarded,
		    const struct attachment *attachment)
{
	pthread_mutex_lock(&interfaces->lock);
	guarded->now = *attachment;
	pthread_mutex_unlock(&interfaces->lock);
}

bool interfaces_read(struct interfaces *interfaces, uint32_t i, struct attachment *ret)
{
	if (i >= interfaces->n)
		return false;
	pthread_mutex_lock(&interfaces->lock);
	*ret = interfaces->of[i].now;
	pthread_mutex_unlock(&interfaces->lock);
	return true;
}

const char *attachment_state_name(enum attachment_state state)
{
#define ATTACHMENT_STATE_NAME(NAME, name) [ATTACHMENT_##NAME] = name,
	static const char *const names[] = { ATTACHMENT_STATES(ATTACHMENT_STATE_NAME) };
#undef ATTACHMENT_STATE_NAME

	return names[state];
}

bool attachment_is_present(const struct attachment *attachment)
{
	return attachment->state != ATTACHMENT_GONE && attachment->state != ATTACHMENT_RENAMED;
}
