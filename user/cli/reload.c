// SPDX-License-Identifier: GPL-2.0-or-later
/* reload - the commands about the file and what was changed over it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/config_file.h"
#include "cli/text.h"
#include "diagnose/json.h"
#include "util/cleanup.h"
#include "util/err.h"

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

/* Somebody may have changed it, or a save was ended before it had it loaded. Who may not read it is not told. */
static void tell_unloaded(const struct cli *cli, const json_t *json)
{
	struct config_file file = { .len = 0 };
	const char *name = text_get(json, "file");
	struct err err;

	if (config_file_read(&file, name, &err) < 0)
		return;
	if (!config_file_is(&file, text_get(json, "file_digest")))
		fprintf(cli->out,
			"%s has been changed since it was loaded: 'sluice reload' loads it\n",
			name);
	config_file_done(&file);
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
	if (r < 0)
		return command_print_failed(cli, r);
	tell_unloaded(cli, json);
	return STATUS_DONE;
}
