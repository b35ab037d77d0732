/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conn - a non-blocking TCP socket for a probe, and why connecting it failed.
 *
 * While connecting, ICMP errors are collected on the socket's error queue, because an errno alone
 * does not tell "no such host" from "a firewall forbids it".
 */
#ifndef SLUICE_PROBE_CONN_H
#define SLUICE_PROBE_CONN_H

#include <stdbool.h>
#include <stddef.h>

#include "model/plan.h"

/*
 * Begin to connect. Returns 0 or -errno; *ret_call is then NULL when connect() failed, and else
 * names the call that did, which is our own trouble whatever the errno.
 */
int conn_open(int *ret_fd, const char **ret_call, const struct plan *plan);

/* 0: the handshake is complete; -EINPROGRESS: not yet; else -errno. */
int conn_state(int fd);

struct conn_icmp {
	uint8_t type, code;
};

/* Take the last ICMP error that arrived for the connection. false: none did. */
bool conn_take_icmp(int fd, struct conn_icmp *ret_icmp);

/*
 * From now on ICMP errors are the hints that they are to any TCP connection: anybody can forge
 * them, and an established connection outlives them.
 */
void conn_ignore_icmp(int fd, bool v4);

/* Let close() send RST instead of FIN: nothing was said, and no TIME_WAIT stays behind. */
void conn_reset_on_close(int fd);

/* Whether a failed connect() with this errno was our own trouble and says nothing of the peer. */
bool conn_errno_is_local(int os_errno);

#endif
