/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpflog - what libbpf would have printed, kept for the error sentence.
 *
 * libbpf writes its reasons to standard error. Here they are kept, per thread, and the two lines
 * that tell most are handed to whoever composes the error: the first complaint, and the last line
 * of a verifier log.
 */
#ifndef SLUICE_DATAPLANE_BPFLOG_H
#define SLUICE_DATAPLANE_BPFLOG_H

/* Forget what was kept, and keep what this thread's calls complain about from now on. */
void bpflog_begin(void);

/* The kept reason, one line, without libbpf's prefix; "" if libbpf said nothing. Per thread. */
const char *bpflog_reason(void);

/* What the kernel itself said through netlink ("Peer MTU is too large to set XDP"), or "". */
const char *bpflog_kernel(void);

#endif
