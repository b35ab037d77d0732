// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/gatemodel.h"

#include <stdio.h>
#include <string.h>

#include "util/err.h"

#define PORT 80
#define LOSS_AFTER_MS 30000
#define REPLY_RATE 10000

static void *must_alloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		abort();
	return p;
}

static void add_backends(struct pool *pool, uint32_t first, uint32_t n)
{
	pool->backends = must_alloc(n, sizeof(*pool->backends));
	pool->n_backends = n;
	for (uint32_t i = 0; i < n; i++) {
		struct backend *backend = &pool->backends[i];
		uint32_t host = first + i;

		backend->weight = 1;

		snprintf(backend->text, sizeof(backend->text), "10.9.%u.%u", host >> 8,
			 host & 0xff);
		if (addr_parse(&backend->addr, backend->text) < 0)
			abort();
	}
}

void gatemodel_add_interface(struct model *model, const char *name, enum xdp_mode xdp)
{
	struct gateway *gateway = &model->gateway;
	struct interface *interface;

	gateway->interfaces = realloc(gateway->interfaces,
				      (gateway->n_interfaces + 1) * sizeof(*gateway->interfaces));
	if (!gateway->interfaces)
		abort();
	interface = &gateway->interfaces[gateway->n_interfaces++];
	*interface = (struct interface){ .xdp = xdp, .egress = true };
	snprintf(interface->name, sizeof(interface->name), "%s", name);
}

struct model *gatemodel_new(const char *bpffs, const char *interface, uint32_t first, uint32_t n)
{
	struct model *model = model_new();
	struct err err = { "" };

	if (!model)
		abort();
	model->settings = must_alloc(1, sizeof(*model->settings));
	model->pools = must_alloc(1, sizeof(*model->pools));
	model->services = must_alloc(1, sizeof(*model->services));
	model->n_settings = model->n_pools = model->n_services = 1;
	model->settings[0] = (struct settings){ .name = "web",
						.protocol = PROTO_TCP,
						.port = PORT,
						.probe = INDEX_NONE,
						.on_unhealthy = SL_ACTION_DROP };
	model->pools[0] = (struct pool){ .name = "web-pool" };
	model->services[0] = (struct service){ .name = "shop" };
	add_backends(&model->pools[0], first, n);
	if (model_link(model, &err) < 0) {
		fprintf(stderr, "gatemodel: %s\n", err.text);
		abort();
	}
	snprintf(model->gateway.bpffs, sizeof(model->gateway.bpffs), "%s", bpffs);
	model->gateway.daemon_loss_after_ms = LOSS_AFTER_MS;
	model->gateway.reply_rate = REPLY_RATE;
	if (interface)
		gatemodel_add_interface(model, interface, XDP_AUTO);
	return model;
}
