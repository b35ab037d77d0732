/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rig_work - what the parts of the rig share. */
#ifndef SLUICE_TESTS_RIG_WORK_H
#define SLUICE_TESTS_RIG_WORK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/rig.h"

#include "tc.skel.h"
#include "xdp.skel.h"

#define INDEX_BITS 10
#define NS_PER_SEC 1000000000ull
#define CPUS_MAX 64

enum kind { KIND_USUAL, KIND_PLAIN_NAT, KIND_SMALL, KINDS };

struct rig {
	struct xdp_bpf *xdp;
	struct tc_bpf *tc;
	enum kind kind;
	int cpus;
};

/* Fail the test, with errno, if a system call has failed. */
void rig_ok(int r, const char *what);

/* Forget all entries of a map. */
void rig_clear(const struct rig *rig, const struct bpf_map *map);

#endif
