/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doubt - whether a failure is to be believed, or may be our own doing.
 *
 * A timeout proves nothing if our loop was so late during the probe that the answer may have been
 * there: prober_overloaded. No failure proves anything if the loop stood still meanwhile, for then
 * it was us who kept the server waiting until it gave up: unknown_gateway_unhealthy. A success is
 * one whenever it came.
 */
#ifndef SLUICE_PROBE_DOUBT_H
#define SLUICE_PROBE_DOUBT_H

#include "model/verdict.h"
#include "probe/lag.h"

/* during: how late the loop was while the probe ran. */
void doubt_verdict(struct verdict *v, uint32_t timeout_ms, struct lag_reading during);

#endif
