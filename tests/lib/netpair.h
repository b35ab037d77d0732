/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netpair - two network namespaces with a veth cable between them, for one test process.
 *
 * Namespaces have no names and vanish with the process. Sockets belong to the namespace in which
 * they were made, and work from anywhere. Failures fail the running test (cmocka).
 */
#ifndef SLUICE_TESTS_NETPAIR_H
#define SLUICE_TESTS_NETPAIR_H

#include <stdint.h>

enum side { GATEWAY, PEER, SIDES };

#define GATEWAY_DEVICE "g0"
#define PEER_DEVICE "p0"
#define GATEWAY_V4 "10.9.0.1"
#define GATEWAY_V6 "fd09::1"
#define PEER_V4 "10.9.0.2"
#define PEER_V6 "fd09::2"

struct netpair {
	int home, ns[SIDES];
	unsigned int ifindex[SIDES];
};

void netpair_up(struct netpair *net);
void netpair_down(struct netpair *net);

/* Work in one side's namespace from now on. */
void netpair_enter(const struct netpair *net, enum side side);

/* Run a program to its end; it must succeed. At most eight arguments, NULL ends them. */
void netpair_run(const char *program, ...) __attribute__((sentinel));

/* Packets that a side's stack found to have a wrong TCP, UDP, ICMP or ICMPv6 checksum. */
uint64_t netpair_checksum_errors(const struct netpair *net, enum side side);

#endif
