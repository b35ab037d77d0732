/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forward_icmp - ICMP errors about packets of a service's flows.
 *
 * The quoted packet names the flow. An error about what was sent to an endpoint goes on to the
 * client, one about what an endpoint sent goes on to that; of a flow that is translated, so is the
 * quoted packet, or nobody would know it. Without them, paths with a small MTU are dead ends.
 */
#ifndef SLUICE_BPF_FORWARD_ICMP_H
#define SLUICE_BPF_FORWARD_ICMP_H

#include "forward.h"

static __always_inline void tuple_reverse(struct sl_tuple *to, const struct sl_tuple *from)
{
	addr_copy(to->saddr, from->daddr);
	addr_copy(to->daddr, from->saddr);
	tuple_set_ports(to, from->dport, from->sport, from->proto);
}

/* The flow that f->key is an entry's key of, if it is of that kind. */
static __always_inline const struct sl_flow *icmp_flow(const struct flight *f,
						       enum sl_flow_kind kind)
{
	const struct sl_flow *flow = bpf_map_lookup_elem(&flows, &f->key);

	if (!flow)
		flow = bpf_map_lookup_elem(&half_open, &f->key);
	return flow && flow->kind == kind ? flow : NULL;
}

static __always_inline const struct sl_endpoint_name *icmp_endpoint(const struct sl_flow *flow)
{
	__u32 id = flow->endpoint;
	const struct sl_endpoint_name *name = bpf_map_lookup_elem(&endpoint_names, &id);

	return name && flow_is_of(flow, name) ? name : NULL;
}

static __always_inline void icmp_count(const struct flight *f)
{
	__u32 id = f->endpoint;
	struct sl_endpoint_stats *stats = bpf_map_lookup_elem(&endpoint_stats, &id);

	const __u64 *peer = (const __u64 *)f->quoted.saddr;

	if (stats)
		stats->icmp_errors++;
	if (attempt_slots)
		watch_icmp(peer[0], peer[1], (__u64)f->quoted.sport << 32 | id,
			   (__u64)f->icmp_says << 32 | f->seq);
}

/* About a packet to an endpoint: the quoted one, turned round, is one from the endpoint. */
static __always_inline int icmp_to_client(struct flight *f)
{
	const struct sl_flow *flow = icmp_flow(f, SL_FLOW_TO_CLIENT);
	const struct sl_endpoint_name *name;
	const struct sl_target_key *destination;
	const struct sl_service *service;
	__u32 id;

	if (!flow)
		return FORWARD_NOT_OURS;
	id = flow->service;
	service = bpf_map_lookup_elem(&services, &id);
	name = icmp_endpoint(flow);
	if (!service || !name)
		return FORWARD_NOT_OURS;
	destination = flow_destination(flow, service);
	if (!destination)
		return FORWARD_NOT_OURS;

	f->service = id;
	f->endpoint = flow->endpoint;
	/* A router on the way speaks for itself, the endpoint for whom it stands in for. */
	addr_copy(f->out.saddr,
		  addr_equals(f->in.saddr, name->key.addr) ? destination->addr : f->in.saddr);
	addr_copy(f->out.daddr, flow->addr);
	key_of_request(&f->requoted, flow, destination);
	f->rewrite = REWRITE_ICMP;
	icmp_count(f);
	return SL_FORWARD_ICMP;
}

static __always_inline int icmp_translate(struct flight *f, const struct sl_flow *flow)
{
	const struct sl_endpoint_name *name = icmp_endpoint(flow);

	if (!name)
		return FORWARD_NOT_OURS;
	f->endpoint = flow->endpoint;
	addr_copy(f->out.saddr,
		  addr_equals(f->in.saddr, f->quoted.daddr) ? flow->addr : f->in.saddr);
	addr_copy(f->out.daddr, name->key.addr);
	key_of_reply(&f->requoted, &name->key, flow->addr, flow->port);
	f->rewrite = REWRITE_ICMP;
	return SL_FORWARD_ICMP;
}

/* Choose the endpoint that the flow of the quoted packet is placed on. */
static __always_inline bool icmp_select(struct flight *f)
{
	struct sl_tuple *in = &f->in, *kept = &f->partner;
	int passed_over;

	addr_copy(kept->saddr, in->saddr);
	addr_copy(kept->daddr, in->daddr);
	tuple_reverse(in, &f->quoted);
	passed_over = select_endpoint();
	addr_copy(in->saddr, kept->saddr);
	addr_copy(in->daddr, kept->daddr);
	tuple_set_ports(in, 0, 0, f->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	return passed_over >= 0;
}

static __always_inline int icmp_as_is(struct flight *f, const struct sl_flow *flow,
				      const struct sl_service *service)
{
	const struct sl_endpoint_name *name = flow ? icmp_endpoint(flow) : NULL;
	__u32 id;

	if (name)
		f->endpoint = flow->endpoint;
	else if (!icmp_select(f))
		return FORWARD_NOT_OURS;
	id = f->endpoint;
	name = bpf_map_lookup_elem(&endpoint_names, &id);
	if (!name)
		return FORWARD_NOT_OURS; /* cannot be */
	return forward_as_is(f, service, name) == SL_DROP_NO_ROUTE ? SL_DROP_NO_ROUTE
								   : SL_FORWARD_ICMP;
}

/* About a packet to a client: the quoted one, turned round, is one to the service. */
static __always_inline int icmp_to_endpoint(struct flight *f)
{
	struct sl_target_key key __attribute__((aligned(8)));
	const struct sl_service *service;
	const struct sl_flow *flow;
	struct sl_target found;

	flow = icmp_flow(f, SL_FLOW_TO_ENDPOINT);
	if (flow && flow->port) {
		f->service = flow->service;
		return icmp_translate(f, flow);
	}
	addr_copy(key.addr, f->quoted.saddr);
	key_set_port(&key, bpf_htons(f->quoted.sport), f->quoted.proto);
	found = target_lookup(&key);
	if (found.kind != SL_TARGET_SERVICE)
		return FORWARD_NOT_OURS;
	service = bpf_map_lookup_elem(&services, &found.id);
	if (!service || service->method == SL_METHOD_NAT)
		return FORWARD_NOT_OURS;
	f->service = found.id;
	return icmp_as_is(f, flow, service);
}

/* Decide about an ICMP error, or return FORWARD_NOT_OURS. */
__noinline int forward_icmp(void)
{
	struct flight *f = flight_get();
	const struct sl_meta *m = meta_get();
	int decision;

	/* Who sent the quoted packet is told. */
	if (!f || !m || !addr_equals(f->in.daddr, f->quoted.saddr))
		return FORWARD_NOT_OURS;
	f->observe = m->mode != SL_MODE_ENFORCE;
	tuple_reverse(&f->key, &f->quoted);
	decision = icmp_to_client(f);
	if (decision == FORWARD_NOT_OURS)
		decision = icmp_to_endpoint(f);
	if (decision == SL_FORWARD_ICMP && f->ttl <= TTL_SPENT)
		return SL_DROP_TTL;
	return decision;
}

#endif
