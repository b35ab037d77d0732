/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forward - from a packet of a service to where it goes, in every program.
 *
 * Decides, keeps the flows, and leaves in struct flight what the packet shall become. The front
 * ends find the route, write the packet and send it.
 */
#ifndef SLUICE_BPF_FORWARD_H
#define SLUICE_BPF_FORWARD_H

#include "nat.h"

#define TTL_SPENT 1 /* a packet that comes with no more than that goes nowhere */

/* No decisions: the packet is none of a service; it is to be treated as one to f->service. */
#define FORWARD_NOT_OURS (-1)
#define FORWARD_TO_SERVICE (-2)

/* Everything that the decision about a packet to a service is made from. */
struct request_to {
	struct sl_meta *m;
	const struct sl_service *service;
	struct sl_service_stats *stats;
};

static __always_inline enum sl_decision forward_decision(const struct sl_service *service)
{
	switch (service->method) {
	case SL_METHOD_NAT:
		return SL_FORWARD_NAT;
	case SL_METHOD_DSR:
		return SL_FORWARD_DSR;
	default:
		return SL_FORWARD_IPIP;
	}
}

static __always_inline void forward_count_endpoint(const struct flight *f)
{
	__u32 id = f->endpoint;
	struct sl_endpoint_stats *stats = bpf_map_lookup_elem(&endpoint_stats, &id);

	if (!stats)
		return;
	stats->packets++;
	stats->bytes += f->frame_len;
	if (flight_is_syn(f))
		stats->syn++;
}

/* Describe the way to f->endpoint of a packet in a tunnel. */
static __always_inline enum sl_decision forward_in_tunnel(struct flight *f,
							  const struct sl_endpoint_name *name)
{
	addr_copy(f->out.daddr, name->key.addr);
	if (!name_has_source(name))
		return SL_DROP_NO_ROUTE;
	addr_copy(f->out.saddr, name->source);
	f->rewrite = REWRITE_TUNNEL;
	return SL_FORWARD_IPIP;
}

/* Describe the way to f->endpoint of a packet that is not translated. */
static __always_inline enum sl_decision forward_as_is(struct flight *f,
						      const struct sl_service *service,
						      const struct sl_endpoint_name *name)
{
	if (service->method == SL_METHOD_IPIP)
		return forward_in_tunnel(f, name);
	addr_copy(f->out.daddr, name->key.addr);
	return SL_FORWARD_DSR;
}

/* Describe the way to f->endpoint of a translated packet; its source is in f->out already. */
static __always_inline void forward_translated(struct flight *f,
					       const struct sl_endpoint_name *name)
{
	addr_copy(f->out.daddr, name->key.addr);
	f->out.dport = name->key.port;
	f->rewrite = REWRITE_NAT;
}

static __always_inline enum sl_decision forward_none(const struct flight *f,
						     const struct request_to *to)
{
	to->stats->none++;
	switch (to->service->none) {
	case SL_ACTION_REJECT:
		if (f->tcp_flags & TCP_RST)
			return SL_DROP_NO_REPLY;
		return flight_is_tcp(f) ? SL_REJECT_TCP : SL_REJECT_UDP;
	case SL_ACTION_DROP:
		return SL_DROP_SERVICE;
	default:
		return SL_PASS_SERVICE;
	}
}

/* Enter the flow of a packet that is not translated, unless too many were entered lately. */
static __always_inline void forward_enter(struct flight *f, const struct sl_endpoint_name *name,
					  struct sl_meta *m)
{
	if (f->observe || !flow_may_enter(m))
		return;
	flow_begin(f, name, m, SL_FLOW_TO_ENDPOINT, flight_ends(f, SL_FLOW_FIN_CLIENT));
	flow_enter(&flows, &f->in, &f->flow, BPF_ANY);
}

/* The first packet after the SYN, of a flow that is not translated: its client was answered. */
static __always_inline void forward_begin(struct flight *f, const struct sl_endpoint_name *name,
					  struct sl_meta *m)
{
	const __u64 *peer = (const __u64 *)f->in.saddr;

	if (attempt_slots && flight_is_tcp(f) && !f->observe)
		watch_went_on(peer[0], peer[1], (__u64)f->in.sport << 32 | f->endpoint);
	forward_enter(f, name, m);
}

static __always_inline void forward_note(const struct flight *f,
					 const struct sl_endpoint_name *name)
{
	if (!f->observe)
		handshake_note(sl_flow_hash(&f->in), f->service, f->endpoint, name->generation);
}

/*
 * Send a packet of a flow that is not known, but whose SYN is, after that: what the selection says may
 * have changed since. f->endpoint; or false.
 */
static __always_inline bool forward_resume(struct flight *f, const struct request_to *to)
{
	struct sl_handshake handshake = handshake_find(sl_flow_hash(&f->in), f->service);
	const struct sl_endpoint_name *name;
	struct sl_word word;
	__u32 id = handshake.endpoint;

	if (!handshake.tag)
		return false;
	name = bpf_map_lookup_elem(&endpoint_names, &id);
	if (!name || (__u16)name->generation != handshake.generation)
		return false;
	word = endpoint_word(id);
	if (!word_is_eligible(word, to->service->flags & SL_SERVICE_ANY) &&
	    word_ends_flows(word, to->m))
		return false;
	f->endpoint = id;
	return true;
}

/* A packet of a flow that is not known. */
static __always_inline enum sl_decision forward_new(struct flight *f, const struct request_to *to)
{
	bool nat = to->service->method == SL_METHOD_NAT;
	bool opens = flight_is_syn(f) || !flight_is_tcp(f);
	const struct sl_endpoint_name *name;
	enum sl_decision decision;
	int passed_over;
	__u32 id;

	if (nat && !opens)
		return f->tcp_flags & TCP_RST ? SL_DROP_NO_REPLY : SL_REJECT_NO_FLOW;
	passed_over = !opens && forward_resume(f, to) ? 0 : select_endpoint();
	if (passed_over < 0)
		return forward_none(f, to);
	if (opens) {
		to->stats->flows++;
		to->stats->moved += passed_over > 0;
	}
	id = f->endpoint;
	name = bpf_map_lookup_elem(&endpoint_names, &id);
	if (!name)
		return SL_DROP_NO_ROUTE; /* cannot be */
	forward_count_endpoint(f);
	if (nat) {
		decision = nat_open(f, to->service, name, to->m);
		forward_translated(f, name);
		return decision;
	}
	/* Whoever sent a SYN has not proved that it is there; the flow of a RST is over. */
	if (flight_is_syn(f))
		forward_note(f, name);
	else if (!(f->tcp_flags & TCP_RST))
		forward_begin(f, name, to->m);
	return forward_as_is(f, to->service, name);
}

/* Forget the flow of a packet from the client. */
static __always_inline void forward_forget(struct flight *f, const struct sl_flow *flow,
					   const struct sl_endpoint_name *name)
{
	if (flow->port) {
		key_of_reply(&f->key, &name->key, flow->addr, flow->port);
		flow_delete(f, &f->key);
	}
	flow_delete(f, &f->in);
	f->half_open = false;
}

/* Note what a packet from the client changes in its flow. */
static __always_inline void forward_follow(struct flight *f, struct sl_flow *flow,
					   const struct sl_endpoint_name *name,
					   const struct sl_meta *m)
{
	struct sl_flow *other;

	if (f->observe)
		return;
	flow_touch(flow, m);
	if (unlikely(flow_mark(flow, flight_ends(f, SL_FLOW_FIN_CLIENT)) && flow->port)) {
		key_of_reply(&f->key, &name->key, flow->addr, flow->port);
		other = nat_other(f);
		if (other)
			other->state = flow->state;
	}
	if (unlikely(f->half_open && nat_is_proof(f, flow)))
		nat_promote(f, flow, name);
}

static __always_inline enum sl_decision forward_known(struct flight *f, struct sl_flow *flow,
						      const struct sl_endpoint_name *name,
						      const struct request_to *to)
{
	forward_count_endpoint(f);
	if (!flow->port) {
		forward_follow(f, flow, name, to->m);
		return forward_as_is(f, to->service, name);
	}
	addr_copy(f->out.saddr, flow->addr);
	f->out.sport = flow->port;
	forward_translated(f, name);
	forward_follow(f, flow, name, to->m);
	return SL_FORWARD_NAT;
}

/* Whether the flow is one of this service, the way the service works now. */
static __always_inline bool forward_is_ours(const struct flight *f, const struct sl_flow *flow,
					    const struct sl_service *service)
{
	return flow->kind == SL_FLOW_TO_ENDPOINT && flow->service == f->service &&
	       !!flow->port == (service->method == SL_METHOD_NAT);
}

/*
 * Whether a packet comes in the middle of a connection to somebody who is no endpoint any more. Another endpoint knows
 * nothing of it; or worse, has one of the same client's and port left over, and answers that it expects other bytes.
 */
static __always_inline bool forward_is_to_nobody(const struct flight *f, const struct sl_flow *flow,
						 const struct sl_endpoint_name *name,
						 const struct sl_service *service)
{
	return flight_is_tcp(f) && !flight_is_syn(f) && forward_is_ours(f, flow, service) &&
	       flow_is_older(flow, name);
}

static __always_inline enum sl_decision forward_request(struct flight *f,
							const struct request_to *to)
{
	struct sl_flow *flow = flow_lookup(f, to->service->method == SL_METHOD_NAT);
	const struct sl_endpoint_name *name;
	enum fate fate = FATE_GONE;
	bool to_nobody;
	__u32 id;

	if (!flow)
		return forward_new(f, to);
	id = flow->endpoint;
	name = bpf_map_lookup_elem(&endpoint_names, &id);
	if (!name)
		return SL_DROP_NO_ROUTE; /* cannot be */
	if (likely(forward_is_ours(f, flow, to->service) && flow_is_of(flow, name)))
		fate = flow_fate(f, flow, endpoint_word(id), to->service, to->m);
	if (likely(fate == FATE_LIVE)) {
		f->endpoint = id;
		return forward_known(f, flow, name, to);
	}

	to_nobody = forward_is_to_nobody(f, flow, name, to->service);
	forward_forget(f, flow, name);
	if (to_nobody)
		return f->tcp_flags & TCP_RST ? SL_DROP_NO_REPLY : SL_REJECT_NO_FLOW;
	if (fate == FATE_GONE)
		return forward_new(f, to);
	f->endpoint = id;
	forward_count_endpoint(f);
	return SL_RESET;
}

/* Decide about a packet to the service f->service. */
__noinline int forward_to_service(void)
{
	struct flight *f = flight_get();
	struct request_to to = { .m = (struct sl_meta *)meta_get() };
	__u32 id;

	if (!f || !to.m)
		return SL_PASS_UNPARSED; /* cannot be */
	id = f->service;
	to.service = bpf_map_lookup_elem(&services, &id);
	to.stats = bpf_map_lookup_elem(&service_stats, &id);
	if (!to.service || !to.stats)
		return SL_PASS_UNPARSED; /* cannot be */

	f->observe = to.m->mode != SL_MODE_ENFORCE;
	to.stats->packets++;
	to.stats->bytes += f->frame_len;
	if (f->ttl <= TTL_SPENT)
		return SL_DROP_TTL;
	return forward_request(f, &to);
}

/* The endpoint's answer to what opened the flow: what the client has to show to be believed. */
static __always_inline void reply_answer(struct flight *f)
{
	struct sl_flow *request;

	if (flight_is_tcp(f) && (f->tcp_flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK))
		return;
	request = bpf_map_lookup_elem(&half_open, &f->key);
	if (!request)
		return;
	request->answer = f->seq + 1;
	request->state |= SL_FLOW_ANSWERED;
}

/* Note what a packet from the endpoint changes in its flow; f->key is the client's. */
static __always_inline void reply_follow(struct flight *f, struct sl_flow *flow,
					 const struct sl_meta *m)
{
	struct sl_flow *other;

	if (f->observe)
		return;
	flow_touch(flow, m);
	if (unlikely(flow_mark(flow, flight_ends(f, SL_FLOW_FIN_ENDPOINT)))) {
		other = nat_other(f);
		if (other)
			other->state |= flow->state;
	}
	if (unlikely(f->half_open))
		reply_answer(f);
}

/*
 * The endpoint's time is over: its packet becomes the RST that tells the client, who may be waiting for data
 * and not say a word. The endpoint itself is refused when it speaks again, as nobody knows the flow.
 */
static __always_inline enum sl_decision reply_reset(struct flight *f)
{
	__u32 id = f->endpoint;
	struct sl_endpoint_stats *stats = bpf_map_lookup_elem(&endpoint_stats, &id);

	flow_delete(f, &f->key);
	flow_delete(f, &f->in);
	if (stats)
		stats->reset++;
	f->segment_len = f->header_len + sizeof(struct tcphdr);
	return SL_FORWARD_RESET;
}

/* Whether open flows end with this packet; those of UDP have no end. */
static __always_inline bool reply_is_too_late(const struct flight *f, const struct sl_flow *flow,
					      const struct sl_service *service,
					      const struct sl_meta *m)
{
	return flight_is_tcp(f) &&
	       flow_fate(f, flow, endpoint_word(flow->endpoint), service, m) == FATE_RESET;
}

static __always_inline void reply_count(const struct flight *f, struct sl_service_stats *stats)
{
	__u32 id = f->endpoint;
	struct sl_endpoint_stats *endpoint = bpf_map_lookup_elem(&endpoint_stats, &id);

	stats->replies++;
	stats->reply_bytes += f->frame_len;
	if (!endpoint)
		return;
	endpoint->replies++;
	endpoint->reply_bytes += f->frame_len;
}

/* Fill in what a packet has that goes back to the flow's client. False: nobody knows whom he talks to. */
static __always_inline bool reply_aim(struct flight *f, const struct sl_flow *flow,
				      const struct sl_service *service)
{
	const struct sl_target_key *destination = flow_destination(flow, service);

	if (!destination)
		return false;
	f->service = flow->service;
	key_of_request(&f->key, flow, destination);
	addr_copy(f->out.saddr, destination->addr);
	addr_copy(f->out.daddr, flow->addr);
	f->out.sport = destination->port;
	f->out.dport = flow->port;
	f->rewrite = REWRITE_NAT;
	return true;
}

static __always_inline int reply_forward(struct flight *f, struct sl_flow *flow,
					 const struct sl_service *service,
					 struct sl_service_stats *stats, const struct sl_meta *m)
{
	f->endpoint = flow->endpoint;
	if (!reply_aim(f, flow, service))
		return FORWARD_NOT_OURS;
	reply_count(f, stats);
	if (f->ttl <= TTL_SPENT)
		return SL_DROP_TTL;
	if (unlikely(reply_is_too_late(f, flow, service, m)))
		return reply_reset(f);
	reply_follow(f, flow, m);
	return SL_FORWARD_REPLY;
}

/*
 * What is said by somebody who is no endpoint any more, to a client who may have waited for it all the time that the
 * endpoint had to go. Without a client that can be told, this host's stack refuses it. A flow that is newer than
 * these maps is one of the maps that are about to replace them, and of somebody whom only they know.
 */
static __always_inline int reply_of_nobody(struct flight *f, const struct sl_flow *flow,
					   const struct sl_endpoint_name *name,
					   const struct sl_service *service)
{
	if (!flight_is_tcp(f) || !flow_is_older(flow, name) || !reply_aim(f, flow, service))
		return FORWARD_NOT_OURS;
	if (f->ttl <= TTL_SPENT)
		return SL_DROP_TTL;
	return reply_reset(f);
}

/* Decide about what may be an endpoint's reply, or return FORWARD_NOT_OURS. */
__noinline int forward_reply(void)
{
	struct flight *f = flight_get();
	const struct sl_meta *m = meta_get();
	const struct sl_endpoint_name *name;
	const struct sl_service *service;
	struct sl_service_stats *stats;
	struct sl_flow *flow;
	__u32 id;

	if (!f || !m)
		return FORWARD_NOT_OURS;
	flow = bpf_map_lookup_elem(&flows, &f->in);
	if (!flow) {
		flow = bpf_map_lookup_elem(&half_open, &f->in);
		f->half_open = true;
	}
	if (!flow || flow->kind != SL_FLOW_TO_CLIENT)
		return FORWARD_NOT_OURS;

	id = flow->endpoint;
	name = bpf_map_lookup_elem(&endpoint_names, &id);
	id = flow->service;
	service = bpf_map_lookup_elem(&services, &id);
	stats = bpf_map_lookup_elem(&service_stats, &id);
	if (!name || !service || !stats)
		return FORWARD_NOT_OURS; /* cannot be */
	f->observe = m->mode != SL_MODE_ENFORCE;
	if (unlikely(!flow_is_of(flow, name)))
		return reply_of_nobody(f, flow, name, service);
	return reply_forward(f, flow, service, stats, m);
}

/* The gate's judgement about a packet that belongs to no flow that was redirected. */
static __always_inline enum sl_decision redirect_judge(const struct flight *f, struct sl_word word,
						       const struct sl_meta *m)
{
	bool new_flow = flight_is_syn(f) || !flight_is_tcp(f);

	if (word.admin == SL_ENABLED && word.health == SL_UNKNOWN)
		return SL_PASS_UNKNOWN;
	if (word.admin == SL_ENABLED && word.health == SL_UNHEALTHY && word.flags & SL_WORD_FORCED)
		return SL_PASS_FORCED;
	if (word.admin == SL_ENABLED && word.health == SL_HEALTHY)
		return SL_PASS_HEALTHY;
	if (!new_flow && (f->tcp_flags & TCP_RST || word_keeps_flows(word)))
		return SL_PASS_ESTABLISHED;
	if (daemon_is_lost(m))
		return SL_PASS_DAEMON_LOST;
	return new_flow ? SL_FORWARD_REDIRECT : SL_RESET;
}

/*
 * The flow that was redirected, if the packet belongs to one. One that is over is forgotten, or
 * packets of the next one would go its way; UDP's are when they have been idle for long enough.
 */
static __always_inline bool redirect_is_known(struct flight *f, const struct sl_meta *m)
{
	const struct sl_flow *flow = flow_lookup(f, true);
	const struct sl_endpoint_name *name;
	bool over;
	__u32 id;

	if (!flow || flow->kind != SL_FLOW_TO_ENDPOINT || !flow->port)
		return false;
	over = flight_is_tcp(f) ? flight_is_syn(f) && flow_is_closed(flow)
				: m->now_s - flow->seen_s > m->idle_udp_s;
	if (likely(!over)) {
		f->service = flow->service;
		return true;
	}
	id = flow->endpoint;
	name = bpf_map_lookup_elem(&endpoint_names, &id);
	if (name)
		forward_forget(f, flow, name);
	return false;
}

/*
 * Decide about a packet to an endpoint whose new flows go to another of its pool while its gate is
 * closed; or return FORWARD_TO_SERVICE. A flow that was redirected stays with the other one whatever
 * becomes of the gate.
 */
__noinline int forward_redirected(void)
{
	struct flight *f = flight_get();
	const struct sl_meta *m = meta_get();
	const struct sl_endpoint_name *name;
	enum sl_decision decision;
	__u32 id;

	if (!f || !m)
		return SL_PASS_UNPARSED; /* cannot be */
	id = f->service;
	name = bpf_map_lookup_elem(&endpoint_names, &id);
	if (!name)
		return SL_PASS_UNPARSED; /* cannot be */
	f->observe = m->mode != SL_MODE_ENFORCE;
	f->original = f->endpoint = id;
	if (!redirect_is_known(f, m)) {
		decision = redirect_judge(f, endpoint_word(id), m);
		if (decision != SL_FORWARD_REDIRECT)
			return decision;
		if (name->service == SL_ID_NONE)
			return SL_PASS_POLICY;
		f->service = name->service;
	}
	f->endpoint = SL_ID_NONE;
	return FORWARD_TO_SERVICE;
}

#endif
