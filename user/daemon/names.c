// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/names.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "probe/resolve.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"

struct chair {
	bool draining;
	uint64_t until_ms; /* monotonic: when draining is over */
	uint64_t left_ms; /* monotonic: when it was vacated; the longest vacant is taken first */
};

/* The seats of one name under one settings. */
struct group {
	uint32_t first; /* endpoint of its first seat */
	bool shown; /* the first seat stands for the name */
	bool elsewhere; /* it has addresses that are endpoints of these settings already */
	bool stale; /* its addresses date from another configuration */
	bool flushed; /* and were given up for it */
	struct chair chairs[LIMIT_NAME_ADDRESSES];
};

/* What is known of one name. */
struct known {
	struct board_name shown;
	struct addr addrs[LIMIT_NAME_ADDRESSES]; /* of the last good answer */
	uint32_t n;
	bool said; /* what is odd about the answer is in the log already */
};

struct names {
	struct names_parts parts;
	struct resolver *resolver;
	uv_timer_t drain;
	struct group *groups;
	uint32_t n_groups;
	struct known *known; /* parallel to model->names */
};

static const struct endpoint *endpoint_of(const struct names *names, const struct group *group)
{
	return &names->parts.model->endpoints[group->first];
}

static bool is_taken(const struct names *names, const struct group *group, uint32_t seat)
{
	return pipeline_taken(names->parts.pipeline, group->first + seat);
}

static struct addr addr_of(const struct names *names, const struct group *group, uint32_t seat)
{
	return pipeline_plan(names->parts.pipeline, group->first + seat).addr;
}

static bool same_addr(const struct addr *a, const struct addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static bool has_addr(const struct addr *addrs, uint32_t n, const struct addr *addr)
{
	for (uint32_t i = 0; i < n; i++)
		if (same_addr(&addrs[i], addr))
			return true;
	return false;
}

static uint32_t count_taken(const struct names *names, const struct group *group)
{
	uint32_t n = 0;

	for (uint32_t seat = 0; seat < LIMIT_NAME_ADDRESSES; seat++)
		n += is_taken(names, group, seat);
	return n;
}

/* --- seats ------------------------------------------------------------------------------------ */

static void probe(struct names *names, uint32_t endpoint)
{
	struct plan plan = pipeline_plan(names->parts.pipeline, endpoint);

	if (engine_set(names->parts.engine, endpoint, plan.idle ? NULL : &plan) < 0)
		log_error("out of memory: an address of %s is not probed", plan.backend);
}

/* With nobody in its seats, the first stands for the name, so that people see it at all. */
static void show_name(struct names *names, struct group *group)
{
	bool shown = count_taken(names, group) == 0 && !group->elsewhere;

	if (shown == group->shown)
		return;
	group->shown = shown;
	if (shown || !is_taken(names, group, 0))
		pipeline_vacate(names->parts.pipeline, group->first, shown);
}

static void vacate(struct names *names, struct group *group, uint32_t seat)
{
	pipeline_vacate(names->parts.pipeline, group->first + seat, false);
	probe(names, group->first + seat);
	group->chairs[seat] = (struct chair){ .left_ms = clock_mono_ms() };
	show_name(names, group);
}

/* The seat where this address sits, or LIMIT_NAME_ADDRESSES. */
static uint32_t find_addr(const struct names *names, const struct group *group,
			  const struct addr *addr)
{
	for (uint32_t seat = 0; seat < LIMIT_NAME_ADDRESSES; seat++) {
		struct addr here = addr_of(names, group, seat);

		if (is_taken(names, group, seat) && same_addr(&here, addr))
			return seat;
	}
	return LIMIT_NAME_ADDRESSES;
}

/* The one that has been vacant longest; without any, the one whose draining is over first. */
static uint32_t find_vacant(struct names *names, struct group *group)
{
	uint32_t best = LIMIT_NAME_ADDRESSES, drained = LIMIT_NAME_ADDRESSES;
	const struct chair *chairs = group->chairs;

	for (uint32_t seat = 0; seat < LIMIT_NAME_ADDRESSES; seat++) {
		if (is_taken(names, group, seat)) {
			if (chairs[seat].draining &&
			    (drained == LIMIT_NAME_ADDRESSES ||
			     chairs[seat].until_ms < chairs[drained].until_ms))
				drained = seat;
		} else if (best == LIMIT_NAME_ADDRESSES ||
			   chairs[seat].left_ms < chairs[best].left_ms) {
			best = seat;
		}
	}
	if (best == LIMIT_NAME_ADDRESSES && drained != LIMIT_NAME_ADDRESSES) {
		vacate(names, group, drained);
		best = drained;
	}
	return best;
}

/* The endpoint that has the address already, or INDEX_NONE. */
static uint32_t find_owner(const struct names *names, const struct group *group,
			   const struct addr *addr)
{
	const struct model *model = names->parts.model;
	const struct endpoint *wanted = endpoint_of(names, group);

	for (uint32_t i = 0; i < model->n_endpoints; i++) {
		const struct endpoint *endpoint = &model->endpoints[i];
		struct plan plan;

		if (endpoint->key.port != wanted->key.port ||
		    endpoint->key.proto != wanted->key.proto ||
		    !pipeline_taken(names->parts.pipeline, i))
			continue;
		plan = pipeline_plan(names->parts.pipeline, i);
		if (same_addr(&plan.addr, addr))
			return i;
	}
	return INDEX_NONE;
}

/* What cannot be let in is said once, and shown with the name for as long as it is so. */
static void refuse(struct names *names, struct group *group, const struct addr *addr,
		   const char *reason)
{
	const struct endpoint *endpoint = endpoint_of(names, group);
	struct known *known = &names->known[endpoint->name_index];
	char text[SL_TEXT_LEN];

	addr_port_format(text, addr, endpoint->key.port);
	snprintf(known->shown.why, sizeof(known->shown.why), "%s is left out: %s", text, reason);
	if (!known->said)
		log_warn("%s: %s", endpoint->name, known->shown.why);
	known->said = true;
}

/* Another name has let go of it, so it is free for the one that stands for it now. */
static bool take_draining(struct names *names, uint32_t endpoint)
{
	if (pipeline_admin(names->parts.pipeline, endpoint) != SL_DRAINING)
		return false;
	for (uint32_t i = 0; i < names->n_groups; i++) {
		struct group *group = &names->groups[i];

		if (endpoint >= group->first && endpoint < group->first + LIMIT_NAME_ADDRESSES)
			vacate(names, group, endpoint - group->first);
	}
	return true;
}

static void seat_addr(struct names *names, struct group *group, const struct addr *addr)
{
	const struct endpoint *endpoint = endpoint_of(names, group);
	const struct model *model = names->parts.model;
	uint32_t owner = find_owner(names, group, addr), seat;
	char text[SL_TEXT_LEN];
	struct err err;
	int r;

	/* Found under another name of the same settings: it is probed and guarded already. */
	if (owner != INDEX_NONE && model->endpoints[owner].settings == endpoint->settings &&
	    !take_draining(names, owner)) {
		group->elsewhere = true;
		return;
	}
	if (owner != INDEX_NONE && model->endpoints[owner].settings != endpoint->settings) {
		refuse(names, group, addr,
		       "another settings guards it, and one address and port can follow one only");
		return;
	}
	seat = find_vacant(names, group);
	if (seat == LIMIT_NAME_ADDRESSES)
		return;
	r = pipeline_seat(names->parts.pipeline, group->first + seat, addr, &err);
	if (r < 0) {
		refuse(names, group, addr, err.text);
		return;
	}
	probe(names, group->first + seat);
	show_name(names, group);
	log_info("%s: %s appeared", endpoint->name,
		 addr_port_format(text, addr, endpoint->key.port));
}

/* Another name of the same settings that stands for the address, too, or NULL. */
static struct group *find_other(struct names *names, const struct group *group,
				const struct addr *addr)
{
	const struct endpoint *endpoint = endpoint_of(names, group);

	for (uint32_t i = 0; i < names->n_groups; i++) {
		struct group *other = &names->groups[i];
		const struct endpoint *theirs = endpoint_of(names, other);
		const struct known *known = &names->known[theirs->name_index];

		if (other != group && theirs->settings == endpoint->settings &&
		    has_addr(known->addrs, known->n, addr))
			return other;
	}
	return NULL;
}

static void arm_drain(struct names *names);

static uint32_t drain_ms_of(const struct names *names, const struct group *group)
{
	const struct endpoint *endpoint = endpoint_of(names, group);
	const struct settings *settings = &names->parts.model->settings[endpoint->settings];

	return settings_drain_ms(settings);
}

static void mark_draining(const struct names *names, struct group *group, uint32_t seat)
{
	group->chairs[seat].draining = true;
	group->chairs[seat].until_ms = clock_mono_ms() + drain_ms_of(names, group);
}

static void begin_drain(struct names *names, struct group *group, uint32_t seat)
{
	const struct endpoint *endpoint = endpoint_of(names, group);
	struct addr addr = addr_of(names, group, seat);
	struct group *other = find_other(names, group, &addr);
	char text[SL_TEXT_LEN];

	if (other) {
		vacate(names, group, seat);
		seat_addr(names, other, &addr);
		return;
	}
	mark_draining(names, group, seat);
	pipeline_set_admin(names->parts.pipeline, group->first + seat, SL_DRAINING);
	log_info("%s: %s is gone from DNS: no new flows, and open ones for %" PRIu32 " s",
		 endpoint->name, addr_port_format(text, &addr, endpoint->key.port),
		 drain_ms_of(names, group) / (uint32_t)MS_PER_SEC);
}

static void end_drain(struct names *names, struct group *group, uint32_t seat)
{
	const struct endpoint *endpoint = endpoint_of(names, group);
	struct addr addr = addr_of(names, group, seat);
	char text[SL_TEXT_LEN];

	vacate(names, group, seat);
	log_info("%s: %s is drained and no longer guarded", endpoint->name,
		 addr_port_format(text, &addr, endpoint->key.port));
}

static void on_drain(uv_timer_t *timer)
{
	struct names *names = timer->data;
	uint64_t now_ms = clock_mono_ms();

	for (uint32_t i = 0; i < names->n_groups; i++)
		for (uint32_t seat = 0; seat < LIMIT_NAME_ADDRESSES; seat++) {
			const struct chair *chair = &names->groups[i].chairs[seat];

			if (chair->draining && chair->until_ms <= now_ms)
				end_drain(names, &names->groups[i], seat);
		}
	arm_drain(names);
}

static void arm_drain(struct names *names)
{
	uint64_t next_ms = UINT64_MAX, now_ms = clock_mono_ms();

	for (uint32_t i = 0; i < names->n_groups; i++)
		for (uint32_t seat = 0; seat < LIMIT_NAME_ADDRESSES; seat++) {
			const struct chair *chair = &names->groups[i].chairs[seat];

			if (chair->draining && chair->until_ms < next_ms)
				next_ms = chair->until_ms;
		}
	if (next_ms == UINT64_MAX) {
		uv_timer_stop(&names->drain);
		return;
	}
	uv_update_time(names->parts.loop);
	uv_timer_start(&names->drain, on_drain, next_ms > now_ms ? next_ms - now_ms : 0, 0);
}

/* --- answers ---------------------------------------------------------------------------------- */

static bool is_lost(const struct resolve_answer *answer, const struct addr *addr)
{
	return addr_is_v4(addr) ? answer->lost_v4 : answer->lost_v6;
}

/* Who is gone leaves before who comes, so that there is room. */
static void apply(struct names *names, struct group *group, const struct resolve_answer *answer)
{
	group->stale = group->flushed = group->elsewhere = false;
	for (uint32_t seat = 0; seat < LIMIT_NAME_ADDRESSES; seat++) {
		struct addr addr = addr_of(names, group, seat);

		if (is_taken(names, group, seat) && !group->chairs[seat].draining &&
		    !has_addr(answer->addrs, answer->n, &addr) && !is_lost(answer, &addr))
			begin_drain(names, group, seat);
	}
	for (uint32_t i = 0; i < answer->n; i++) {
		uint32_t seat = find_addr(names, group, &answer->addrs[i]);

		if (seat == LIMIT_NAME_ADDRESSES) {
			seat_addr(names, group, &answer->addrs[i]);
		} else if (group->chairs[seat].draining) {
			group->chairs[seat].draining = false;
			pipeline_set_admin(names->parts.pipeline, group->first + seat, SL_ENABLED);
		}
	}
	show_name(names, group);
}

/* No address: what was known stays, unless the configuration was changed meanwhile. */
static void do_without(struct names *names, struct group *group,
		       const struct resolve_answer *answer)
{
	struct verdict verdict = { .stage = STAGE_RESOLVE };

	if (group->stale) {
		for (uint32_t seat = 0; seat < LIMIT_NAME_ADDRESSES; seat++)
			if (is_taken(names, group, seat))
				vacate(names, group, seat);
		group->stale = false;
		group->flushed = true;
	}
	if (count_taken(names, group) || group->elsewhere)
		return;
	verdict.code =
		group->flushed ? SL_MSG_UNKNOWN_DNS_CACHE_FLUSHED : SL_MSG_DNS_RESOLUTION_FAILED;
	snprintf(verdict.detail, sizeof(verdict.detail), "%.60s; asked %.27s", answer->why,
		 answer->servers);
	pipeline_judge(names->parts.pipeline, group->first, &verdict);
}

static void log_answer(const struct known *known, const char *name, enum name_state before,
		       const struct resolve_answer *answer)
{
	enum name_state state = known->shown.state;

	if (state == before)
		return;
	if (state == NAME_FRESH && before != NAME_PENDING)
		log_info("%s: resolved again", name);
	else if (state == NAME_KEPT)
		log_warn("%s: %s (asked %s): its last known addresses stay in use", name,
			 answer->why, answer->servers);
	else if (state == NAME_FAILED)
		log_warn("%s: %s (asked %s): no address is known", name, answer->why,
			 answer->servers);
}

static void note_answer(struct names *names, uint32_t name, const struct resolve_answer *answer,
			uint32_t n_seats)
{
	struct known *known = &names->known[name];
	struct board_name *shown = &known->shown;
	enum name_state before = shown->state;
	uint64_t now_ms = clock_wall_ms();

	shown->rcode = answer->rcode;
	snprintf(shown->servers, sizeof(shown->servers), "%s", answer->servers);
	if (answer->why[0])
		snprintf(shown->why, sizeof(shown->why), "%s", answer->why);
	if (answer->n) {
		shown->ttl_s = answer->ttl_s;
		shown->good_ms = now_ms;
		shown->failed_ms = 0;
		shown->state = NAME_FRESH;
	} else {
		if (!shown->failed_ms)
			shown->failed_ms = now_ms;
		shown->state = n_seats ? NAME_KEPT : NAME_FAILED;
	}
	shown->n = n_seats;
	log_answer(known, names->parts.model->names[name], before, answer);
	board_set_name(names->parts.board, name, shown);
}

static void on_answer(void *arg, uint32_t name, const struct resolve_answer *answer)
{
	struct names *names = arg;
	struct known *known = &names->known[name];
	uint32_t n_seats = 0;

	known->shown.why[0] = '\0';
	if (answer->n) {
		/* The same oddity as before is in the log already. */
		if (known->n != answer->n ||
		    memcmp(known->addrs, answer->addrs, sizeof(known->addrs)) != 0)
			known->said = false;
		memcpy(known->addrs, answer->addrs, sizeof(known->addrs));
		known->n = answer->n;
	}
	for (uint32_t i = 0; i < names->n_groups; i++) {
		struct group *group = &names->groups[i];

		if (endpoint_of(names, group)->name_index != name)
			continue;
		if (answer->n)
			apply(names, group, answer);
		else
			do_without(names, group, answer);
		n_seats += count_taken(names, group);
	}
	if (answer->n && answer->n_left_out && !known->said) {
		known->said = true;
		log_warn("%s: %s", names->parts.model->names[name], answer->why);
	}
	note_answer(names, name, answer, n_seats);
	arm_drain(names);
}

/* --- beginning and end ------------------------------------------------------------------------ */

static void take_over(struct names *names, struct group *group)
{
	struct sl_target_key key;
	bool stale;

	for (uint32_t seat = 0; seat < LIMIT_NAME_ADDRESSES; seat++) {
		if (!dataplane_key(names->parts.dataplane, group->first + seat, &key, &stale))
			continue;
		group->stale |= stale;
		/* How long it has drained already is not known. */
		if (pipeline_admin(names->parts.pipeline, group->first + seat) == SL_DRAINING)
			mark_draining(names, group, seat);
		probe(names, group->first + seat);
	}
	group->shown = true;
	show_name(names, group);
}

static void find_groups(struct names *names)
{
	const struct model *model = names->parts.model;

	for (uint32_t i = 0; i < model->n_endpoints; i++)
		if (model->endpoints[i].name && model->endpoints[i].seat == 0)
			names->groups[names->n_groups++] = (struct group){ .first = i };
	for (uint32_t i = 0; i < names->n_groups; i++)
		take_over(names, &names->groups[i]);
}

static void names_free(struct names *names)
{
	free(names->groups);
	free(names->known);
	free(names);
}

static void on_closed(uv_handle_t *handle)
{
	names_free(handle->data);
}

static int start_resolver(struct names *names, struct err *err)
{
	const struct model *model = names->parts.model;
	const char *resolv_conf = model->gateway.resolv_conf;
	const struct resolver_options options = {
		.names = model->names,
		.n = model->n_names,
		.resolv_conf = *resolv_conf ? resolv_conf : NULL,
		.report = on_answer,
		.arg = names,
	};

	return resolver_new(&names->resolver, names->parts.loop, &options, err);
}

int names_start(struct names **ret, const struct names_parts *parts, struct err *err)
{
	struct names *names = calloc(1, sizeof(*names));
	const struct model *model = parts->model;
	int r;

	if (!names)
		return err_set(err, -ENOMEM, "names: out of memory");
	names->parts = *parts;
	names->groups =
		calloc(model->n_endpoints / LIMIT_NAME_ADDRESSES + 1, sizeof(*names->groups));
	names->known = calloc(model->n_names + 1, sizeof(*names->known));
	if (!names->groups || !names->known) {
		names_free(names);
		return err_set(err, -ENOMEM, "names: out of memory");
	}
	if (model->n_names) {
		r = start_resolver(names, err);
		if (r < 0) {
			names_free(names);
			return r;
		}
	}
	uv_timer_init(parts->loop, &names->drain);
	names->drain.data = names;
	find_groups(names);
	arm_drain(names);

	*ret = names;
	return 0;
}

void names_stop(struct names *names)
{
	if (!names)
		return;
	resolver_free(names->resolver);
	uv_close((uv_handle_t *)&names->drain, on_closed);
}
