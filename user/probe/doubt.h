/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doubt - whether a timeout is to be believed.
 */
#ifndef SLUICE_PROBE_DOUBT_H
#define SLUICE_PROBE_DOUBT_H

#include "model/verdict.h"

/*
 * Make it the prober's own trouble if it is a timeout and our loop was so late during the probe
 * that the answer may have been there: our failure, and not the endpoint's.
 */
void doubt_timeout(struct verdict *v, uint32_t timeout_ms, uint64_t late_ms);

#endif
