// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/wanted.h"

#include <string.h>

static bool is_name(const struct model *model, const char *text)
{
	for (uint32_t i = 0; i < model->n_names; i++)
		if (!strcasecmp(model->names[i], text))
			return true;
	return false;
}

bool wanted_parse(struct wanted *ret_wanted, const struct model *model, const char *text)
{
	struct wanted wanted = { .port = 0 };

	if (addr_parse(&wanted.addr, text) < 0 &&
	    addr_port_parse(&wanted.addr, &wanted.port, text) < 0) {
		if (!is_name(model, text))
			return false;
		wanted.name = text;
	}
	*ret_wanted = wanted;
	return true;
}

bool wanted_is(const struct wanted *wanted, const struct api_context *context, uint32_t index)
{
	const struct endpoint *endpoint = &context->model->endpoints[index];
	CLEANUP(board_entry_done)
	struct board_entry entry = board_read(context->board, index);

	if (entry.seat == BOARD_VACANT)
		return false;
	if (wanted->name)
		return endpoint->name && !strcasecmp(endpoint->name, wanted->name);
	if (wanted->port && wanted->port != endpoint->key.port)
		return false;
	if (entry.seat == BOARD_FOUND)
		return !memcmp(&entry.addr, &wanted->addr, sizeof(entry.addr));
	return entry.seat == BOARD_ADDRESS &&
	       !memcmp(endpoint->key.addr, wanted->addr.bytes, sizeof(endpoint->key.addr));
}
