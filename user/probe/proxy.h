/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proxy - the PROXY protocol's header, versions 1 and 2, for a connection of our own.
 *
 * It goes before anything else, a ClientHello included, and tells the server the connection's two
 * ends as they are: a probe speaks for nobody but itself, and a server that insists on the header
 * gets one that it can check.
 */
#ifndef SLUICE_PROBE_PROXY_H
#define SLUICE_PROBE_PROXY_H

#include <stddef.h>
#include <stdint.h>

#include "model/model.h"
#include "util/addr.h"

#define PROXY_HEADER_MAX 108 /* the longest of version 1, with its NUL; version 2 needs less */

struct proxy_ends {
	struct addr source, target; /* of the same family */
	uint16_t source_port, target_port;
};

/*
 * Version 1: "PROXY TCP4 10.0.0.1 10.0.0.5 40000 443\r\n"; version 2: the binary form, command PROXY.
 * Returns the length; 0 for PROXY_NONE.
 */
size_t proxy_header(uint8_t buf[PROXY_HEADER_MAX], enum proxy_version version,
		    const struct proxy_ends *ends);

/* The ends of a connected socket. Returns 0 or -errno. */
int proxy_ends_of(struct proxy_ends *ret_ends, int fd, const struct addr *target,
		  uint16_t target_port);

#endif
