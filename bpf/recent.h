/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recent - flows that this CPU has seen a packet of lately.
 *
 * To look a flow up by all of its tuple costs more than all the rest of the short way. A slot per
 * CPU holds what the maps said of it, for so many packets within one second of the programs' clock: flows
 * keep their place in the map's order, and what happens to one on another CPU shows at once or soon.
 * Whatever takes the long way is looked up there, and forgotten here.
 */
#ifndef SLUICE_BPF_RECENT_H
#define SLUICE_BPF_RECENT_H

#include "flow.h"

#define RECENT_BITS 10
#define RECENT_USES 16

struct recent {
	struct sl_tuple tuple; /* port 0: the slot is empty */
	struct sl_flow flow;
	struct sl_target_key other; /* its endpoint; of TO_CLIENT: its service */
	enum sl_method method;
	__u8 zero[3];
	__u8 source[SL_ADDR_LEN]; /* this host's address towards the endpoint; for tunnels */
	__u32 uses;
	__u32 zero2;
};

/*
 * recents - what is known of flows that had a packet lately
 *   entry    slot -> struct recent, per CPU
 *   writer   the XDP program
 *   reader   the XDP program, once per packet of a service that may go the short way
 *   absent   cannot be
 *   full     cannot be; flows that share a slot are looked up in flows
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1 << RECENT_BITS);
	__type(key, __u32);
	__type(value, struct recent);
} recents SEC(".maps");

/* The words of a tuple. */
static __always_inline const __u64 *tuple_words(const struct sl_tuple *tuple)
{
	return (const __u64 *)tuple;
}

#define TUPLE_WORDS (sizeof(struct sl_tuple) / sizeof(__u64))

/* Fast rather than good: flows that share a slot cost time, and nothing else. */
static __always_inline struct recent *recent_slot(const struct sl_tuple *tuple)
{
	const __u64 *words = tuple_words(tuple);
	__u64 mixed = (words[0] ^ words[1] ^ words[4] * SL_MIX_B) + (words[2] ^ words[3]);
	__u32 slot = (__u32)(mixed * SL_MIX_A >> (64 - RECENT_BITS));

	return bpf_map_lookup_elem(&recents, &slot);
}

static __always_inline bool recent_is(const struct recent *recent, const struct sl_tuple *tuple)
{
	const __u64 *a = tuple_words(&recent->tuple), *b = tuple_words(tuple);

	return a[4] == b[4] && a[3] == b[3] && a[1] == b[1] && a[0] == b[0] && a[2] == b[2];
}

/* The flow is to be looked up again. */
static __always_inline void recent_forget(const struct sl_tuple *tuple)
{
	struct recent *recent = recent_slot(tuple);

	if (recent)
		recent->uses = RECENT_USES;
}

static __always_inline void key_copy(struct sl_target_key *to, const struct sl_target_key *from)
{
	addr_copy(to->addr, from->addr);
	*(__u32 *)&to->port = *(const __u32 *)&from->port;
}

/* Keep what belongs to recent->flow. False: its packets have to take the long way. */
static __always_inline bool recent_complete(struct recent *recent)
{
	__u32 endpoint = recent->flow.endpoint, id = recent->flow.service;
	const struct sl_endpoint_name *name = bpf_map_lookup_elem(&endpoint_names, &endpoint);
	const struct sl_service *service = bpf_map_lookup_elem(&services, &id);

	/* Of one that was redirected, the endpoint says where to; see flow_destination(). */
	if (!name || !service || !service->key.port || !flow_is_of(&recent->flow, name) ||
	    !!recent->flow.port != (service->method == SL_METHOD_NAT))
		return false;
	recent->method = service->method;
	if (recent->flow.kind == SL_FLOW_TO_CLIENT) {
		key_copy(&recent->other, &service->key);
		return true;
	}
	key_copy(&recent->other, &name->key);
	addr_copy(recent->source, name->source);
	return service->method != SL_METHOD_IPIP || name_has_source(name);
}

/*
 * Look the flow up, and keep what is found in its slot. False: the short way is not for it. A
 * global function, which the verifier checks once.
 */
__noinline int recent_look_up(const struct sl_tuple *tuple)
{
	struct sl_tuple key; /* a key must be on our own stack, for kernels like 6.1 */
	const struct sl_meta *m = meta_get();
	struct recent *recent;
	struct sl_flow *flow;

	if (!tuple || !m)
		return false; /* for the verifier */
	key = *tuple;
	recent = recent_slot(&key);
	if (!recent)
		return false; /* cannot be */
	recent->uses = RECENT_USES;
	flow = bpf_map_lookup_elem(&flows, &key);
	if (!flow)
		return false;
	flow_touch(flow, m);
	recent->tuple = key;
	recent->flow = *flow;
	if (!recent_complete(recent))
		return false;
	recent->uses = 0;
	return true;
}

/* A tuple that is kept in registers, in memory. */
static __always_inline void tuple_copy(struct sl_tuple *to, const struct sl_tuple *from)
{
	addr_copy(to->saddr, from->saddr);
	addr_copy(to->daddr, from->daddr);
	*(__u64 *)&to->sport = *(const __u64 *)&from->sport;
}

/* Whether the flow with this tuple, which a SYN has, is known. */
static __always_inline bool recent_is_known(const struct sl_tuple *tuple)
{
	struct sl_tuple key;

	tuple_copy(&key, tuple);
	recent_forget(tuple);
	return bpf_map_lookup_elem(&flows, &key);
}

/* What is known of the flow of a packet with this tuple; NULL: the short way is not for it. */
static __always_inline const struct recent *recent_flow(const struct sl_tuple *tuple,
							const struct sl_meta *m)
{
	struct recent *recent = recent_slot(tuple);
	struct sl_tuple key;

	if (!recent)
		return NULL; /* cannot be */
	if (likely(recent->uses < RECENT_USES) && likely(recent_is(recent, tuple)) &&
	    likely(recent->flow.seen_s == *(const volatile __u32 *)&m->now_s)) {
		recent->uses++;
	} else {
		tuple_copy(&key, tuple);
		if (!recent_look_up(&key))
			return NULL;
	}
	return recent;
}

#endif
