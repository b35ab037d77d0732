// SPDX-License-Identifier: GPL-2.0-or-later
/* reload - the command that has the daemon read its configuration again. */
#include <time.h>

#include "cli/commands.h"
#include "cli/text.h"
#include "diagnose/json.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define WAIT_MS 60000 /* more than the largest configuration takes */
#define ASK_EVERY_MS 20

/* What came of the reload with that number or a later one; NULL: it is not over. */
static json_t *outcome_of(const json_t *status, json_int_t number)
{
	json_t *last = json_object_get(status, "reload");

	return json_integer_value(json_object_get(last, "number")) >= number ? last : NULL;
}

static enum cli_status tell(const struct cli *cli, const json_t *status, json_t *outcome)
{
	bool refused = json_is_true(json_object_get(outcome, "refused"));
	const json_t *totals = json_object_get(status, "totals"), *error;
	size_t i;

	if (cli->json) {
		text_dump(cli->out, json_incref(outcome));
		return refused ? STATUS_REFUSED : STATUS_DONE;
	}
	json_array_foreach(json_object_get(outcome, "errors"), i, error)
		fprintf(cli->err, "sluice: %s\n", json_string_value(error));
	if (refused) {
		fputs("sluice: reload refused, nothing has changed\n", cli->err);
		return STATUS_REFUSED;
	}
	fprintf(cli->out,
		"reloaded: pools %" JSON_INTEGER_FORMAT ", endpoints %" JSON_INTEGER_FORMAT "\n",
		json_integer_value(json_object_get(totals, "pools")),
		json_integer_value(json_object_get(totals, "endpoints")));
	return STATUS_DONE;
}

static void rest(void)
{
	const struct timespec pause = { .tv_nsec = ASK_EVERY_MS * NS_PER_MS };

	nanosleep(&pause, NULL);
}

enum cli_status command_reload(struct cli *cli)
{
	CLEANUP(json_p) json_t *ticket = NULL;
	uint64_t until_ms = clock_mono_ms() + WAIT_MS;
	enum cli_status status;
	json_int_t number;

	status = command_post(&ticket, cli, "/v1/reload", json_object());
	if (status != STATUS_DONE)
		return status;
	number = json_integer_value(json_object_get(ticket, "number"));
	while (clock_mono_ms() < until_ms) {
		CLEANUP(json_p) json_t *answer = NULL;
		json_t *outcome;

		status = command_ask(&answer, cli, "/v1/status");
		if (status != STATUS_DONE)
			return status;
		outcome = outcome_of(answer, number);
		if (outcome)
			return tell(cli, answer, outcome);
		rest();
	}
	return cli_fail(
		cli, STATUS_REFUSED, "timeout",
		"the daemon has been asked, but has not finished within %d s; its log tells more",
		WAIT_MS / 1000);
}
