// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/balancer.h"

#include <errno.h>

#include "model/weights.h"
#include "util/clock.h"
#include "util/log.h"

/* When memory was short: time enough for that to pass, and little enough to matter to nobody. */
#define RETRY_MS 100

struct balancer {
	struct balancer_parts parts;
	uv_timer_t timer;
	/* Services that have the endpoint i: of[first[i]] to of[first[i + 1] - 1]. */
	uint32_t *first, *of;
	bool *due; /* by service */
	uint64_t *next_ms; /* by service: when its shares change by themselves; 0: never */
	uint32_t *queue; /* the services that are due */
	uint32_t n_due;
	struct balance_member *members; /* scratch for one service, */
	uint16_t *shares; /* as large as the largest */
};

static void note_service(struct balancer *balancer, uint32_t service)
{
	if (balancer->due[service])
		return;
	balancer->due[service] = true;
	balancer->queue[balancer->n_due++] = service;
}

void balancer_note(struct balancer *balancer, uint32_t endpoint)
{
	for (uint32_t i = balancer->first[endpoint]; i < balancer->first[endpoint + 1]; i++)
		note_service(balancer, balancer->of[i]);
}

void balancer_note_pool(struct balancer *balancer, uint32_t pool)
{
	const struct model *model = balancer->parts.model;

	for (uint32_t i = 0; i < model->n_services; i++)
		if (model->services[i].pool == pool && service_balances(model, &model->services[i]))
			note_service(balancer, i);
}

static void balance(struct balancer *balancer, uint32_t index)
{
	const struct model *model = balancer->parts.model;
	const struct service *service = &model->services[index];
	uint64_t now_ms = clock_mono_ms();
	struct balance result;

	for (uint32_t i = 0; i < service->n_endpoints; i++) {
		balancer->members[i] =
			balancer->parts.member(balancer->parts.arg, service->endpoints[i]);
		if (!weights_get(balancer->parts.weights, service->pool, service->owners[i]))
			balancer->members[i].serves = false;
	}
	result = balance_shares(balancer->members, service->n_endpoints,
				&model->settings[service->settings], now_ms, balancer->shares);
	balancer->next_ms[index] = result.next_ms;
	if (balancer->parts.publish(balancer->parts.arg, index, balancer->shares, result.any) < 0) {
		log_error("service %s: out of memory: its table is not up to date", service->name);
		balancer->next_ms[index] = now_ms + RETRY_MS;
	}
}

static void on_timer(uv_timer_t *timer);

/* Wake up for the first of the services whose shares change by themselves. */
static void schedule(struct balancer *balancer)
{
	uint64_t next_ms = 0, now_ms = clock_mono_ms();

	for (uint32_t i = 0; i < balancer->parts.model->n_services; i++)
		if (balancer->next_ms[i] && (!next_ms || balancer->next_ms[i] < next_ms))
			next_ms = balancer->next_ms[i];
	if (next_ms)
		uv_timer_start(&balancer->timer, on_timer, next_ms > now_ms ? next_ms - now_ms : 0,
			       0);
	else
		uv_timer_stop(&balancer->timer);
}

void balancer_run(struct balancer *balancer)
{
	if (!balancer->n_due)
		return;
	for (uint32_t i = 0; i < balancer->n_due; i++) {
		balancer->due[balancer->queue[i]] = false;
		balance(balancer, balancer->queue[i]);
	}
	balancer->n_due = 0;
	schedule(balancer);
}

static void on_timer(uv_timer_t *timer)
{
	struct balancer *balancer = timer->data;
	uint64_t now_ms = clock_mono_ms();

	for (uint32_t i = 0; i < balancer->parts.model->n_services; i++)
		if (balancer->next_ms[i] && balancer->next_ms[i] <= now_ms)
			note_service(balancer, i);
	/* The loop's clock may be a little ahead of ours. */
	if (balancer->n_due)
		balancer_run(balancer);
	else
		schedule(balancer);
}

/* --- start ------------------------------------------------------------------------------------- */

static void count_memberships(struct balancer *balancer)
{
	const struct model *model = balancer->parts.model;

	for (uint32_t s = 0; s < model->n_services; s++)
		for (uint32_t i = 0; i < model->services[s].n_endpoints; i++)
			if (service_balances(model, &model->services[s]))
				balancer->first[model->services[s].endpoints[i] + 1]++;
	for (uint32_t e = 0; e < model->n_endpoints; e++)
		balancer->first[e + 1] += balancer->first[e];
}

static int list_memberships(struct balancer *balancer)
{
	const struct model *model = balancer->parts.model;
	CLEANUP(free_p) uint32_t *next = calloc(model->n_endpoints + 1, sizeof(*next));

	balancer->of = calloc(balancer->first[model->n_endpoints] + 1, sizeof(*balancer->of));
	if (!next || !balancer->of)
		return -ENOMEM;
	for (uint32_t s = 0; s < model->n_services; s++) {
		const struct service *service = &model->services[s];

		if (!service_balances(model, service))
			continue;
		note_service(balancer, s);
		for (uint32_t i = 0; i < service->n_endpoints; i++) {
			uint32_t e = service->endpoints[i];

			balancer->of[balancer->first[e] + next[e]++] = s;
		}
	}
	return 0;
}

static void free_parts(struct balancer *balancer)
{
	free(balancer->first);
	free(balancer->of);
	free(balancer->due);
	free(balancer->next_ms);
	free(balancer->queue);
	free(balancer->members);
	free(balancer->shares);
	free(balancer);
}

static int allocate(struct balancer *balancer)
{
	const struct model *model = balancer->parts.model;
	uint32_t largest = model_largest_service(model);
	size_t n = model->n_services + 1; /* calloc(0) may be NULL */

	balancer->first = calloc(model->n_endpoints + 2, sizeof(*balancer->first));
	balancer->due = calloc(n, sizeof(*balancer->due));
	balancer->next_ms = calloc(n, sizeof(*balancer->next_ms));
	balancer->queue = calloc(n, sizeof(*balancer->queue));
	balancer->members = calloc(largest, sizeof(*balancer->members));
	balancer->shares = calloc(largest, sizeof(*balancer->shares));
	if (!balancer->first || !balancer->due || !balancer->next_ms || !balancer->queue ||
	    !balancer->members || !balancer->shares)
		return -ENOMEM;
	count_memberships(balancer);
	return list_memberships(balancer);
}

static void on_closed(uv_handle_t *handle)
{
	free_parts(handle->data);
}

int balancer_new(struct balancer **ret, const struct balancer_parts *parts)
{
	struct balancer *balancer = calloc(1, sizeof(*balancer));
	int r;

	if (!balancer)
		return -ENOMEM;
	balancer->parts = *parts;
	r = allocate(balancer);
	if (r == 0)
		r = uv_timer_init(parts->loop, &balancer->timer);
	if (r < 0) {
		free_parts(balancer);
		return r;
	}
	balancer->timer.data = balancer;

	*ret = balancer;
	return 0;
}

void balancer_free(struct balancer *balancer)
{
	if (balancer)
		uv_close((uv_handle_t *)&balancer->timer, on_closed);
}
