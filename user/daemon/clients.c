// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/clients.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "diagnose/disagree.h"
#include "model/event.h"
#include "util/clock.h"

/* Reads in a round: enough for each endpoint's mark, and for many whose probes begin to fail at once. */
#define READS_MIN 64
#define ROUNDS_PER_MARK 200

/* There is one for every endpoint, and most are idle. */
struct row {
	struct traffic_past *past; /* NULL: no attempt has come to anything yet */
	uint32_t looked_s; /* ... as it was seen then, by the monotonic clock; 0: not at all */
	uint32_t generation; /* of the plan whose endpoint the past is of */
	uint8_t stretch; /* that the engine was told; 0: none */
	uint8_t told; /* the cause of the disagreement */
	bool failing; /* probes did, when it was looked at while there was no past */
};
_Static_assert(CAUSE_MAX <= UINT8_MAX, "clients: a cause fits into a byte");

struct clients {
	const struct evidence_parts *parts;
	uint32_t reads_left;
	struct row *rows; /* parallel to model->endpoints, which may go earlier: */
	uint32_t n;
};

int clients_new(struct clients **ret, const struct evidence_parts *parts)
{
	struct clients *clients = calloc(1, sizeof(*clients));

	*ret = NULL;
	if (!clients)
		return -ENOMEM;
	clients->parts = parts;
	clients->n = parts->model->n_endpoints;
	clients->rows = calloc(parts->model->n_endpoints + 1, sizeof(*clients->rows));
	if (!clients->rows) {
		free(clients);
		return -ENOMEM;
	}
	*ret = clients;
	return 0;
}

void clients_free(struct clients *clients)
{
	if (!clients)
		return;
	for (uint32_t i = 0; clients->rows && i < clients->n; i++)
		free(clients->rows[i].past);
	free(clients->rows);
	free(clients);
}

void clients_begin(struct clients *clients)
{
	clients->reads_left = READS_MIN + clients->parts->model->n_endpoints / ROUNDS_PER_MARK;
}

/* --- longer intervals --------------------------------------------------------------------------- */

static void stretch(struct clients *clients, uint32_t endpoint, uint32_t times)
{
	struct row *row = &clients->rows[endpoint];

	if (row->stretch == times || engine_stretch(clients->parts->engine, endpoint, times) < 0)
		return;
	row->stretch = (uint8_t)times;
	board_set_stretch(clients->parts->board, endpoint, times);
}

/* Whether clients have connected for as long as is remembered, and none has failed. */
static bool all_is_well(const struct row *row, const struct traffic *lately)
{
	return !row->past->failing && row->past->marks[TRAFFIC_MARKS - 1].set &&
	       traffic_works(lately) && !traffic_failed(lately);
}

static void choose_stretch(struct clients *clients, uint32_t endpoint, const struct traffic *lately)
{
	const struct model *model = clients->parts->model;
	uint32_t most = model->settings[model->endpoints[endpoint].settings].passive_stretch;
	const struct row *row = &clients->rows[endpoint];

	if (most > 1 && all_is_well(row, lately))
		stretch(clients, endpoint, most);
	else if (row->stretch)
		stretch(clients, endpoint, 1);
}

/* --- disagreement ------------------------------------------------------------------------------- */

static void tell(struct clients *clients, uint32_t endpoint, const struct disagreement *found,
		 const struct traffic *lately)
{
	struct row *row = &clients->rows[endpoint];
	struct event event = { .kind = EVENT_EVIDENCE };
	bool ended = found->cause == CAUSE_REACHABLE;

	event.severity = ended ? EVENT_INFO : EVENT_WARNING;
	event_set(event.before,
		  row->told == CAUSE_REACHABLE ? "" : cause_id((enum cause)row->told));
	event_set(event.after, ended ? "" : cause_id(found->cause));
	snprintf(event.text, sizeof(event.text), "%s",
		 ended ? "probes and clients agree again" : found->text);
	event_number(&event, "answered", lately->answered);
	event_number(&event, "refused", lately->refused);
	event_number(&event, "unreachable", lately->unreachable);
	event_number(&event, "unanswered", lately->unanswered);
	pipeline_tell(clients->parts->pipeline, endpoint, &event);
	row->told = (uint8_t)found->cause;
	board_set_disagreement(clients->parts->board, endpoint,
			       ended ? NULL : cause_id(found->cause));
}

/* Whether there may be a disagreement to tell, or the end of one. With nearly all endpoints there is not. */
static bool is_odd(const struct row *row, const struct traffic *lately)
{
	return row->told != CAUSE_REACHABLE ||
	       (row->past->failing ? traffic_works(lately) : traffic_fails(lately));
}

static void compare(struct clients *clients, uint32_t endpoint, const struct plan *plan,
		    const struct traffic *lately, uint64_t window_ms)
{
	CLEANUP(board_entry_done)
	struct board_entry entry = board_read(clients->parts->board, endpoint);
	struct disagreement found;
	const struct disagree_facts facts = {
		.plan = plan,
		.endpoint = &clients->parts->model->endpoints[endpoint],
		.entry = &entry,
		.lately = *lately,
		.window_ms = window_ms,
	};

	disagree(&found, &facts);
	if (found.cause != clients->rows[endpoint].told)
		tell(clients, endpoint, &found, lately);
}

/* --- a look ------------------------------------------------------------------------------------- */

static bool is_nothing(const struct traffic *totals)
{
	return !(totals->answered | totals->refused | totals->unreachable | totals->unanswered |
		 totals->reset);
}

/* Whether there is a past now, which begins with the last look that saw nothing. */
static bool has_past(struct row *row, const struct traffic *totals, bool failing, uint64_t now_ms)
{
	static const struct traffic nothing;

	if (row->past)
		return true;
	if (!is_nothing(totals))
		row->past = calloc(1, sizeof(*row->past));
	if (row->past && row->looked_s)
		traffic_note(row->past, &nothing, row->failing, row->looked_s * MS_PER_SEC);
	row->looked_s = (uint32_t)(now_ms / MS_PER_SEC);
	row->failing = failing;
	return row->past;
}

static void begin_anew(struct row *row, uint32_t generation)
{
	free(row->past);
	*row = (struct row){ .generation = generation };
}

static void read_traffic(struct clients *clients, uint32_t endpoint, bool failing, uint64_t now_ms)
{
	struct row *row = &clients->rows[endpoint];
	struct plan plan = pipeline_plan(clients->parts->pipeline, endpoint);
	struct attempt_report report;
	struct traffic totals, lately;
	struct traffic_mark mark;
	bool is_news;

	clients->reads_left--;
	if (dataplane_attempts(clients->parts->dataplane, endpoint, &report) < 0)
		return;
	if (plan.generation != row->generation)
		begin_anew(row, plan.generation);
	totals = attempt_traffic(&report);
	/* Whoever is asked meanwhile compares with this; while probes fail, with when they began to. */
	mark = (struct traffic_mark){ .totals = totals, .set = true, .mono_ms = now_ms };
	is_news = !row->looked_s || !failing || !row->failing;
	if (!has_past(row, &totals, failing, now_ms)) {
		if (is_news)
			board_set_mark(clients->parts->board, endpoint, &mark);
		return;
	}
	traffic_note(row->past, &totals, failing, now_ms);
	mark = traffic_mark(row->past);
	board_set_mark(clients->parts->board, endpoint, &mark);
	lately = traffic_since(&totals, &mark);
	if (is_odd(row, &lately))
		compare(clients, endpoint, &plan, &lately, now_ms - mark.mono_ms);
	choose_stretch(clients, endpoint, &lately);
}

static bool wants(const struct row *row, bool failing, uint64_t now_ms)
{
	if (row->past)
		return traffic_wants(row->past, failing, now_ms);
	return !row->looked_s || row->failing != failing ||
	       now_ms - row->looked_s * MS_PER_SEC >= TRAFFIC_MARK_MS;
}

void clients_look(struct clients *clients, uint32_t endpoint,
		  const struct pipeline_standing *standing, bool disturbed, uint64_t now_ms)
{
	struct row *row = &clients->rows[endpoint];

	if (row->stretch > 1 && (disturbed || standing->failing))
		stretch(clients, endpoint, 1);
	if (clients->reads_left && wants(row, standing->failing, now_ms))
		read_traffic(clients, endpoint, standing->failing, now_ms);
}
