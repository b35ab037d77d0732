// SPDX-License-Identifier: GPL-2.0-or-later
/* probe_udp - a probe that consists of datagrams. */
#include "probe/probe_work.h"
#include "util/clock.h"

static void on_udp_event(struct watch *watch, uint32_t events)
{
	struct probe *p = (struct probe *)watch;

	(void)events;
	if (udp_receive(&p->udp, p->stream.fd, p->plan, &p->verdict)) {
		p->verdict.timing.first_byte_us = probe_us_since(p->sent_ns, clock_mono_ns());
		probe_settle(p, p->verdict.code);
		probe_deliver(p);
	} else if (p->udp.starved) {
		poller_again(p->poller, p->stream.fd, &p->watch);
	}
}

void probe_on_udp_timer(uv_timer_t *handle)
{
	struct probe *p = handle->data;

	if (!p->settled && !udp_receive(&p->udp, p->stream.fd, p->plan, &p->verdict)) {
		if (udp_is_last(&p->udp, p->plan))
			udp_end(&p->udp, p->plan, &p->verdict);
		else if (!udp_send(&p->udp, p->stream.fd, p->plan, &p->verdict)) {
			uv_timer_start(&p->timer, probe_on_udp_timer, udp_wait_ms(&p->udp, p->plan),
				       0);
			return;
		}
	}
	if (!p->settled)
		probe_settle(p, p->verdict.code);
	probe_deliver(p);
}

void probe_begin_udp(struct probe *p)
{
	p->watch.fn = on_udp_event;
	p->stage = STAGE_BODY;
	p->verdict.stage = STAGE_BODY;
	p->sent_ns = clock_mono_ns();
	if (udp_send(&p->udp, p->stream.fd, p->plan, &p->verdict))
		probe_settle(p, p->verdict.code);
}
