// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/attaching.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/held.h"
#include "util/clock.h"
#include "util/err.h"

struct attaching {
	struct attaching_options with;
	struct nic *nics; /* parallel to the model's interfaces; ifindex 0: absent */
};

DEFINE_CLEANUP(struct attaching, attaching_free)
DEFINE_CLEANUP(struct interfaces, interfaces_free)

/* What the data plane before knows of the interface, or NULL. */
static const struct guarded *known(const struct attaching *a, const struct interface *interface)
{
	return a->with.before ? interfaces_find(a->with.before, interface->name) : NULL;
}

/* An interface that nobody has heard of is a mistake; one that was guarded before is away for now. */
static bool may_be_absent(const struct attaching *a, const struct interface *interface)
{
	if (a->with.before)
		return known(a, interface);
	return interface->may_wait || held_any(a->with.pins, interface->name);
}

int attaching_begin(struct attaching **ret, const struct attaching_options *options,
		    struct err *err)
{
	CLEANUP(attaching_free_p) struct attaching *a = calloc(1, sizeof(*a));
	const struct gateway *gateway = &options->model->gateway;
	int r;

	if (!a)
		return -ENOMEM;
	a->with = *options;
	a->nics = calloc(gateway->n_interfaces + 1, sizeof(*a->nics));
	if (!a->nics)
		return -ENOMEM;
	for (uint32_t i = 0; i < gateway->n_interfaces; i++) {
		r = nic_find(&a->nics[i], gateway->interfaces[i].name, err);
		if (r < 0 && !may_be_absent(a, &gateway->interfaces[i]))
			return r;
	}
	*ret = take_ptr(a);
	return 0;
}

void attaching_free(struct attaching *attaching)
{
	if (!attaching)
		return;
	free(attaching->nics);
	free(attaching);
}

/* Of one that is absent: as it was, or else virtual, since that code suits both. */
static bool is_virtual(const struct attaching *a, uint32_t i)
{
	const struct guarded *g = known(a, &a->with.model->gateway.interfaces[i]);

	if (a->nics[i].ifindex)
		return a->nics[i].is_virtual;
	return !g || g->now.is_virtual;
}

/* One program serves all interfaces; a NIC takes replies by redirect as well, only a little slower. */
bool attaching_has_virtual_xdp(const struct attaching *a)
{
	const struct gateway *gateway = &a->with.model->gateway;

	for (uint32_t i = 0; i < gateway->n_interfaces; i++)
		if (gateway->interfaces[i].xdp != XDP_OFF && is_virtual(a, i))
			return true;
	return false;
}

/* Whether the start, or the change, goes on though the interface cannot be attached. */
static bool may_be_refused(const struct attaching *a, const struct interface *interface)
{
	const struct guarded *g = known(a, interface);
	const struct interface *was;

	if (!a->with.before)
		return interface->may_wait;
	if (!g || g->now.state == ATTACHMENT_ATTACHED)
		return false;
	was = model_find_interface(a->with.model_before, interface->name);
	return was && was->xdp == interface->xdp && was->egress == interface->egress;
}

/* What is there of its gate stays; dataplane_tend() sees to the rest. */
static int leave(const struct attaching *a, const struct interface *interface,
		 struct attachment *ret, struct err *err)
{
	const struct guarded *g = known(a, interface);
	int r;

	*ret = (struct attachment){ .state = ATTACHMENT_GONE,
				    .why = INTERFACE_GONE_WHY,
				    .since_ms = clock_wall_ms(),
				    .is_virtual = true };
	if (g)
		*ret = g->now;
	snprintf(ret->interface, sizeof(ret->interface), "%s", interface->name);
	r = held_keep(a->with.pins, interface->name);
	return r < 0 ? err_set(err, r, "keep the pins of interface '%s': %s", interface->name,
			       strerror(-r))
		     : 0;
}

/* One that was attached is so since then; one that is back has returned. */
static void go_on(struct attachment *now, const struct attachment *before)
{
	bool was = before->state == ATTACHMENT_ATTACHED;

	now->lost_ms = before->lost_ms;
	now->returns = before->returns + !was;
	if (was)
		now->since_ms = before->since_ms;
}

static int attach_or_leave(struct attachment *ret, const struct attaching *a, uint32_t i,
			   struct hooks *hooks, const struct programs *programs, struct err *err)
{
	const struct interface *interface = &a->with.model->gateway.interfaces[i];
	const struct guarded *before = known(a, interface);
	uint32_t changes = hooks_changes(hooks);
	int r;

	if (!a->nics[i].ifindex)
		return leave(a, interface, ret, err);
	r = programs ? attach_interface(ret, hooks, interface, &a->nics[i], programs, a->with.tc,
					err)
		     : attach_held(ret, hooks, interface, &a->nics[i], err);
	if (r == 0 && before)
		go_on(ret, &before->now);
	if (r == 0 || !may_be_refused(a, interface))
		return r;
	hooks_take_back(hooks, changes);
	return leave(a, interface, ret, err);
}

int attaching_attach(struct interfaces **ret, const struct attaching *a, struct hooks *hooks,
		     const struct programs *programs, struct err *err)
{
	const struct gateway *gateway = &a->with.model->gateway;
	CLEANUP(interfaces_free_p)
	struct interfaces *interfaces = interfaces_new(gateway->n_interfaces);
	int r;

	if (!interfaces)
		return -ENOMEM;
	for (uint32_t i = 0; i < gateway->n_interfaces; i++) {
		const struct guarded *before = known(a, &gateway->interfaces[i]);
		struct guarded *g = interfaces_at(interfaces, i);
		struct attachment now;

		r = attach_or_leave(&now, a, i, hooks, programs, err);
		if (r < 0)
			return r;
		if (before)
			*g = *before;
		g->now = now;
	}
	*ret = take_ptr(interfaces);
	return 0;
}
