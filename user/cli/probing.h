/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probing - one probe now, from here, as it was ordered: name, trust, probe, verdict.
 *
 * Runs a loop of its own until the verdict is there.
 */
#ifndef SLUICE_CLI_PROBING_H
#define SLUICE_CLI_PROBING_H

#include <uv.h>

#include "cli/order.h"
#include "model/verdict.h"
#include "probe/resolve.h"

struct trust;

/* Everything of one run; plan borrows from order and trust. */
struct probing {
	uv_loop_t loop;
	struct order order;
	struct plan plan;
	struct trust *trust;
	struct verdict verdict;
	struct resolve_answer answer; /* of a target that is a name */
	uint32_t resolve_us;
};

/*
 * Take the order and plan it. -EINVAL: err says in one sentence which option is wrong; -ENOMEM. In
 * either case probing_done() is needed afterwards.
 */
int probing_prepare(struct probing *ret_probing, const struct cli *cli, struct err *err);

/* Read what is to be trusted, where TLS is spoken. -errno, and err says why. */
int probing_trust(struct probing *probing, struct err *err);

/* Probe. 0: there is a verdict; -errno: the probe did not start. */
int probing_run(struct probing *probing);

void probing_done(struct probing *probing);

/* Have the address first that this host has a route to. */
void probing_choose(struct resolve_answer *answer);

#endif
