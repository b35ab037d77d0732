/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * target - "http://10.0.0.5:8080/healthz": what `sluice probe` shall probe.
 *
 * Plain data with buffers of its own.
 */
#ifndef SLUICE_CLI_TARGET_H
#define SLUICE_CLI_TARGET_H

#include "model/limits.h"
#include "model/model.h"

struct err;

struct target {
	enum protocol protocol;
	struct addr addr; /* to connect to */
	uint16_t port;
	char host[LIMIT_HOST_BYTES + 1]; /* as in a Host header: an IPv6 literal has its brackets */
	char path[LIMIT_PATH_BYTES + 1]; /* "" for tcp */
};

/*
 * Parse tcp://host:port or http://host[:port][/path]. connect ("ADDR" or "ADDR:PORT", may be NULL)
 * is where to connect instead; only with it may the host be a name.
 *   -EINVAL      malformed      -EOPNOTSUPP  not available in this version
 */
int target_parse(struct target *ret_target, const char *text, const char *connect, struct err *err);

#endif
