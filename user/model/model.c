// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/model.h"

#include <errno.h>
#include <search.h>
#include <string.h>

#include "util/err.h"

struct model *model_new(void)
{
	return calloc(1, sizeof(struct model));
}

static void trust_spec_done(struct trust_spec *spec)
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
	for (uint32_t i = 0; i < model->n_services; i++)
		free(model->services[i].endpoints);
	free(model->gateway.interfaces);
	free(model->probes);
	free(model->settings);
	free(model->pools);
	free(model->services);
	free(model->endpoints);
	free(model);
}

enum sl_proto protocol_transport(enum protocol protocol)
{
	return protocol == PROTO_UDP ? SL_UDP : SL_TCP;
}

const char *protocol_name(enum protocol protocol)
{
	static const char *const names[] = {
		[PROTO_HTTP] = "http", [PROTO_HTTPS] = "https", [PROTO_TCP] = "tcp",
		[PROTO_TLS] = "tls",   [PROTO_UDP] = "udp",     [PROTO_GRPC] = "grpc",
	};

	return names[protocol];
}

const struct pool *model_find_pool(const struct model *model, const char *name)
{
	for (uint32_t i = 0; i < model->n_pools; i++)
		if (!strcmp(model->pools[i].name, name))
			return &model->pools[i];
	return NULL;
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

/* tsearch() keeps pointers into model->endpoints, which is therefore allocated once, up front. */
static int compare_keys(const void *a, const void *b)
{
	return memcmp(&((const struct endpoint *)a)->key, &((const struct endpoint *)b)->key,
		      sizeof(struct sl_target_key));
}

static int add_endpoint(struct model *model, void **tree, uint32_t service_index,
			const struct backend *backend, uint32_t *ret_index, struct err *err)
{
	const struct service *service = &model->services[service_index];
	const struct settings *settings = &model->settings[service->settings];
	struct endpoint *endpoint = &model->endpoints[model->n_endpoints];
	struct endpoint **found;

	*endpoint = (struct endpoint){
		.key = { .port = settings->port, .proto = protocol_transport(settings->protocol) },
		.name = backend->name,
		.settings = service->settings,
		.service = service_index,
	};
	memcpy(endpoint->key.addr, backend->addr.bytes, sizeof(endpoint->key.addr));
	addr_port_format(endpoint->text, &backend->addr, settings->port);

	found = tsearch(endpoint, tree, compare_keys);
	if (!found)
		return -ENOMEM;
	if (*found == endpoint)
		model->n_endpoints++;
	else if ((*found)->settings != service->settings)
		return err_set(err, -EEXIST,
			       "services '%s' and '%s' guard the same endpoint %s with different "
			       "settings ('%s' and '%s'); one address and port can follow one only",
			       model->services[(*found)->service].name, service->name,
			       endpoint->text, model->settings[(*found)->settings].name,
			       settings->name);

	*ret_index = (uint32_t)(*found - model->endpoints);
	return 0;
}

static int link_service(struct model *model, void **tree, uint32_t index, uint32_t max,
			struct err *err)
{
	struct service *service = &model->services[index];
	const struct pool *pool = &model->pools[service->pool];
	int r;

	service->endpoints =
		calloc(pool->n_backends ? pool->n_backends : 1, sizeof(*service->endpoints));
	if (!service->endpoints)
		return -ENOMEM;
	for (uint32_t i = 0; i < pool->n_backends; i++) {
		r = add_endpoint(model, tree, index, &pool->backends[i], &service->endpoints[i],
				 err);
		if (r < 0)
			return r;
		if (model->n_endpoints > max)
			return err_set(
				err, -ENOSPC,
				"service '%s': more than %u endpoints (gateway.max_endpoints; "
				"at most %u)",
				service->name, max, LIMIT_ENDPOINTS);
	}
	return 0;
}

static void keep_node(void *node)
{
	(void)node;
}

int model_link(struct model *model, struct err *err)
{
	uint32_t max =
		model->gateway.max_endpoints ? model->gateway.max_endpoints : LIMIT_ENDPOINTS;
	void *tree = NULL;
	int r = 0; /* a model without services has nothing that could fail */

	/* One spare slot: the candidate that tsearch() compares lives in the array. */
	model->endpoints = calloc((size_t)max + 2, sizeof(*model->endpoints));
	if (!model->endpoints)
		return -ENOMEM;
	for (uint32_t i = 0; i < model->n_services && r >= 0; i++)
		r = link_service(model, &tree, i, max, err);
	tdestroy(tree, keep_node);

	return r;
}
