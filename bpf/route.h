/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * route - where does what goes to an address leave?
 *
 * The kernel's own answer (bpf_fib_lookup), kept for so many packets and as long as the daemon sees
 * no route, neighbour or device change: the lookup costs as much as all the rest. What is not kept
 * is that there is no way: that is asked again for every packet, and so ends at once.
 */
#ifndef SLUICE_BPF_ROUTE_H
#define SLUICE_BPF_ROUTE_H

#include "flight.h"

/* <sys/socket.h> is not for us. */
#define FAMILY_INET 2
#define FAMILY_INET6 10

#define FIB_ASKED_LEN 1 /* not zero, or it tells no MTU */
#define MTU_UNKNOWN 0xffff

static __always_inline struct sl_route *route_slot(const struct flight *f)
{
	__u32 slot = sl_route_slot(f->out.daddr);

	return bpf_map_lookup_elem(&routes, &slot);
}

/* Whether what the slot holds may be used for this packet, which is one use. */
static __always_inline bool route_use(struct sl_route *route, const struct flight *f)
{
	const struct sl_meta *m = meta_get();

	return m && addr_equals(route->addr, f->out.daddr) &&
	       route->epoch == *(const volatile __u32 *)&m->route_epoch &&
	       route->uses++ < SL_ROUTE_USES;
}

static __always_inline void route_ask_for(struct bpf_fib_lookup *fib, const struct flight *f,
					  __u32 ifindex)
{
	*fib = (struct bpf_fib_lookup){ .family = FAMILY_INET6,
					.l4_protocol = f->in.proto,
					.tot_len = FIB_ASKED_LEN,
					.ifindex = ifindex };
	if (addr_is_v4(f->out.daddr)) {
		fib->family = FAMILY_INET;
		fib->ipv4_dst = ((const __be32 *)f->out.daddr)[3];
	} else {
		__builtin_memcpy(fib->ipv6_dst, f->out.daddr, sizeof(fib->ipv6_dst));
	}
}

/* A VLAN device is only a name: what leaves it, leaves the device that carries it, with a tag. */
static __always_inline void route_set_device(struct sl_route *route, __u32 ifindex)
{
	const struct sl_device *device = bpf_map_lookup_elem(&devices, &ifindex);

	route->ifindex = device ? device->ifindex : ifindex;
	route->vlan = device ? device->vlan : 0;
	route->vlan_proto = device ? device->vlan_proto : 0;
}

/* The way by a next hop whose address is not known: to be used once. */
static __always_inline void route_set_next_hop(struct flight *f, const struct bpf_fib_lookup *fib)
{
	f->way = (struct sl_route){ .mtu = fib->mtu_result };
	if (f->way.mtu <= FIB_ASKED_LEN) /* some kernels tell it only together with a neighbour */
		f->way.mtu = MTU_UNKNOWN;
	f->next_hop.ifindex = fib->ifindex;
	f->next_hop.family = fib->family;
	__builtin_memcpy(f->next_hop.addr, fib->ipv6_dst, sizeof(f->next_hop.addr));
}

/*
 * Ask the kernel, and keep what it says. ctx is the program's context. Returns what the kernel
 * returned; for BPF_FIB_LKUP_RET_NO_NEIGH f->way and f->next_hop are filled.
 */
static __always_inline long route_ask(void *ctx, struct flight *f, __u32 ifindex)
{
	struct sl_route *route = route_slot(f);
	const struct sl_meta *m = meta_get();
	struct bpf_fib_lookup fib;
	long r;

	if (!route || !m)
		return BPF_FIB_LKUP_RET_BLACKHOLE; /* cannot be */
	route_ask_for(&fib, f, ifindex);
	r = bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);
	if (r == BPF_FIB_LKUP_RET_NO_NEIGH)
		route_set_next_hop(f, &fib);
	if (r != BPF_FIB_LKUP_RET_SUCCESS)
		return r;

	addr_copy(route->addr, f->out.daddr);
	route->epoch = m->route_epoch;
	route->uses = 0;
	route->mtu = fib.mtu_result;
	__builtin_memcpy(route->src_mac, fib.smac, sizeof(route->src_mac));
	__builtin_memcpy(route->dst_mac, fib.dmac, sizeof(route->dst_mac));
	route_set_device(route, fib.ifindex);
	return r;
}

#endif
