/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hash - the arithmetic that the programs and the daemon must agree on.
 *
 * target_index is an array in front of the targets map. A packet whose slot is empty is certainly
 * addressed to nothing of ours; any other slot says what it probably is, which the key in
 * endpoint_names confirms. Either answer costs array reads, a tenth of a hash lookup; only
 * what shares a slot with an endpoint and is not it has to be looked up in targets. A slot is
 * filled before its target is added and emptied after it is removed.
 */
#ifndef SLUICE_HASH_H
#define SLUICE_HASH_H

#include "sluice/abi.h"

/* Odd 64-bit constants with well-spread bits (golden ratio; a prime). */
#define SL_MIX_A 0x9e3779b97f4a7c15ull
#define SL_MIX_B 0xd6e8feb86659fd93ull

/* A number for a key. Its top bits depend on every bit of the key; equal on every gateway. */
static inline __attribute__((always_inline)) __u64 sl_key_mix(const struct sl_target_key *key)
{
	__u64 high, low, rest;

	__builtin_memcpy(&high, &key->addr[0], sizeof(high));
	__builtin_memcpy(&low, &key->addr[8], sizeof(low));
	rest = (__u64)key->port << 8 | key->proto;

	return (low ^ high * SL_MIX_A ^ rest * SL_MIX_B) * SL_MIX_A;
}

/* The slot of a key: 0 .. 2^bits - 1, with bits 1..32. */
static inline __attribute__((always_inline)) __u32 sl_index_slot(const struct sl_target_key *key,
								 __u32 bits)
{
	return (__u32)(sl_key_mix(key) >> (64 - bits));
}

#endif
