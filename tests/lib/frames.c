// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/frames.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_LEN 9
#define BLOCK_MAX 16384
#define LITERAL_MAX 126 /* a length that fits its first byte */

static void put(struct frames *frames, const void *data, size_t len)
{
	if (len > sizeof(frames->data) - frames->len)
		abort();
	if (len)
		memcpy(frames->data + frames->len, data, len);
	frames->len += len;
}

void frames_add(struct frames *frames, int type, int flags, uint32_t stream, const void *payload,
		size_t len)
{
	uint8_t header[HEADER_LEN] = {
		(uint8_t)(len >> 16),    (uint8_t)(len >> 8),    (uint8_t)len,
		(uint8_t)type,           (uint8_t)flags,         (uint8_t)(stream >> 24),
		(uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream
	};

	put(frames, header, sizeof(header));
	put(frames, payload, len);
}

static size_t literal(uint8_t *block, size_t at, const char *text, size_t len)
{
	if (len > LITERAL_MAX || at + len + 1 > BLOCK_MAX)
		abort();
	block[at++] = (uint8_t)len;
	memcpy(block + at, text, len);
	return at + len;
}

void frames_headers(struct frames *frames, int flags, uint32_t stream, const char *lines)
{
	uint8_t block[BLOCK_MAX];
	size_t at = 0;

	while (*lines) {
		const char *end = strchr(lines, '\n'), *colon = strchr(lines + 1, ':');

		if (!end || !colon || at == BLOCK_MAX)
			abort();
		block[at++] = 0; /* a literal field that is not to be indexed, with a new name */
		at = literal(block, at, lines, (size_t)(colon - lines));
		at = literal(block, at, colon + 2, (size_t)(end - colon - 2));
		lines = end + 1;
	}
	frames_add(frames, FRAME_HEADERS, flags | FRAME_END_HEADERS, stream, block, at);
}
