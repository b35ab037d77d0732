/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handshake - which endpoint did a flow's SYN go to?
 *
 * The SYN of a flow that is not translated leaves no entry that a flood could fill, and what opens the
 * flow is the client's next packet. Between the two, the selection or the endpoint's word may change:
 * the note that the SYN leaves in an array, for the cost of a store, keeps them together.
 */
#ifndef SLUICE_BPF_HANDSHAKE_H
#define SLUICE_BPF_HANDSHAKE_H

#include "maps.h"

union handshake {
	__u64 whole;
	struct sl_handshake note;
};

static __always_inline __u64 *handshake_slot(__u64 flow_hash)
{
	__u32 slot = sl_handshake_slot(flow_hash, handshake_slots);

	return bpf_map_lookup_elem(&handshakes, &slot);
}

static __always_inline void handshake_note(__u64 flow_hash, __u32 service, __u32 endpoint,
					   __u32 generation)
{
	__u64 *slot = handshake_slot(flow_hash);
	union handshake new = { .note = { .endpoint = endpoint,
					  .generation = (__u16)generation,
					  .tag = sl_handshake_tag(flow_hash, service) } };

	if (slot)
		*(volatile __u64 *)slot = new.whole;
}

/* What was noted of that flow; tag 0: nothing. */
static __always_inline struct sl_handshake handshake_find(__u64 flow_hash, __u32 service)
{
	const __u64 *slot = handshake_slot(flow_hash);
	union handshake found;

	if (!slot)
		return (struct sl_handshake){}; /* cannot be */
	found.whole = *(const volatile __u64 *)slot;
	return found.note.tag == sl_handshake_tag(flow_hash, service) ? found.note
								      : (struct sl_handshake){};
}

#endif
