// SPDX-License-Identifier: GPL-2.0-or-later
/* What is under gateway.l7. */
#include "config/keys_rows.h"

static const struct key l7_keys[] = {
	{
		.name = "program",
		.type = TYPE_FILE,
		.min = 1,
		.max = PATH_MAX - 1,
		.value = "/usr/sbin/haproxy",
		.help = "HAProxy's program",
		KEPT(gateway, l7.program),
	},
	{
		.name = "user",
		.type = TYPE_NAME,
		NAMES,
		.value = "haproxy",
		.help = "user that HAProxy serves as, and the name of its group",
		KEPT(gateway, l7.user),
	},
	{
		.name = "affinity_key",
		.type = TYPE_FILE,
		.min = 1,
		.max = PATH_MAX - 1,
		.words = "a key of its own, made at the first start",
		.help = "file with the key that the values of affinity cookies are made with",
		KEPT(gateway, l7.affinity_key),
	},
	{
		.name = "access_log",
		.type = TYPE_FILE,
		.min = 1,
		.max = sizeof(((struct l7_gateway *)0)->access_log) - 1,
		.words = "none",
		.help = "Unix socket of a system log that gets a line for each request",
		KEPT(gateway, l7.access_log),
	},
	{
		.name = "max_connections",
		.type = TYPE_AUTO,
		.min = LIMIT_L7_CONNECTIONS_MIN,
		.max = LIMIT_L7_CONNECTIONS_MAX,
		.value = "auto",
		.help = "connections of clients at a time, of all services together",
		KEPT(gateway, l7.max_connections),
	},
	{
		.name = "threads",
		.type = TYPE_AUTO,
		.min = 1,
		.max = LIMIT_L7_THREADS,
		.value = "auto",
		.help = "threads of HAProxy",
		KEPT(gateway, l7.threads),
	},
};

const struct section_info section_l7 = MAPPING("gateway.l7", l7_keys);
