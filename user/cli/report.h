/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report - what `sluice probe` found, for people and as JSON.
 *
 * Whatever the server sent is made fit for a terminal.
 */
#ifndef SLUICE_CLI_REPORT_H
#define SLUICE_CLI_REPORT_H

#include <stdint.h>

#include "cli/cli.h"
#include "model/plan.h"
#include "model/verdict.h"
#include "probe/resolve.h"

/* All borrowed. */
struct probe_report {
	const char *target; /* as typed */
	const struct plan *plan;
	const struct verdict *verdict;
	const struct resolve_answer *answer; /* NULL: there was nothing to resolve */
	bool show_certs;
	int64_t now_s; /* Unix time: dates are counted to it */
};

void report_json(const struct cli *cli, const struct probe_report *report);

/* 0, -ENOMEM or -EIO. */
int report_text(const struct cli *cli, const struct probe_report *report);

/* The chain as `openssl s_client -showcerts` would list it, with what matters about each. */
void report_certs(FILE *out, const struct certs *certs, int64_t now_s);

#endif
