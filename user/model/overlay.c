// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/overlay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 16

void overlay_done(struct overlay *overlay)
{
	free(overlay->rows);
	*overlay = (struct overlay){ .n = 0 };
}

int overlay_copy(struct overlay *ret, const struct overlay *overlay)
{
	*ret = (struct overlay){ .version = overlay->version, .file_digest = overlay->file_digest };
	if (!overlay->n)
		return 0;
	ret->rows = malloc(overlay->n * sizeof(*ret->rows));
	if (!ret->rows)
		return -ENOMEM;
	memcpy(ret->rows, overlay->rows, overlay->n * sizeof(*ret->rows));
	ret->n = ret->room = overlay->n;
	return 0;
}

int overlay_compare(const struct overlay_row *a, const struct overlay_row *b)
{
	int order = strcmp(a->pool, b->pool);

	if (order == 0)
		order = strcmp(a->address, b->address);
	return order ? order : strcmp(a->interface, b->interface);
}

enum overlay_kind overlay_kind_of(const struct overlay_row *row)
{
	if (row->interface[0])
		return OVERLAY_INTERFACE;
	return row->address[0] ? OVERLAY_BACKEND : OVERLAY_POOL;
}

const char *overlay_text(char buf[OVERLAY_TEXT_LEN], const struct overlay_row *row)
{
	if (row->interface[0])
		snprintf(buf, OVERLAY_TEXT_LEN, "interface %s", row->interface);
	else
		snprintf(buf, OVERLAY_TEXT_LEN, "%s%s%s", row->pool, row->address[0] ? " " : "",
			 row->address);
	return buf;
}

/* Where the row is, or would be. */
static uint32_t place_of(const struct overlay *overlay, const struct overlay_row *row, bool *ret_is)
{
	uint32_t low = 0, high = overlay->n;

	*ret_is = false;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = overlay_compare(&overlay->rows[middle], row);

		if (order == 0) {
			*ret_is = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct overlay_row row_for(const char *pool, const char *address)
{
	struct overlay_row row = { .presence = OVERLAY_AS_FILE, .admin = SL_ENABLED };

	snprintf(row.pool, sizeof(row.pool), "%s", pool);
	snprintf(row.address, sizeof(row.address), "%s", address);
	return row;
}

static const struct overlay_row *find(const struct overlay *overlay,
				      const struct overlay_row *wanted)
{
	bool is;
	uint32_t at = place_of(overlay, wanted, &is);

	return is ? &overlay->rows[at] : NULL;
}

const struct overlay_row *overlay_find(const struct overlay *overlay, const char *pool,
				       const char *address)
{
	const struct overlay_row wanted = row_for(pool, address);

	return find(overlay, &wanted);
}

struct overlay_row overlay_row_of(const struct overlay *overlay, const char *pool,
				  const char *address)
{
	const struct overlay_row *row = overlay_find(overlay, pool, address);

	return row ? *row : row_for(pool, address);
}

struct overlay_row overlay_interface_row(const struct overlay *overlay, const char *interface)
{
	struct overlay_row wanted = row_for("", "");
	const struct overlay_row *row;

	snprintf(wanted.interface, sizeof(wanted.interface), "%s", interface);
	row = find(overlay, &wanted);
	return row ? *row : wanted;
}

static bool says_nothing(const struct overlay_row *row)
{
	return row->presence == OVERLAY_AS_FILE && !row->has_weight && !row->has_options &&
	       row->admin == SL_ENABLED;
}

bool overlay_is_stricter(const struct overlay_row *a, const struct overlay_row *b)
{
	if (!b || a->admin != b->admin)
		return a->admin > (b ? b->admin : SL_ENABLED);
	return a->admin == SL_DRAINING && a->deadline_ms < b->deadline_ms;
}

static void take_out(struct overlay *overlay, uint32_t at)
{
	overlay->n--;
	memmove(&overlay->rows[at], &overlay->rows[at + 1],
		(overlay->n - at) * sizeof(*overlay->rows));
}

static int make_room(struct overlay *overlay)
{
	uint32_t room = overlay->room ? 2 * overlay->room : ROOM_MIN;
	struct overlay_row *rows;

	if (overlay->n < overlay->room)
		return 0;
	if (overlay->n >= OVERLAY_MAX)
		return -E2BIG;
	rows = realloc(overlay->rows, room * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	overlay->rows = rows;
	overlay->room = room;
	return 0;
}

int overlay_set(struct overlay *overlay, const struct overlay_row *row)
{
	bool is;
	uint32_t at = place_of(overlay, row, &is);
	int r;

	if (says_nothing(row)) {
		if (is)
			take_out(overlay, at);
		return 0;
	}
	if (!is) {
		r = make_room(overlay);
		if (r < 0)
			return r;
		memmove(&overlay->rows[at + 1], &overlay->rows[at],
			(overlay->n - at) * sizeof(*overlay->rows));
		overlay->n++;
	}
	overlay->rows[at] = *row;
	return 0;
}

void overlay_forget_pool(struct overlay *overlay, const char *pool)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < overlay->n; i++)
		if (strcmp(overlay->rows[i].pool, pool) != 0)
			overlay->rows[kept++] = overlay->rows[i];
	overlay->n = kept;
}

uint64_t overlay_left_ms(const struct overlay_row *row, uint64_t now_ms)
{
	uint64_t at_ms = now_ms > row->at_ms ? now_ms : row->at_ms;

	return row->deadline_ms > at_ms ? row->deadline_ms - at_ms : 0;
}

static uint64_t mix(uint64_t digest, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++)
		digest = (digest ^ bytes[i]) * 0x100000001b3ull; /* FNV-1a */
	return digest;
}

uint64_t overlay_digest(const struct overlay *overlay, uint64_t seed)
{
	uint64_t digest = seed;

	for (uint32_t i = 0; i < overlay->n; i++) {
		const struct overlay_row *row = &overlay->rows[i];
		const uint32_t facts[] = { row->presence, row->has_weight, row->weight };

		if (row->interface[0] || (row->presence == OVERLAY_AS_FILE && !row->has_weight))
			continue; /* an order is none of what is configured */
		digest = mix(digest, row->pool, strlen(row->pool) + 1);
		digest = mix(digest, row->address, strlen(row->address) + 1);
		digest = mix(digest, facts, sizeof(facts));
	}
	return digest;
}
