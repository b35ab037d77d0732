// SPDX-License-Identifier: GPL-2.0-or-later
/* supervisor_clients - how many clients there are, and how many wait for their turn. */
#include "l7/supervisor_work.h"
#include "l7/talk.h"

#define INFO_BYTES 8192

void supervisor_read_clients(struct supervisor *supervisor, const char *path)
{
	struct l7_clients clients = { .waiting = hold_waiting(&supervisor->hold) };
	char text[INFO_BYTES];

	if (path && talk(path, "show info\n", text, sizeof(text)) == 0)
		stats_parse_clients(&clients, text);
	pthread_mutex_lock(&supervisor->lock);
	supervisor->status.clients = clients;
	pthread_mutex_unlock(&supervisor->lock);
}
