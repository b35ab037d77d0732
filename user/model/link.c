// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * link - from services, pools and settings to endpoints. The other half of model.h.
 */
#include <errno.h>
#include <search.h>
#include <string.h>

#include "model/key_table.h"
#include "model/model.h"
#include "util/err.h"

/*
 * The endpoints found so far, by what makes them one. Both refer to rows of model->endpoints, which
 * is therefore allocated once, up front.
 */
struct linking {
	struct model *model;
	uint32_t max;
	struct key_table addresses;
	void *names; /* the first seats, by name, port and transport */
	void *listens; /* services, by listen address */
};

/* Names were brought to lower case when they were read. */
static int compare_names(const void *a, const void *b)
{
	int order = strcmp(((const struct endpoint *)a)->name, ((const struct endpoint *)b)->name);

	return order ? order
		     : memcmp(&((const struct endpoint *)a)->key,
			      &((const struct endpoint *)b)->key, sizeof(struct sl_target_key));
}

static int compare_listens(const void *a, const void *b)
{
	return memcmp(&((const struct service *)a)->listen.key,
		      &((const struct service *)b)->listen.key, sizeof(struct sl_target_key));
}

static uint32_t name_index(struct model *model, const char *name)
{
	uint32_t i = 0;

	while (i < model->n_names && strcmp(model->names[i], name) != 0)
		i++;
	if (i == model->n_names)
		model->names[model->n_names++] = name;
	return i;
}

static int refuse_second_settings(const struct model *model, const struct endpoint *first,
				  const struct endpoint *second, const char *text, struct err *err)
{
	return err_set(err, -EEXIST,
		       "services '%s' and '%s' guard the same endpoint %s with different "
		       "settings ('%s' and '%s'); one address and port can follow one only",
		       model->services[first->service].name, model->services[second->service].name,
		       text, model->settings[first->settings].name,
		       model->settings[second->settings].name);
}

static int refuse_more(const struct linking *linking, const struct service *service,
		       struct err *err)
{
	return err_set(err, -ENOSPC,
		       "service '%s': more than %u endpoints (gateway.max_endpoints; "
		       "at most %u)",
		       service->name, linking->max, LIMIT_ENDPOINTS);
}

/* The seats behind the first one that add_endpoint() has made. */
static void add_seats(struct model *model, uint32_t first)
{
	for (uint32_t seat = 1; seat < LIMIT_NAME_ADDRESSES; seat++) {
		struct endpoint *endpoint = &model->endpoints[model->n_endpoints++];

		*endpoint = model->endpoints[first];
		endpoint->seat = seat;
	}
}

/* The candidate behind the last endpoint: itself, or the one that it is already. */
static int enter(struct linking *linking, uint32_t *ret_found)
{
	struct model *model = linking->model;
	struct endpoint *const *found, *candidate = &model->endpoints[model->n_endpoints];

	if (!candidate->name) {
		*ret_found = key_table_enter(&linking->addresses, model->n_endpoints);
		return 0;
	}
	found = tsearch(candidate, &linking->names, compare_names);
	if (!found)
		return -ENOMEM;
	*ret_found = (uint32_t)(*found - model->endpoints);
	return 0;
}

static int add_endpoint(struct linking *linking, uint32_t service_index,
			const struct backend *backend, uint32_t *ret_index, struct err *err)
{
	struct model *model = linking->model;
	const struct service *service = &model->services[service_index];
	const struct settings *settings = &model->settings[service->settings];
	uint32_t n = backend->name ? LIMIT_NAME_ADDRESSES : 1;
	struct endpoint *endpoint = &model->endpoints[model->n_endpoints];
	uint32_t found;

	*endpoint = (struct endpoint){
		.key = { .port = settings->port, .proto = protocol_transport(settings->protocol) },
		.name = backend->name,
		.settings = service->settings,
		.service = service_index,
	};
	if (!backend->name) {
		memcpy(endpoint->key.addr, backend->addr.bytes, sizeof(endpoint->key.addr));
		addr_port_format(endpoint->text, &backend->addr, settings->port);
	}

	if (enter(linking, &found) < 0)
		return -ENOMEM;
	*ret_index = found;
	if (found != model->n_endpoints) {
		if (model->endpoints[found].settings == service->settings)
			return 0;
		return refuse_second_settings(model, &model->endpoints[found], endpoint,
					      backend->name ? backend->name : endpoint->text, err);
	}
	if (model->n_endpoints + n > linking->max)
		return refuse_more(linking, service, err);
	model->n_endpoints++;
	if (backend->name) {
		endpoint->name_index = name_index(model, backend->name);
		add_seats(model, *ret_index);
	}
	return 0;
}

/* What a file is refused for with line and column, and what a change at runtime must not bring about either. */
static int check_backend(const struct model *model, const struct service *service,
			 const struct backend *backend, struct err *err)
{
	const struct settings *settings = &model->settings[service->settings];

	if (backend->name)
		return 0;
	if (!service_takes(service, &backend->addr))
		return err_set(err, -EINVAL,
			       "service '%s' listens on %s, and does not reach backend %s of pool "
			       "'%s', which is of the other address family",
			       service->name, service->listen.text, backend->text,
			       model->pools[service->pool].name);
	if (settings->host_name_from_backend)
		return err_set(
			err, -EINVAL,
			"settings '%s' of service '%s' take the host from the backend's "
			"name (host_name_from_backend), and backend %s of pool '%s' has none",
			settings->name, service->name, backend->text,
			model->pools[service->pool].name);
	return 0;
}

static int link_service(struct linking *linking, uint32_t index, struct err *err)
{
	struct service *service = &linking->model->services[index];
	const struct pool *pool = &linking->model->pools[service->pool];
	size_t n = 1; /* calloc(0) may be NULL */
	int r;

	for (uint32_t i = 0; i < pool->n_backends; i++)
		n += pool->backends[i].name ? LIMIT_NAME_ADDRESSES : 1;
	service->endpoints = calloc(n, sizeof(*service->endpoints));
	service->owners = calloc(n, sizeof(*service->owners));
	if (!service->endpoints || !service->owners)
		return -ENOMEM;
	for (uint32_t i = 0; i < pool->n_backends; i++) {
		uint32_t first;

		r = check_backend(linking->model, service, &pool->backends[i], err);
		if (r < 0)
			return r;
		r = add_endpoint(linking, index, &pool->backends[i], &first, err);
		if (r < 0)
			return r;
		n = pool->backends[i].name ? LIMIT_NAME_ADDRESSES : 1;
		for (uint32_t seat = 0; seat < n; seat++) {
			service->owners[service->n_endpoints] = i;
			service->endpoints[service->n_endpoints++] = first + seat;
		}
	}
	return 0;
}

/* No two services have the same address, and none has that of an endpoint. */
static int check_listen(struct linking *linking, uint32_t index, struct err *err)
{
	const struct model *model = linking->model;
	const struct service *service = &model->services[index];
	const struct service *const *same;
	uint32_t found;

	if (!service->listen.key.port)
		return 0;
	found = key_table_find(&linking->addresses, &service->listen.key);
	if (found != KEY_TABLE_NONE)
		return err_set(
			err, -EEXIST,
			"service '%s' listens on %s, which is an endpoint of service '%s'; an "
			"address and port can be one of both only",
			service->name, service->listen.text,
			model->services[model->endpoints[found].service].name);
	same = tsearch(service, &linking->listens, compare_listens);
	if (!same)
		return -ENOMEM;
	if (*same != service)
		return err_set(err, -EEXIST,
			       "services '%s' and '%s' both listen on %s; an address and port can "
			       "be of one service only",
			       (*same)->name, service->name, service->listen.text);
	return 0;
}

static void keep_node(void *node)
{
	(void)node;
}

int model_link(struct model *model, struct err *err)
{
	struct linking linking = {
		.model = model,
		.max = model->gateway.max_endpoints ? model->gateway.max_endpoints
						    : LIMIT_ENDPOINTS,
	};
	int r;

	/* One spare place: the candidate lives in the array. */
	model->endpoints = calloc((size_t)linking.max + 2, sizeof(*model->endpoints));
	model->names = calloc(linking.max / LIMIT_NAME_ADDRESSES + 1, sizeof(*model->names));
	if (!model->endpoints || !model->names)
		return -ENOMEM;
	r = key_table_open(&linking.addresses, &model->endpoints[0].key,
			   sizeof(model->endpoints[0]), linking.max + 2);
	for (uint32_t i = 0; i < model->n_services && r >= 0; i++)
		r = link_service(&linking, i, err);
	for (uint32_t i = 0; i < model->n_services && r >= 0; i++)
		r = check_listen(&linking, i, err);
	key_table_close(&linking.addresses);
	tdestroy(linking.names, keep_node);
	tdestroy(linking.listens, keep_node);

	return r;
}
