// SPDX-License-Identifier: GPL-2.0-or-later
/* services_table - the selection tables: who is in them, and storing them while packets read them. */
#include <errno.h>
#include <string.h>

#include "dataplane/services_work.h"
#include "model/maglev.h"
#include "model/weights.h"
#include "sluice/hash.h"

void forwarding_done(struct forwarding *forwarding)
{
	maglev_free(forwarding->maglev);
	free(forwarding->members);
}

static bool is_member(const struct service *service, const struct sl_target_key *key)
{
	struct addr addr;

	memcpy(addr.bytes, key->addr, sizeof(addr.bytes));
	return key->port && service_takes(service, &addr);
}

/* What Maglev knows an endpoint by: its address, whoever the gateway. */
static struct maglev_member member_of(const struct services *services, const struct model *model,
				      uint32_t service, const struct ids *ids, uint32_t i)
{
	const struct service *s = &model->services[service];
	uint32_t owner = s->owners[i];

	return (struct maglev_member){
		.key = sl_key_mix(&ids->key[s->endpoints[i]]),
		.weight = services->weights ? weights_get(services->weights, s->pool, owner)
					    : model->pools[s->pool].backends[owner].weight,
	};
}

static int make_maglev(struct services *services, const struct model *model, uint32_t index,
		       const struct ids *ids)
{
	const struct service *service = &model->services[index];
	struct forwarding *f = &services->of[index];
	CLEANUP(free_p)
	struct maglev_member *list = calloc(service->n_endpoints + 1, sizeof(*list));
	CLEANUP(free_p) uint32_t *members = calloc(service->n_endpoints + 1, sizeof(*members));
	struct maglev *maglev;
	uint64_t hash = 1;
	uint32_t n = 0;
	int r;

	if (!list || !members)
		return -ENOMEM;
	for (uint32_t i = 0; i < service->n_endpoints; i++) {
		if (!is_member(service, &ids->key[service->endpoints[i]]))
			continue;
		members[n] = i;
		list[n] = member_of(services, model, index, ids, i);
		hash = (hash ^ list[n].key ^ list[n].weight) * SL_MIX_A;
		n++;
	}
	if (f->maglev && hash == f->members_hash)
		return 0;
	r = maglev_new(&maglev, list, n, f->slice.size);
	if (r < 0)
		return r;
	forwarding_done(f);
	f->maglev = maglev;
	f->members = take_ptr(members);
	f->n_members = n;
	f->members_hash = hash;
	return 0;
}

/* Only slots that change are stored, so that nobody's cache is disturbed for nothing. */
static void publish(const struct services *services, const struct forwarding *f,
		    const struct service *service, const struct ids *ids)
{
	uint32_t *live = slots_of(services, f);

	for (uint32_t i = 0; i < f->slice.size; i++) {
		uint32_t member = services->slots[i], id = SL_ID_NONE;

		if (member != MAGLEV_NONE)
			id = ids->id[service->endpoints[f->members[member]]];
		if (__atomic_load_n(&live[i], __ATOMIC_RELAXED) != id)
			__atomic_store_n(&live[i], id, __ATOMIC_RELAXED);
	}
}

/* When words are not to be asked, they are not before anybody is chosen without them. */
static void store_any(struct sl_service *entry, bool any)
{
	__u8 flags = entry->flags;

	flags = any ? flags | SL_SERVICE_ANY : flags & ~SL_SERVICE_ANY;
	__atomic_store_n(&entry->flags, flags, __ATOMIC_RELEASE);
}

int services_balance(struct services *services, const struct model *model, const struct ids *ids,
		     uint32_t service, const uint16_t shares[], bool any)
{
	const struct service *s = &model->services[service];
	struct forwarding *f = &services->of[service];
	CLEANUP(free_p) uint16_t *parts = NULL;
	int r;

	if (f->id == SL_ID_NONE)
		return 0;
	r = make_maglev(services, model, service, ids);
	if (r < 0)
		return r;
	parts = calloc(f->n_members + 1, sizeof(*parts));
	if (!parts)
		return -ENOMEM;
	for (uint32_t i = 0; i < f->n_members; i++)
		parts[i] = shares[f->members[i]];
	maglev_fill(f->maglev, parts, services->slots);
	if (any)
		store_any(entry_of(services, f->id), true);
	publish(services, f, s, ids);
	if (!any)
		store_any(entry_of(services, f->id), false);
	return 0;
}

int services_count(const struct services *services, uint32_t service, uint32_t counts[],
		   uint32_t n_ids, uint32_t *ret_size)
{
	const struct forwarding *f = &services->of[service];
	const uint32_t *live;

	if (f->id == SL_ID_NONE)
		return -ENOENT;
	live = slots_of(services, f);
	for (uint32_t i = 0; i < f->slice.size; i++) {
		uint32_t id = __atomic_load_n(&live[i], __ATOMIC_RELAXED);

		if (id < n_ids)
			counts[id]++;
	}
	*ret_size = f->slice.size;
	return 0;
}

static bool is_usable(struct sl_word word, enum sl_health health)
{
	return word.admin == SL_ENABLED &&
	       (word.health == health || (health == SL_HEALTHY && word.flags & SL_WORD_FORCED));
}

/* Whoever has this health has a full share. Returns how many there are. */
static uint32_t share_by_words(uint16_t shares[], const struct service *service,
			       const struct ids *ids, const struct mapped *words,
			       enum sl_health health)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < service->n_endpoints; i++) {
		uint32_t endpoint = service->endpoints[i];
		bool usable = is_member(service, &ids->key[endpoint]) &&
			      is_usable(mapped_word(words, ids->id[endpoint]), health);

		shares[i] = usable ? MAGLEV_SHARE_FULL : 0;
		n += usable;
	}
	return n;
}

/* Who is to be chosen as far as words tell: the healthy, else those of whom nothing is known. 0: nobody. */
static uint32_t share_to_usable(uint16_t shares[], const struct service *service,
				const struct ids *ids, const struct mapped *words)
{
	uint32_t n = share_by_words(shares, service, ids, words, SL_HEALTHY);

	return n ? n : share_by_words(shares, service, ids, words, SL_UNKNOWN);
}

/*
 * A packet that finds an endpoint that may not be used tries others, but only so many: one with most of the weight
 * would hide them all until the daemon has computed the table anew. Where nobody is to be chosen, words say so.
 */
int services_fill(struct services *services, const struct model *model, const struct ids *ids,
		  const struct mapped *words, uint32_t service)
{
	const struct service *s = &model->services[service];
	CLEANUP(free_p) uint16_t *shares = calloc(s->n_endpoints + 1, sizeof(*shares));

	if (!shares)
		return -ENOMEM;
	if (!share_to_usable(shares, s, ids, words))
		for (uint32_t i = 0; i < s->n_endpoints; i++)
			shares[i] = MAGLEV_SHARE_FULL;
	return services_balance(services, model, ids, service, shares, false);
}

/* Whether the table in force names members only, and nobody has come. Without memory: no. */
static bool has_same_members(const struct services *services, const struct forwarding *f,
			     const struct service *service, const struct ids *ids, uint32_t n_ids)
{
	CLEANUP(free_p) bool *members = calloc(n_ids, sizeof(*members));
	const uint32_t *live = slots_of(services, f);

	if (!members)
		return false;
	for (uint32_t i = 0; i < service->n_endpoints; i++) {
		uint32_t endpoint = service->endpoints[i];

		if (!is_member(service, &ids->key[endpoint]))
			continue;
		if (ids->was[endpoint] != ids->id[endpoint])
			return false;
		members[ids->id[endpoint]] = true;
	}
	for (uint32_t i = 0; i < f->slice.size; i++)
		if (live[i] != SL_ID_NONE && (live[i] >= n_ids || !members[live[i]]))
			return false;
	return true;
}

void services_refresh(struct services *services, const struct model *model, const struct ids *ids,
		      const struct mapped *words)
{
	uint32_t n_ids = map_entries(services->maps->fd[MAP_WORDS]);

	for (uint32_t i = 0; services->in_place && i < services->n; i++) {
		const struct service *service = &model->services[i];
		const struct forwarding *f = &services->of[i];
		CLEANUP(free_p) uint16_t *shares = NULL;

		if (f->id == SL_ID_NONE || !f->in_force ||
		    has_same_members(services, f, service, ids, n_ids))
			continue;
		shares = calloc(service->n_endpoints + 1, sizeof(*shares));
		/* Without anybody to go to, or memory, the table stays what it is. */
		if (shares && share_to_usable(shares, service, ids, words))
			services_balance(services, model, ids, i, shares, false);
	}
}
