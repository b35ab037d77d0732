// SPDX-License-Identifier: GPL-2.0-or-later
/* tell_interfaces - how interfaces are attached, as an event where that is new. */
#include <stdio.h>
#include <string.h>

#include "daemon/tell.h"
#include "dataplane/dataplane.h"
#include "util/log.h"

/* "eth0: ingress tcx, egress tcx": whether it was adopted makes no difference. */
static void describe(char line[TELL_INTERFACE_LEN], const struct attachment *a)
{
	snprintf(line, TELL_INTERFACE_LEN, "%s: ingress %s, egress %s", a->interface,
		 attach_mode_name(a->ingress), attach_mode_name(a->egress));
}

static bool is_known(const struct tell_interfaces *known, const char *line)
{
	for (uint32_t i = 0; i < known->n; i++)
		if (!strcmp(known->lines[i], line))
			return true;
	return false;
}

void tell_attachments(struct events *events, struct tell_interfaces *known,
		      const struct dataplane *dataplane)
{
	struct tell_interfaces now = { .n = 0 };
	const struct attachment *attachments;
	uint32_t n;

	attachments = dataplane_attachments(dataplane, &n);
	for (uint32_t i = 0; i < n && i < LIMIT_INTERFACES; i++) {
		const struct attachment *a = &attachments[i];
		char line[TELL_INTERFACE_LEN + 16], *text = now.lines[now.n++];

		describe(text, a);
		snprintf(line, sizeof(line), "%s%s", text, a->adopted ? " (adopted)" : "");
		if (is_known(known, text))
			log_info("%s", line);
		else
			tell_interface(events, EVENT_INFO, "attached", line);
		for (uint32_t step = 0; step < a->n_steps; step++)
			log_info("%s: %s", a->interface, a->steps[step]);
	}
	*known = now;
}
