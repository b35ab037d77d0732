/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peer - a TCP server on loopback that follows a script, for tests.
 *
 * Runs on the caller's loop, so that a probe on the same loop and its server take turns and no
 * test has to wait for time to pass. Every connection runs the script from its beginning.
 */
#ifndef SLUICE_TESTS_PEER_H
#define SLUICE_TESTS_PEER_H

#include <stdint.h>

#include <uv.h>

enum peer_action {
	PEER_HOLD, /* do nothing until the client closes; also the end of every script */
	PEER_AWAIT, /* until a request has come, up to its empty line */
	PEER_SEND, /* text */
	PEER_DRIBBLE, /* text, one byte per turn of the loop */
	PEER_CLOSE,
	PEER_RESET,
};

struct peer_step {
	enum peer_action action;
	const char *text;
	size_t len; /* of text; 0: up to its NUL */
};

#define PEER_REQUEST_MAX 4096

struct peer;

/* Listen on address ("127.0.0.1", "::1"), port 0: any. Aborts the test when it cannot. */
struct peer *peer_new(uv_loop_t *loop, const char *address, uint16_t port,
		      const struct peer_step *script);

/* Close the listener and all connections; memory goes when the loop has run. */
void peer_free(struct peer *peer);

uint16_t peer_port(const struct peer *peer);

/* What the last connection sent, NUL-terminated and cut to PEER_REQUEST_MAX. */
const char *peer_request(const struct peer *peer);

/* These may be read from any thread. */
uint32_t peer_accepted(const struct peer *peer);
uint32_t peer_open_now(const struct peer *peer);
uint32_t peer_open_max(const struct peer *peer);
uint32_t peer_resets(const struct peer *peer); /* connections that the client reset */

#endif
