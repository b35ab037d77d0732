// SPDX-License-Identifier: GPL-2.0-or-later
/* backend - the commands that change pools and their backends. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/text.h"
#include "diagnose/json.h"
#include "model/limits.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/duration.h"
#include "util/number.h"

static enum cli_status print(const struct cli *cli, json_t *json)
{
	struct view view = command_view(cli);
	int r;

	if (cli->json) {
		text_dump(cli->out, json_incref(json));
		return STATUS_DONE;
	}
	r = view_change(&view, json);
	return r < 0 ? command_print_failed(cli, r) : STATUS_DONE;
}

/* Takes over the change, which may be NULL. */
static enum cli_status order(const struct cli *cli, json_t *change)
{
	CLEANUP(json_p) json_t *json = NULL;
	enum cli_status status;

	if (cli->options[OPT_DRY_RUN])
		return command_job(cli, "/v1/backend", change, NULL);
	status = command_options_of_change(cli, &change);
	if (status != STATUS_DONE) {
		json_decref(change);
		return status;
	}
	status = command_post(&json, cli, "/v1/backend", change);
	return status == STATUS_DONE ? print(cli, json) : status;
}

static json_t *change_of(const struct cli *cli, const char *action)
{
	return json_pack("{s:s, s:s, s:s}", "action", action, "pool", cli->args[0], "address",
			 cli->args[1]);
}

static json_t *change_with(const struct cli *cli, const char *action, const char *key, uint64_t n)
{
	json_t *change = change_of(cli, action);

	if (change && json_object_set_new(change, key, json_integer((json_int_t)n)) == 0)
		return change;
	json_decref(change);
	return NULL;
}

enum cli_status command_drain(struct cli *cli)
{
	const char *timeout = cli->options[OPT_TIMEOUT];
	uint64_t ms;

	if (!timeout)
		return order(cli, change_of(cli, "drain"));
	if (duration_parse(&ms, timeout) < 0 || ms < LIMIT_DRAIN_MIN_MS || ms > LIMIT_DRAIN_MAX_MS)
		return cli_fail(cli, STATUS_USAGE, "usage",
				"--timeout '%s' is not a duration from %ds to %ds", timeout,
				LIMIT_DRAIN_MIN_MS / (int)MS_PER_SEC,
				LIMIT_DRAIN_MAX_MS / (int)MS_PER_SEC);
	return order(cli, change_with(cli, "drain", "timeout_ms", ms));
}

enum cli_status command_enable(struct cli *cli)
{
	return order(cli, change_of(cli, "enable"));
}

enum cli_status command_disable(struct cli *cli)
{
	return order(cli, change_of(cli, "disable"));
}

/* -EINVAL: it is none, and that was said. */
static int parse_weight(const struct cli *cli, const char *text)
{
	uint64_t weight;

	if (number_parse(&weight, text, 0, LIMIT_WEIGHT) == 0)
		return (int)weight;
	cli_fail(cli, STATUS_USAGE, "usage", "weight '%s' is not a whole number from 0 to %d", text,
		 LIMIT_WEIGHT);
	return -EINVAL;
}

enum cli_status command_weight(struct cli *cli)
{
	int weight = parse_weight(cli, cli->args[2]);

	if (weight < 0)
		return STATUS_USAGE;
	return order(cli, change_with(cli, "weight", "weight", (uint64_t)weight));
}

/* --- what comes and goes ---------------------------------------------------------------------- */

static enum cli_status say_done(const struct cli *cli, const json_t *job, const char *what)
{
	fprintf(cli->out, "%s%s%s: %s (version %" PRIu64 ")\n", cli->args[0],
		cli->n_args > 1 ? " " : "", cli->n_args > 1 ? cli->args[1] : "", what,
		text_get_uint(job, "version"));
	return STATUS_DONE;
}

static enum cli_status added(const struct cli *cli, const json_t *job)
{
	return say_done(cli, job, "added");
}

static enum cli_status removed(const struct cli *cli, const json_t *job)
{
	return say_done(cli, job, "removed; open connections have their time to end");
}

static enum cli_status removed_pool(const struct cli *cli, const json_t *job)
{
	return say_done(cli, job, "removed");
}

enum cli_status command_backend_add(struct cli *cli)
{
	const char *text = cli->options[OPT_WEIGHT];
	int weight = text ? parse_weight(cli, text) : 1;

	if (weight < 0)
		return STATUS_USAGE;
	return command_job(cli, "/v1/backend", change_with(cli, "add", "weight", (uint64_t)weight),
			   added);
}

enum cli_status command_backend_remove(struct cli *cli)
{
	return command_job(cli, "/v1/backend", change_of(cli, "remove"), removed);
}

static json_t *pool_change(const struct cli *cli, const char *action)
{
	return json_pack("{s:s, s:s}", "action", action, "pool", cli->args[0]);
}

enum cli_status command_pool_add(struct cli *cli)
{
	return command_job(cli, "/v1/pool", pool_change(cli, "add"), added);
}

enum cli_status command_pool_remove(struct cli *cli)
{
	return command_job(cli, "/v1/pool", pool_change(cli, "remove"), removed_pool);
}
