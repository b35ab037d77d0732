/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decide - the one exit: every packet leaves through it and is counted under one decision.
 */
#ifndef SLUICE_BPF_DECIDE_H
#define SLUICE_BPF_DECIDE_H

#include "maps.h"

/* Count a decision. How often it was made on this CPU; 0: that is not known, and cannot be. */
static __always_inline __u64 decide_count(enum sl_decision decision)
{
	__u32 zero = 0;
	__u64 *counts = bpf_map_lookup_elem(&decisions, &zero);
	__u32 i = decision;

	/* The compiler knows an enum's bounds and drops the check that the verifier wants to see. */
	if (!__builtin_constant_p(decision))
		barrier_var(i);
	return counts && i < SL_DECISION_MAX ? ++counts[i] : 0;
}

/* The same, and return the program's verdict, which is the front end's language. */
static __always_inline int decide(enum sl_decision decision, int verdict)
{
	decide_count(decision);
	return verdict;
}

/*
 * The same for a decision that was arrived at by many ways: a global function, because a verifier
 * like that of 6.1 loses itself in what it believes to know about the number.
 */
__noinline int decide_any(__u32 decision, int verdict)
{
	return decide(decision, verdict);
}

#endif
