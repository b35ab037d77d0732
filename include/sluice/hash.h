/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hash - the arithmetic that the programs and the daemon must agree on.
 *
 * target_filter is a bitmap in front of the targets map: a packet whose bit is clear is certainly
 * addressed to nothing of ours and skips the hash lookup, which costs ten times as much. The
 * filter may have false positives, never false negatives: a bit is set before its target is
 * added and cleared after it is removed.
 */
#ifndef SLUICE_HASH_H
#define SLUICE_HASH_H

#include "sluice/abi.h"

/* Odd 64-bit constants with well-spread bits (golden ratio; a prime). */
#define SL_MIX_A 0x9e3779b97f4a7c15ull
#define SL_MIX_B 0xd6e8feb86659fd93ull

/*
 * The filter's bit for a key: 0 .. 2^bits - 1, with bits 6..32. Multiply-shift: the top bits of
 * the product depend on every bit of the input.
 */
static inline __attribute__((always_inline)) __u32 sl_filter_bit(const struct sl_target_key *key,
								 __u32 bits)
{
	__u64 high, low, rest;

	__builtin_memcpy(&high, &key->addr[0], sizeof(high));
	__builtin_memcpy(&low, &key->addr[8], sizeof(low));
	rest = (__u64)key->port << 8 | key->proto;

	return (__u32)(((low ^ high * SL_MIX_A ^ rest * SL_MIX_B) * SL_MIX_A) >> (64 - bits));
}

#endif
