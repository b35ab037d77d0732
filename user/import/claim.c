// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * claim - what no two services may have: an endpoint under two settings, a listen address.
 *
 * The first in the order of the rules has it. model_link() would refuse the others.
 */
#include <errno.h>
#include <search.h>
#include <string.h>
#include <strings.h>

#include "config/value.h"
#include "import/work.h"

struct claim {
	struct addr addr; /* all zero: a name */
	const char *name;
	size_t name_len; /* without a final dot */
	uint16_t port;
	const struct planned *owner;
};

struct claims {
	void *endpoints, *listens; /* trees of claims */
	uint32_t n_endpoints; /* as the model counts them */
};

static int compare(const void *a, const void *b)
{
	const struct claim *left = a, *right = b;
	int order = memcmp(&left->addr, &right->addr, sizeof(left->addr));

	if (order)
		return order;
	if (left->port != right->port)
		return left->port < right->port ? -1 : 1;
	if (left->name_len != right->name_len)
		return left->name_len < right->name_len ? -1 : 1;
	return left->name_len ? strncasecmp(left->name, right->name, left->name_len) : 0;
}

static struct claim claim_of(const struct planned *service, const struct member *member)
{
	struct claim claim = { .addr = member->addr,
			       .port = service->settings->port,
			       .owner = service };

	if (member_is_name(member)) {
		claim.name = member->text;
		claim.name_len = strlen(member->text);
		claim.name_len -= claim.name[claim.name_len - 1] == '.';
	}
	return claim;
}

static const struct planned *owner_of(void *const *tree, const struct claim *claim)
{
	struct claim *const *found = tfind(claim, tree, compare);

	return found ? (*found)->owner : NULL;
}

static int add_claim(struct claims *claims, void **tree, struct claim claim)
{
	struct claim **found;
	struct claim *kept = malloc(sizeof(*kept));

	if (!kept)
		return -ENOMEM;
	*kept = claim;
	found = tsearch(kept, tree, compare);
	if (!found || *found != kept)
		free(kept);
	else if (tree == &claims->endpoints)
		claims->n_endpoints += claim.name ? LIMIT_NAME_ADDRESSES : 1;
	return found ? 0 : -ENOMEM;
}

/* Why the service cannot have its endpoints, or NULL. */
static const char *endpoint_problem(struct work *work, const struct claims *claims,
				    const struct planned *service)
{
	const struct item *pool = service->pool;
	uint64_t wanted = claims->n_endpoints;

	for (uint32_t i = 0; i < pool->n_members; i++) {
		struct claim claim;
		const struct planned *owner;

		if (pool->members[i].off)
			continue;
		claim = claim_of(service, &pool->members[i]);
		owner = owner_of(&claims->endpoints, &claim);
		if (!owner)
			wanted += claim.name ? LIMIT_NAME_ADDRESSES : 1;
		else if (owner->settings != service->settings)
			return work_say(work,
					"%s port %u is an endpoint of '%s' already, under other "
					"settings ('%s'); it can follow one only",
					pool->members[i].text, (unsigned int)claim.port,
					owner->name, owner->settings->name);
	}
	if (wanted > LIMIT_ENDPOINTS)
		return work_say(work, "it would be more than %u endpoints", LIMIT_ENDPOINTS);
	return NULL;
}

static int claim_endpoints(struct work *work, struct claims *claims, struct planned *service)
{
	const struct item *pool = service->pool;

	service->off = endpoint_problem(work, claims, service);
	for (uint32_t i = 0; !service->off && i < pool->n_members; i++) {
		int r;

		if (pool->members[i].off)
			continue;
		r = add_claim(claims, &claims->endpoints, claim_of(service, &pool->members[i]));
		if (r < 0)
			return r;
	}
	return 0;
}

/* A backend of the other address family, which translation does not reach, or NULL. */
static const struct member *find_stranger(const struct item *pool, const struct addr *addr)
{
	for (uint32_t i = 0; i < pool->n_members; i++) {
		const struct member *member = &pool->members[i];

		if (!member->off && !member_is_name(member) &&
		    addr_is_v4(&member->addr) != addr_is_v4(addr))
			return member;
	}
	return NULL;
}

static const char *listen_problem(struct work *work, const struct claims *claims,
				  const struct planned *service, struct claim *ret)
{
	const struct item *listener = service->listener;
	const char *text = work_text(work, prop_field(listener->frontend->at, "privateIPAddress"));
	const struct member *stranger;
	const struct planned *owner;
	struct claim claim = { .port = listener->port, .owner = service };

	if (addr_parse(&claim.addr, text) < 0)
		return work_say(work, "'%.60s' is no IP address", text);
	if (addr_unusable(&claim.addr))
		return work_say(work, "'%.60s' %s", text, addr_unusable(&claim.addr));
	stranger = find_stranger(service->pool, &claim.addr);
	if (stranger)
		return work_say(work, "backend %s is of another address family than %s",
				stranger->text, text);
	owner = owner_of(&claims->endpoints, &claim);
	if (owner)
		return work_say(work, "%s port %u is an endpoint of '%s'", text,
				(unsigned int)claim.port, owner->name);
	owner = owner_of(&claims->listens, &claim);
	if (owner)
		return work_say(work, "service '%s' listens there%s", owner->name,
				owner->pool == service->pool ? ", and goes to the same" : "");
	*ret = claim;
	return NULL;
}

static int claim_listen(struct work *work, struct claims *claims, struct planned *service)
{
	struct item *listener = service->listener;
	struct claim claim;

	service->unheard = listen_problem(work, claims, service, &claim);
	if (service->unheard)
		return 0;
	addr_port_format(service->listen, &claim.addr, claim.port);
	listener->is_heard = listener->frontend->is_heard = true;
	listener->frontend_port->is_heard = true;
	return add_claim(claims, &claims->listens, claim);
}

int work_claim(struct work *work)
{
	struct claims claims = { .n_endpoints = 0 };
	int r = 0; /* of a gateway without rules */

	for (uint32_t i = 0; r >= 0 && i < work->n_services; i++)
		if (!work->services[i].off && !work->services[i].is_repeat)
			r = claim_endpoints(work, &claims, &work->services[i]);
	for (uint32_t i = 0; r >= 0 && i < work->n_services; i++)
		if (!work->services[i].off && !work->services[i].unheard)
			r = claim_listen(work, &claims, &work->services[i]);
	tdestroy(claims.endpoints, free);
	tdestroy(claims.listens, free);
	return r < 0 ? r : work->oom ? -ENOMEM : 0;
}
