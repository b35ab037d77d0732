// SPDX-License-Identifier: GPL-2.0-or-later
/* open_found - what is pinned when the data plane is opened, and what of it stays. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "dataplane/open_work.h"
#include "util/err.h"

#define LIST_LEN 128

void opening_note(struct dataplane *dp, bool is_loss, const char *fmt, ...)
{
	struct dataplane_note *note = &dp->notes[dp->n_notes];
	va_list args;

	if (dp->n_notes == DATAPLANE_NOTES_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(note->text, sizeof(note->text), fmt, args);
	va_end(args);
	note->is_loss = is_loss;
	dp->n_notes++;
}

/* --- maps ------------------------------------------------------------------------------------- */

/* Flows name services by their ids. */
static bool knows_services(const struct mapset *found)
{
	return found->fd[MAP_SERVICES] >= 0 && found->fd[MAP_SERVICE_NAMES] >= 0;
}

static int assign(struct opening *opening)
{
	struct tables *tables = &opening->dp->tables;
	bool in_place = opening->fit == MAPSET_FITS;
	int r;

	opening->keeps_flows = opening->fit == MAPSET_READABLE && knows_services(&opening->found);

	r = ids_assign(&tables->ids, opening->model, &tables->held, opening->sizes.endpoints,
		       in_place);
	if (r < 0)
		return r;
	r = services_assign(&tables->services, opening->model, &opening->sizes, in_place);
	if (r < 0)
		ids_done(&tables->ids);
	return r;
}

static int read_found(struct opening *opening)
{
	struct tables *tables = &opening->dp->tables;
	int r;

	if (opening->fit != MAPSET_FITS && opening->fit != MAPSET_READABLE)
		return 0;
	if (opening->same_maps && opening->trusts)
		r = holdings_recall(&tables->held, &opening->before->tables,
				    opening->before->model);
	else
		r = holdings_read(&tables->held, &opening->found);
	if (r < 0)
		return r;
	return services_read(&tables->services.held, &opening->found);
}

int opening_look_around(struct opening *opening, struct err *err)
{
	struct tables *tables = &opening->dp->tables;
	struct dataplane *dp = opening->dp;
	int r = 0; /* those of this process are known */

	if (opening->before)
		dp->types = opening->before->types;
	else
		r = programs_types(&dp->types);
	if (r < 0)
		return err_set(err, r, "describe the maps: %s", strerror(-r));
	opening->fit = mapset_open_pinned(&opening->found, dp->pins, &opening->sizes,
					  opening->before ? NULL : &dp->types);
	opening->same_maps = opening->before && opening->fit == MAPSET_FITS &&
			     mapset_is(&opening->found, programs_maps(opening->before->programs));
	r = read_found(opening);
	if (r < 0)
		return err_set(err, r, "read the pinned maps: %s", strerror(-r));
	r = assign(opening);
	if (r == -ENOSPC && opening->fit == MAPSET_FITS) {
		opening->fit = MAPSET_READABLE;
		r = assign(opening);
	}
	if (r < 0)
		return err_set(err, r, "give endpoints and services their ids: %s", strerror(-r));
	tables->in_place = opening->fit == MAPSET_FITS;
	tables->keeps_flows = tables->in_place || opening->keeps_flows;
	tables->keeps_words = opening->found.fd[MAP_WORDS] >= 0;
	return 0;
}

int opening_write_types(const struct opening *opening)
{
	int fd = programs_maps(opening->dp->programs)->fd[MAP_TYPES];
	__u32 zero = 0;

	return bpf_map_update_elem(fd, &zero, &opening->dp->types, BPF_ANY) < 0 ? -errno : 0;
}

/* --- what is said ----------------------------------------------------------------------------- */

/* What is made anew from the configuration loses nothing. */
static const enum map_id precious[] = {
	MAP_FLOWS,         MAP_HALF_OPEN, MAP_WORDS,    MAP_STATS,         MAP_DECISIONS,
	MAP_SERVICE_STATS, MAP_ATTEMPTS,  MAP_EVIDENCE, MAP_ATTEMPT_STATS,
};

/* Their names; 0: there are none. */
static uint32_t list_differing(char list[LIST_LEN], const struct mapset *found)
{
	uint32_t n = 0;
	size_t len = 0;

	list[0] = '\0';
	for (size_t i = 0; i < sizeof(precious) / sizeof(precious[0]) && len < LIST_LEN; i++) {
		if (!found->differs[precious[i]])
			continue;
		len += (size_t)snprintf(list + len, LIST_LEN - len, "%s%s", n++ ? ", " : "",
					map_name(precious[i]));
	}
	return n;
}

static bool differs_anywhere(const struct mapset *found)
{
	for (enum map_id id = 0; id < MAPS; id++)
		if (found->differs[id])
			return true;
	return false;
}

/* Whether services forwarded flows whose table is not taken along. */
static bool loses_flows(const struct opening *opening)
{
	const struct mapset *found = &opening->found;

	if (opening->fit != MAPSET_READABLE || !opening->dp->tables.services.held.n)
		return found->differs[MAP_FLOWS] || found->differs[MAP_SERVICES] ||
		       found->differs[MAP_SERVICE_NAMES];
	return !opening->keeps_flows || found->differs[MAP_FLOWS];
}

/* Endpoints whose flows are lost: their ids are beyond maps that are smaller than those before. */
static uint32_t count_cut_off(const struct opening *opening)
{
	const struct ids *ids = &opening->dp->tables.ids;
	uint32_t n = 0;

	for (uint32_t i = 0; opening->keeps_flows && i < ids->n; i++)
		n += ids->was[i] != ID_NONE && ids->was[i] != ids->id[i];
	return n;
}

static void note_readable(struct opening *opening)
{
	const struct mapset *found = &opening->found;
	struct dataplane *dp = opening->dp;
	uint32_t cut_off = count_cut_off(opening);
	char list[LIST_LEN];

	if (differs_anywhere(found))
		opening_note(dp, false,
			     "new maps, because another version made those that were pinned; what "
			     "both describe in the same way was carried over");
	else
		opening_note(dp, false,
			     "new maps for %u endpoints (%u before); health and counters carried "
			     "over",
			     opening->sizes.endpoints, map_entries(found->fd[MAP_NAMES]));
	if (cut_off)
		opening_note(dp, true,
			     "the maps are too small for the ids of %u endpoints: their flows are "
			     "lost",
			     cut_off);
	if (list_differing(list, found))
		opening_note(dp, true,
			     "the version before describes these differently, and what was in them "
			     "is lost: %s",
			     list);
	if (loses_flows(opening))
		opening_note(dp, true,
			     "the open flows of services could not be taken over: connections that "
			     "were translated end, others may change their endpoint");
}

void opening_note_fit(struct opening *opening)
{
	struct dataplane *dp = opening->dp;

	if (opening->fit == MAPSET_READABLE)
		note_readable(opening);
	if (opening->fit == MAPSET_ALIEN)
		opening_note(
			dp, true,
			"the pinned maps are of a version that describes endpoints differently, "
			"and were made anew: flows and counters are lost, and health begins with "
			"the last verdicts");
	if (dp->degraded[0])
		opening_note(dp, true, "%s", dp->degraded);
}

/* --- programs that stay ----------------------------------------------------------------------- */

static struct sl_meta meta_found(const struct opening *opening)
{
	struct sl_meta meta = { .layout = 0 };
	__u32 zero = 0;

	map_read(opening->found.fd[MAP_META], &zero, sizeof(zero), &meta, sizeof(meta));
	meta.version[sizeof(meta.version) - 1] = '\0';
	return meta;
}

int opening_stay(struct opening *opening, int code, struct err *err)
{
	const struct sl_meta meta = meta_found(opening);
	struct dataplane *dp = opening->dp;
	int r;

	/* Nothing is pinned, or while all is well: a change is refused. */
	if (opening->fit == MAPSET_ABSENT || (opening->before && !opening->before->degraded[0]))
		return code;
	if (opening->fit != MAPSET_FITS)
		return err_in(err, code,
			      "what is pinned stays in force, but its maps cannot be used by this "
			      "version: ");
	if ((meta.code & opening->code) != opening->code)
		return err_in(err, code,
			      "what is pinned stays in force, but cannot do what is configured: ");
	r = programs_stay(&dp->programs, &opening->found, &opening->sizes);
	if (r < 0)
		return err_set(err, r, "open the pinned maps: %s", strerror(-r));
	opening->code = meta.code;
	snprintf(
		dp->degraded, sizeof(dp->degraded),
		"the programs of this version were refused, and those of version %s stay in force: "
		"%s",
		meta.version, err->text);
	return 0;
}
