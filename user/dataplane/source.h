/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source - which address this host uses towards another. */
#ifndef SLUICE_DATAPLANE_SOURCE_H
#define SLUICE_DATAPLANE_SOURCE_H

#include "sluice/abi.h"
#include "util/addr.h"

/* As the routing table says now, without a packet. All zero: there is no route. */
void source_find(__u8 ret_addr[SL_ADDR_LEN], const struct addr *to);

#endif
