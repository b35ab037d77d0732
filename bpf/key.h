/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * key - filling a key of the targets map.
 *
 * A key is written in whole words, because it is read in words at once: a read that gathers several
 * young writes makes the CPU wait for them. Keys are aligned to 8 bytes, and every byte of theirs
 * is written.
 */
#ifndef SLUICE_BPF_KEY_H
#define SLUICE_BPF_KEY_H

/*
 * For a key that was come by in many ways: in registers, the verifier would tell every value apart that
 * it may have.
 */
static __always_inline void keep_in_memory(struct sl_target_key *key)
{
	asm volatile("" : : "r"(key) : "memory");
}

/* An IPv4 address as the third and fourth word of its v4-mapped form. */
#define V4_MAPPED_WORD bpf_htonl(0x0000ffff)

/* The second half of it, whole; the first is zero. */
static __always_inline __u64 v4_mapped_low(__be32 addr)
{
	union {
		__be32 words[2];
		__u64 whole;
	} low = { .words = { V4_MAPPED_WORD, addr } };

	return low.whole;
}

static __always_inline void key_set_v4(struct sl_target_key *key, __be32 addr)
{
	((__u64 *)key->addr)[0] = 0;
	((__u64 *)key->addr)[1] = v4_mapped_low(addr);
}

/* No such address exists on the wire; believed, it would pass for an IPv4 endpoint. */
static __always_inline bool key_is_mapped(const struct sl_target_key *key)
{
	return !((const __u64 *)key->addr)[0] && ((const __be32 *)key->addr)[2] == V4_MAPPED_WORD;
}

static __always_inline void key_set_port(struct sl_target_key *key, __be16 port,
					 enum sl_proto proto)
{
	union {
		struct {
			__u16 port;
			enum sl_proto proto;
			__u8 zero;
		};
		__u32 whole;
	} tail = { .port = bpf_ntohs(port), .proto = proto };

	*(__u32 *)&key->port = tail.whole;
}

#endif
