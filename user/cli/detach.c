// SPDX-License-Identifier: GPL-2.0-or-later
/* detach - take the gate off, with or without a daemon. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/text.h"
#include "dataplane/dataplane.h"
#include "util/err.h"

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

enum cli_status command_detach(struct cli *cli)
{
	struct err err = { "" };
	int r;

	if (!cli->options[OPT_ALL])
		return cli_fail(cli, STATUS_USAGE, "usage", "usage: sluice detach --all");

	r = dataplane_detach_all(cli->bpffs, &err);
	if (r == -ENOENT)
		return report(cli, false);
	if (r >= 0)
		return report(cli, true);
	return cli_fail(cli, r == -EPERM || r == -EACCES ? STATUS_NOT_PERMITTED : STATUS_REFUSED,
			r == -EPERM || r == -EACCES ? "not_permitted" : "detach_failed", "%s",
			err.text[0] ? err.text : strerror(-r));
}
