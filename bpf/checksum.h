/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checksum - the Internet checksum (RFC 1071) over words in wire order.
 *
 * Sums are kept in 64 bits and folded once. A sum of 32-bit words folds to the same 16 bits as one
 * of 16-bit words, on either byte order.
 */
#ifndef SLUICE_BPF_CHECKSUM_H
#define SLUICE_BPF_CHECKSUM_H

/* A word from its first and second half, all in wire order. */
static __always_inline __be32 word_of_halves(__be16 first, __be16 second)
{
	union {
		__be16 halves[2];
		__be32 whole;
	} word = { .halves = { first, second } };

	return word.whole;
}

/* The sum is one of fewer than 65536 words. */
static __always_inline __u16 sum_fold(__u64 sum)
{
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)(sum + (sum >> 16));
}

/* A checksum after words were replaced; change: the sum of the complements of the old and of the new. */
static __always_inline __u16 sum_update(__u16 check, __u64 change)
{
	return ~sum_fold((__u16)~check + change);
}

static __always_inline __u64 sum_change(__be32 before, __be32 after)
{
	return (__u64)(__be32)~before + after;
}

/*
 * The pseudo header of TCP, UDP and ICMPv6. The addresses may be v4-mapped: the 0xffff that mapping
 * adds is zero to this sum.
 */
static __always_inline __u64 sum_pseudo(const __be32 src[4], const __be32 dst[4], __u8 proto,
					__u16 len)
{
	return (__u64)src[0] + src[1] + src[2] + src[3] + dst[0] + dst[1] + dst[2] + dst[3] +
	       bpf_htons(len) + bpf_htons(proto);
}

#endif
