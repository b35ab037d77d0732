/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * why - what is known of one endpoint, joined into one finding and the notes that belong to it.
 *
 * Facts in, sentences out: no I/O, no clock, no locks. The facts are borrowed for the call.
 */
#ifndef SLUICE_DIAGNOSE_WHY_H
#define SLUICE_DIAGNOSE_WHY_H

#include "diagnose/advice.h"
#include "diagnose/disagree.h"
#include "model/board.h"
#include "model/model.h"
#include "model/plan.h"
#include "probe/message.h"

#define WHY_NOTES_MAX 12
#define WHY_NOTE_LEN 256
#define WHY_FINDING_LEN (MESSAGE_LEN + 256)

struct why_facts {
	const struct settings *settings;
	const struct plan *plan;
	const struct endpoint *endpoint;
	const struct board_entry *entry;
	const struct board_name *dns; /* of the name it was found under; NULL: none */
	const struct sl_endpoint_stats *stats; /* NULL: the kernel would not tell */
	const struct traffic *traffic; /* totals; NULL: not watched, or not to be had */
	const struct sl_meta *meta;
	bool removed; /* the gate is no longer in force: somebody detached it */
	uint64_t mono_ns; /* now, on the clock of the heartbeat and of the entry's mark, */
	uint64_t wall_ms; /* and on that of its verdicts */
};

struct why {
	struct verdict newest; /* probe_pending when there is none */
	char message[MESSAGE_LEN]; /* the newest verdict in words */
	char finding[WHY_FINDING_LEN]; /* what becomes of new connections, and why */
	uint64_t window_ms; /* clients fared as below in so long; 0: not known */
	struct traffic lately;
	struct disagreement disagreement; /* of probes and clients; goes before all else */
	struct advice advice;
	uint32_t n_notes;
	char notes[WHY_NOTES_MAX][WHY_NOTE_LEN];
};

void why_explain(struct why *ret_why, const struct why_facts *facts);

/* The newest verdict, be it of before the daemon started; probe_pending: there is none. */
struct verdict why_newest(const struct board_entry *entry);

/* "reject", "drop", "pass": settings.on_unhealthy as it is written in the configuration. */
const char *why_action_name(enum sl_action action);

#endif
