/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xdp - XDP programs on a device: which are there, and attaching ours by a link. */
#ifndef SLUICE_DATAPLANE_XDP_H
#define SLUICE_DATAPLANE_XDP_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/dataplane.h"
#include "dataplane/nic.h"

/* Program ids by mode; 0: none. */
struct xdp_state {
	uint32_t offload_id, native_id, generic_id;
};

/* -errno from the kernel. */
int xdp_query(struct xdp_state *ret_state, const struct nic *nic);

/* The mode that the program runs in, or ATTACH_NONE. */
enum attach_mode xdp_mode_of(const struct xdp_state *state, uint32_t prog_id);

/* The first program that is not ours, or 0. our_id may be 0. */
uint32_t xdp_foreign(const struct xdp_state *state, uint32_t our_id);

/* Say who is there already: -EBUSY, with the program's name and id and what to do. */
int xdp_foreign_error(const struct nic *nic, uint32_t prog_id, struct err *err);

/* Attach by a link, ATTACH_XDP_NATIVE or ATTACH_XDP_GENERIC. The link's fd, or -errno. */
int xdp_link(int prog_fd, const struct nic *nic, enum attach_mode mode);

/* Why the driver refuses the program, in the kernel's own words if it has any. */
void xdp_refusal(char *ret, size_t len, int prog_fd, const struct nic *nic, enum attach_mode mode,
		 int code);

/* Whether the NIC runs programs itself: 0, or -errno from the kernel. */
int xdp_offload_probe(const struct nic *nic);

#endif
