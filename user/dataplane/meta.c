// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/meta.h"

#include <string.h>

#include "util/clock.h"

/* Short windows spread replies evenly; a budget of at least 1 bounds how short. */
#define WINDOW_NS (10 * NS_PER_MS)
#define WINDOWS_PER_SEC (NS_PER_SEC / WINDOW_NS)

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
		.version = SLUICE_VERSION,
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
	__atomic_store_n(&live->reply_window_ns, meta->reply_window_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&live->reply_budget, meta->reply_budget, __ATOMIC_RELAXED);
	live->daemon_pid = meta->daemon_pid;
	live->endpoints = meta->endpoints;
	memcpy(live->version, meta->version, sizeof(live->version));
	__atomic_store_n(&live->layout, meta->layout, __ATOMIC_RELEASE);
}
