// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/types.h"

#include <bpf/btf.h>
#include <string.h>

/* FNV-1a. */
#define HASH_START 0xcbf29ce484222325ull
#define HASH_FACTOR 0x100000001b3ull

/* Structures in structures; ours are two deep. */
#define DEPTH_MAX 8

struct hashing {
	const struct btf *btf;
	uint64_t hash;
	bool failed;
};

static void mix(struct hashing *h, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++)
		h->hash = (h->hash ^ bytes[i]) * HASH_FACTOR;
}

static void mix_number(struct hashing *h, uint64_t number)
{
	mix(h, &number, sizeof(number));
}

/* With its end, so that names that follow each other do not run into one. */
static void mix_name(struct hashing *h, uint32_t offset)
{
	const char *name = btf__name_by_offset(h->btf, offset);

	if (name)
		mix(h, name, strlen(name) + 1);
}

static const struct btf_type *resolve(const struct hashing *h, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(h->btf, id);

	for (int i = 0; type && i < DEPTH_MAX && (btf_is_typedef(type) || btf_is_mod(type)); i++)
		type = btf__type_by_id(h->btf, type->type);
	return type;
}

static void mix_type(struct hashing *h, uint32_t id, int depth);

static void mix_members(struct hashing *h, const struct btf_type *type, int depth)
{
	const struct btf_member *members = btf_members(type);

	mix_number(h, type->size);
	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		mix_name(h, members[i].name_off);
		mix_number(h, btf_member_bit_offset(type, i));
		mix_number(h, btf_member_bitfield_size(type, i));
		mix_type(h, members[i].type, depth - 1);
	}
}

/* Of an enumeration only the size: one more value changes nothing about those that are there. */
static void mix_type(struct hashing *h, uint32_t id, int depth)
{
	const struct btf_type *type = resolve(h, id);

	if (!type || depth < 0) {
		h->failed = true;
		return;
	}
	mix_number(h, btf_kind(type));
	mix_name(h, type->name_off);
	if (btf_is_composite(type)) {
		mix_members(h, type, depth);
	} else if (btf_is_array(type)) {
		mix_number(h, btf_array(type)->nelems);
		mix_type(h, btf_array(type)->type, depth - 1);
	} else if (btf_is_int(type)) {
		mix_number(h, type->size);
		mix_number(h, btf_int_encoding(type));
	} else if (btf_is_any_enum(type)) {
		mix_number(h, type->size);
	} else {
		h->failed = true;
	}
}

uint64_t types_hash(const struct btf *btf, uint32_t key_id, uint32_t value_id)
{
	struct hashing h = { .btf = btf, .hash = HASH_START };

	mix_type(&h, key_id, DEPTH_MAX);
	mix_type(&h, value_id, DEPTH_MAX);
	if (h.failed)
		return 0;
	return h.hash ? h.hash : 1;
}

uint64_t types_find(const struct sl_types *types, const char *map)
{
	for (uint32_t i = 0; i < SL_TYPES_MAX; i++)
		if (types->of[i].hash && !strncmp(types->of[i].map, map, sizeof(types->of[i].map)))
			return types->of[i].hash;
	return 0;
}

bool types_add(struct sl_types *types, const char *map, uint64_t hash)
{
	for (uint32_t i = 0; i < SL_TYPES_MAX; i++) {
		struct sl_map_type *type = &types->of[i];

		if (type->hash)
			continue;
		memcpy(type->map, map, strnlen(map, sizeof(type->map)));
		type->hash = hash;
		return true;
	}
	return false;
}
