/* SPDX-License-Identifier: GPL-2.0-or-later */
/* answer - what the records of both families come to, with a reason where something is amiss. Pure. */
#ifndef SLUICE_PROBE_ANSWER_H
#define SLUICE_PROBE_ANSWER_H

#include "probe/dns.h"
#include "probe/resolve.h"

enum family { FAMILY_V4, FAMILY_V6, FAMILIES };

/* records: by family; rcode RCODE_NONE where nobody answered within timeout_ms. */
void answer_make(struct resolve_answer *answer, const struct dns_records *records,
		 const char *servers, uint32_t timeout_ms);

#endif
