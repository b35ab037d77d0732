// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/listeners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/err.h"

/* --- the order -------------------------------------------------------------------------------- */

static bool is_prefix(const char *path)
{
	size_t len = strlen(path);

	return len && path[len - 1] == '*';
}

/* Exact paths, prefixes, any path. */
static int kind_of(const char *path)
{
	return !*path ? 2 : is_prefix(path);
}

static int compare_paths(const char *a, const char *b)
{
	size_t len_a = strlen(a), len_b = strlen(b);

	if (kind_of(a) != kind_of(b))
		return kind_of(a) - kind_of(b);
	if (len_a != len_b)
		return len_a > len_b ? -1 : 1;
	return strcmp(a, b);
}

static int compare_hosts(const char *a, const char *b)
{
	if (!*a != !*b)
		return !*a - !*b;
	return strcmp(a, b);
}

bool listeners_share(const struct service *a, const struct service *b)
{
	return !memcmp(&a->listen.key, &b->listen.key, sizeof(a->listen.key));
}

static int compare(const void *a, const void *b)
{
	const struct listener_rule *x = a, *y = b;
	int order = memcmp(&x->service->listen.key, &y->service->listen.key,
			   sizeof(x->service->listen.key));

	if (!order)
		order = compare_hosts(x->host, y->host);
	return order ? order : compare_paths(x->path, y->path);
}

int listeners_list(struct listener_rule **ret, uint32_t *ret_n, const struct model *model)
{
	struct listener_rule *rules;
	uint32_t n = 0;

	for (uint32_t i = 0; i < model->n_services; i++)
		n += model->services[i].l7.n_hosts + 1;
	rules = calloc(n + 1, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	n = 0;
	for (uint32_t i = 0; i < model->n_services; i++) {
		const struct service *service = &model->services[i];
		struct listener_rule rule = { service, "", "" };

		if (!service_is_l7(service))
			continue;
		if (service->l7.path_rule)
			rule.path = service->l7.path_rule;
		for (uint32_t j = 0; j < service->l7.n_hosts; j++) {
			rule.host = service->l7.hosts[j];
			rules[n++] = rule;
		}
		if (!service->l7.n_hosts)
			rules[n++] = rule;
	}
	qsort(rules, n, sizeof(*rules), compare);
	*ret = rules;
	*ret_n = n;
	return 0;
}

/* --- what may be together --------------------------------------------------------------------- */

static bool reads_http(const struct model *model, const struct service *service)
{
	enum protocol protocol = model->settings[service->settings].protocol;

	return protocol == PROTO_HTTP || protocol == PROTO_HTTPS;
}

/* Services of one address: what its listener has to know before it has read a request. */
static int check_listener(const struct model *model, const struct service *a,
			  const struct service *b, struct err *err)
{
	const char *why = NULL;

	if (!reads_http(model, a) || !reads_http(model, b))
		why = "their settings are not both of protocol http or https, so that connections "
		      "cannot be told apart";
	else if (!a->l7.n_certificates != !b->l7.n_certificates)
		why = "only one of them has tls";
	else if (a->l7.n_certificates && a->l7.http2 != b->l7.http2)
		why = "only one of them offers HTTP/2 (tls.http2)";
	if (!why)
		return 0;
	return err_set(err, -EEXIST, "services '%s' and '%s' both listen on %s, but %s", a->name,
		       b->name, a->listen.text, why);
}

static int check_rules(const struct listener_rule *a, const struct listener_rule *b,
		       struct err *err)
{
	if (strcmp(a->host, b->host) != 0 || strcmp(a->path, b->path) != 0)
		return 0;
	return err_set(
		err, -EEXIST,
		"services '%s' and '%s' both listen on %s for %s%s and %s%s; allowed: another "
		"host or path_rule for one of them",
		a->service->name, b->service->name, a->service->listen.text,
		*a->host ? "host " : "any host", a->host, *a->path ? "path " : "any path", a->path);
}

int listeners_check(const struct model *model, struct err *err)
{
	CLEANUP(free_p) struct listener_rule *rules = NULL;
	uint32_t n;
	int r;

	r = listeners_list(&rules, &n, model);
	for (uint32_t i = 1; i < n && r == 0; i++) {
		const struct listener_rule *a = &rules[i - 1], *b = &rules[i];

		if (!listeners_share(a->service, b->service))
			continue;
		if (a->service != b->service)
			r = check_listener(model, a->service, b->service, err);
		if (r == 0)
			r = check_rules(a, b, err);
	}
	return r;
}
