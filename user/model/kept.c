// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/kept.h"

#include <string.h>

#include "util/clock.h"

/* A clock that is set by others is rarely further ahead than this. */
#define AHEAD_MAX_MS (60 * MS_PER_SEC)

/* A gateway that takes longer to start than this finds its backends in another state than it left them. */
#define PROVES_MS (10 * 60 * MS_PER_SEC)
#define PROVES_INTERVALS 3

uint64_t kept_age_ms(const struct kept_time *at, const struct kept_time *now)
{
	if (at->boot && at->boot == now->boot)
		return at->boot_ms <= now->boot_ms ? (uint64_t)now->boot_ms - (uint64_t)at->boot_ms
						   : KEPT_AGE_UNKNOWN;
	if (at->wall_ms <= now->wall_ms)
		return now->wall_ms - at->wall_ms;
	return at->wall_ms - now->wall_ms <= AHEAD_MAX_MS ? 0 : KEPT_AGE_UNKNOWN;
}

bool kept_proves(const struct kept *kept, const struct kept_time *now, uint32_t interval_ms)
{
	uint64_t age_ms = kept_age_ms(&kept->at, now);
	uint64_t limit_ms = (uint64_t)interval_ms * PROVES_INTERVALS;

	if (limit_ms < PROVES_MS)
		limit_ms = PROVES_MS;
	return age_ms <= limit_ms && !message_ours(kept->verdict.code);
}

void kept_list_done(struct kept_list *list)
{
	free(list->rows);
	*list = (struct kept_list){ .n = 0 };
}

static int compare(const void *a, const void *b)
{
	return memcmp(&((const struct kept *)a)->key, &((const struct kept *)b)->key,
		      sizeof(struct sl_target_key));
}

void kept_list_sort(struct kept_list *list)
{
	if (list->n)
		qsort(list->rows, list->n, sizeof(*list->rows), compare);
}

const struct kept *kept_list_find(const struct kept_list *list, const struct sl_target_key *key)
{
	const struct kept wanted = { .key = *key };

	return list->n ? bsearch(&wanted, list->rows, list->n, sizeof(*list->rows), compare) : NULL;
}
