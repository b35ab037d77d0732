// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/names.h"

#include <errno.h>
#include <string.h>

#include "daemon/names_work.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"

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
		struct addr addr = names_addr(names, group, seat);

		if (names_is_taken(names, group, seat) && !group->chairs[seat].draining &&
		    !names_has_addr(answer->addrs, answer->n, &addr) && !is_lost(answer, &addr))
			names_begin_drain(names, group, seat);
	}
	for (uint32_t i = 0; i < answer->n; i++) {
		uint32_t seat = names_find_addr(names, group, &answer->addrs[i]);

		if (seat == LIMIT_NAME_ADDRESSES) {
			names_seat(names, group, &answer->addrs[i]);
		} else if (group->chairs[seat].draining) {
			group->chairs[seat].draining = false;
			pipeline_set_admin(names->parts.pipeline, group->first + seat, SL_ENABLED);
		}
	}
	names_show(names, group);
}

/* No address: what was known stays, unless the configuration was changed meanwhile. */
static void do_without(struct names *names, struct group *group,
		       const struct resolve_answer *answer)
{
	struct verdict verdict = { .stage = STAGE_RESOLVE };

	if (group->stale) {
		for (uint32_t seat = 0; seat < LIMIT_NAME_ADDRESSES; seat++)
			if (names_is_taken(names, group, seat))
				names_vacate(names, group, seat);
		group->stale = false;
		group->flushed = true;
	}
	if (names_count_taken(names, group) || group->elsewhere)
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

		if (names_endpoint(names, group)->name_index != name)
			continue;
		if (answer->n)
			apply(names, group, answer);
		else
			do_without(names, group, answer);
		n_seats += names_count_taken(names, group);
	}
	if (answer->n && answer->n_left_out && !known->said) {
		known->said = true;
		log_warn("%s: %s", names->parts.model->names[name], answer->why);
	}
	note_answer(names, name, answer, n_seats);
	names_arm_drain(names);
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
			names_mark_draining(names, group, seat);
		names_probe(names, group->first + seat);
	}
	group->shown = true;
	names_show(names, group);
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
	names_arm_drain(names);

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
