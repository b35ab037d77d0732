/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * maglev - which endpoint of a service a flow belongs to: a table of slots, each naming a member.
 *
 * A flow's hash gives its slot; everybody who knows the same members computes the same table.
 * There are two of them:
 *
 *   base      all members with a weight, whether they are well or not. They take turns, as often as
 *             their weights say, and each takes the first free slot of its own permutation of all
 *             slots. It changes with the membership only.
 *   in force  a member with a full share holds all its slots of the base, one with a part of it
 *             (slow start) those that it took first, one with none holds nothing. A slot that is
 *             not held goes to the holder of the first held slot in a fixed sequence of slots that
 *             belongs to it.
 *
 * What is in force depends on which slots are held and on nothing that went before. A share that
 * falls therefore moves this member's flows only, and one that rises moves flows to this member only:
 * exactly those that it had when its share was the same, however many others are out.
 *
 * Pure: no I/O, no clock. One thread at a time per object.
 */
#ifndef SLUICE_MODEL_MAGLEV_H
#define SLUICE_MODEL_MAGLEV_H

#include <stdint.h>

#include "util/cleanup.h"

#define MAGLEV_WEIGHT_MAX 256
#define MAGLEV_SHARE_FULL 1024
#define MAGLEV_SIZE_MAX 65536
#define MAGLEV_NONE UINT32_MAX /* a slot of nobody */

struct maglev_member {
	uint64_t
		key; /* who it is, wherever it stands in a list: a hash of address, port, protocol */
	uint32_t weight; /* 0: takes part in nothing */
};

struct maglev;

uint32_t maglev_size(uint32_t n_members, uint32_t at_least);

int maglev_new(struct maglev **ret, const struct maglev_member members[], uint32_t n_members,
	       uint32_t size);
void maglev_free(struct maglev *maglev);
DEFINE_CLEANUP(struct maglev, maglev_free);

void maglev_fill(struct maglev *maglev, const uint16_t shares[], uint32_t ret_slots[]);

#endif
