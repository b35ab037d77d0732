/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gate - is the destination one of ours, and is its gate open?
 *
 * At most one hash lookup per packet, and none for the traffic of others whose filter bit is clear.
 * The health word is read once, with one load, so that a packet sees either the old or the new
 * verdict. The clock is read only when a closed gate may have to open because the daemon is silent.
 */
#ifndef SLUICE_BPF_GATE_H
#define SLUICE_BPF_GATE_H

#include "maps.h"
#include "parse.h"

/* target_filter holds 2^filter_bits bits; set by the loader together with the map's size. */
const volatile __u32 filter_bits = 6;

#define FILTER_WORD_SHIFT 6 /* 64 bits to a word of target_filter */
#define FILTER_WORD_MASK 63

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

static __always_inline bool target_find(struct target *ret, const struct sl_target_key *key)
{
	__u32 bit = sl_filter_bit(key, filter_bits);
	__u32 filter_word = bit >> FILTER_WORD_SHIFT;
	const __u64 *bits = bpf_map_lookup_elem(&target_filter, &filter_word);
	const struct sl_target *target;
	const __u64 *word;

	if (!bits || !(*bits >> (bit & FILTER_WORD_MASK) & 1))
		return false;
	target = bpf_map_lookup_elem(&targets, key);
	if (unlikely(!target || target->kind != SL_TARGET_ENDPOINT))
		return false;

	ret->id = target->id;
	word = bpf_map_lookup_elem(&endpoint_words, &ret->id);
	ret->stats = bpf_map_lookup_elem(&endpoint_stats, &ret->id);
	if (unlikely(!word || !ret->stats))
		return false;
	ret->word = word_load(word);
	return true;
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

/* *ret_meta is set before any decision that is not to pass. */
static __always_inline enum sl_decision judge_closed(struct sl_word word, const struct packet *p,
						     const struct sl_meta **ret_meta)
{
	bool new_flow = is_new_flow(p);
	const struct sl_meta *m;

	if (!new_flow && (!(word.flags & SL_WORD_RESET) || tcp_flags(p) & TCP_RST))
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
