/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netbed - a network and mount namespace of its own for one test program, with veth pairs.
 *
 * Everything vanishes with the process. Single threaded; a failing step ends the program.
 */
#ifndef SLUICE_TESTS_NETBED_H
#define SLUICE_TESTS_NETBED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/abi.h"

/* Leave for new namespaces; loopback is up. Called again: for the next ones. */
void netbed_enter(void);

/* Keep the network namespace under a file of that name when the process leaves it; let it go. */
void netbed_keep(const char *path);
void netbed_drop(const char *path);

/* Make the veth pair name and peer, both up. */
void netbed_veth(const char *name, const char *peer);

/* Run a program; NULL ends the arguments. Its exit status; output goes to /dev/null. */
int netbed_run(const char *program, ...) __attribute__((sentinel));

/* The same, but it has to succeed. */
#define netbed_must(...) netbed_must_(netbed_run(__VA_ARGS__, NULL), #__VA_ARGS__)
void netbed_must_(int status, const char *what);

/* Run a program and keep what it writes; to be freed. */
char *netbed_output(const char *program, ...) __attribute__((sentinel));

/* Put a TCP SYN to 10.9.0.<host>:port on the wire of this interface. */
void netbed_send_syn(const char *interface, uint8_t host, uint16_t port);

/* Try until check(arg) holds, 5 s at most. */
bool netbed_eventually(bool (*check)(void *arg), void *arg);

#endif
