/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frames - HTTP/2 frames as a server would send them, written byte by byte, for tests.
 */
#ifndef SLUICE_TESTS_FRAMES_H
#define SLUICE_TESTS_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#define FRAMES_MAX (4u << 20)

enum {
	FRAME_DATA,
	FRAME_HEADERS,
	FRAME_PRIORITY,
	FRAME_RST_STREAM,
	FRAME_SETTINGS,
	FRAME_PUSH,
	FRAME_PING,
	FRAME_GOAWAY,
	FRAME_WINDOW_UPDATE,
	FRAME_CONTINUATION
};

enum { FRAME_END_STREAM = 1, FRAME_ACK = 1, FRAME_END_HEADERS = 4 };

struct frames {
	size_t len;
	uint8_t data[FRAMES_MAX];
};

/* Append one frame. */
void frames_add(struct frames *frames, int type, int flags, uint32_t stream, const void *payload,
		size_t len);

/* Append a header block: "name: value" lines, each ended by a line feed. */
void frames_headers(struct frames *frames, int flags, uint32_t stream, const char *lines);

#endif
