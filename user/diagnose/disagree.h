/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disagree - whether probes and clients say the same about an endpoint.
 *
 * Both connect to it; where one is served and the other is not, the difference between them names what to look at.
 * Facts in, cause and sentence out; the facts are borrowed for the call.
 */
#ifndef SLUICE_DIAGNOSE_DISAGREE_H
#define SLUICE_DIAGNOSE_DISAGREE_H

#include "diagnose/cause.h"
#include "model/board.h"
#include "model/plan.h"
#include "model/traffic.h"

#define DISAGREE_TEXT_LEN 400

struct disagree_facts {
	const struct plan *plan;
	const struct endpoint *endpoint; /* whose port is the clients' */
	const struct board_entry *entry;
	struct traffic lately; /* what came since the entry's mark */
	uint64_t window_ms; /* so long ago; 0: nothing is known */
};

struct disagreement {
	enum cause cause; /* CAUSE_REACHABLE: there is none */
	char text[DISAGREE_TEXT_LEN];
};

/* Returns whether they disagree. */
bool disagree(struct disagreement *ret, const struct disagree_facts *facts);

/* "of 40 attempts 38 failed: refused 30, unreachable 0, unanswered 8"; returns buf. */
#define DISAGREE_COUNT_LEN 160
const char *disagree_count(char buf[DISAGREE_COUNT_LEN], const struct traffic *traffic);

/* What keeps clients from an endpoint that this host can connect to, by what came of their attempts. */
enum cause disagree_clients_cause(const struct traffic *traffic);

#endif
