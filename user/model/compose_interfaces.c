// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/compose_work.h"
#include "util/err.h"

bool compose_keep_interface(const struct model *file, struct overlay_row *row, const char **ret_why)
{
	const struct interface *interface = model_find_interface(file, row->interface);

	*ret_why = NULL;
	if (!interface) {
		if (row->presence == OVERLAY_AS_FILE)
			*ret_why = "the file no longer has the interface";
		return row->presence == OVERLAY_ADDED;
	}
	if (row->presence == OVERLAY_ADDED)
		row->presence = OVERLAY_AS_FILE;
	if (row->xdp == interface->xdp && row->egress == interface->egress)
		row->has_options = false;
	return row->presence == OVERLAY_REMOVED || row->has_options;
}

static int add(struct gateway *gateway, const struct overlay_row *row, struct err *err)
{
	struct interface *interfaces;

	if (gateway->n_interfaces >= LIMIT_INTERFACES)
		return err_set(err, -E2BIG,
			       "interface '%s': there are %u interfaces, and that is all there may "
			       "be",
			       row->interface, LIMIT_INTERFACES);
	interfaces =
		reallocarray(gateway->interfaces, gateway->n_interfaces + 1, sizeof(*interfaces));
	if (!interfaces)
		return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	gateway->interfaces = interfaces;
	interfaces[gateway->n_interfaces] = (struct interface){ .egress = true };
	snprintf(interfaces[gateway->n_interfaces].name, IFNAMSIZ, "%s", row->interface);
	gateway->n_interfaces++;
	return 0;
}

static void take_out(struct gateway *gateway, uint32_t i)
{
	gateway->n_interfaces--;
	memmove(&gateway->interfaces[i], &gateway->interfaces[i + 1],
		(gateway->n_interfaces - i) * sizeof(*gateway->interfaces));
}

int compose_interface(struct gateway *gateway, const struct overlay_row *row, struct err *err)
{
	uint32_t i = 0;
	int r;

	while (i < gateway->n_interfaces &&
	       strcmp(gateway->interfaces[i].name, row->interface) != 0)
		i++;
	if (i == gateway->n_interfaces) {
		/* Else compose_prune() would have taken the row out. */
		if (row->presence != OVERLAY_ADDED)
			return 0;
		r = add(gateway, row, err);
		if (r < 0)
			return r;
	}
	if (row->presence == OVERLAY_REMOVED) {
		take_out(gateway, i);
		return 0;
	}
	gateway->interfaces[i].xdp = row->xdp;
	gateway->interfaces[i].egress = row->egress;
	gateway->interfaces[i].may_wait = true;
	return 0;
}
