// SPDX-License-Identifier: GPL-2.0-or-later
/* copy - a model like another one. A part of model.h. */
#include <errno.h>
#include <string.h>

#include "model/model.h"

/* Each of these leaves what it could not copy empty, and everything in a state that model_free() takes. */

static int copy_bytes(void *ret, const void *from, size_t n, size_t size)
{
	void *copy = n ? calloc(n, size) : NULL;

	if (n && !copy)
		return -ENOMEM;
	if (n)
		memcpy(copy, from, n * size);
	*(void **)ret = copy;
	return 0;
}

/* *text holds another's text, and then its own. */
static int own_text(char **text)
{
	char *copy = *text ? strdup(*text) : NULL;
	bool lost = *text && !copy;

	*text = copy;
	return lost ? -ENOMEM : 0;
}

static int own_probe(struct probe_def *probe)
{
	const char *send = probe->send;
	int r = own_text(&probe->host) | own_text(&probe->path) | own_text(&probe->match.body);

	probe->send = NULL;
	if (send)
		r |= copy_bytes(&probe->send, send, probe->send_len ? probe->send_len : 1, 1);
	return r;
}

static int own_certs(struct trust_spec *trust)
{
	const struct cert_file *from = trust->certs;
	uint32_t n = trust->n_certs;
	int r;

	trust->n_certs = 0;
	r = copy_bytes(&trust->certs, from, n, sizeof(*from));
	if (r < 0)
		trust->certs = NULL;
	for (uint32_t i = 0; i < n && r == 0; i++) {
		struct cert_file *cert = &trust->certs[i];

		cert->der = NULL;
		r = own_text(&cert->path) | copy_bytes(&cert->der, from[i].der, cert->len, 1);
		trust->n_certs++;
	}
	return r;
}

/* As own_text(), of a list. */
static int own_texts(char ***texts, uint32_t *n_texts)
{
	char **from = *texts;
	uint32_t n = *n_texts;
	int r;

	*n_texts = 0;
	r = copy_bytes(texts, from, n, sizeof(*from));
	if (r < 0)
		*texts = NULL;
	for (uint32_t i = 0; i < n && r == 0; i++) {
		r = own_text(&(*texts)[i]);
		(*n_texts)++;
	}
	return r;
}

static int own_service(struct service *service)
{
	struct l7_listener *l7 = &service->l7;

	service->endpoints = service->owners = NULL;
	service->n_endpoints = 0;
	return own_texts(&l7->hosts, &l7->n_hosts) | own_text(&l7->path_rule) |
	       own_texts(&l7->certificates, &l7->n_certificates);
}

static int own_settings(struct settings *settings)
{
	return own_text(&settings->host_name) | own_text(&settings->sni_name) |
	       own_text(&settings->l7.path_override) | own_certs(&settings->trust) |
	       own_texts(&settings->trust.crls, &settings->trust.n_crls);
}

static int own_pool(struct pool *pool)
{
	const struct backend *from = pool->backends;
	int r;

	r = copy_bytes(&pool->backends, from, pool->n_backends, sizeof(*from));
	if (r < 0) {
		pool->backends = NULL;
		pool->n_backends = 0;
	}
	for (uint32_t i = 0; i < pool->n_backends; i++)
		r |= own_text(&pool->backends[i].name);
	return r;
}

static int copy_lists(struct model *to, const struct model *from)
{
	int r = copy_bytes(&to->gateway.interfaces, from->gateway.interfaces,
			   from->gateway.n_interfaces, sizeof(*from->gateway.interfaces));

#define COPY(member)                                                         \
	do {                                                                 \
		r |= copy_bytes(&to->member, from->member, from->n_##member, \
				sizeof(*from->member));                      \
		to->n_##member = to->member ? from->n_##member : 0;          \
	} while (0)
	COPY(probes);
	COPY(settings);
	COPY(pools);
	COPY(services);
#undef COPY
	return r;
}

int model_copy(struct model **ret, const struct model *from)
{
	CLEANUP(model_free_p) struct model *model = model_new();
	int r;

	if (!model)
		return -ENOMEM;
	model->gateway = from->gateway;
	model->gateway.interfaces = NULL;
	model->digest = from->digest;
	r = copy_lists(model, from);
	/* All of them, also after a failure: what is not owned must not be freed. */
	for (uint32_t i = 0; i < model->n_probes; i++)
		r |= own_probe(&model->probes[i]);
	for (uint32_t i = 0; i < model->n_settings; i++)
		r |= own_settings(&model->settings[i]);
	for (uint32_t i = 0; i < model->n_pools; i++)
		r |= own_pool(&model->pools[i]);
	for (uint32_t i = 0; i < model->n_services; i++)
		r |= own_service(&model->services[i]);
	if (r < 0)
		return -ENOMEM;
	*ret = take_ptr(model);
	return 0;
}
