// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/keys.h"

#include <string.h>

#include "config/keys_rows.h"

const struct section_info *const sections[SECTION_COUNT] = {
	[SECTION_ROOT] = &section_root,
	[SECTION_GATEWAY] = &section_gateway,
	[SECTION_INTERFACE] = &section_interface,
	[SECTION_PROBE] = &section_probe,
	[SECTION_MATCH] = &section_match,
	[SECTION_SETTINGS] = &section_settings,
	[SECTION_DRAINING] = &section_draining,
	[SECTION_AFFINITY] = &section_affinity,
	[SECTION_PASSIVE] = &section_passive,
	[SECTION_POOL] = &section_pool,
	[SECTION_BACKEND] = &section_backend,
	[SECTION_SERVICE] = &section_service,
	[SECTION_TLS] = &section_tls,
	[SECTION_L7] = &section_l7,
};

const struct key *keys_find(enum section section, const char *name)
{
	const struct section_info *info = sections[section];

	for (size_t i = 0; i < info->n_keys; i++)
		if (!strcmp(info->keys[i].name, name))
			return &info->keys[i];
	return NULL;
}

const char *key_default(const struct key *key)
{
	if (key->required)
		return "required";
	return key->value ? key->value : key->words;
}
