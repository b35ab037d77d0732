/* SPDX-License-Identifier: GPL-2.0-or-later */
/* troubleshoot_work - the parts of the decision; for diagnose/troubleshoot*.c only. */
#ifndef SLUICE_DIAGNOSE_TROUBLESHOOT_WORK_H
#define SLUICE_DIAGNOSE_TROUBLESHOOT_WORK_H

#include "diagnose/troubleshoot.h"

/* Each looks at one part of the evidence, and returns whether it explains everything. */
typedef bool trouble_step(struct trouble_finding *finding, const struct trouble_evidence *e);

trouble_step trouble_from_name, trouble_from_route, trouble_from_own_filter;
trouble_step trouble_from_icmp, trouble_from_silence, trouble_from_answers;

bool trouble_say(struct trouble_finding *finding, enum cause cause, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The first match that is certain, or NULL. */
const struct filter_match *trouble_certain(const struct filter_report *report);

/* Whether an address is this host's towards the target. */
bool trouble_is_own(const struct trouble_evidence *e, const struct addr *addr);

/* Whether device is one of this side's, and the target on the internet: where they meet is the edge. */
bool trouble_is_edge(const struct trouble_evidence *e, const struct addr *device);

#endif
