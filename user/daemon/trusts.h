/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trusts - whom the probes of each settings trust: made once, shared by all their endpoints.
 */
#ifndef SLUICE_DAEMON_TRUSTS_H
#define SLUICE_DAEMON_TRUSTS_H

#include "model/model.h"
#include "model/plan.h"
#include "util/cleanup.h"

struct err;
struct trusts;

/* Nothing is made yet. model is borrowed. NULL: out of memory. */
struct trusts *trusts_new(const struct model *model);
void trusts_free(struct trusts *trusts);
DEFINE_CLEANUP(struct trusts, trusts_free)

/* Give the plan of an endpoint under these settings its trust, if it speaks TLS. As trust_new(). */
int trusts_give(struct trusts *trusts, uint32_t settings, struct plan *plan, struct err *err);

#endif
