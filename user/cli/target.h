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
	bool tls; /* https, tls, grpcs */
	bool is_name; /* host is a name that has to be resolved: addr is not known yet */
	struct addr addr; /* to connect to */
	uint16_t port;
	char host[LIMIT_HOST_BYTES + 1]; /* as in a Host header: an IPv6 literal has its brackets */
	char path[LIMIT_PATH_BYTES + 1]; /* "" for targets without one */
};

/*
 * Parse a target of the schemes http, https, tcp, tls, udp, grpc and grpcs. connect ("ADDR" or
 * "ADDR:PORT", may be NULL) is where to connect instead of to the host. -EINVAL: malformed.
 */
int target_parse(struct target *ret_target, const char *text, const char *connect, struct err *err);

#endif
