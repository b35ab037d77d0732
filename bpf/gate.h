/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gate - is the destination one of ours, and is its gate open?
 *
 * An index and the endpoint's own key decide for nearly every packet; the hash map is looked up for
 * what shares an index slot with an endpoint and is not it.
 * The health word is read once, with one load, so that a packet sees either the old or the new
 * verdict. The clock is read only when a closed gate may have to open because the daemon is silent.
 */
#ifndef SLUICE_BPF_GATE_H
#define SLUICE_BPF_GATE_H

#include "maps.h"
#include "parse.h"

/* Of the mixed bits of a key, those above these are its slot; set by the loader with the map's size. */
const volatile __u32 index_shift = 63;

/* As many slots as handshakes has; likewise. */
const volatile __u32 handshake_slots = 1;

/* As many as attempts has; 0: what comes of attempts to connect is not watched. */
const volatile __u32 attempt_slots = 0;

/*
 * What is configured at all; set by the loader. The verifier removes what is not: the packets of
 * others shall not pay for it.
 */
const volatile bool has_services = false;
const volatile bool has_source_nat = false; /* nat that gives flows an address of this host */
const volatile bool has_plain_nat = false; /* nat that leaves them the client's */

/* An endpoint that a packet is addressed to, with its health as one packet sees it. */
struct target {
	struct sl_endpoint_stats *stats;
	struct sl_word word;
	__u32 id;
};

static __always_inline struct sl_word word_load(const __u64 *word)
{
	union {
		__u64 whole;
		struct sl_word word;
	} health = { .whole = *(const volatile __u64 *)word };

	return health.word;
}

/* Three words; the one in the map may be read while it is rewritten, and then equals nothing. */
static __always_inline bool key_equals(const struct sl_target_key *a, const struct sl_target_key *b)
{
	const __u64 *a_addr = (const __u64 *)a->addr, *b_addr = (const __u64 *)b->addr;

	return a_addr[0] == b_addr[0] && a_addr[1] == b_addr[1] &&
	       *(const __u32 *)&a->port == *(const __u32 *)&b->port;
}

/* Whether the key is that of the service with this id. */
static __always_inline bool key_is_service(const struct sl_target_key *key, __u32 id)
{
	const struct sl_service *service = bpf_map_lookup_elem(&services, &id);

	return service && key_equals(&service->key, key);
}

static __always_inline bool key_is_endpoint(const struct sl_target_key *key, __u32 id)
{
	const struct sl_endpoint_name *name = bpf_map_lookup_elem(&endpoint_names, &id);

	return name && key_equals(&name->key, key);
}

/* What the key probably is of: kind NONE is certain, and anything else has to be confirmed. */
static __always_inline struct sl_target target_guess(const struct sl_target_key *key)
{
	__u32 slot = (__u32)(sl_key_mix(key) >> index_shift);
	const __u64 *entry = bpf_map_lookup_elem(&target_index, &slot);
	union {
		__u64 whole;
		struct sl_target target;
	} index;

	if (!entry)
		return (struct sl_target){ .kind = SL_TARGET_NONE }; /* cannot be */
	index.whole = *(const volatile __u64 *)entry;
	return index.target;
}

#define TARGET_NOBODY ((struct sl_target){ .kind = SL_TARGET_NONE, .id = SL_ID_NONE })

/* What the key is of, by the guess or else by the hash map. */
static __always_inline struct sl_target target_confirm(struct sl_target guess,
						       const struct sl_target_key *key)
{
	/* A copy, so that only packets that this is done for pay for a key in memory. */
	struct sl_target_key sought __attribute__((aligned(8)));
	const struct sl_target *found;

	if (likely(guess.kind == SL_TARGET_NONE))
		return TARGET_NOBODY;
	if (likely(guess.kind != SL_TARGET_SERVICE)) {
		if (key_is_endpoint(key, guess.id))
			return guess;
	} else if (key_is_service(key, guess.id)) {
		return guess;
	}

	sought = *key;
	found = bpf_map_lookup_elem(&targets, &sought);
	return found ? *found : TARGET_NOBODY;
}

static __always_inline struct sl_target target_lookup(const struct sl_target_key *key)
{
	return target_confirm(target_guess(key), key);
}

/* Fill *ret for the endpoint ret->id. */
static __always_inline bool target_load(struct target *ret)
{
	const __u64 *word;

	word = bpf_map_lookup_elem(&endpoint_words, &ret->id);
	ret->stats = bpf_map_lookup_elem(&endpoint_stats, &ret->id);
	if (unlikely(!word || !ret->stats))
		return false;
	ret->word = word_load(word);
	return true;
}

static __always_inline bool target_find(struct target *ret, const struct sl_target_key *key)
{
	struct sl_target found = target_lookup(key);

	ret->id = found.id;
	return found.kind == SL_TARGET_ENDPOINT && target_load(ret);
}

static __always_inline const struct sl_meta *meta_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&meta, &zero);
}

/*
 * The daemon's clock is exact and ours is coarse: a heartbeat may lie a few milliseconds in our
 * future, which is not silence.
 */
static __always_inline bool daemon_is_lost(const struct sl_meta *m)
{
	__u64 now, heartbeat;

	if (m->on_daemon_loss != SL_LOSS_OPEN)
		return false;

	now = bpf_ktime_get_coarse_ns();
	heartbeat = *(const volatile __u64 *)&m->heartbeat_ns;
	return now > heartbeat && now - heartbeat > m->daemon_loss_after_ns;
}

/* Read when needed, which for the traffic of others is never. */
static __always_inline __u8 tcp_flags(const struct packet *p)
{
	return p->proto == IPPROTO_TCP ? ((const __u8 *)p->l4)[TCP_FLAGS_BYTE] : 0;
}

/* Everything that opens a flow; a SYN with RST opens nothing and must not be answered. */
static __always_inline bool is_new_flow(const struct packet *p)
{
	return p->proto == IPPROTO_UDP || (tcp_flags(p) & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/* The coarse clock, which the daemon's own second is set from as well. */
static __always_inline __u32 now_read(void)
{
	return (__u32)(bpf_ktime_get_coarse_ns() / 1000000000);
}

/* Whether the time is over that a drain gives to open flows. */
static __always_inline bool word_has_drained(struct sl_word word)
{
	return word.admin == SL_DRAINING && word.deadline_s && now_read() >= word.deadline_s;
}

/* Whether flows that are open when the gate closes go on. */
static __always_inline bool word_keeps_flows(struct sl_word word)
{
	return !(word.flags & SL_WORD_RESET || word_has_drained(word));
}

/* *ret_meta is set before any decision that is not to pass. */
static __always_inline enum sl_decision judge_closed(struct sl_word word, const struct packet *p,
						     const struct sl_meta **ret_meta)
{
	bool new_flow = is_new_flow(p);
	const struct sl_meta *m;

	if (!new_flow && (tcp_flags(p) & TCP_RST || word_keeps_flows(word)))
		return SL_PASS_ESTABLISHED;
	m = meta_get();
	if (!m || daemon_is_lost(m))
		return SL_PASS_DAEMON_LOST;
	*ret_meta = m;
	if (!new_flow)
		return SL_RESET;

	switch (word.action) {
	case SL_ACTION_REJECT:
		return p->proto == IPPROTO_TCP ? SL_REJECT_TCP : SL_REJECT_UDP;
	case SL_ACTION_DROP:
		return SL_DROP_CLOSED;
	default:
		return SL_PASS_POLICY;
	}
}

static __always_inline enum sl_decision judge_word(struct sl_word word, const struct packet *p,
						   const struct sl_meta **ret_meta)
{
	if (unlikely(word.admin != SL_ENABLED))
		return judge_closed(word, p, ret_meta);

	if (likely(word.health == SL_HEALTHY))
		return SL_PASS_HEALTHY;

	switch (word.health) {
	case SL_UNHEALTHY:
		return word.flags & SL_WORD_FORCED ? SL_PASS_FORCED
						   : judge_closed(word, p, ret_meta);
	default:
		return SL_PASS_UNKNOWN;
	}
}

/* Count a packet of frame_len bytes for the endpoint that it is addressed to. */
static __always_inline void target_count(const struct target *target, const struct packet *p,
					 __u32 frame_len)
{
	target->stats->packets++;
	target->stats->bytes += frame_len;
	if (p->proto == IPPROTO_TCP && is_new_flow(p))
		target->stats->syn++;
}

#endif
