// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/flows.h"

#include <errno.h>
#include <string.h>

#include "dataplane/open.h"
#include "dataplane/sweep.h"
#include "util/clock.h"

/* A flow on its way from one table to the other is seen at least once in this order. */
static const enum map_id tables[] = { MAP_HALF_OPEN, MAP_FLOWS };

#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

struct flow_list {
	const struct dataplane *dp;
	struct sl_meta meta;
	uint32_t now_s;
	uint32_t *endpoints, *services; /* by id: the index in the model, or INDEX_NONE */
	uint32_t n_endpoint_ids, n_service_ids;
	size_t table; /* that is being gone through */
	struct sweeper *sweeper;
	uint32_t entries[N_TABLES];
	flow_row_fn *fn; /* for the call's duration */
	void *arg;
};

const char *flow_state_name(enum flow_state state)
{
	static const char *const names[] = {
		[FLOW_HALF_OPEN] = "half_open", [FLOW_ANSWERED] = "answered", [FLOW_OPEN] = "open",
		[FLOW_CLOSING] = "closing",     [FLOW_CLOSED] = "closed",
	};

	return names[state];
}

/* The rules of bpf/flow.h. */
enum flow_state flow_state_of(const struct sl_flow *flow, bool half_open)
{
	const __u8 either = SL_FLOW_FIN_CLIENT | SL_FLOW_FIN_ENDPOINT;
	/* Of a flow whose replies do not pass here only the client's end is seen. */
	__u8 both = flow->port ? either : SL_FLOW_FIN_CLIENT;

	if (flow->state & SL_FLOW_RESET || (flow->state & both) == both)
		return FLOW_CLOSED;
	if (flow->state & either)
		return FLOW_CLOSING;
	if (!half_open)
		return FLOW_OPEN;
	return flow->state & SL_FLOW_ANSWERED ? FLOW_ANSWERED : FLOW_HALF_OPEN;
}

static uint32_t idle_s(const struct sl_flow *flow, uint32_t now_s)
{
	return now_s > flow->seen_s ? now_s - flow->seen_s : 0;
}

bool flow_lives(const struct sl_tuple *tuple, const struct sl_flow *flow, bool half_open,
		const struct sl_meta *meta, uint32_t now_s)
{
	uint32_t timeout_s = tuple->proto == SL_TCP ? meta->idle_tcp_s : meta->idle_udp_s;

	if (half_open)
		timeout_s = meta->half_open_s;
	return flow_state_of(flow, half_open) != FLOW_CLOSED && idle_s(flow, now_s) <= timeout_s;
}

/* --- listing ----------------------------------------------------------------------------------- */

/* *ret[id[i]] = i for all i. */
static int invert(uint32_t **ret, const uint32_t *id, size_t stride, uint32_t n, uint32_t n_ids)
{
	uint32_t *indexes = malloc((n_ids + 1) * sizeof(*indexes));

	if (!indexes)
		return -ENOMEM;
	memset(indexes, 0xff, (n_ids + 1) * sizeof(*indexes));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t here;

		memcpy(&here, (const char *)id + i * stride, sizeof(here));
		if (here < n_ids)
			indexes[here] = i;
	}
	*ret = indexes;
	return 0;
}

int flow_list_new(struct flow_list **ret, const struct dataplane *dp)
{
	CLEANUP(flow_list_free_p) struct flow_list *list = calloc(1, sizeof(*list));
	const struct tables *t = &dp->tables;
	int r;

	if (!list)
		return -ENOMEM;
	list->dp = dp;
	list->meta = dataplane_meta(dp);
	list->now_s = (uint32_t)(clock_mono_ns() / NS_PER_SEC);
	list->n_endpoint_ids = t->sizes.endpoints;
	list->n_service_ids = t->sizes.entries[MAP_SERVICES];
	r = invert(&list->endpoints, t->ids.id, sizeof(*t->ids.id), t->ids.n, list->n_endpoint_ids);
	if (r < 0)
		return r;
	r = invert(&list->services, &t->services.of->id, sizeof(*t->services.of), t->services.n,
		   list->n_service_ids);
	if (r < 0)
		return r;
	*ret = take_ptr(list);
	return 0;
}

void flow_list_free(struct flow_list *list)
{
	if (!list)
		return;
	sweeper_free(list->sweeper);
	free(list->endpoints);
	free(list->services);
	free(list);
}

static bool is_half_open(const struct flow_list *list)
{
	return tables[list->table] == MAP_HALF_OPEN;
}

static uint32_t index_of(const uint32_t *indexes, uint32_t n, uint32_t id)
{
	return id < n ? indexes[id] : INDEX_NONE;
}

/* Whether the endpoint is still the one that the flow was opened to. */
static bool is_of(const struct flow_list *list, const struct sl_flow *flow)
{
	const uint32_t *generation = &list->dp->tables.generation[flow->endpoint];

	return __atomic_load_n(generation, __ATOMIC_RELAXED) == flow->generation;
}

static struct flow_end end_of(const __u8 addr[SL_ADDR_LEN], uint16_t port)
{
	struct flow_end end = { .port = port };

	memcpy(end.addr.bytes, addr, sizeof(end.addr.bytes));
	return end;
}

static bool take_entry(void *arg, const struct sl_tuple *tuple, const struct sl_flow *flow)
{
	struct flow_list *list = arg;
	struct flow_row row = {
		.endpoint = index_of(list->endpoints, list->n_endpoint_ids, flow->endpoint),
		.service = index_of(list->services, list->n_service_ids, flow->service),
		.proto = tuple->proto,
	};

	list->entries[list->table]++;
	/* The other entry of the flow says the same. */
	if (flow->kind != SL_FLOW_TO_ENDPOINT)
		return true;
	if (row.endpoint == INDEX_NONE || row.service == INDEX_NONE || !is_of(list, flow) ||
	    !flow_lives(tuple, flow, is_half_open(list), &list->meta, list->now_s))
		return true;
	row.client = end_of(tuple->saddr, tuple->sport);
	row.to = end_of(tuple->daddr, tuple->dport);
	row.source = end_of(flow->addr, flow->port);
	row.state = flow_state_of(flow, is_half_open(list));
	row.idle_s = idle_s(flow, list->now_s);
	list->fn(list->arg, &row);
	return true;
}

int flow_list_next(struct flow_list *list, flow_row_fn *fn, void *arg)
{
	const struct mapset *maps = programs_maps(list->dp->programs);
	int r;

	if (list->table == N_TABLES)
		return 0;
	if (!list->sweeper)
		list->sweeper = sweeper_new(maps, tables[list->table]);
	if (!list->sweeper)
		return -ENOMEM;
	list->fn = fn;
	list->arg = arg;
	r = sweeper_next(list->sweeper, take_entry, list);
	if (r)
		return r;
	sweeper_free(take_ptr(list->sweeper));
	list->table++;
	return list->table < N_TABLES;
}

struct flow_fills flow_list_fills(const struct flow_list *list)
{
	const uint32_t *max = list->dp->tables.sizes.entries;
	struct flow_fills fills;

	for (size_t i = 0; i < N_TABLES; i++) {
		struct flow_fill fill = { list->entries[i], max[tables[i]] };

		if (tables[i] == MAP_HALF_OPEN)
			fills.half_open = fill;
		else
			fills.flows = fill;
	}
	return fills;
}
