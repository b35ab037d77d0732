// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/meta.h"

#include <string.h>

#include "util/clock.h"

/* Short windows spread replies evenly; a budget of at least 1 bounds how short. */
#define WINDOW_NS (10 * NS_PER_MS)
#define WINDOWS_PER_SEC (NS_PER_SEC / WINDOW_NS)

/*
 * When the port of a translated flow may be given to another. A client gives up a SYN after about
 * two minutes, an established connection may be silent for two hours before it is asked whether it
 * is alive (RFC 5382, REQ-5; RFC 4787, REQ-5), and a closed one is remembered for twice the longest
 * life of a segment.
 */
#define HALF_OPEN_S 130
#define IDLE_TCP_S 7440
#define IDLE_UDP_S 300
#define CLOSED_S 60

/* The window is stretched so that budget per window is exactly the rate asked for. */
static void set_replies(struct sl_meta *meta, uint64_t rate)
{
	meta->reply_window_ns = WINDOW_NS;
	if (!rate)
		return;
	meta->reply_budget = rate < WINDOWS_PER_SEC ? 1 : rate / WINDOWS_PER_SEC;
	meta->reply_window_ns = meta->reply_budget * NS_PER_SEC / rate;
}

struct sl_meta meta_of(const struct model *model, uint64_t now_ns)
{
	const struct gateway *gateway = &model->gateway;
	struct sl_meta meta = {
		.layout = SL_LAYOUT,
		.mode = gateway->mode,
		.on_daemon_loss = gateway->on_daemon_loss,
		.daemon_loss_after_ns = gateway->daemon_loss_after_ms * NS_PER_MS,
		.heartbeat_ns = now_ns,
		.daemon_pid = (__u32)getpid(),
		.endpoints = model->n_endpoints,
		.services = model_forwarding(model),
		.version = SLUICE_VERSION,
		.now_s = (__u32)(now_ns / NS_PER_SEC),
		.port_low = gateway->nat_ports.low,
		.port_high = gateway->nat_ports.high,
		.half_open_s = HALF_OPEN_S,
		.idle_tcp_s = IDLE_TCP_S,
		.idle_udp_s = IDLE_UDP_S,
		.closed_s = CLOSED_S,
	};

	set_replies(&meta, gateway->reply_rate);
	return meta;
}

void meta_store(struct sl_meta *live, const struct sl_meta *meta)
{
	/* The heartbeat first: a new daemon_loss_after must not meet an old heartbeat. */
	__atomic_store_n(&live->heartbeat_ns, meta->heartbeat_ns, __ATOMIC_RELEASE);
	__atomic_store_n(&live->daemon_loss_after_ns, meta->daemon_loss_after_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&live->on_daemon_loss, meta->on_daemon_loss, __ATOMIC_RELAXED);
	__atomic_store_n(&live->mode, meta->mode, __ATOMIC_RELAXED);
	live->code = meta->code;
	__atomic_store_n(&live->reply_window_ns, meta->reply_window_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&live->reply_budget, meta->reply_budget, __ATOMIC_RELAXED);
	__atomic_store_n(&live->now_s, meta->now_s, __ATOMIC_RELAXED);
	__atomic_store_n(&live->route_epoch, live->route_epoch + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&live->half_open_s, meta->half_open_s, __ATOMIC_RELAXED);
	__atomic_store_n(&live->idle_tcp_s, meta->idle_tcp_s, __ATOMIC_RELAXED);
	__atomic_store_n(&live->idle_udp_s, meta->idle_udp_s, __ATOMIC_RELAXED);
	__atomic_store_n(&live->closed_s, meta->closed_s, __ATOMIC_RELAXED);
	__atomic_store_n(&live->port_low, meta->port_low, __ATOMIC_RELAXED);
	__atomic_store_n(&live->port_high, meta->port_high, __ATOMIC_RELAXED);
	live->daemon_pid = meta->daemon_pid;
	live->endpoints = meta->endpoints;
	live->services = meta->services;
	memcpy(live->version, meta->version, sizeof(live->version));
	__atomic_store_n(&live->layout, meta->layout, __ATOMIC_RELEASE);
}
