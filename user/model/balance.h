/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * balance - which endpoints of a service new flows go to, and with what share.
 *
 *   any Healthy (or kept open by min_servers)  those; one that has recovered lately with a part
 *   else any Unknown                           those: nothing speaks against them
 *   else on_none_healthy: last                 those that were Healthy last
 *   else                                       nobody
 *
 * Draining, disabled and absent endpoints, and those of weight 0, are never chosen. Pure: no I/O, no clock.
 */
#ifndef SLUICE_MODEL_BALANCE_H
#define SLUICE_MODEL_BALANCE_H

#include "model/health.h"
#include "model/model.h"

/* An endpoint of the service, as the daemon knows it. */
struct balance_member {
	const struct health *health;
	uint64_t recovered_ms; /* monotonic: when it last turned Healthy from Unhealthy; 0: never */
	bool serves; /* there, enabled, and with a weight */
};

/* What the shares of a service are to be. */
struct balance {
	uint32_t n; /* members with a share */
	bool any; /* they are used although none is Healthy or Unknown */
	uint64_t next_ms; /* monotonic: when shares will be others without a change; 0: never */
};

/* shares: as many as members, 0..MAGLEV_SHARE_FULL. */
struct balance balance_shares(const struct balance_member members[], uint32_t n_members,
			      const struct settings *settings, uint64_t now_ms,
			      uint16_t ret_shares[]);

#endif
