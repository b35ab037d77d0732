// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tend - interfaces that go, come back, or lose their programs, while the rest of the gate stays as it is.
 *
 * What counts is what is there now, not what was said of it: a message only says when to look.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/held.h"
#include "dataplane/open.h"
#include "util/clock.h"
#include "util/err.h"

/* Whoever removes the whole gate begins with the programs: what looks like meddling may be that. */
#define FIRST_MS 500
#define AGAIN_MS 1000
#define AGAIN_MAX_MS 60000
#define AGAIN_DOUBLINGS 6
/* Who has held for so long begins with a clean record. */
#define HELD_MS 60000

struct tending {
	struct dataplane *dp;
	dataplane_tend_fn *tell;
	void *arg;
};

/* --- what is told ----------------------------------------------------------------------------- */

static void tell_news(const struct tending *t, struct guarded *g)
{
	if (g->told == g->now.state && !strcmp(g->told_why, g->now.why))
		return;
	g->told = g->now.state;
	memcpy(g->told_why, g->now.why, sizeof(g->told_why));
	t->tell(t->arg, &g->now);
}

/* It is not attached, for this reason. */
static void enter(const struct tending *t, struct guarded *g, enum attachment_state state,
		  const char *why)
{
	struct attachment next = g->now;

	if (next.state != state)
		next.since_ms = clock_wall_ms();
	if (next.state == ATTACHMENT_ATTACHED)
		next.lost_ms = next.since_ms;
	next.state = state;
	snprintf(next.why, sizeof(next.why), "%s", why);
	interfaces_set(t->dp->interfaces, g, &next);
	tell_news(t, g);
}

/* --- attaching again -------------------------------------------------------------------------- */

static uint64_t patience_ms(uint32_t failures)
{
	uint64_t ms = (uint64_t)AGAIN_MS
		      << (failures < AGAIN_DOUBLINGS ? failures : AGAIN_DOUBLINGS);

	return ms < AGAIN_MAX_MS ? ms : AGAIN_MAX_MS;
}

static struct situation look(const char *name, unsigned int ifindex)
{
	struct situation situation = { .ifindex = ifindex };
	struct nic nic = { .ifindex = ifindex };

	snprintf(nic.name, sizeof(nic.name), "%s", name);
	/* One that cannot be asked is in another situation as soon as it can. */
	xdp_query(&situation.xdp, &nic);
	return situation;
}

/* The programs in force were chosen for devices as they were then. */
static int check_fit(const struct dataplane *dp, const struct interface *interface,
		     const struct nic *nic, struct err *err)
{
	if (!nic->is_virtual || interface->xdp == XDP_OFF || interface->xdp == XDP_AUTO ||
	    programs_reply_by_redirect(dp->programs))
		return 0;
	return err_set(err, -EOPNOTSUPP,
		       "interface '%s' is a virtual device now, which XDP programs in force do not "
		       "suit; 'sluice reload' loads others",
		       nic->name);
}

static int keep_others(const struct dataplane *dp, const struct guarded *but)
{
	for (uint32_t i = 0; i < interfaces_n(dp->interfaces); i++) {
		const struct guarded *g = interfaces_at(dp->interfaces, i);
		int r = g == but ? 0 : held_keep(dp->pins, g->now.interface);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Put the programs in force on this interface, and leave all others alone. */
static int attach(struct dataplane *dp, const struct guarded *g, const struct interface *interface,
		  struct attachment *ret, struct err *err)
{
	CLEANUP(hooks_free_p) struct hooks *hooks = NULL;
	struct nic nic;
	int r;

	if (dp->degraded[0])
		return err_set(err, -EOPNOTSUPP, "%s", dp->degraded);
	r = nic_find(&nic, interface->name, err);
	if (r == 0)
		r = check_fit(dp, interface, &nic, err);
	if (r == 0)
		r = hooks_begin(&hooks, dp->pins, err);
	if (r < 0)
		return r;
	r = keep_others(dp, g);
	if (r < 0)
		err_set(err, r, "keep the pins of other interfaces: %s", strerror(-r));
	else
		r = attach_interface(ret, hooks, interface, &nic, dp->programs, dp->tc, err);
	if (r == 0)
		r = pins_exchange(dp->pins, PINS_LINKS, err);
	if (r < 0) {
		hooks_rollback(hooks);
		return r;
	}
	hooks_settle(hooks);
	return 0;
}

static void try_attach(const struct tending *t, struct guarded *g,
		       const struct interface *interface, unsigned int ifindex)
{
	struct attachment next;
	struct err err = { "out of memory" };
	int r;

	r = attach(t->dp, g, interface, &next, &err);
	if (r < 0) {
		g->tried = look(interface->name, ifindex);
		g->next_ms = clock_mono_ms() + patience_ms(g->failures++);
		enter(t, g, ATTACHMENT_REFUSED, err.text);
		return;
	}
	next.lost_ms = g->now.lost_ms;
	next.returns = g->now.returns + 1;
	g->attached_ms = clock_mono_ms();
	interfaces_set(t->dp->interfaces, g, &next);
	tell_news(t, g);
}

/* --- looking ---------------------------------------------------------------------------------- */

/* A device that left this network namespace takes its links along; nobody wants them there. */
static void let_go(const struct tending *t, struct guarded *g)
{
	held_release(t->dp->pins, &g->now);
	enter(t, g, ATTACHMENT_GONE, INTERFACE_GONE_WHY);
}

static void lose_programs(const struct tending *t, struct guarded *g)
{
	uint64_t wait_ms = g->failures ? patience_ms(g->failures - 1) : FIRST_MS;
	char why[ATTACHMENT_WHY_LEN];

	g->failures++;
	g->next_ms = clock_mono_ms() + wait_ms;
	snprintf(why, sizeof(why),
		 "somebody took programs of the gate off it; they are attached again%s",
		 wait_ms <= AGAIN_MS ? " at once" : ", but less and less often");
	enter(t, g, ATTACHMENT_STRIPPED, why);
}

/* The device of the attachment is called something else, or is gone; ifindex: who has the name now, or 0. */
static void look_for_device(const struct tending *t, struct guarded *g)
{
	char name[IFNAMSIZ], why[ATTACHMENT_WHY_LEN];

	/* Filters of clsact are found by name: they could not be taken off later. */
	if (g->now.ingress == ATTACH_CLSACT || g->now.egress == ATTACH_CLSACT ||
	    !if_indextoname(g->now.ifindex, name) || !held_in_force(t->dp->pins, &g->now)) {
		let_go(t, g);
		return;
	}
	snprintf(
		why, sizeof(why),
		"its device is called '%s' now, and keeps the gate until there is another '%s', or "
		"that is detached",
		name, g->now.interface);
	enter(t, g, ATTACHMENT_RENAMED, why);
}

static void find_name_again(const struct tending *t, struct guarded *g)
{
	struct attachment next = g->now;

	next.state = ATTACHMENT_ATTACHED;
	next.why[0] = '\0';
	next.since_ms = clock_wall_ms();
	next.returns++;
	interfaces_set(t->dp->interfaces, g, &next);
	tell_news(t, g);
}

/* Of one that was attached when it was looked at last, or renamed. */
static void look_at_gate(const struct tending *t, struct guarded *g, unsigned int ifindex)
{
	if (g->now.state == ATTACHMENT_ATTACHED && clock_mono_ms() - g->attached_ms >= HELD_MS)
		g->failures = 0;
	if (ifindex != g->now.ifindex)
		look_for_device(t, g);
	else if (!held_in_force(t->dp->pins, &g->now))
		lose_programs(t, g);
	else if (g->now.state == ATTACHMENT_RENAMED)
		find_name_again(t, g);
}

static bool is_due(const struct guarded *g, unsigned int ifindex)
{
	struct situation situation;

	switch (g->now.state) {
	case ATTACHMENT_STRIPPED:
		return clock_mono_ms() >= g->next_ms;
	case ATTACHMENT_REFUSED:
		if (clock_mono_ms() >= g->next_ms)
			return true;
		situation = look(g->now.interface, ifindex);
		return memcmp(&situation, &g->tried, sizeof(situation)) != 0;
	case ATTACHMENT_GONE:
	case ATTACHMENT_RENAMED:
		return true;
	case ATTACHMENT_ATTACHED:
	case ATTACHMENT_STATES_N:
		break;
	}
	return false;
}

static void tend_one(const struct tending *t, struct guarded *g, const struct interface *interface)
{
	unsigned int ifindex = if_nametoindex(interface->name);

	/* Only a clear answer counts: the question takes a descriptor, which may be short. */
	if (!ifindex && errno != ENODEV && errno != ENXIO)
		return;
	tell_news(t, g);
	if (g->now.state == ATTACHMENT_ATTACHED || g->now.state == ATTACHMENT_RENAMED)
		look_at_gate(t, g, ifindex);
	else if (!ifindex && g->now.state != ATTACHMENT_GONE)
		let_go(t, g);
	if (ifindex && is_due(g, ifindex))
		try_attach(t, g, interface, ifindex);
}

void dataplane_tend(struct dataplane *dp, dataplane_tend_fn *tell, void *arg)
{
	const struct tending t = { dp, tell, arg };
	const struct gateway *gateway = &dp->model->gateway;

	/* What is pinned cannot be told from what is not: dataplane_renew_pins() comes first. */
	if (!pins_exist(dp->pins) || !pins_in_sight(dp->pins))
		return;
	for (uint32_t i = 0; i < gateway->n_interfaces; i++)
		tend_one(&t, interfaces_at(dp->interfaces, i), &gateway->interfaces[i]);
}
