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

/* Add n 32-bit words; n is a compile-time constant. */
static __always_inline __u64 sum_words(__u64 sum, const __be32 *words, int n)
{
#pragma unroll
	for (int i = 0; i < n; i++)
		sum += words[i];
	return sum;
}

static __always_inline __u16 sum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)((sum & 0xffff) + (sum >> 16));
}

/*
 * The pseudo header of TCP, UDP and ICMPv6. The addresses may be v4-mapped: the 0xffff that mapping
 * adds is zero to this sum.
 */
static __always_inline __u64 sum_pseudo(const __be32 src[4], const __be32 dst[4], __u8 proto,
					__u16 len)
{
	__u64 sum = (__u64)bpf_htons(len) + bpf_htons(proto);

	return sum_words(sum_words(sum, src, 4), dst, 4);
}

#endif
