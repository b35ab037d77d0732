// SPDX-License-Identifier: GPL-2.0-or-later
/* hunt_clients - what the gateway's counters saw of clients that connect to the target. */
#include <inttypes.h>
#include <string.h>

#include "cli/hunt.h"
#include "cli/text.h"
#include "diagnose/disagree.h"
#include "util/duration.h"

static uint32_t take(const json_t *json, const char *key)
{
	uint64_t n = text_get_uint(json, key);

	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static enum hunt_state state_of(const struct traffic *lately)
{
	if (traffic_fails(lately))
		return HUNT_BAD;
	return traffic_works(lately) ? HUNT_GOOD : HUNT_UNCLEAR;
}

void hunt_clients(struct hunt *hunt, const json_t *endpoint)
{
	const json_t *json = json_object_get(endpoint, "lately");
	struct trouble_clients *clients = &hunt->evidence.clients;
	char count[DISAGREE_COUNT_LEN], window[DURATION_LEN];
	bool one_sided = text_get_bool(json_object_get(endpoint, "kernel"), "one_sided");

	/* Of datagrams, and before the first mark, nothing is known. */
	if (!json)
		return;
	hunt_begin(hunt, "clients");
	*clients = (struct trouble_clients){
		.known = true,
		.window_ms = text_get_uint(json, "window_ms"),
		.lately = { .answered = take(json, "answered"),
			    .refused = take(json, "refused"),
			    .unreachable = take(json, "unreachable"),
			    .unanswered = take(json, "unanswered"),
			    .reset = take(json, "reset_endpoint") },
	};
	hunt_end(hunt, "clients", state_of(&clients->lately), "within %s, %s%s%s",
		 duration_human(window, clients->window_ms),
		 disagree_count(count, &clients->lately),
		 clients->lately.reset ? "; some were reset by the endpoint" : "",
		 one_sided ? "; as seen from the clients' side alone" : "");
}
