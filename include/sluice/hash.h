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

/* Of an index with 2^bits slots, 1..32: how many of the mixed bits do not tell the slot. */
#define SL_INDEX_SHIFT(bits) (64 - (bits))

/* The slot of a key: 0 .. 2^bits - 1. */
static inline __attribute__((always_inline)) __u32 sl_index_slot(const struct sl_target_key *key,
								 __u32 bits)
{
	return (__u32)(sl_key_mix(key) >> SL_INDEX_SHIFT(bits));
}

/* One round of mixing; a bijection, so that it never makes two values one. */
static inline __attribute__((always_inline)) __u64 sl_mix(__u64 value)
{
	value ^= value >> 32;
	value *= SL_MIX_B;
	value ^= value >> 29;
	return value * SL_MIX_A;
}

/* The words of an address in a tuple, where they are aligned. */
static inline __attribute__((always_inline)) void sl_addr_words(__u64 *ret_high, __u64 *ret_low,
								const __u8 addr[SL_ADDR_LEN])
{
	const __u8 *aligned = __builtin_assume_aligned(addr, sizeof(__u64));

	__builtin_memcpy(ret_high, &aligned[0], sizeof(*ret_high));
	__builtin_memcpy(ret_low, &aligned[8], sizeof(*ret_low));
}

static inline __attribute__((always_inline)) __u64 sl_mix_addr(__u64 hash,
							       const __u8 addr[SL_ADDR_LEN])
{
	__u64 high, low;

	sl_addr_words(&high, &low, addr);
	return sl_mix(hash ^ low ^ high * SL_MIX_A);
}

/*
 * What a new flow to a service is placed by: of the client's address only (affinity), or of the
 * whole tuple. Every gateway places a flow alike, so that one may take over from another.
 */
static inline __attribute__((always_inline)) __u64 sl_client_hash(const struct sl_tuple *tuple)
{
	return sl_mix(sl_mix_addr(0, tuple->saddr));
}

static inline __attribute__((always_inline)) __u64 sl_flow_hash(const struct sl_tuple *tuple)
{
	__u64 rest = (__u64)tuple->sport << 32 | (__u64)tuple->dport << 8 | tuple->proto;

	return sl_mix(sl_mix_addr(sl_mix_addr(0, tuple->saddr), tuple->daddr) ^ rest);
}

/* Where to place a flow whose place cannot be used. */
static inline __attribute__((always_inline)) __u64 sl_next_hash(__u64 hash)
{
	return sl_mix(hash + SL_MIX_A);
}

/* The place of a hash among size: multiply-shift, which needs no division. */
static inline __attribute__((always_inline)) __u32 sl_slot(__u64 hash, __u32 size)
{
	return (__u32)((hash >> 32) * size >> 32);
}

/* The slot in handshakes, which has so many, of a flow with this hash. */
static inline __attribute__((always_inline)) __u32 sl_handshake_slot(__u64 flow_hash, __u32 slots)
{
	return sl_slot(flow_hash, slots);
}

/* By which, in its slot, a flow to a service is known again; never 0. */
static inline __attribute__((always_inline)) __u16 sl_handshake_tag(__u64 flow_hash, __u32 service)
{
	return (__u16)(flow_hash + service * SL_MIX_A) | 1;
}

/* What an attempt of a peer's address and port to connect to an endpoint is found by. */
static inline __attribute__((always_inline)) __u64 sl_attempt_hash(__u64 high, __u64 low,
								   __u16 port, __u32 endpoint)
{
	__u64 rest = (__u64)port << 32 | endpoint;

	return sl_mix(low ^ high * SL_MIX_A ^ rest * SL_MIX_B);
}

/* By which it is known again in its slot, which is sl_slot() of the hash. */
static inline __attribute__((always_inline)) __u32 sl_attempt_tag(__u64 hash)
{
	return (__u32)hash;
}

/* The slot in routes of an address in a tuple. */
static inline __attribute__((always_inline)) __u32 sl_route_slot(const __u8 addr[SL_ADDR_LEN])
{
	__u64 high, low;

	sl_addr_words(&high, &low, addr);
	return sl_slot((low ^ high * SL_MIX_B) * SL_MIX_A, SL_ROUTE_SLOTS);
}

#endif
