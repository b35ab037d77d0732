/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host - does this machine offer what the data plane needs?
 *
 * Asked once, before anything is touched, so that the answer is one sentence instead of the
 * kernel's errno from some later call.
 */
#ifndef SLUICE_DATAPLANE_HOST_H
#define SLUICE_DATAPLANE_HOST_H

#include <stdbool.h>

struct err;

/* The oldest kernel that is tested: Debian 12's. */
#define KERNEL_MIN_MAJOR 6
#define KERNEL_MIN_MINOR 1

struct host_facts {
	bool may_use_bpf; /* CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN which includes both */
	bool may_use_net; /* CAP_NET_ADMIN */
	bool has_btf; /* the kernel describes its types */
	char release[65]; /* uname -r */
};

/* Ask the kernel. */
void host_read(struct host_facts *ret_facts);

/*
 * Judge the facts.
 *   -EPERM       not privileged
 *   -EOPNOTSUPP  kernel too old, or built without BTF
 */
int host_judge(const struct host_facts *facts, struct err *err);

#endif
