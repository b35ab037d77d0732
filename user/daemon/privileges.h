/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * privileges - what the daemon may still do once it has what only a start needs.
 *
 *   CAP_BPF        load programs, make maps
 *   CAP_NET_ADMIN  attach them; mark the sockets of probes; keep neighbours resolved
 *   CAP_PERFMON    programs that the verifier lets look at pointers
 *   CAP_NET_RAW    hear what routers say of tunnels' packets, which a reload may begin
 *   CAP_SYS_ADMIN  only where a BPF file system is ours to mount or to unmount
 *   CAP_SETUID, CAP_SETGID, CAP_NET_BIND_SERVICE, CAP_KILL
 *                  only where HAProxy carries services, or the file has a section gateway.l7, so that
 *                  it may later: for it, since no program that is executed has more than the daemon
 *
 * Files are read as their modes allow root to; an address that is listened at after a reload has a port
 * from 1024 on.
 */
#ifndef SLUICE_DAEMON_PRIVILEGES_H
#define SLUICE_DAEMON_PRIVILEGES_H

#include <stdbool.h>

struct err;

/*
 * Give up all others, for this process and whatever it executes. To be called before there are
 * threads: each has capabilities of its own, and takes those of the thread that makes it. Who has
 * fewer from the beginning keeps those. -errno, which means that a system call was refused.
 */
int privileges_drop(bool may_mount, bool may_start_haproxy, struct err *err);

/* Whether HAProxy could be started. -EPERM: err says what to do. */
int privileges_check_haproxy(struct err *err);

#endif
