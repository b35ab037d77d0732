// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/model.h"

#include <errno.h>
#include <string.h>

struct model *model_new(void)
{
	return calloc(1, sizeof(struct model));
}

void trust_spec_done(struct trust_spec *spec)
{
	for (uint32_t i = 0; i < spec->n_certs; i++) {
		free(spec->certs[i].path);
		free(spec->certs[i].der);
	}
	for (uint32_t i = 0; i < spec->n_crls; i++)
		free(spec->crls[i]);
	free(spec->certs);
	free(spec->crls);
}

static void pool_done(struct pool *pool)
{
	for (uint32_t i = 0; i < pool->n_backends; i++)
		free(pool->backends[i].name);
	free(pool->backends);
}

static void service_unlink(struct service *service)
{
	free(take_ptr(service->endpoints));
	free(take_ptr(service->owners));
	service->n_endpoints = 0;
}

void model_unlink(struct model *model)
{
	for (uint32_t i = 0; i < model->n_services; i++)
		service_unlink(&model->services[i]);
	free(take_ptr(model->endpoints));
	free(take_ptr(model->names));
	model->n_endpoints = model->n_names = 0;
}

void model_free(struct model *model)
{
	if (!model)
		return;
	for (uint32_t i = 0; i < model->n_probes; i++) {
		free(model->probes[i].host);
		free(model->probes[i].path);
		free(model->probes[i].match.body);
		free(model->probes[i].send);
	}
	for (uint32_t i = 0; i < model->n_settings; i++) {
		free(model->settings[i].host_name);
		free(model->settings[i].sni_name);
		trust_spec_done(&model->settings[i].trust);
	}
	for (uint32_t i = 0; i < model->n_pools; i++)
		pool_done(&model->pools[i]);
	model_unlink(model);
	free(model->gateway.interfaces);
	free(model->probes);
	free(model->settings);
	free(model->pools);
	free(model->services);
	free(model);
}

enum sl_proto protocol_transport(enum protocol protocol)
{
	return protocol == PROTO_UDP ? SL_UDP : SL_TCP;
}

const char *proxy_version_name(enum proxy_version version)
{
	static const char *const names[] = {
		[PROXY_NONE] = "none",
		[PROXY_V1] = "v1",
		[PROXY_V2] = "v2",
	};

	return names[version];
}

const char *protocol_name(enum protocol protocol)
{
	static const char *const names[] = {
		[PROTO_HTTP] = "http", [PROTO_HTTPS] = "https", [PROTO_TCP] = "tcp",
		[PROTO_TLS] = "tls",   [PROTO_UDP] = "udp",     [PROTO_GRPC] = "grpc",
	};

	return names[protocol];
}

/* As the configuration has them. */
static const char *const xdp_modes[] = {
	[XDP_AUTO] = "auto",       [XDP_OFFLOAD] = "offload", [XDP_NATIVE] = "native",
	[XDP_GENERIC] = "generic", [XDP_OFF] = "off",
};

const char *xdp_mode_name(enum xdp_mode mode)
{
	return xdp_modes[mode];
}

int xdp_mode_parse(enum xdp_mode *ret_mode, const char *name)
{
	for (enum xdp_mode mode = XDP_AUTO; mode <= XDP_OFF; mode++)
		if (!strcmp(name, xdp_modes[mode])) {
			*ret_mode = mode;
			return 0;
		}
	return -ENOENT;
}

const struct interface *model_find_interface(const struct model *model, const char *name)
{
	for (uint32_t i = 0; i < model->gateway.n_interfaces; i++)
		if (!strcmp(model->gateway.interfaces[i].name, name))
			return &model->gateway.interfaces[i];
	return NULL;
}

const struct pool *model_find_pool(const struct model *model, const char *name)
{
	for (uint32_t i = 0; i < model->n_pools; i++)
		if (!strcmp(model->pools[i].name, name))
			return &model->pools[i];
	return NULL;
}

static bool is_same_name(const char *name, const char *text)
{
	size_t len = strlen(text);

	if (len && text[len - 1] == '.')
		len--;
	return strlen(name) == len && !strncasecmp(name, text, len);
}

uint32_t pool_find_backend(const struct pool *pool, const char *address)
{
	struct addr addr;
	bool is_name = addr_parse(&addr, address) < 0;

	for (uint32_t i = 0; i < pool->n_backends; i++) {
		const struct backend *backend = &pool->backends[i];

		if (is_name ? backend->name && is_same_name(backend->name, address)
			    : !backend->name && !memcmp(&backend->addr, &addr, sizeof(addr)))
			return i;
	}
	return INDEX_NONE;
}

uint32_t model_declared(const struct model *model)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < model->n_endpoints; i++)
		n += model->endpoints[i].seat == 0;
	return n;
}

const char *backend_text(const struct backend *backend)
{
	return backend->name ? backend->name : backend->text;
}

uint32_t model_map_entries(const struct model *model)
{
	uint32_t entries = ENDPOINTS_AUTO_MIN;

	if (model->gateway.max_endpoints)
		return model->gateway.max_endpoints;
	/* Twice what is configured leaves room for changes without new maps. */
	while (entries < 2 * model->n_endpoints && entries < LIMIT_ENDPOINTS)
		entries *= 2;
	return entries;
}

bool service_forwards(const struct model *model, const struct service *service)
{
	return service->listen.key.port ||
	       model->settings[service->settings].on_unhealthy == SL_ACTION_REDIRECT;
}

bool service_takes(const struct service *service, const struct addr *addr)
{
	struct addr listen;

	if (!service->listen.key.port)
		return true;
	memcpy(listen.bytes, service->listen.key.addr, sizeof(listen.bytes));
	if (addr_is_v4(&listen) == addr_is_v4(addr))
		return true;
	return service->forward == FORWARD_IPIP && addr_is_v4(&listen);
}

uint32_t settings_drain_ms(const struct settings *settings)
{
	return settings->drains ? settings->drain_ms : DRAIN_DEFAULT_MS;
}

uint32_t model_forwarding(const struct model *model)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < model->n_services; i++)
		n += service_forwards(model, &model->services[i]);
	return n;
}

uint32_t model_largest_service(const struct model *model)
{
	uint32_t largest = 1;

	for (uint32_t i = 0; i < model->n_services; i++)
		if (model->services[i].n_endpoints > largest)
			largest = model->services[i].n_endpoints;
	return largest;
}
