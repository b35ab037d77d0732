/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xdp_swift - the short way on the NIC's receive path.
 */
#ifndef SLUICE_BPF_XDP_SWIFT_H
#define SLUICE_BPF_XDP_SWIFT_H

#include "swift.h"
#include "xdp_forward.h"

static __always_inline int xdp_swift_send(struct xdp_md *ctx, const struct swift *s,
					  enum sl_decision decision)
{
	s->route->uses++;
	return decide(decision, xdp_send_by(ctx, s->route->ifindex));
}

static __always_inline int xdp_swift_reply(struct xdp_md *ctx, struct swift *s, struct flight *f)
{
	if (!swift_reply(s, f) || !xdp_carry(ctx, f, s->route))
		return PENDING_FORWARD;
	swift_count_reply(s, f);
	return xdp_swift_send(ctx, s, SL_FORWARD_REPLY);
}

static __always_inline int xdp_swift_by(struct xdp_md *ctx, struct swift *s, struct flight *f,
					enum sl_method method, enum sl_decision decision)
{
	if (!swift_request(s, f, method) || !xdp_carry(ctx, f, s->route))
		return PENDING_FORWARD;
	swift_count_request(s, f);
	return xdp_swift_send(ctx, s, decision);
}

/* One straight way for each method: what they have in common would be slower. */
static __always_inline int xdp_swift_request(struct xdp_md *ctx, struct swift *s, struct flight *f)
{
	if (!swift_find_service(s, f->service))
		return PENDING_FORWARD;
	switch (s->service->method) {
	case SL_METHOD_NAT:
		return xdp_swift_by(ctx, s, f, SL_METHOD_NAT, SL_FORWARD_NAT);
	case SL_METHOD_DSR:
		return xdp_swift_by(ctx, s, f, SL_METHOD_DSR, SL_FORWARD_DSR);
	default:
		return xdp_swift_by(ctx, s, f, SL_METHOD_IPIP, SL_FORWARD_IPIP);
	}
}

static __always_inline int xdp_swift_family(struct xdp_md *ctx, __u32 id, __u8 proto, bool v6)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct swift s = { .m = meta_get() };
	struct flight f = {};

	if (!s.m || s.m->mode != SL_MODE_ENFORCE || !swift_read(&f, id, proto, data, end, v6) ||
	    !swift_flags(&f))
		return PENDING_FORWARD;
	return id == SL_ID_NONE ? xdp_swift_reply(ctx, &s, &f) : xdp_swift_request(ctx, &s, &f);
}

/*
 * Forward a plain frame to the service with that id, or one that may be a reply (SL_ID_NONE), the
 * short way; or return PENDING_FORWARD. Global functions, one for each family: the verifier checks
 * each once.
 */
__noinline int xdp_swift_v4(struct xdp_md *ctx, __u32 id, __u32 proto)
{
	return xdp_swift_family(ctx, id, proto, false);
}

__noinline int xdp_swift_v6(struct xdp_md *ctx, __u32 id, __u32 proto)
{
	return xdp_swift_family(ctx, id, proto, true);
}

static __always_inline int xdp_swift(struct xdp_md *ctx, __u32 id, const struct packet *p)
{
	return p->v6 ? xdp_swift_v6(ctx, id, p->proto) : xdp_swift_v4(ctx, id, p->proto);
}

#endif
