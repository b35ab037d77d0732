// SPDX-License-Identifier: GPL-2.0-or-later
/* attach, detach - put an interface under the gate, or take it off; all of it with or without a daemon. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/text.h"
#include "dataplane/dataplane.h"
#include "diagnose/json.h"
#include "util/cleanup.h"
#include "util/err.h"

/* --- one of them, by the daemon --------------------------------------------------------------- */

static const json_t *find(const json_t *interfaces, const char *name)
{
	const json_t *interface;
	size_t i;

	json_array_foreach(interfaces, i, interface) if (!strcmp(text_get(interface, "name"),
								 name)) return interface;
	return NULL;
}

static enum cli_status attached(const struct cli *cli, const json_t *job)
{
	CLEANUP(json_p) json_t *status_json = NULL;
	enum cli_status status = command_ask(&status_json, cli, "/v1/status");
	const json_t *interface;

	if (status != STATUS_DONE)
		return status;
	interface = find(json_object_get(status_json, "interfaces"), cli->args[0]);
	fprintf(cli->out, "%s: attached, ingress %s, egress %s (version %" PRIu64 ")\n",
		cli->args[0], text_get(interface, "ingress"), text_get(interface, "egress"),
		text_get_uint(job, "version"));
	return STATUS_DONE;
}

static enum cli_status detached(const struct cli *cli, const json_t *job)
{
	CLEANUP(json_p) json_t *status_json = NULL;
	enum cli_status status = command_ask(&status_json, cli, "/v1/status");

	if (status != STATUS_DONE)
		return status;
	fprintf(cli->out, "%s: detached, its packets pass unjudged (version %" PRIu64 ")\n",
		cli->args[0], text_get_uint(job, "version"));
	if (!json_array_size(json_object_get(status_json, "interfaces")))
		fputs("NOTHING IS GUARDED NOW: it was the last interface\n", cli->out);
	return STATUS_DONE;
}

enum cli_status command_attach(struct cli *cli)
{
	const char *xdp = cli->options[OPT_XDP], *egress = cli->options[OPT_EGRESS];
	bool is_true = egress && !strcmp(egress, "true");

	if (egress && !is_true && strcmp(egress, "false") != 0)
		return cli_fail(cli, STATUS_USAGE, "usage",
				"--egress '%s' is neither true nor false", egress);
	/* What was not said is left out. */
	return command_job(cli, "/v1/interface",
			   json_pack("{s:s, s:s, s:s*, s:o*}", "action", "attach", "interface",
				     cli->args[0], "xdp", xdp, "egress",
				     egress ? json_boolean(is_true) : NULL),
			   attached);
}

static enum cli_status detach_one(const struct cli *cli)
{
	return command_job(cli, "/v1/interface",
			   json_pack("{s:s, s:s}", "action", "detach", "interface", cli->args[0]),
			   detached);
}

/* --- all of them, by ourselves ---------------------------------------------------------------- */

static enum cli_status report(const struct cli *cli, bool detached)
{
	if (cli->json)
		text_dump(cli->out,
			  json_pack("{s:b,s:s}", "detached", (int)detached, "bpffs", cli->bpffs));
	else if (detached)
		fprintf(cli->out,
			"detached every interface, and removed every map, program and "
			"link under %s\n",
			cli->bpffs);
	else
		fprintf(cli->out, "nothing is attached under %s\n", cli->bpffs);
	return STATUS_DONE;
}

static enum cli_status detach_all(const struct cli *cli)
{
	struct err err = { "" };
	int r;

	r = dataplane_detach_all(cli->bpffs, &err);
	if (r == -ENOENT)
		return report(cli, false);
	if (r >= 0)
		return report(cli, true);
	return cli_fail(cli, r == -EPERM || r == -EACCES ? STATUS_NOT_PERMITTED : STATUS_REFUSED,
			r == -EPERM || r == -EACCES ? "not_permitted" : "detach_failed", "%s",
			err.text[0] ? err.text : strerror(-r));
}

enum cli_status command_detach(struct cli *cli)
{
	bool all = cli->options[OPT_ALL];

	if (all == (cli->n_args > 0))
		return cli_fail(cli, STATUS_USAGE, "usage",
				"usage: sluice detach INTERFACE | --all");
	if (all && (cli->options[OPT_DRY_RUN] || cli->options[OPT_IF_VERSION]))
		return cli_fail(
			cli, STATUS_USAGE, "usage",
			"--dry-run and --if-version are for one interface, and not for --all");
	return all ? detach_all(cli) : detach_one(cli);
}
