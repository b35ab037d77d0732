/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cursor - the only way to read a packet.
 *
 * A cursor walks the part of the frame that the program can read directly. What lies beyond its
 * end may exist (fragments of a frame, a non-linear skb); the front ends know.
 */
#ifndef SLUICE_BPF_CURSOR_H
#define SLUICE_BPF_CURSOR_H

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

struct cursor {
	void *pos;
	void *end;
};

/*
 * Take the next len bytes, or NULL if the packet ends first. The cursor does not move on failure.
 * len must be a compile-time constant: this comparison is the one place where the verifier learns
 * the bound.
 */
static __always_inline void *cursor_take(struct cursor *c, __u32 len)
{
	void *p = c->pos;

	__builtin_assume(p != NULL); /* or the compiler tests every pointer twice */
	if (unlikely(p + len > c->end))
		return NULL;

	c->pos = p + len;
	return p;
}

/*
 * Move to len bytes behind the beginning of header, the one last taken; len need not be a constant
 * but must be bounded. Moving past the end is found by the next cursor_take().
 */
static __always_inline void cursor_leave(struct cursor *c, void *header, __u32 len)
{
	c->pos = header + len;
}

#endif
