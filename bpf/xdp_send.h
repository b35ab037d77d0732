/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xdp_send - sending a packet from XDP.
 */
#ifndef SLUICE_BPF_XDP_SEND_H
#define SLUICE_BPF_XDP_SEND_H

#include "cursor.h"

/*
 * Send replies with bpf_redirect() instead of XDP_TX: on veth, XDP_TX reaches a peer only if that
 * runs an XDP program as well, and is lost without an error otherwise.
 */
const volatile bool reply_by_redirect = false;

static __always_inline struct cursor xdp_cursor(const struct xdp_md *ctx)
{
	return (struct cursor){ (void *)(long)ctx->data, (void *)(long)ctx->data_end };
}

/* Send the frame out of a device. */
static __always_inline int xdp_send_by(const struct xdp_md *ctx, __u32 ifindex)
{
	if (!reply_by_redirect && ifindex == ctx->ingress_ifindex)
		return XDP_TX;
	bpf_redirect(ifindex, 0); /* cannot fail here: it checks its flags only */
	return XDP_REDIRECT;
}

/* Send it back. */
static __always_inline int xdp_send(struct xdp_md *ctx)
{
	return xdp_send_by(ctx, ctx->ingress_ifindex);
}

#endif
