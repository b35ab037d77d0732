// SPDX-License-Identifier: GPL-2.0-or-later
/* backend - the commands that change what becomes of a backend. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "model/limits.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/duration.h"
#include "util/err.h"
#include "util/number.h"

#define HTTP_FORBIDDEN 403

static void json_p(json_t **json)
{
	json_decref(*json);
}

/* One sentence, unlike who may not read: the documented "No results." is no answer to an order. */
static enum cli_status not_permitted(const struct cli *cli, const char *reason)
{
	if (cli->json)
		text_dump(cli->out, json_pack("{s:{s:s,s:s}}", "error", "code", "not_permitted",
					      "message", reason));
	else
		fprintf(cli->err, "sluice: %s\n", reason);
	return STATUS_NOT_PERMITTED;
}

static enum cli_status say_error(const struct cli *cli, int status, json_t *json)
{
	const char *message = text_get(json_object_get(json, "error"), "message");

	if (status == HTTP_FORBIDDEN)
		return not_permitted(cli, message);
	if (cli->json)
		text_dump(cli->out, json_incref(json));
	else
		fprintf(cli->err, "sluice: %s\n", message);
	return STATUS_REFUSED;
}

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
	CLEANUP(json_p) json_t *owned = change;
	CLEANUP(json_p) json_t *json = NULL;
	struct err err = { "" };
	int r = owned ? client_post(&json, cli->socket, "/v1/backend", owned, &err) : -ENOMEM;

	switch (r) {
	case 0:
		return print(cli, json);
	case -EACCES:
		err_in(&err, r, "not permitted: ");
		return not_permitted(cli, err.text);
	case -ENOTCONN:
		return cli_fail(cli, STATUS_NO_DAEMON, "daemon_unreachable", "%s", err.text);
	case -ENOMEM:
		return cli_fail(cli, STATUS_REFUSED, "out_of_memory", "out of memory");
	default:
		if (r > 0)
			return say_error(cli, r, json);
		return cli_fail(cli, STATUS_REFUSED, "bad_answer", "%s", err.text);
	}
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
