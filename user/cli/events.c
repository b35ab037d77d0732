// SPDX-License-Identifier: GPL-2.0-or-later
/* events - what happened: the last of it, all since a time, or as it comes. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/signals.h"
#include "cli/text.h"
#include "diagnose/json.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/instant.h"
#include "util/number.h"
#include "util/printable.h"

#define PAGE 500
#define PAGE_MAX 1000 /* as the daemon allows */
#define LIMIT_DEFAULT 100
#define FOLLOW_DEFAULT 10 /* what a follower sees of before */
#define FOLLOW_PERIOD_MS 500
#define NUMBER_LEN 24

/* Where the next page begins. */
struct place {
	const char *since; /* NULL: none */
	uint64_t after; /* 0: none */
	uint32_t limit;
};

static char *page_path(const struct cli *cli, const struct place *place)
{
	char after[NUMBER_LEN], limit[NUMBER_LEN];
	const char *const pairs[] = { "since", place->since,
				      "after", place->after ? after : NULL,
				      "pool",  cli->options[OPT_POOL],
				      "limit", limit,
				      NULL };

	snprintf(after, sizeof(after), "%" PRIu64, place->after);
	snprintf(limit, sizeof(limit), "%" PRIu32, place->limit);
	return client_query("/v1/events", pairs);
}

/* Behind what was shown; where nothing is left out, behind everything. */
static void advance(struct place *place, const json_t *json)
{
	const json_t *events = json_object_get(json, "events");
	const json_t *last = json_array_get(events, json_array_size(events) - 1);
	uint64_t of_all = text_get_uint(json, "last");
	bool newest = !place->since && !place->after;

	if (last)
		place->after = text_get_uint(last, "id");
	/* Ids fall back only when a clock was set back and the database lost. */
	if (newest || !text_get_bool(json, "more"))
		place->after = of_all;
	place->since = NULL;
	place->limit = PAGE;
}

static bool is_at_end(const json_t *json, const struct place *asked)
{
	return (!asked->since && !asked->after) || !text_get_bool(json, "more");
}

/* --- once ------------------------------------------------------------------------------------- */

/* All pages since then as one document. */
static enum cli_status collect(json_t **ret, const struct cli *cli, struct place place)
{
	CLEANUP(json_p) json_t *all = NULL;
	struct place asked;

	do {
		CLEANUP(free_p) char *path = page_path(cli, &place);
		CLEANUP(json_p) json_t *json = NULL;
		enum cli_status status = command_ask(&json, cli, path);

		if (status != STATUS_DONE)
			return status;
		asked = place;
		advance(&place, json);
		if (all && json_array_extend(json_object_get(all, "events"),
					     json_object_get(json, "events")) < 0)
			return cli_fail(cli, STATUS_REFUSED, "out_of_memory", "out of memory");
		if (all)
			json_object_set(all, "last", json_object_get(json, "last"));
		else
			all = json_incref(json);
		if (is_at_end(json, &asked))
			break;
	} while (true);
	/* Of the pages, not of what they make together. */
	if (asked.since || asked.after)
		json_object_set_new(all, "more", json_false());
	*ret = take_ptr(all);
	return STATUS_DONE;
}

static enum cli_status show_once(const struct cli *cli, struct place place)
{
	CLEANUP(json_p) json_t *json = NULL;
	struct view view = command_view(cli);
	enum cli_status status = collect(&json, cli, place);
	int r;

	if (status != STATUS_DONE)
		return status;
	if (cli->json) {
		text_dump(cli->out, json_incref(json));
		return STATUS_DONE;
	}
	r = view_events(&view, json);
	if (r < 0)
		return command_print_failed(cli, r);
	if (!place.since && text_get_bool(json, "more"))
		fputs("older ones: --limit N, --since T\n", cli->out);
	return STATUS_DONE;
}

/* --- as it comes ------------------------------------------------------------------------------ */

static int print_lines(const struct cli *cli, const json_t *json)
{
	struct view view = command_view(cli);
	json_t *event;
	size_t i;

	if (!cli->json)
		return view_event_lines(&view, json);
	json_array_foreach(json_object_get(json, "events"), i, event)
	{
		json_dumpf(event, cli->out, JSON_COMPACT);
		fputc('\n', cli->out);
	}
	return fflush(cli->out) == 0 ? 0 : -EIO;
}

/* Whether the daemon is away is said once, and once that it is back. */
static void note(const struct cli *cli, bool *away, int r, const json_t *json, struct err *err)
{
	if (r == 0) {
		if (*away)
			fputs("sluice: the daemon answers again\n", cli->err);
		*away = false;
		return;
	}
	if (*away)
		return;
	*away = true;
	if (!err->text[0])
		err_set(err, -EIO, "%s",
			r > 0 ? text_get(json_object_get(json, "error"), "message") : strerror(-r));
	printable_clean(err->text);
	fprintf(cli->err, "sluice: %s; waiting for it\n", err->text);
}

/* Pages until there is nothing more now. 0, or what printing failed with. */
static int catch_up(const struct cli *cli, struct place *place, bool *away)
{
	bool more = true;

	while (more) {
		CLEANUP(free_p) char *path = page_path(cli, place);
		CLEANUP(json_p) json_t *json = NULL;
		struct err err = { "" };
		int r = path ? client_get(&json, cli->socket, path, &err) : -ENOMEM;

		note(cli, away, r, json, &err);
		if (r != 0)
			return 0;
		r = print_lines(cli, json);
		if (r < 0)
			return r;
		more = !is_at_end(json, place);
		advance(place, json);
	}
	return 0;
}

static enum cli_status follow(const struct cli *cli, struct place place)
{
	CLEANUP(free_p) char *path = page_path(cli, &place);
	CLEANUP(json_p) json_t *json = NULL;
	bool away = false;
	enum cli_status status;
	sigset_t set;
	int r;

	signals_block(&set);
	/* A daemon that is not there to begin with is an error as with every command. */
	status = command_ask(&json, cli, path);
	if (status != STATUS_DONE)
		return status;
	r = print_lines(cli, json);
	advance(&place, json);
	if (r == 0)
		r = catch_up(cli, &place, &away);
	while (r == 0 && !signals_wait(&set, FOLLOW_PERIOD_MS) && !signals_reader_is_gone(cli))
		r = catch_up(cli, &place, &away);
	/* Whoever closes the output has seen enough. */
	if (r < 0 && !signals_reader_is_gone(cli))
		return command_print_failed(cli, r);
	clearerr(cli->out);
	return STATUS_DONE;
}

enum cli_status command_events(struct cli *cli)
{
	const char *since = cli->options[OPT_SINCE], *limit = cli->options[OPT_LIMIT];
	bool follows = cli->options[OPT_FOLLOW] != NULL;
	struct place place = { .limit = follows ? FOLLOW_DEFAULT : LIMIT_DEFAULT };
	uint64_t us, n = place.limit;
	char from[CLOCK_ISO_LEN];

	if (since && instant_parse(&us, since, clock_wall_us()) < 0)
		return cli_fail(cli, STATUS_USAGE, "usage", "--since '%s' is not %s", since,
				INSTANT_ALLOWED);
	if (since && limit)
		return cli_fail(cli, STATUS_USAGE, "usage",
				"--since and --limit exclude each other: all since then are shown");
	if (limit && number_parse(&n, limit, 1, PAGE_MAX) < 0)
		return cli_fail(cli, STATUS_USAGE, "usage",
				"--limit '%s' is not a whole number from 1 to %d", limit, PAGE_MAX);
	place.limit = since ? PAGE : (uint32_t)n;
	if (since)
		place.since = clock_iso_us(from, us);
	return follows ? follow(cli, place) : show_once(cli, place);
}
