// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/dataplane.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "dataplane/host.h"
#include "dataplane/leaving.h"
#include "dataplane/open.h"
#include "dataplane/percpu.h"
#include "util/clock.h"
#include "util/err.h"

int dataplane_supported(struct err *err)
{
	struct host_facts facts;

	host_read(&facts);
	return host_judge(&facts, err);
}

void dataplane_close(struct dataplane *dp)
{
	if (!dp)
		return;
	network_close(dp->network);
	tables_done(&dp->tables);
	programs_free(dp->programs);
	pins_close(dp->pins);
	interfaces_free(dp->interfaces);
	free(dp);
}

/* --- endings --------------------------------------------------------------------------------- */

struct detached {
	bool has_daemon;
};

static void detach_layout(int dir_fd, const char *path, void *arg)
{
	struct detached *detached = arg;

	detached->has_daemon |= pins_locked(dir_fd);
	hooks_detach_all(path);
}

int dataplane_detach_all(const char *bpffs, struct err *err)
{
	struct detached detached = { 0 };
	int r;

	r = dataplane_supported(err);
	if (r < 0)
		return r;
	r = pins_remove_all(bpffs, detach_layout, &detached);
	if (r < 0)
		return err_set(err, r, "remove what is pinned in '%s': %s", bpffs, strerror(-r));
	if (r == 0)
		return err_set(err, -ENOENT, "nothing is pinned in '%s'", bpffs);
	if (err)
		snprintf(err->text, sizeof(err->text), "%s",
			 detached.has_daemon ? "a daemon is still running; it probes on, but "
					       "guards nothing until it is started again"
					     : "");
	return 0;
}

int dataplane_destroy(struct dataplane *dp, struct err *err)
{
	int r = 0; /* nothing to do where somebody has detached everything already */

	if (pins_exist(dp->pins)) {
		hooks_detach_all(pins_layout_path(dp->pins));
		pins_remove(dp->pins);
		if (pins_exist(dp->pins))
			r = err_set(err, -EBUSY, "'%s' could not be removed",
				    pins_layout_path(dp->pins));
	}
	dataplane_close(dp);
	return r;
}

bool dataplane_is_new(const struct dataplane *dp)
{
	return dp->is_new;
}

bool dataplane_in_force(const struct dataplane *dp)
{
	return pins_exist(dp->pins);
}

bool dataplane_in_sight(const struct dataplane *dp)
{
	return pins_in_sight(dp->pins);
}

int dataplane_renew_pins(struct dataplane *dp, struct err *err)
{
	return pins_renew(dp->pins, err);
}

/* --- words and counters ---------------------------------------------------------------------- */

static uint32_t id_of(const struct dataplane *dp, uint32_t endpoint)
{
	assert(endpoint < dp->tables.ids.n);
	return dp->tables.ids.id[endpoint];
}

bool dataplane_was_adopted(const struct dataplane *dp, uint32_t endpoint)
{
	assert(endpoint < dp->tables.ids.n);
	return dp->tables.keeps_words && dp->tables.ids.was[endpoint] != ID_NONE;
}

bool dataplane_key(const struct dataplane *dp, uint32_t endpoint, struct sl_target_key *ret_key,
		   bool *ret_stale)
{
	const struct ids *ids = &dp->tables.ids;

	assert(endpoint < ids->n);
	if (!ids->key[endpoint].port)
		return false;
	*ret_key = ids->key[endpoint];
	if (ret_stale)
		*ret_stale = ids->stale[endpoint];
	return true;
}

int dataplane_set_endpoint(struct dataplane *dp, uint32_t endpoint, const struct sl_target_key *key,
			   struct err *err)
{
	return tables_set(&dp->tables, dp->model, endpoint, key, err);
}

struct sl_word dataplane_word(const struct dataplane *dp, uint32_t endpoint)
{
	return mapped_word(&dp->tables.words, id_of(dp, endpoint));
}

void dataplane_store_word(struct dataplane *dp, uint32_t endpoint, struct sl_word word)
{
	mapped_store_word(&dp->tables.words, id_of(dp, endpoint), word);
}

int dataplane_balance(struct dataplane *dp, uint32_t service, const uint16_t shares[], bool any)
{
	return tables_balance(&dp->tables, dp->model, service, shares, any);
}

void dataplane_use_weights(struct dataplane *dp, const struct weights *weights)
{
	dp->tables.services.weights = weights;
}

int dataplane_network_fd(const struct dataplane *dp)
{
	return dp->network ? network_fd(dp->network) : -1;
}

bool dataplane_note_network(struct dataplane *dp)
{
	struct sl_meta *meta = dp->tables.meta.start;
	unsigned int changed = network_read(dp->network);

	if (changed)
		__atomic_fetch_add(&meta->route_epoch, 1, __ATOMIC_RELEASE);
	return changed & NETWORK_ROUTES;
}

void dataplane_follow_network(struct dataplane *dp)
{
	const struct mapset *maps = programs_maps(dp->programs);
	CLEANUP(free_p) struct addr *addrs = NULL;
	uint32_t n;

	if (!dp->network)
		return;
	/* What fails now is tried again with the next change; packets find their way without. */
	network_list_devices(dp->network, maps->fd[MAP_DEVICES]);
	tables_find_sources(&dp->tables, dp->model);
	if (tables_destinations(&dp->tables, dp->model, &addrs, &n) == 0)
		network_keep_next_hops(dp->network, addrs, n);
}

void dataplane_heartbeat(struct dataplane *dp, uint64_t now_ns)
{
	struct sl_meta *meta = dp->tables.meta.start;

	__atomic_store_n(&meta->now_s, (__u32)(now_ns / NS_PER_SEC), __ATOMIC_RELAXED);

	__atomic_store_n(&meta->heartbeat_ns, now_ns, __ATOMIC_RELEASE);
	leaving_expire(&dp->tables, now_ns / NS_PER_SEC);
}

struct sl_meta dataplane_meta(const struct dataplane *dp)
{
	const struct sl_meta *live = dp->tables.meta.start;
	struct sl_meta meta;

	memcpy(&meta, live, sizeof(meta));
	meta.heartbeat_ns = __atomic_load_n(&live->heartbeat_ns, __ATOMIC_ACQUIRE);
	return meta;
}

bool dataplane_attachment(const struct dataplane *dp, uint32_t i, struct attachment *ret)
{
	return interfaces_read(dp->interfaces, i, ret);
}

const char *dataplane_note(const struct dataplane *dp, uint32_t i)
{
	return i < dp->n_notes ? dp->notes[i].text : NULL;
}

bool dataplane_note_is_loss(const struct dataplane *dp, uint32_t i)
{
	return dp->notes[i].is_loss;
}

const char *dataplane_degraded(const struct dataplane *dp)
{
	return dp->degraded[0] ? dp->degraded : NULL;
}

int dataplane_endpoint_stats(const struct dataplane *dp, uint32_t endpoint,
			     struct sl_endpoint_stats *ret_stats)
{
	uint64_t sums[sizeof(*ret_stats) / sizeof(uint64_t)];
	int r;

	r = percpu_sum(programs_maps(dp->programs)->fd[MAP_STATS], id_of(dp, endpoint),
		       sizeof(sums), sums);
	if (r < 0)
		return r;
	memcpy(ret_stats, sums, sizeof(sums));
	return 0;
}

int dataplane_attempts(const struct dataplane *dp, uint32_t endpoint,
		       struct attempt_report *ret_report)
{
	return attempts_read(&dp->tables.attempts, id_of(dp, endpoint), ret_report);
}

bool dataplane_sweep(struct dataplane *dp, uint64_t now_ns)
{
	if (!dp->tables.attempts.n_slots)
		return false;
	attempts_sweep(&dp->tables.attempts, now_ns);
	return true;
}

struct attempt_evidence dataplane_evidence(const struct dataplane *dp, uint32_t endpoint)
{
	uint32_t id = id_of(dp, endpoint);
	struct sl_evidence evidence = attempts_evidence(&dp->tables.attempts, id);

	return (struct attempt_evidence){ .refused = evidence.refused,
					  .unreachable = evidence.unreachable,
					  .retransmitted = evidence.retransmitted,
					  .late = dp->tables.attempts.late[id],
					  .seen = evidence.seen };
}

int dataplane_service_stats(const struct dataplane *dp, uint32_t service,
			    struct sl_service_stats *ret_stats)
{
	uint64_t sums[sizeof(*ret_stats) / sizeof(uint64_t)];
	uint32_t id;
	int r;

	assert(service < dp->tables.services.n);
	id = dp->tables.services.of[service].id;
	if (id == SL_ID_NONE)
		return -ENOENT;
	r = percpu_sum(programs_maps(dp->programs)->fd[MAP_SERVICE_STATS], id, sizeof(sums), sums);
	if (r < 0)
		return r;
	memcpy(ret_stats, sums, sizeof(sums));
	return 0;
}

int dataplane_slots(const struct dataplane *dp, uint32_t service, uint32_t ret_slots[],
		    uint32_t *ret_size)
{
	const struct service *s = &dp->model->services[service];
	CLEANUP(free_p) uint32_t *by_id = NULL;
	int r;

	by_id = calloc(dp->tables.sizes.endpoints, sizeof(*by_id));
	if (!by_id)
		return -ENOMEM;
	r = services_count(&dp->tables.services, service, by_id, dp->tables.sizes.endpoints,
			   ret_size);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < s->n_endpoints; i++)
		ret_slots[i] = by_id[id_of(dp, s->endpoints[i])];
	return 0;
}

bool dataplane_forwards(const struct dataplane *dp)
{
	for (uint32_t i = 0; i < dp->tables.services.n; i++)
		if (dp->tables.services.of[i].id != SL_ID_NONE)
			return true;
	return false;
}

int dataplane_decisions(const struct dataplane *dp, struct sl_decision_counts *ret_counts)
{
	uint64_t sums[SL_DECISION_MAX];
	int r;

	r = percpu_sum(programs_maps(dp->programs)->fd[MAP_DECISIONS], 0, sizeof(sums), sums);
	if (r < 0)
		return r;
	memcpy(ret_counts, sums, sizeof(sums));
	return 0;
}

/* What changes while the daemon runs are single numbers. */
struct dataplane_fills dataplane_fills(const struct dataplane *dp)
{
	const struct tables *tables = &dp->tables;
	uint32_t leaving = __atomic_load_n(&tables->n_leaving, __ATOMIC_RELAXED);
	struct dataplane_fills fills = {
		.targets = leaving,
		.targets_max = tables->sizes.entries[MAP_TARGETS],
		.endpoints = tables->ids.n + leaving,
		.endpoints_max = tables->sizes.endpoints,
		.services_max = tables->sizes.services,
	};

	for (uint32_t i = 0; i < tables->ids.n; i++)
		fills.targets += __atomic_load_n(&tables->ids.key[i].port, __ATOMIC_RELAXED) != 0;
	for (uint32_t i = 0; i < tables->services.n; i++) {
		fills.services += tables->services.of[i].id != SL_ID_NONE;
		fills.targets += dp->model->services[i].listen.key.port != 0;
	}
	return fills;
}

const struct map_info *dataplane_maps(const struct dataplane *dp, uint32_t *ret_n)
{
	*ret_n = MAPS;
	return dp->maps;
}
