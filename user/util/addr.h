/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * addr - addresses and ports between text, sockaddr and the data plane's 16 bytes.
 *
 * IPv4 is v4-mapped everywhere inside. Literals only: names are resolved elsewhere.
 */
#ifndef SLUICE_UTIL_ADDR_H
#define SLUICE_UTIL_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "sluice/abi.h"

struct addr {
	uint8_t bytes[SL_ADDR_LEN];
};

/*
 * Parse "10.0.0.5", "fd00::5" or "[fd00::5]". -EINVAL: not an IP literal (a v4-mapped IPv6 literal
 * is the IPv4 address it names).
 */
int addr_parse(struct addr *ret_addr, const char *text);

/* Parse "10.0.0.5:443" or "[fd00::5]:443"; port 1..65535. -EINVAL otherwise. */
int addr_port_parse(struct addr *ret_addr, uint16_t *ret_port, const char *text);

bool addr_is_v4(const struct addr *addr);

/* Why addr cannot be a backend ("is a multicast address"), or NULL when it can. */
const char *addr_unusable(const struct addr *addr);

/* "10.0.0.5" or "fd00::5"; returns buf. */
const char *addr_format(char buf[SL_TEXT_LEN], const struct addr *addr);

/* "10.0.0.5:443" or "[fd00::5]:443"; returns buf. */
const char *addr_port_format(char buf[SL_TEXT_LEN], const struct addr *addr, uint16_t port);

/* Fill an AF_INET or AF_INET6 sockaddr; returns its length. */
socklen_t addr_to_sockaddr(struct sockaddr_storage *ret_ss, const struct addr *addr, uint16_t port);

/* The address of an AF_INET or AF_INET6 sockaddr. -EAFNOSUPPORT. */
int addr_from_sockaddr(struct addr *ret_addr, const struct sockaddr_storage *ss);

#endif
