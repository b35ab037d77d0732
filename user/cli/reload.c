// SPDX-License-Identifier: GPL-2.0-or-later
/* reload - the commands about the file and what was changed over it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/text.h"
#include "diagnose/json.h"
#include "util/cleanup.h"

static enum cli_status reloaded(const struct cli *cli, const json_t *job)
{
	CLEANUP(json_p) json_t *status_json = NULL;
	enum cli_status status = command_ask(&status_json, cli, "/v1/status");
	const json_t *totals = json_object_get(status_json, "totals");

	(void)job;
	if (status != STATUS_DONE)
		return status;
	fprintf(cli->out, "reloaded: pools %" PRIu64 ", endpoints %" PRIu64 "\n",
		text_get_uint(totals, "pools"), text_get_uint(totals, "endpoints"));
	return STATUS_DONE;
}

enum cli_status command_reload(struct cli *cli)
{
	bool discards = cli->options[OPT_DISCARD_RUNTIME];
	json_t *body = discards ? json_pack("{s:b}", "discard_runtime", 1) : json_object();

	return command_job(cli, "/v1/reload", body, reloaded);
}

enum cli_status command_diff(struct cli *cli)
{
	CLEANUP(json_p) json_t *json = NULL;
	struct view view = command_view(cli);
	enum cli_status status = command_ask(&json, cli, "/v1/changes");
	int r;

	if (status != STATUS_DONE)
		return status;
	if (cli->json) {
		text_dump(cli->out, json_incref(json));
		return STATUS_DONE;
	}
	r = view_layers(&view, json);
	return r < 0 ? command_print_failed(cli, r) : STATUS_DONE;
}
