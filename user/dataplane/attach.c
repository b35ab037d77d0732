// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/attach.h"

#include <errno.h>
#include <string.h>

#include "dataplane/bpflog.h"
#include "dataplane/xdp.h"
#include "util/clock.h"
#include "util/err.h"

#define REASON_LEN 128

/* All that one interface's attachment needs to know. */
struct job {
	struct hooks *hooks;
	const struct interface *interface;
	const struct nic *nic;
	const struct programs *programs;
	enum tc_kind tc;
	struct attachment attachment;
	char reason[REASON_LEN]; /* why the last rung was not taken */
};

enum rung { RUNG_OFFLOAD, RUNG_NATIVE, RUNG_TC, RUNG_GENERIC, RUNGS };

static const char *const rung_names[RUNGS] = {
	[RUNG_OFFLOAD] = "offload",
	[RUNG_NATIVE] = "native",
	[RUNG_TC] = "tcx",
	[RUNG_GENERIC] = "generic",
};

static const struct ladder {
	enum rung rungs[RUNGS];
	uint32_t n;
} ladders[] = {
	[XDP_AUTO] = { { RUNG_OFFLOAD, RUNG_NATIVE, RUNG_TC, RUNG_GENERIC }, 4 },
	[XDP_OFFLOAD] = { { RUNG_OFFLOAD }, 1 },
	[XDP_NATIVE] = { { RUNG_NATIVE }, 1 },
	[XDP_GENERIC] = { { RUNG_GENERIC }, 1 },
	[XDP_OFF] = { { RUNG_TC }, 1 },
};

const char *attach_mode_name(enum attach_mode mode)
{
	static const char *const names[] = {
		[ATTACH_NONE] = "none",
		[ATTACH_XDP_OFFLOAD] = "xdp-offload",
		[ATTACH_XDP_NATIVE] = "xdp-native",
		[ATTACH_XDP_GENERIC] = "xdp-generic",
		[ATTACH_TCX] = "tcx",
		[ATTACH_CLSACT] = "clsact",
	};

	return names[mode];
}

static void add_step(struct job *job, const char *what, const char *reason)
{
	struct attachment *attachment = &job->attachment;

	if (attachment->n_steps == ATTACH_STEPS_MAX)
		return;
	snprintf(attachment->steps[attachment->n_steps++], ATTACH_STEP_LEN, "%s: %s", what, reason);
}

static int put(struct job *job, enum hook_kind kind, enum attach_mode mode, enum prog_id prog,
	       bool *ret_adopted)
{
	const struct hook hook = {
		.kind = kind,
		.nic = *job->nic,
		.mode = mode,
		.prog_fd = programs_fd(job->programs, prog),
		.bridge_fd = programs_fd(job->programs, PROG_TC_INGRESS),
	};

	return hooks_put(job->hooks, &hook, ret_adopted);
}

/* tcx, or clsact where the kernel has none. *ret_mode: which it became. */
static int put_tc(struct job *job, bool egress, enum attach_mode *ret_mode, bool *ret_adopted)
{
	enum prog_id prog = egress ? PROG_TC_EGRESS : PROG_TC_INGRESS;
	int r = -EINVAL; /* what kernels before 6.6 say */

	if (job->tc == TC_ANY)
		r = put(job, egress ? HOOK_TCX_OUT : HOOK_TCX_IN, ATTACH_TCX, prog, ret_adopted);
	if (r >= 0) {
		*ret_mode = ATTACH_TCX;
		return 0;
	}
	snprintf(job->reason, sizeof(job->reason), "%s", strerror(-r));
	if (r != -EINVAL && r != -EOPNOTSUPP)
		return r;

	r = put(job, egress ? HOOK_CLSACT_OUT : HOOK_CLSACT_IN, ATTACH_CLSACT, prog, ret_adopted);
	if (r < 0) {
		snprintf(job->reason, sizeof(job->reason), "needs Linux 6.6, and clsact: %s%s%s",
			 r == -EBUSY ? "our place (priority 1, handle 0x534c) is taken"
				     : strerror(-r),
			 *bpflog_kernel() ? ": " : "", bpflog_kernel());
		return r;
	}
	if (!egress || job->attachment.ingress != ATTACH_CLSACT)
		add_step(job, "tcx", "the kernel has none (it came with Linux 6.6); clsact chosen");
	*ret_mode = ATTACH_CLSACT;
	return 0;
}

static int try_offload(struct job *job)
{
	int r;

	r = xdp_offload_probe(job->nic);
	if (r < 0) {
		snprintf(job->reason, sizeof(job->reason), "NIC does not offer it (%s)",
			 strerror(-r));
		return r;
	}
	snprintf(job->reason, sizeof(job->reason),
		 "the NIC offers it, but not for maps that are per CPU or mapped into memory");
	return -EOPNOTSUPP;
}

static int try_xdp(struct job *job, enum attach_mode mode)
{
	int fd = programs_fd(job->programs, PROG_XDP), r;

	r = put(job, HOOK_XDP, mode, PROG_XDP, &job->attachment.adopted);
	if (r < 0) {
		xdp_refusal(job->reason, sizeof(job->reason), fd, job->nic, mode, r);
		return r;
	}
	job->attachment.ingress = mode;
	return 0;
}

static int try_native(struct job *job)
{
	if (job->interface->xdp == XDP_AUTO && job->nic->is_virtual) {
		snprintf(job->reason, sizeof(job->reason),
			 "%s is a virtual device, where redirecting XDP loses packets without an "
			 "error; tcx chosen",
			 job->nic->driver);
		return -EOPNOTSUPP;
	}
	return try_xdp(job, ATTACH_XDP_NATIVE);
}

static int try_rung(struct job *job, enum rung rung)
{
	switch (rung) {
	case RUNG_OFFLOAD:
		return try_offload(job);
	case RUNG_NATIVE:
		return try_native(job);
	case RUNG_TC:
		return put_tc(job, false, &job->attachment.ingress, &job->attachment.adopted);
	case RUNG_GENERIC:
		return try_xdp(job, ATTACH_XDP_GENERIC);
	case RUNGS:
		break;
	}
	return -EINVAL;
}

/* Whoever sits on the NIC already stays there, whatever xdp: says; only off may sit beside. */
static int refuse_foreign(struct job *job, struct err *err)
{
	struct xdp_state state;
	uint32_t foreign;
	int r;

	if (job->interface->xdp == XDP_OFF)
		return 0;
	r = xdp_query(&state, job->nic);
	if (r < 0)
		return err_set(err, r, "interface '%s': ask for its XDP program: %s",
			       job->nic->name, strerror(-r));
	foreign = xdp_foreign(&state, hooks_held_prog(job->hooks, HOOK_XDP, job->nic));
	return foreign ? xdp_foreign_error(job->nic, foreign, err) : 0;
}

static int attach_ingress(struct job *job, struct err *err)
{
	const struct ladder *ladder = &ladders[job->interface->xdp];
	enum rung rung = RUNGS;
	int r;

	r = refuse_foreign(job, err);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < ladder->n; i++) {
		rung = ladder->rungs[i];
		r = try_rung(job, rung);
		if (r >= 0)
			return 0;
		add_step(job, rung_names[rung], job->reason);
	}
	return err_set(err, r, "interface '%s': attach the gate (%s): %s", job->nic->name,
		       rung_names[rung], job->reason);
}

int dataplane_examine(const struct interface *interface, struct err *err)
{
	struct xdp_state state;
	struct nic nic;
	uint32_t foreign;
	int r;

	r = nic_find(&nic, interface->name, err);
	if (r < 0 || interface->xdp == XDP_OFF || xdp_query(&state, &nic) < 0)
		return r;
	foreign = xdp_foreign(&state, 0);
	return foreign ? xdp_foreign_error(&nic, foreign, err) : 0;
}

int attach_interface(struct attachment *ret_attachment, struct hooks *hooks,
		     const struct interface *interface, const struct nic *nic,
		     const struct programs *programs, enum tc_kind tc, struct err *err)
{
	struct job job = {
		.hooks = hooks,
		.interface = interface,
		.nic = nic,
		.programs = programs,
		.tc = tc,
		.attachment = { .since_ms = clock_wall_ms(),
				.ifindex = nic->ifindex,
				.is_virtual = nic->is_virtual },
	};
	bool adopted;
	int r;

	memcpy(job.attachment.interface, nic->name, sizeof(job.attachment.interface));
	r = attach_ingress(&job, err);
	if (r < 0)
		return r;
	if (interface->egress) {
		r = put_tc(&job, true, &job.attachment.egress, &adopted);
		if (r < 0)
			return err_set(err, r, "interface '%s': attach the egress gate: %s",
				       nic->name, job.reason);
	}
	*ret_attachment = job.attachment;
	return 0;
}

static enum attach_mode held_xdp(const struct hooks *hooks, const struct nic *nic)
{
	uint32_t prog_id = hooks_held_prog(hooks, HOOK_XDP, nic);
	struct xdp_state state;

	return prog_id && xdp_query(&state, nic) == 0 ? xdp_mode_of(&state, prog_id) : ATTACH_NONE;
}

static enum attach_mode held_tc(const struct hooks *hooks, const struct nic *nic, bool egress)
{
	if (hooks_held_prog(hooks, egress ? HOOK_TCX_OUT : HOOK_TCX_IN, nic))
		return ATTACH_TCX;
	if (hooks_held_prog(hooks, egress ? HOOK_CLSACT_OUT : HOOK_CLSACT_IN, nic))
		return ATTACH_CLSACT;
	return ATTACH_NONE;
}

int attach_held(struct attachment *ret_attachment, const struct hooks *hooks,
		const struct interface *interface, const struct nic *nic, struct err *err)
{
	struct attachment attachment = { .since_ms = clock_wall_ms(),
					 .ifindex = nic->ifindex,
					 .is_virtual = nic->is_virtual,
					 .adopted = true };

	memcpy(attachment.interface, nic->name, sizeof(attachment.interface));
	attachment.ingress = held_xdp(hooks, nic);
	if (attachment.ingress == ATTACH_NONE)
		attachment.ingress = held_tc(hooks, nic, false);
	if (interface->egress)
		attachment.egress = held_tc(hooks, nic, true);
	if (attachment.ingress == ATTACH_NONE ||
	    (interface->egress && attachment.egress == ATTACH_NONE))
		return err_set(err, -ENOENT, "interface '%s' is not guarded by those in force",
			       nic->name);
	*ret_attachment = attachment;
	return 0;
}
