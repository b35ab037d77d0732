/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keys_rows - what the rows of the table of keys are written with; for config/keys*.c only.
 *
 * The table is one, in files by section: sections[] in keys.c joins them.
 */
#ifndef SLUICE_CONFIG_KEYS_ROWS_H
#define SLUICE_CONFIG_KEYS_ROWS_H

#include <limits.h>
#include <net/if.h>

#include "config/keys.h"
#include "model/limits.h"
#include "model/model.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Where a key is kept in its record. */
#define KEPT(type, member) \
	.offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)

#define COUNTED(type, member) .count_offset = offsetof(struct type, member)

#define PORTS .min = 1, .max = UINT16_MAX
#define NAMES .min = 1, .max = LIMIT_NAME_BYTES

#define SECONDS(n) ((n)*1000ull)
#define DAY SECONDS(86400)

/* Values of choices: built now, or in a later version. */
#define NOW(text, number)                         \
	{                                         \
		.name = (text), .value = (number) \
	}
#define LATER(text, number)                                        \
	{                                                          \
		.name = (text), .value = (number), .not_yet = true \
	}
#define END                  \
	{                    \
		.name = NULL \
	}

/* A list of records with a key that is unique in it, and a mapping inside a record. */
#define LIST_OF(type, member, where, array)                                                        \
	{                                                                                          \
		.path = (where), .size = sizeof(struct type), .unique = (member), .keys = (array), \
		.n_keys = ARRAY_SIZE(array)                                                        \
	}
#define MAPPING(where, array)                                                 \
	{                                                                     \
		.path = (where), .keys = (array), .n_keys = ARRAY_SIZE(array) \
	}

/* Of the header that a connection starts with: of probes, and of those to backends. */
extern const struct choice proxy_versions[];

extern const struct section_info section_root, section_gateway, section_interface, section_probe,
	section_match, section_settings, section_draining, section_affinity, section_passive,
	section_pool, section_backend, section_service, section_tls, section_l7;

#endif
