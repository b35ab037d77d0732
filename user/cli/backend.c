// SPDX-License-Identifier: GPL-2.0-or-later
/* backend - the commands that change what becomes of a backend. */
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
	enum cli_status status = command_post(&json, cli, "/v1/backend", change);

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

enum cli_status command_weight(struct cli *cli)
{
	uint64_t weight;

	if (number_parse(&weight, cli->args[2], 0, LIMIT_WEIGHT) < 0)
		return cli_fail(cli, STATUS_USAGE, "usage",
				"weight '%s' is not a whole number from 0 to %d", cli->args[2],
				LIMIT_WEIGHT);
	return order(cli, change_with(cli, "weight", "weight", weight));
}
