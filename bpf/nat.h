/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nat - flows that are translated: opening them, and moving them out of half_open.
 *
 * A flow's source port towards the endpoint is taken by entering the other direction's key, which
 * only one can do. All that a spoofed flood can fill is half_open: a flow leaves it when its client
 * proves that it is there, by acknowledging what the endpoint has sent, or with a datagram after
 * the endpoint's answer.
 */
#ifndef SLUICE_BPF_NAT_H
#define SLUICE_BPF_NAT_H

#include "flow.h"

/* Tries to find a port; how many of them come before each degree of pressing. */
#define NAT_PORT_TRIES 16
#define NAT_POLITE_TRIES 2
#define NAT_CLOSED_TRIES 4
#define IS_THERE (-17) /* -EEXIST of bpf_map_update_elem() with BPF_NOEXIST */

enum port_try { PORT_TAKEN, PORT_BUSY, PORT_NO_STATE };

/* Whose port may be taken before its time. */
enum press { PRESS_NOBODY, PRESS_CLOSED, PRESS_HALF_OPEN };

/* Whether the flow that holds a port, by its TO_CLIENT entry, is that of the packet. */
static __always_inline bool holder_is_ours(const struct flight *f, const struct sl_flow *holder)
{
	return holder->port == f->in.sport && holder->service == f->service &&
	       holder->answer == f->original && addr_equals(holder->addr, f->in.saddr);
}

/*
 * The client's entry of the flow that holds the port, by f->partner; NULL: it is gone, and what is there is
 * another flow's, that the client has opened from the same port.
 */
static __always_inline const struct sl_flow *holder_partner(const struct flight *f,
							    const struct sl_flow *holder)
{
	const struct sl_flow *partner = bpf_map_lookup_elem(&flows, &f->partner);

	if (!partner)
		partner = bpf_map_lookup_elem(&half_open, &f->partner);
	if (!partner || partner->port != f->out.sport || partner->endpoint != holder->endpoint)
		return NULL;
	return partner;
}

/*
 * May the port of f->key be taken over from its holder? Then f->partner is the key of the holder's
 * other entry.
 */
static __always_inline bool holder_may_go(struct flight *f, const struct sl_flow *holder,
					  bool is_half_open, const struct sl_meta *m)
{
	bool is_closed = f->press >= PRESS_CLOSED && flow_is_closed(holder);
	__u32 timeout = is_closed ? 0 : flow_timeout_s(holder, f->key.proto, is_half_open, m);
	__u32 now = f->flow.seen_s, id = holder->service;
	const struct sl_target_key *destination;
	const struct sl_service *service;
	const struct sl_flow *partner;

	service = bpf_map_lookup_elem(&services, &id);
	if (!service)
		return true;
	destination = flow_destination(holder, service);
	if (!destination)
		return true;
	key_of_request(&f->partner, holder, destination);
	if (holder_is_ours(f, holder) || (is_half_open && f->press == PRESS_HALF_OPEN))
		return true;
	if (now - holder->seen_s <= timeout)
		return false;
	partner = holder_partner(f, holder);
	return !partner || now - partner->seen_s > timeout;
}

/* Forget the client's entry of the flow that holds the port of f->key. */
static __always_inline void holder_forget_partner(struct flight *f, const struct sl_flow *holder)
{
	if (holder_partner(f, holder))
		flow_delete(f, &f->partner);
}

/*
 * Try to take the port of f->key for the entry f->flow. A holder found in flows is the truth; in
 * half_open, entries of flows that have moved linger. Whether the port is free is found out by looking: to
 * try to enter what is there already costs several times as much, and under a flood most ports are taken.
 */
__noinline int nat_take_port(void)
{
	struct flight *f = flight_get();
	const struct sl_meta *m = meta_get();
	const struct sl_flow *holder;
	int r; /* before 6.4 only so much of it is defined */

	if (!f || !m)
		return PORT_NO_STATE;
	holder = bpf_map_lookup_elem(&flows, &f->key);
	if (holder) {
		if (!holder_may_go(f, holder, false, m))
			return PORT_BUSY;
		holder_forget_partner(f, holder);
		flow_delete(f, &f->key);
	}
	holder = bpf_map_lookup_elem(&half_open, &f->key);
	if (holder) {
		/* Another CPU may just have moved it. */
		if (!holder_may_go(f, holder, true, m) || bpf_map_lookup_elem(&flows, &f->key))
			return PORT_BUSY;
		holder_forget_partner(f, holder);
		bpf_map_delete_elem(&half_open, &f->key);
	}
	r = flow_enter(&half_open, &f->key, &f->flow, BPF_NOEXIST);
	if (r == IS_THERE)
		return PORT_BUSY; /* another CPU was faster */
	return r ? PORT_NO_STATE : PORT_TAKEN;
}

/* Where the endpoint shall see the flow come from: f->out.saddr. False: nobody told us. */
static __always_inline bool nat_source(struct flight *f, const struct sl_service *service,
				       const struct sl_endpoint_name *name)
{
	const __u8 *source = service->flags & SL_SERVICE_SOURCE_NAT ? name->source : f->in.saddr;

	if (addr_is_zero(source) || addr_is_v4(source) == f->v6 ||
	    addr_is_v4(name->key.addr) == f->v6)
		return false;
	addr_copy(f->out.saddr, source);
	return true;
}

/*
 * Choose and take a port; f->flow is the TO_CLIENT entry. Returns the decision if there is none.
 *
 * When the first that are tried are busy, ports are taken before their time. First those of closed flows,
 * at worst from an endpoint that still remembers the last one, so that the client has to repeat its
 * SYN. Where they are busy as well, those of flows that are half open: a flood displaces ports as it
 * displaces entries, by chance, instead of holding all of them; but nobody else may do that, since such a
 * flow's client may believe it to be open.
 */
static __always_inline enum sl_decision nat_choose_port(struct flight *f,
							const struct sl_service *service,
							const struct sl_target_key *endpoint,
							const struct sl_meta *m)
{
	__u32 low = m->port_low, n = m->port_high - low + 1;
	__u64 hash = sl_flow_hash(&f->in);

	if (m->port_high < low)
		return SL_DROP_NO_PORT;
	for (int i = 0; i < NAT_PORT_TRIES; i++) {
		bool keep = !i && !(service->flags & SL_SERVICE_SOURCE_NAT);
		int r;

		hash = sl_next_hash(hash);
		f->press = i < NAT_POLITE_TRIES   ? PRESS_NOBODY
			   : i < NAT_CLOSED_TRIES ? PRESS_CLOSED
						  : PRESS_HALF_OPEN;
		f->out.sport = keep ? f->in.sport : low + sl_slot(hash, n);
		key_of_reply(&f->key, endpoint, f->out.saddr, f->out.sport);
		r = nat_take_port();
		if (r == PORT_TAKEN)
			return SL_FORWARD_NAT;
		if (r != PORT_BUSY)
			return SL_DROP_NO_STATE;
	}
	return SL_DROP_NO_PORT;
}

/* Open a flow to f->endpoint. */
static __always_inline enum sl_decision nat_open(struct flight *f, const struct sl_service *service,
						 const struct sl_endpoint_name *name,
						 struct sl_meta *m)
{
	enum sl_decision decision;

	if (!nat_source(f, service, name))
		return SL_DROP_NO_ROUTE;
	if (f->observe)
		return SL_FORWARD_NAT;

	flow_begin(f, name, m, SL_FLOW_TO_CLIENT, 0);
	f->flow.port = f->in.sport;
	f->flow.answer = f->original;
	addr_copy(f->flow.addr, f->in.saddr);
	decision = nat_choose_port(f, service, &name->key, m);
	if (decision != SL_FORWARD_NAT)
		return decision;

	f->flow.kind = SL_FLOW_TO_ENDPOINT;
	f->flow.port = f->out.sport;
	f->flow.answer = 0;
	addr_copy(f->flow.addr, f->out.saddr);
	if (!flow_enter(&half_open, &f->in, &f->flow, BPF_ANY))
		return SL_FORWARD_NAT;
	flow_delete(f, &f->key);
	return SL_DROP_NO_STATE;
}

/* Does this packet prove that its sender receives what the endpoint sends to it? */
static __always_inline bool nat_is_proof(const struct flight *f, const struct sl_flow *flow)
{
	if (!(flow->state & SL_FLOW_ANSWERED))
		return false;
	return !flight_is_tcp(f) ||
	       ((f->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_ACK && f->ack == flow->answer);
}

/*
 * Move a flow out of half_open. Of the two entries there the one for replies stays, until it is
 * forgotten as the least used: a reply on another CPU may just have missed it in flows.
 */
static __always_inline void nat_promote(struct flight *f, const struct sl_flow *to_endpoint,
					const struct sl_endpoint_name *name)
{
	f->flow = *to_endpoint;
	f->flow.answer = 0;
	key_of_reply(&f->key, &name->key, f->flow.addr, f->flow.port);
	if (flow_enter(&flows, &f->in, &f->flow, BPF_ANY))
		return;
	f->flow.kind = SL_FLOW_TO_CLIENT;
	f->flow.answer = f->original;
	f->flow.port = f->in.sport;
	addr_copy(f->flow.addr, f->in.saddr);
	if (flow_enter(&flows, &f->key, &f->flow, BPF_ANY)) {
		bpf_map_delete_elem(&flows, &f->in);
		return;
	}
	bpf_map_delete_elem(&half_open, &f->in);
}

/* The other entry of a flow, by f->key. */
static __always_inline struct sl_flow *nat_other(const struct flight *f)
{
	struct sl_flow *other = bpf_map_lookup_elem(&flows, &f->key);

	return other ?: bpf_map_lookup_elem(&half_open, &f->key);
}

#endif
