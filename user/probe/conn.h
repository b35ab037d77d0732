/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conn - a non-blocking socket for a probe, TCP or UDP, and why connecting it failed.
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
 * Begin to connect; a UDP socket is connected at once. Returns 0 or -errno; *ret_call is then NULL when connect() failed, and else
 * names the call that did, which is our own trouble whatever the errno.
 */
int conn_open(int *ret_fd, const char **ret_call, const struct plan *plan);

/*
 * 0: the handshake is complete; -EINPROGRESS: not yet; else -errno, of which -ECONNRESET and -EPIPE
 * mean that it was complete and the peer has reset the connection since.
 */
int conn_state(int fd);

/*
 * Whether the socket is connected to itself: a port in the range of our own ephemeral ports that
 * nobody listens on can be when the kernel chooses it as the source, and such a handshake proves
 * nothing.
 */
bool conn_is_self(int fd, const struct addr *peer, uint16_t port);

/*
 * From now on ICMP errors are the hints that they are to any TCP connection: anybody can forge
 * them, and an established connection outlives them.
 */
void conn_ignore_icmp(int fd, bool v4);

/*
 * Let close() send RST instead of FIN: no TIME_WAIT stays behind, here or there, and the server is
 * not left with a connection that waits for its own FIN.
 */
void conn_reset_on_close(int fd);

/* Whether a failed connect() with this errno was our own trouble and says nothing of the peer. */
bool conn_errno_is_local(int os_errno);

#endif
