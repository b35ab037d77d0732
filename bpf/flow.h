/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow - finding, ageing and forgetting what is known of a flow.
 *
 * A flow that is translated has two entries, one for each direction, whose keys follow from one
 * another; other flows have one. Entries of both kinds are in flows or, as long as the client has
 * not proved that it is there, in half_open.
 */
#ifndef SLUICE_BPF_FLOW_H
#define SLUICE_BPF_FLOW_H

#include "handshake.h"
#include "select.h"

/* What becomes of a packet of a flow that is known. */
enum fate {
	FATE_LIVE,
	FATE_GONE, /* it is no longer: to be forgotten, and the packet is of a new flow or of none */
	FATE_RESET,
};

/* The key of the entry for packets from the endpoint: its address, then where it sees them from. */
static __always_inline void key_of_reply(struct sl_tuple *key, const struct sl_target_key *endpoint,
					 const __u8 addr[SL_ADDR_LEN], __u16 port)
{
	addr_copy(key->saddr, endpoint->addr);
	addr_copy(key->daddr, addr);
	tuple_set_ports(key, endpoint->port, port, endpoint->proto);
}

/*
 * Whom the client of a TO_CLIENT entry believes to talk to: the service or, if that has no address,
 * the endpoint that was redirected. NULL: nobody knows, since the service is gone, or that endpoint.
 */
static __always_inline const struct sl_target_key *
flow_destination(const struct sl_flow *to_client, const struct sl_service *service)
{
	const struct sl_endpoint_name *name;
	__u32 id = to_client->answer;

	if (likely(service->key.port))
		return &service->key;
	if (!service->slice.size)
		return NULL;
	name = bpf_map_lookup_elem(&endpoint_names, &id);
	return name && name->key.port ? &name->key : NULL;
}

/* The key of the entry for packets from the client, of which a TO_CLIENT entry tells. */
static __always_inline void key_of_request(struct sl_tuple *key, const struct sl_flow *to_client,
					   const struct sl_target_key *destination)
{
	addr_copy(key->saddr, to_client->addr);
	addr_copy(key->daddr, destination->addr);
	tuple_set_ports(key, to_client->port, destination->port, destination->proto);
}

/*
 * Enter a flow into a map. It is looked up at once, since that is what the kernel's LRU goes by: an entry
 * that nobody has looked up counts as the least used of all, so that a full map would forget a flow
 * that has just begun before all those that are over.
 */
static __always_inline int flow_enter(void *map, const struct sl_tuple *key,
				      const struct sl_flow *flow, __u64 how)
{
	int r = bpf_map_update_elem(map, key, flow,
				    how); /* before 6.4 only so much of it is defined */

	if (!r)
		bpf_map_lookup_elem(map, key);
	return r;
}

static __always_inline struct sl_flow *flow_lookup(struct flight *f, bool half_open_too)
{
	struct sl_flow *flow = bpf_map_lookup_elem(&flows, &f->in);

	if (flow || !half_open_too)
		return flow;
	flow = bpf_map_lookup_elem(&half_open, &f->in);
	if (flow) {
		f->half_open = true;
		return flow;
	}
	/* Between the two lookups another CPU may have moved it; a miss is rare, and final. */
	return flight_is_tcp(f) && !flight_is_syn(f) ? bpf_map_lookup_elem(&flows, &f->in) : NULL;
}

static __always_inline bool flow_is_closed(const struct sl_flow *flow)
{
	/* Of a flow whose replies do not pass here only the client's end is seen. */
	__u8 both = flow->port ? SL_FLOW_FIN_CLIENT | SL_FLOW_FIN_ENDPOINT : SL_FLOW_FIN_CLIENT;

	return flow->state & SL_FLOW_RESET || (flow->state & both) == both;
}

static __always_inline __u32 flow_timeout_s(const struct sl_flow *flow, __u8 proto, bool half_open,
					    const struct sl_meta *m)
{
	if (flow_is_closed(flow))
		return m->closed_s;
	if (half_open)
		return m->half_open_s;
	return proto == SL_TCP ? m->idle_tcp_s : m->idle_udp_s;
}

/* Stored only if it changes: the entry of a busy flow stays clean in other CPUs' caches. */
static __always_inline void flow_touch(struct sl_flow *flow, const struct sl_meta *m)
{
	__u32 now = *(const volatile __u32 *)&m->now_s;

	if (flow->seen_s != now)
		flow->seen_s = now;
}

/* Whether open flows of an endpoint with this word end. The deadline needs no daemon. */
static __always_inline bool word_ends_flows(struct sl_word word, const struct sl_meta *m)
{
	bool closed;

	if (word_has_drained(word))
		return true;
	closed = word.admin == SL_DISABLED ||
		 (word.health == SL_UNHEALTHY && !(word.flags & SL_WORD_FORCED));
	return closed && word.flags & SL_WORD_RESET && !daemon_is_lost(m);
}

/* Whether the flow's endpoint is still the one that it was opened to. */
static __always_inline bool flow_is_of(const struct sl_flow *flow,
				       const struct sl_endpoint_name *name)
{
	return name->generation == flow->generation;
}

/* Whether the flow is of an endpoint that had this id before: generations count on, for as long as they last. */
static __always_inline bool flow_is_older(const struct sl_flow *flow,
					  const struct sl_endpoint_name *name)
{
	return (__s32)(name->generation - flow->generation) > 0;
}

/* Whether this host's address towards the endpoint is known. */
static __always_inline bool name_has_source(const struct sl_endpoint_name *name)
{
	return !addr_is_zero(name->source) &&
	       addr_is_v4(name->source) == addr_is_v4(name->key.addr);
}

/* What becomes of a packet of a known flow whose endpoint has this word. */
static __always_inline enum fate flow_fate(const struct flight *f, const struct sl_flow *flow,
					   struct sl_word word, const struct sl_service *service,
					   const struct sl_meta *m)
{
	bool any = service->flags & SL_SERVICE_ANY;

	if (unlikely(flight_is_syn(f) && (flow_is_closed(flow) || !word_is_eligible(word, any))))
		return FATE_GONE;
	if (likely(word_is_eligible(word, any)) || !word_ends_flows(word, m))
		return FATE_LIVE;
	if (!flight_is_tcp(f))
		return FATE_GONE; /* the next endpoint's */
	return f->tcp_flags & TCP_RST ? FATE_LIVE : FATE_RESET;
}

/* Keep in mind how a flow ends. True: it changed. */
static __always_inline bool flow_mark(struct sl_flow *flow, __u8 state)
{
	if (!state || (flow->state & state) == state)
		return false;
	flow->state |= state;
	return true;
}

/* What a packet says about the flow's end. */
static __always_inline __u8 flight_ends(const struct flight *f, __u8 fin)
{
	return (f->tcp_flags & TCP_FIN ? fin : 0) | (f->tcp_flags & TCP_RST ? SL_FLOW_RESET : 0);
}

static __always_inline void flow_delete(const struct flight *f, const struct sl_tuple *key)
{
	if (f->observe)
		return;
	bpf_map_delete_elem(&flows, key);
	bpf_map_delete_elem(&half_open, key);
}

/*
 * Fill f->flow for a new flow to f->endpoint that is not translated. It reads the clock, which
 * spares the packets of open flows that.
 */
static __always_inline void flow_begin(struct flight *f, const struct sl_endpoint_name *name,
				       struct sl_meta *m, enum sl_flow_kind kind, __u8 state)
{
	m->now_s = now_read();
	f->flow.endpoint = f->endpoint;
	f->flow.service = f->service;
	f->flow.generation = name->generation;
	f->flow.seen_s = m->now_s;
	f->flow.kind = kind;
	f->flow.state = state;
	f->flow.port = 0;
	f->flow.answer = 0;
	__builtin_memset(f->flow.addr, 0, sizeof(f->flow.addr));
}

/* May this CPU enter another flow? Spent like the budget of replies. */
static __always_inline bool flow_may_enter(const struct sl_meta *m)
{
	__u32 zero = 0;

	return budget_spend(bpf_map_lookup_elem(&flow_budget, &zero), m);
}

#endif
