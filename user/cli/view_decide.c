// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/view.h"

#include "cli/text.h"

static void print_packet(const struct view *view, const json_t *packet)
{
	const char *interface = text_get(packet, "interface"), *flags = text_get(packet, "flags");
	char from[VIEW_ADDRESS_LEN], to[VIEW_ADDRESS_LEN];

	fprintf(view->out, "%s -> %s  %s%s%s%s%s\n",
		view_address(from, json_object_get(packet, "from")),
		view_address(to, json_object_get(packet, "to")), text_get(packet, "proto"),
		*flags ? " " : "", flags, *interface ? ", in by " : "", interface);
}

int view_decide(const struct view *view, const json_t *json)
{
	const json_t *endpoint = json_object_get(json, "endpoint");
	char address[VIEW_ADDRESS_LEN], state[VIEW_HEALTH_LEN];

	print_packet(view, json_object_get(json, "packet"));
	fprintf(view->out, "%s: %s\n", text_get(json, "decision"), text_get(json, "meaning"));
	if (*text_get(json, "service"))
		fprintf(view->out, "service   %s, pool %s\n", text_get(json, "service"),
			text_get(json, "pool"));
	if (endpoint)
		fprintf(view->out, "endpoint  %s  %s%s\n", view_address(address, endpoint),
			view_state(state, endpoint),
			text_get_bool(json, "moved") ? ", because the first choice is not well"
						     : "");
	if (text_get_bool(json, "known_flow"))
		fputs("flow      known: it goes where it went\n", view->out);
	return 0;
}
