/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * syntax - whether a text is a name, a host, a path or a list of status codes.
 *
 * Hosts and paths end up in HTTP requests, names in files and tables: what could break out of
 * there is refused here, once. Each check returns NULL, or what is wrong in a few words.
 */
#ifndef SLUICE_CONFIG_SYNTAX_H
#define SLUICE_CONFIG_SYNTAX_H

#include <stdint.h>

#include "model/model.h"

/* [A-Za-z0-9._-] */
const char *syntax_name(const char *text);

/* What the kernel takes as the name of a network interface, length excepted. */
const char *syntax_interface(const char *text);

/* A DNS name (underscores are common and allowed) or an IP literal, with or without brackets. */
const char *syntax_host(const char *text);

/* '/' first; no blanks, no control characters, only ASCII (the rest is percent-encoded). */
const char *syntax_url_path(const char *text);

/* "http://host[:port][/path]" of any scheme, without user and fragment. */
const char *syntax_url(const char *text);

/* A file, or a URL of http. */
const char *syntax_crl(const char *text);

/* No control characters. */
const char *syntax_file(const char *text);

/* "10.0.0.5:443", an address of this host or one that stands for all of them. */
const char *syntax_listen(struct sl_target_key *ret, const char *text);

/* "10.0.0.5:443", "[fd00::5]:443/udp"; without transport it is TCP. */
const char *syntax_service(struct sl_target_key *ret, const char *text);

/* "16384-32767": NAT_PORTS_MIN ports at least, from NAT_PORT_MIN on. */
const char *syntax_ports(struct port_range *ret, const char *text);

/* "200-399,401": codes 100..599, blanks around commas allowed. */
const char *syntax_status(struct status_range ret[LIMIT_STATUS_RANGES], uint32_t *ret_n,
			  const char *text);

#endif
