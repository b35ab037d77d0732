// SPDX-License-Identifier: GPL-2.0-or-later
/* probe - one probe now, from here, without a daemon. */
#include <errno.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/probing.h"
#include "cli/report.h"
#include "util/clock.h"
#include "util/err.h"

static enum cli_status report(const struct cli *cli, const struct probing *run)
{
	struct probe_report report = {
		.target = cli->args[0],
		.plan = &run->plan,
		.verdict = &run->verdict,
		.answer = run->order.target.is_name ? &run->answer : NULL,
		.show_certs = run->order.show_certs,
		.now_s = (int64_t)(clock_wall_ms() / MS_PER_SEC),
	};
	int r;

	if (cli->json) {
		report_json(cli, &report);
	} else {
		r = report_text(cli, &report);
		if (r < 0)
			return command_print_failed(cli, r);
	}
	return message_passed(run->verdict.code) ? STATUS_DONE : STATUS_REFUSED;
}

enum cli_status command_probe(struct cli *cli)
{
	CLEANUP(probing_done) struct probing run;
	struct err err = { "" };
	int r;

	r = probing_prepare(&run, cli, &err);
	if (r == -ENOMEM)
		return cli_fail(cli, STATUS_REFUSED, "out_of_memory", "out of memory");
	if (r < 0)
		return cli_fail(cli, STATUS_USAGE, "usage", "%s", err.text);
	r = probing_trust(&run, &err);
	if (r < 0)
		return cli_fail(cli, STATUS_REFUSED, "bad_trust", "%s", err.text);

	r = probing_run(&run);
	if (r < 0)
		return cli_fail(cli, STATUS_REFUSED, "probe_failed", "the probe did not start: %s",
				strerror(-r));
	return report(cli, &run);
}
