/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe - whether a packet that comes to this host belongs to one of the daemon's own probes.
 *
 * It does not say so; the socket that it is for has the probes' mark. Looking for it takes long: for rare packets.
 */
#ifndef SLUICE_BPF_PROBE_H
#define SLUICE_BPF_PROBE_H

#include <linux/bpf.h>

#include <linux/in.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#include "sluice/abi.h"

/* ctx is the program's context: both kinds may look up sockets. The tuple is as the packet has it. */
static __always_inline bool probe_has_socket(void *ctx, struct bpf_sock_tuple *tuple, __u32 len,
					     __u8 proto)
{
	struct bpf_sock *sk;
	bool probe;

	sk = proto == IPPROTO_TCP ? bpf_sk_lookup_tcp(ctx, tuple, len, BPF_F_CURRENT_NETNS, 0)
				  : bpf_sk_lookup_udp(ctx, tuple, len, BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return false;
	probe = sk->mark == SL_PROBE_MARK;
	bpf_sk_release(sk);
	return probe;
}

#endif
