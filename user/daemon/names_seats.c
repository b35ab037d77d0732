// SPDX-License-Identifier: GPL-2.0-or-later
/* names_seats - letting addresses in and out. */
#include <inttypes.h>
#include <string.h>

#include "daemon/names_work.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"

const struct endpoint *names_endpoint(const struct names *names, const struct group *group)
{
	return &names->parts.model->endpoints[group->first];
}

bool names_is_taken(const struct names *names, const struct group *group, uint32_t seat)
{
	return pipeline_taken(names->parts.pipeline, group->first + seat);
}

struct addr names_addr(const struct names *names, const struct group *group, uint32_t seat)
{
	return pipeline_plan(names->parts.pipeline, group->first + seat).addr;
}

static bool same_addr(const struct addr *a, const struct addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

bool names_has_addr(const struct addr *addrs, uint32_t n, const struct addr *addr)
{
	for (uint32_t i = 0; i < n; i++)
		if (same_addr(&addrs[i], addr))
			return true;
	return false;
}

uint32_t names_count_taken(const struct names *names, const struct group *group)
{
	uint32_t n = 0;

	for (uint32_t seat = 0; seat < LIMIT_NAME_ADDRESSES; seat++)
		n += names_is_taken(names, group, seat);
	return n;
}

void names_probe(struct names *names, uint32_t endpoint)
{
	struct plan plan = pipeline_plan(names->parts.pipeline, endpoint);

	if (engine_set(names->parts.engine, endpoint, plan.idle ? NULL : &plan) < 0)
		log_error("out of memory: an address of %s is not probed", plan.backend);
}

void names_show(struct names *names, struct group *group)
{
	bool shown = names_count_taken(names, group) == 0 && !group->elsewhere;

	if (shown == group->shown)
		return;
	group->shown = shown;
	if (shown || !names_is_taken(names, group, 0))
		pipeline_vacate(names->parts.pipeline, group->first, shown);
}

void names_vacate(struct names *names, struct group *group, uint32_t seat)
{
	pipeline_vacate(names->parts.pipeline, group->first + seat, false);
	names_probe(names, group->first + seat);
	group->chairs[seat] = (struct chair){ .left_ms = clock_mono_ms() };
	names_show(names, group);
}

uint32_t names_find_addr(const struct names *names, const struct group *group,
			 const struct addr *addr)
{
	for (uint32_t seat = 0; seat < LIMIT_NAME_ADDRESSES; seat++) {
		struct addr here = names_addr(names, group, seat);

		if (names_is_taken(names, group, seat) && same_addr(&here, addr))
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
		if (names_is_taken(names, group, seat)) {
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
		names_vacate(names, group, drained);
		best = drained;
	}
	return best;
}

/* The endpoint that has the address already, or INDEX_NONE. */
static uint32_t find_owner(const struct names *names, const struct group *group,
			   const struct addr *addr)
{
	const struct model *model = names->parts.model;
	const struct endpoint *wanted = names_endpoint(names, group);

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
	const struct endpoint *endpoint = names_endpoint(names, group);
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
			names_vacate(names, group, endpoint - group->first);
	}
	return true;
}

void names_seat(struct names *names, struct group *group, const struct addr *addr)
{
	const struct endpoint *endpoint = names_endpoint(names, group);
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
	names_probe(names, group->first + seat);
	names_show(names, group);
	log_info("%s: %s appeared", endpoint->name,
		 addr_port_format(text, addr, endpoint->key.port));
}

/* Another name of the same settings that stands for the address, too, or NULL. */
static struct group *find_other(struct names *names, const struct group *group,
				const struct addr *addr)
{
	const struct endpoint *endpoint = names_endpoint(names, group);

	for (uint32_t i = 0; i < names->n_groups; i++) {
		struct group *other = &names->groups[i];
		const struct endpoint *theirs = names_endpoint(names, other);
		const struct known *known = &names->known[theirs->name_index];

		if (other != group && theirs->settings == endpoint->settings &&
		    names_has_addr(known->addrs, known->n, addr))
			return other;
	}
	return NULL;
}

static uint32_t drain_ms_of(const struct names *names, const struct group *group)
{
	const struct endpoint *endpoint = names_endpoint(names, group);
	const struct settings *settings = &names->parts.model->settings[endpoint->settings];

	return settings->drain_ms ? settings->drain_ms : DRAIN_DEFAULT_MS;
}

void names_mark_draining(const struct names *names, struct group *group, uint32_t seat)
{
	group->chairs[seat].draining = true;
	group->chairs[seat].until_ms = clock_mono_ms() + drain_ms_of(names, group);
}

void names_begin_drain(struct names *names, struct group *group, uint32_t seat)
{
	const struct endpoint *endpoint = names_endpoint(names, group);
	struct addr addr = names_addr(names, group, seat);
	struct group *other = find_other(names, group, &addr);
	char text[SL_TEXT_LEN];

	if (other) {
		names_vacate(names, group, seat);
		names_seat(names, other, &addr);
		return;
	}
	names_mark_draining(names, group, seat);
	pipeline_set_admin(names->parts.pipeline, group->first + seat, SL_DRAINING);
	log_info("%s: %s is gone from DNS: no new flows, and open ones for %" PRIu32 " s",
		 endpoint->name, addr_port_format(text, &addr, endpoint->key.port),
		 drain_ms_of(names, group) / (uint32_t)MS_PER_SEC);
}

static void end_drain(struct names *names, struct group *group, uint32_t seat)
{
	const struct endpoint *endpoint = names_endpoint(names, group);
	struct addr addr = names_addr(names, group, seat);
	char text[SL_TEXT_LEN];

	names_vacate(names, group, seat);
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
	names_arm_drain(names);
}

void names_arm_drain(struct names *names)
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
