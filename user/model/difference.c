// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/difference.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROOM_MIN 16

/* --- the list --------------------------------------------------------------------------------- */

struct difference *difference_new(void)
{
	return calloc(1, sizeof(struct difference));
}

void difference_free(struct difference *difference)
{
	if (!difference)
		return;
	free(difference->items);
	free(difference->leaving);
	free(difference);
}

/* Room for one more in an array. */
static int grow(void *array, uint32_t *room, uint32_t n, size_t size)
{
	uint32_t more = *room ? 2 * *room : ROOM_MIN;
	void *grown;

	if (n < *room)
		return 0;
	grown = realloc(*(void **)array, more * size);
	if (!grown)
		return -ENOMEM;
	*(void **)array = grown;
	*room = more;
	return 0;
}

int difference_add(struct difference *d, const struct difference_item *item)
{
	int r = grow(&d->items, &d->room_items, d->n_items, sizeof(*d->items));

	if (r == 0)
		d->items[d->n_items++] = *item;
	return r;
}

int difference_add_leaving(struct difference *d, uint32_t endpoint)
{
	int r = grow(&d->leaving, &d->room_leaving, d->n_leaving, sizeof(*d->leaving));

	if (r == 0)
		d->leaving[d->n_leaving++] = endpoint;
	return r;
}

static int say(struct difference *d, enum difference_subject subject, enum difference_kind kind,
	       const char *name)
{
	struct difference_item item = { .subject = subject, .kind = kind };

	snprintf(item.name, sizeof(item.name), "%s", name);
	return difference_add(d, &item);
}

static int say_backend(struct difference *d, enum difference_kind kind, const struct pool *pool,
		       const struct backend *before, const struct backend *after)
{
	struct difference_item item = { .subject = DIFFERENCE_BACKEND, .kind = kind };

	snprintf(item.name, sizeof(item.name), "%s", pool->name);
	snprintf(item.address, sizeof(item.address), "%s", backend_text(before ? before : after));
	if (before)
		snprintf(item.before, sizeof(item.before), "%" PRIu32, before->weight);
	if (after)
		snprintf(item.after, sizeof(item.after), "%" PRIu32, after->weight);
	return difference_add(d, &item);
}

/* --- what is the same ------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_match(const struct probe_match *a, const struct probe_match *b)
{
	return a->n_status == b->n_status && same_text(a->body, b->body) &&
	       !memcmp(a->status, b->status, a->n_status * sizeof(*a->status));
}

static bool same_probe(const struct probe_def *a, const struct probe_def *b)
{
	return a->protocol == b->protocol && same_text(a->host, b->host) &&
	       a->host_from_settings == b->host_from_settings && same_text(a->path, b->path) &&
	       a->port == b->port && a->interval_ms == b->interval_ms &&
	       a->timeout_ms == b->timeout_ms && a->unhealthy_threshold == b->unhealthy_threshold &&
	       a->healthy_threshold == b->healthy_threshold && a->fail_fast == b->fail_fast &&
	       same_match(&a->match, &b->match) && a->min_servers == b->min_servers &&
	       a->proxy_protocol == b->proxy_protocol && a->send_len == b->send_len &&
	       (!a->send_len || !memcmp(a->send, b->send, a->send_len));
}

static bool same_trust(const struct trust_spec *a, const struct trust_spec *b)
{
	if (a->n_certs != b->n_certs || a->n_crls != b->n_crls || a->mode != b->mode)
		return false;
	for (uint32_t i = 0; i < a->n_certs; i++)
		if (a->certs[i].len != b->certs[i].len ||
		    memcmp(a->certs[i].der, b->certs[i].der, a->certs[i].len) != 0)
			return false;
	for (uint32_t i = 0; i < a->n_crls; i++)
		if (!same_text(a->crls[i], b->crls[i]))
			return false;
	return true;
}

static const char *probe_name(const struct model *model, const struct settings *settings)
{
	return settings->probe == INDEX_NONE ? NULL : model->probes[settings->probe].name;
}

static bool same_texts(char **a, uint32_t n_a, char **b, uint32_t n_b)
{
	if (n_a != n_b)
		return false;
	for (uint32_t i = 0; i < n_a; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

static bool same_l7_settings(const struct l7_settings *a, const struct l7_settings *b)
{
	return a->request_timeout_ms == b->request_timeout_ms && a->affinity == b->affinity &&
	       !strcmp(a->cookie, b->cookie) && same_text(a->path_override, b->path_override) &&
	       a->dedicated == b->dedicated && a->send_proxy == b->send_proxy;
}

static bool same_listener(const struct l7_listener *a, const struct l7_listener *b)
{
	return same_texts(a->hosts, a->n_hosts, b->hosts, b->n_hosts) &&
	       same_text(a->path_rule, b->path_rule) &&
	       same_texts(a->certificates, a->n_certificates, b->certificates, b->n_certificates) &&
	       a->http2 == b->http2;
}

static bool same_settings(const struct model *before, const struct settings *a,
			  const struct model *after, const struct settings *b)
{
	return a->protocol == b->protocol && a->port == b->port &&
	       same_text(probe_name(before, a), probe_name(after, b)) &&
	       same_text(a->host_name, b->host_name) &&
	       a->host_name_from_backend == b->host_name_from_backend &&
	       same_trust(&a->trust, &b->trust) && a->validate_chain == b->validate_chain &&
	       a->validate_name == b->validate_name && same_text(a->sni_name, b->sni_name) &&
	       a->full_handshake_every == b->full_handshake_every &&
	       a->on_unhealthy == b->on_unhealthy && a->on_none_healthy == b->on_none_healthy &&
	       a->reset_established == b->reset_established && a->drains == b->drains &&
	       a->drain_ms == b->drain_ms && a->passive == b->passive &&
	       a->passive_failures == b->passive_failures &&
	       a->passive_window_ms == b->passive_window_ms &&
	       a->passive_stretch == b->passive_stretch &&
	       a->passive_connect_ms == b->passive_connect_ms &&
	       a->slow_start_ms == b->slow_start_ms && same_l7_settings(&a->l7, &b->l7);
}

static bool same_service(const struct model *before, const struct service *a,
			 const struct model *after, const struct service *b)
{
	return !memcmp(&a->listen.key, &b->listen.key, sizeof(a->listen.key)) &&
	       a->forward == b->forward && a->source_nat == b->source_nat &&
	       a->source_affinity == b->source_affinity && a->table_size == b->table_size &&
	       same_listener(&a->l7, &b->l7) &&
	       !strcmp(before->pools[a->pool].name, after->pools[b->pool].name) &&
	       !strcmp(before->settings[a->settings].name, after->settings[b->settings].name);
}

static bool same_interface(const struct interface *a, const struct interface *b)
{
	return a->xdp == b->xdp && a->egress == b->egress;
}

/* Both were zero before they were read, so that the bytes between members are the same. */
static bool same_gateway(const struct gateway *a, const struct gateway *b)
{
	struct gateway x = *a, y = *b;

	x.interfaces = y.interfaces = NULL;
	x.n_interfaces = y.n_interfaces = 0;
	return !memcmp(&x, &y, sizeof(x));
}

/* --- side by side ----------------------------------------------------------------------------- */

/* Things with a name at their beginning, sorted by it. */
struct named {
	const char *name;
	uint32_t index;
};

static int compare_named(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static struct named *sort_named(const void *array, uint32_t n, size_t size)
{
	struct named *named = calloc(n + 1, sizeof(*named));

	for (uint32_t i = 0; named && i < n; i++)
		named[i] = (struct named){ (const char *)array + i * size, i };
	if (named)
		qsort(named, n, sizeof(*named), compare_named);
	return named;
}

/* Compares what both have. */
typedef int both_fn(struct difference *d, const struct model *before, uint32_t was,
		    const struct model *after, uint32_t is);

struct side {
	const struct model *model;
	const void *array;
	uint32_t n;
};

static int walk(struct difference *d, enum difference_subject subject, const struct side *before,
		const struct side *after, size_t size, both_fn *both)
{
	CLEANUP(free_p) struct named *old = sort_named(before->array, before->n, size);
	CLEANUP(free_p) struct named *new = sort_named(after->array, after->n, size);
	uint32_t i = 0, j = 0;
	int r = old && new ? 0 : -ENOMEM;

	while (r == 0 && (i < before->n || j < after->n)) {
		int order = i == before->n  ? 1
			    : j == after->n ? -1
					    : compare_named(&old[i], &new[j]);

		if (order < 0)
			r = say(d, subject, DIFFERENCE_REMOVED, old[i].name);
		else if (order > 0)
			r = say(d, subject, DIFFERENCE_ADDED, new[j].name);
		else
			r = both(d, before->model, old[i].index, after->model, new[j].index);
		i += order <= 0;
		j += order >= 0;
	}
	return r;
}

static int both_probes(struct difference *d, const struct model *before, uint32_t was,
		       const struct model *after, uint32_t is)
{
	if (same_probe(&before->probes[was], &after->probes[is]))
		return 0;
	return say(d, DIFFERENCE_PROBE, DIFFERENCE_CHANGED, before->probes[was].name);
}

static int both_settings(struct difference *d, const struct model *before, uint32_t was,
			 const struct model *after, uint32_t is)
{
	if (same_settings(before, &before->settings[was], after, &after->settings[is]))
		return 0;
	return say(d, DIFFERENCE_SETTINGS, DIFFERENCE_CHANGED, before->settings[was].name);
}

static int both_services(struct difference *d, const struct model *before, uint32_t was,
			 const struct model *after, uint32_t is)
{
	if (same_service(before, &before->services[was], after, &after->services[is]))
		return 0;
	return say(d, DIFFERENCE_SERVICE, DIFFERENCE_CHANGED, before->services[was].name);
}

/* What the pool has lost, or weighs differently. */
static int say_gone(struct difference *d, const struct pool *old, const struct pool *new,
		    const struct backend *backend)
{
	uint32_t now = pool_find_backend(new, backend_text(backend));

	if (now == INDEX_NONE)
		return say_backend(d, DIFFERENCE_REMOVED, old, backend, NULL);
	if (new->backends[now].weight == backend->weight)
		return 0;
	return say_backend(d, DIFFERENCE_CHANGED, old, backend, &new->backends[now]);
}

static int say_new(struct difference *d, const struct pool *old, const struct pool *new,
		   const struct backend *backend)
{
	if (pool_find_backend(old, backend_text(backend)) != INDEX_NONE)
		return 0;
	return say_backend(d, DIFFERENCE_ADDED, new, NULL, backend);
}

static int both_pools(struct difference *d, const struct model *before, uint32_t was,
		      const struct model *after, uint32_t is)
{
	const struct pool *old = &before->pools[was], *new = &after->pools[is];

	for (uint32_t i = 0; i < old->n_backends; i++) {
		struct backend backend = old->backends[i]; /* its text stays where it is */

		if (d->weights)
			backend.weight = weights_get(d->weights, was, i);
		if (say_gone(d, old, new, &backend) < 0)
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < new->n_backends; i++)
		if (say_new(d, old, new, &new->backends[i]) < 0)
			return -ENOMEM;
	return 0;
}

/* --- interfaces ------------------------------------------------------------------------------- */

/* "native, no egress" */
static void describe(char buf[DIFFERENCE_VALUE_LEN], const struct interface *interface)
{
	snprintf(buf, DIFFERENCE_VALUE_LEN, "%s%s", xdp_mode_name(interface->xdp),
		 interface->egress ? "" : ", no egress");
}

/* One of them may be NULL. */
static int say_interface(struct difference *d, const struct interface *before,
			 const struct interface *after)
{
	struct difference_item item = { .subject = DIFFERENCE_INTERFACE,
					.kind = !before  ? DIFFERENCE_ADDED
						: !after ? DIFFERENCE_REMOVED
							 : DIFFERENCE_CHANGED };

	snprintf(item.name, sizeof(item.name), "%s", before ? before->name : after->name);
	if (before)
		describe(item.before, before);
	if (after)
		describe(item.after, after);
	return difference_add(d, &item);
}

/* There are few. */
static int walk_interfaces(struct difference *d, const struct model *before,
			   const struct model *after)
{
	for (uint32_t i = 0; i < before->gateway.n_interfaces; i++) {
		const struct interface *was = &before->gateway.interfaces[i];
		const struct interface *is = model_find_interface(after, was->name);

		if ((!is || !same_interface(was, is)) && say_interface(d, was, is) < 0)
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < after->gateway.n_interfaces; i++)
		if (!model_find_interface(before, after->gateway.interfaces[i].name) &&
		    say_interface(d, NULL, &after->gateway.interfaces[i]) < 0)
			return -ENOMEM;
	return 0;
}

/* --- endpoints -------------------------------------------------------------------------------- */

/* By name, port and transport for one of a name, else by address. */
static int compare_endpoints(const void *a, const void *b)
{
	const struct endpoint *x = *(const struct endpoint *const *)a;
	const struct endpoint *y = *(const struct endpoint *const *)b;
	int order = memcmp(&x->key, &y->key, sizeof(x->key));

	if (order == 0)
		order = strcmp(x->name ? x->name : "", y->name ? y->name : "");
	return order ? order : (x->seat > y->seat) - (x->seat < y->seat);
}

int difference_same_endpoints(uint32_t **ret, const struct model *before, const struct model *after)
{
	CLEANUP(free_p)
	const struct endpoint **next = calloc(after->n_endpoints + 1, sizeof(*next));
	CLEANUP(free_p) uint32_t *same = calloc(before->n_endpoints + 1, sizeof(*same));

	*ret = NULL;
	if (!next || !same)
		return -ENOMEM;
	for (uint32_t i = 0; i < after->n_endpoints; i++)
		next[i] = &after->endpoints[i];
	qsort(next, after->n_endpoints, sizeof(*next), compare_endpoints);
	for (uint32_t i = 0; i < before->n_endpoints; i++) {
		const struct endpoint *endpoint = &before->endpoints[i], **found;

		found = bsearch(&endpoint, next, after->n_endpoints, sizeof(*next),
				compare_endpoints);
		same[i] = found ? (uint32_t)(*found - after->endpoints) : INDEX_NONE;
	}
	*ret = take_ptr(same);
	return 0;
}

/* Those of the model before that the next one has not. */
static int find_leaving(struct difference *d, const struct model *before, const struct model *after)
{
	CLEANUP(free_p) uint32_t *same = NULL;
	int r = difference_same_endpoints(&same, before, after);

	for (uint32_t i = 0; r == 0 && i < before->n_endpoints; i++)
		if (same[i] == INDEX_NONE)
			r = difference_add_leaving(d, i);
	return r;
}

/* All records of one kind of both, by name. */
static int walk_kind(struct difference *d, enum difference_subject subject,
		     const struct model *before, const struct model *after)
{
#define WALK(member, both)                                                                       \
	walk(d, subject, &(struct side){ before, before->member, before->n_##member },           \
	     &(struct side){ after, after->member, after->n_##member }, sizeof(*before->member), \
	     both)
	switch (subject) {
	case DIFFERENCE_PROBE:
		return WALK(probes, both_probes);
	case DIFFERENCE_SETTINGS:
		return WALK(settings, both_settings);
	case DIFFERENCE_POOL:
		return WALK(pools, both_pools);
	case DIFFERENCE_SERVICE:
		return WALK(services, both_services);
	default:
		return 0;
	}
#undef WALK
}

int difference_between(struct difference *d, const struct model *before,
		       const struct weights *weights, const struct model *after)
{
	static const enum difference_subject kinds[] = { DIFFERENCE_PROBE, DIFFERENCE_SETTINGS,
							 DIFFERENCE_POOL, DIFFERENCE_SERVICE };

	d->weights = weights;
	if (!same_gateway(&before->gateway, &after->gateway) &&
	    say(d, DIFFERENCE_GATEWAY, DIFFERENCE_CHANGED, "") < 0)
		return -ENOMEM;
	if (walk_interfaces(d, before, after) < 0)
		return -ENOMEM;
	d->guards_nothing = !after->gateway.n_interfaces;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (walk_kind(d, kinds[i], before, after) < 0)
			return -ENOMEM;
	return find_leaving(d, before, after);
}
