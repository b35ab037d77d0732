// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/tcx.h"

#include <bpf/bpf.h>
#include <errno.h>

/* Not in the headers of Linux 6.1. */
#define TCX_INGRESS 46
#define TCX_EGRESS 47
#define F_BEFORE (1u << 3)

/* The kernel's own limit of programs in one place. */
#define PROGRAMS_MAX 64

static enum bpf_attach_type direction(bool egress)
{
	return (enum bpf_attach_type)(egress ? TCX_EGRESS : TCX_INGRESS);
}

int tcx_link(int prog_fd, const struct nic *nic, bool egress)
{
	/* "Before" without naming a program: before all. */
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = F_BEFORE);
	int fd = bpf_link_create(prog_fd, (int)nic->ifindex, direction(egress), &opts);

	return fd < 0 ? -errno : fd;
}

bool tcx_runs(const struct nic *nic, bool egress, uint32_t prog_id)
{
	__u32 ids[PROGRAMS_MAX] = { 0 }, n = PROGRAMS_MAX;

	/* The device goes where other kinds of program have their file descriptor. */
	if (bpf_prog_query((int)nic->ifindex, direction(egress), 0, NULL, ids, &n) < 0)
		return false;
	for (__u32 i = 0; i < n && i < PROGRAMS_MAX; i++)
		if (ids[i] == prog_id)
			return true;
	return false;
}
