/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dsr_flow - services whose packets are forwarded as they are, and their flows, for tests; included by
 * one .c of each.
 */
#ifndef SLUICE_TESTS_DSR_FLOW_H
#define SLUICE_TESTS_DSR_FLOW_H

#include "tests/lib/packet.h"
#include "tests/lib/rig.h"
#include "tests/lib/services.h"

static const struct services_kind dsr = { .method = SL_METHOD_DSR, .none = SL_ACTION_REJECT };

static const struct sl_word healthy = { .health = SL_HEALTHY };

#define WORD(h, a, f)                               \
	{                                           \
		.health = h, .admin = a, .flags = f \
	}

static inline int setup(void **state)
{
	struct rig *rig = *state = rig_new();

	services_make(rig, &dsr);
	return 0;
}

#define row(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

static inline bool is_known(const struct rig *rig, enum flavour flavour, struct sl_flow *ret_flow)
{
	struct sl_tuple tuple = services_tuple(flavour, SERVICES_CLIENT_PORT);

	return rig_flow(rig, RIG_FLOWS_TABLE, &tuple, ret_flow);
}

#endif
