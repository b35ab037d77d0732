// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/xdp.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/bpflog.h"
#include "util/cleanup.h"
#include "util/err.h"

static uint32_t mode_flags(enum attach_mode mode)
{
	return mode == ATTACH_XDP_GENERIC ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
}

int xdp_query(struct xdp_state *ret_state, const struct nic *nic)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);
	int r;

	bpflog_begin();
	r = bpf_xdp_query((int)nic->ifindex, 0, &opts);
	if (r < 0)
		return r;
	*ret_state = (struct xdp_state){ .offload_id = opts.hw_prog_id,
					 .native_id = opts.drv_prog_id,
					 .generic_id = opts.skb_prog_id };
	return 0;
}

enum attach_mode xdp_mode_of(const struct xdp_state *state, uint32_t prog_id)
{
	if (!prog_id)
		return ATTACH_NONE;
	if (state->native_id == prog_id)
		return ATTACH_XDP_NATIVE;
	if (state->generic_id == prog_id)
		return ATTACH_XDP_GENERIC;
	return state->offload_id == prog_id ? ATTACH_XDP_OFFLOAD : ATTACH_NONE;
}

uint32_t xdp_foreign(const struct xdp_state *state, uint32_t our_id)
{
	const uint32_t ids[] = { state->native_id, state->generic_id, state->offload_id };

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (ids[i] && ids[i] != our_id)
			return ids[i];
	return 0;
}

int xdp_foreign_error(const struct nic *nic, uint32_t prog_id, struct err *err)
{
	/* Its name is for CAP_SYS_ADMIN to know, which the daemon has given up. */
	return err_set(
		err, -EBUSY,
		"interface '%s' already runs an XDP program that is not ours (bpftool prog show "
		"id %u); detach it, or set xdp: off to use tcx beside it",
		nic->name, prog_id);
}

int xdp_link(int prog_fd, const struct nic *nic, enum attach_mode mode)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = mode_flags(mode));
	int fd = bpf_link_create(prog_fd, (int)nic->ifindex, BPF_XDP, &opts);

	return fd < 0 ? -errno : fd;
}

/*
 * A link that is refused yields an errno only. The same request by netlink is refused for the same
 * reason, but in words; should it succeed after all, it is taken back.
 */
void xdp_refusal(char *ret, size_t len, int prog_fd, const struct nic *nic, enum attach_mode mode,
		 int code)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts, .old_prog_fd = prog_fd);
	uint32_t flags = mode_flags(mode);

	bpflog_begin();
	if (bpf_xdp_attach((int)nic->ifindex, prog_fd, flags | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL) ==
	    0)
		bpf_xdp_detach((int)nic->ifindex, flags, &opts);
	snprintf(ret, len, "%s%s%s", strerror(-code), *bpflog_kernel() ? ": " : "",
		 bpflog_kernel());
}

/*
 * A NIC that runs programs itself takes at least one that does nothing. (Ours it could not take:
 * its maps are mapped into the daemon's memory, and per CPU.)
 */
int xdp_offload_probe(const struct nic *nic)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_ifindex = nic->ifindex,
		    .expected_attach_type = BPF_XDP);
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	CLEANUP(close_p) int fd = -1;

	bpflog_begin();
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "sl_offload_test", "GPL", pass,
			   sizeof(pass) / sizeof(pass[0]), &opts);
	if (fd >= 0)
		return 0;
	/* Newer kernels find the request itself invalid where no driver offers offload. */
	return errno == EINVAL ? -EOPNOTSUPP : -errno;
}
