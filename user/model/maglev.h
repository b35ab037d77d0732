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
 * A share's n slots are the first n in the order in which they were taken, so that they grow and
 * shrink at one end.
 *
 * Only a change of membership or weights builds another base. Of the flows of those who stay, it
 * moves a few besides; a change of the size moves nearly all. Measured on maglev_size() slots:
 *
 *   members                         2      3     10    100    256   1000
 *   slots                        4096   4096   4096  16384  65536  65536
 *   others moved by a removal,   0.00   0.92   1.71   1.42   0.75   0.62  worst of ten removals
 *     percent
 *   most loaded / mean          1.000  1.000  1.001  1.001  1.000  1.007  all well
 *                               1.000  1.004  1.022  1.027  1.016  1.037  one out
 *                               1.000  1.000  1.014  1.120  1.084  1.175  every other one out
 *   base built, ms               0.09   0.09   0.10   0.48   2.5    2.8
 *   in force, one out, ms        0.06   0.04   0.02   0.07   0.27   0.26
 *     every other one out        0.06   0.07   0.06   0.25   1.1    1.0
 *
 * A quarter of the slots would move about twice as many others. Weights change little of it, unless
 * one member has as much as hundreds of others have together: its removal moves up to one in twenty
 * of theirs. The loads of those who are well scatter more the more of the others are out, because
 * what they take over is theirs by lot: evening it out would move flows between them.
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
	uint64_t key; /* who it is, in every list: a hash of address, port and protocol */
	uint32_t weight; /* 0: takes part in nothing */
};

struct maglev;

/*
 * The number of slots for so many members, whatever their weights: a power of two, so that the slot
 * is some bits of the flow's hash. at_least: 0, or what the operator asked for, or the size that is
 * in use and should not shrink because a member left.
 */
uint32_t maglev_size(uint32_t n_members, uint32_t at_least);

/*
 * Build the base. size is any power of two up to MAGLEV_SIZE_MAX. Everybody with a weight has one
 * slot at least, and no more than one or two above its part by weight. The table does not depend on
 * the order of members.
 *   -EINVAL  size, or a weight above MAGLEV_WEIGHT_MAX
 *   -E2BIG   more members than slots
 *   -EEXIST  two members with the same key
 *   -ENOMEM
 */
int maglev_new(struct maglev **ret, const struct maglev_member members[], uint32_t n_members,
	       uint32_t size);
void maglev_free(struct maglev *maglev);
DEFINE_CLEANUP(struct maglev, maglev_free);

/*
 * Compute the table in force. shares: for each member, 0 (takes no new flow) to MAGLEV_SHARE_FULL.
 * ret_slots: for each slot the index of a member, or MAGLEV_NONE in all of them when nobody with a
 * weight has a share. May be called any number of times; allocates nothing, cannot fail.
 */
void maglev_fill(struct maglev *maglev, const uint16_t shares[], uint32_t ret_slots[]);

#endif
