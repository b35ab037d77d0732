/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * select - which endpoint does a new flow go to?
 *
 * The flow's hash names a slot of the service's part of the selection map. The endpoint's word is
 * read after that and wins: selection may lag behind health, by as much as the daemon needs to
 * compute it anew. An endpoint that may not be used is passed over for that of another slot.
 */
#ifndef SLUICE_BPF_SELECT_H
#define SLUICE_BPF_SELECT_H

#include "flight.h"

/* With half of all endpoints gone at once, and no table yet, one flow in 65536 finds none. */
#define SELECT_TRIES 16

#define SELECTED_NONE (-1) /* no endpoint may be used */

/*
 * May new flows go to an endpoint with this word? any: though it be unhealthy, since all are; but
 * not against the operator's word.
 */
static __always_inline bool word_is_eligible(struct sl_word word, bool any)
{
	return word.admin == SL_ENABLED &&
	       (any || word.health != SL_UNHEALTHY || word.flags & SL_WORD_FORCED);
}

static __always_inline struct sl_word endpoint_word(__u32 id)
{
	const __u64 *word = bpf_map_lookup_elem(&endpoint_words, &id);

	if (!word)
		return (struct sl_word){ .admin = SL_DISABLED }; /* cannot be */
	return word_load(word);
}

/* The endpoint that a slot names, or SL_ID_NONE. */
static __always_inline __u32 slot_endpoint(__u32 slot)
{
	__u32 at = slot / 2;
	const struct sl_slots *slots = bpf_map_lookup_elem(&selection, &at);

	return slots ? *(const volatile __u32 *)&slots->endpoint[slot & 1] : SL_ID_NONE;
}

/* Which endpoints may be chosen. */
#define SELECT_ANY 1u /* unhealthy ones, too */
#define SELECT_FAMILY 2u /* of a pool with both families only those of the packet's: ... */
#define SELECT_V6 4u

/*
 * The endpoint that a slot names, if new flows may go to it; else SELECTED_NONE. A pool that a gate redirects
 * in may have endpoints of both families, and neither can stand in for the other. Global, so that
 * the verifier checks it once instead of once a try.
 */
__noinline int select_from(__u32 slot, __u32 which)
{
	__u32 id = slot_endpoint(slot);
	const __u64 *word = bpf_map_lookup_elem(&endpoint_words, &id);
	const struct sl_endpoint_name *name;

	if (!word || !word_is_eligible(word_load(word), which & SELECT_ANY))
		return SELECTED_NONE;
	if (!(which & SELECT_FAMILY))
		return (int)id;
	name = bpf_map_lookup_elem(&endpoint_names, &id);
	if (!name || addr_is_v4(name->key.addr) == !!(which & SELECT_V6))
		return SELECTED_NONE;
	return (int)id;
}

static __always_inline struct sl_slice slice_load(const struct sl_service *service)
{
	union {
		__u64 whole;
		struct sl_slice slice;
	} loaded = { .whole = *(const volatile __u64 *)&service->slice };

	return loaded.slice;
}

/*
 * Choose f->endpoint for a flow that is new to the service f->service. Returns how many slots were
 * passed over, or SELECTED_NONE. If the daemon is lost and its words are not to be
 * believed any longer, the first choice is taken.
 */
__noinline int select_endpoint(void)
{
	struct flight *f = flight_get();
	const struct sl_meta *m = meta_get();
	const struct sl_service *service;
	struct sl_slice slice;
	__u32 first, which;
	__u64 hash;
	int id;

	if (!f || !m)
		return SELECTED_NONE;
	service = bpf_map_lookup_elem(&services, &f->service);
	if (!service)
		return SELECTED_NONE;
	slice = slice_load(service);
	if (!slice.size)
		return SELECTED_NONE;

	which = (service->flags & SL_SERVICE_ANY ? SELECT_ANY : 0) |
		(service->key.port ? 0 : SELECT_FAMILY) | (f->v6 ? SELECT_V6 : 0);
	hash = service->flags & SL_SERVICE_AFFINITY ? sl_client_hash(&f->in) : sl_flow_hash(&f->in);
	first = slice.start + sl_slot(hash, slice.size);
	for (int i = 0; i < SELECT_TRIES; i++) {
		id = select_from(slice.start + sl_slot(hash, slice.size), which);
		if (id >= 0) {
			f->endpoint = (__u32)id;
			return i;
		}
		hash = sl_next_hash(hash);
	}

	first = slot_endpoint(first);
	if (first == SL_ID_NONE || !daemon_is_lost(m) || endpoint_word(first).admin != SL_ENABLED)
		return SELECTED_NONE;
	f->endpoint = first;
	return 0;
}

#endif
