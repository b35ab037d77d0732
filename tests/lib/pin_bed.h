/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pin_bed - namespaces with a pin directory of this process, for tests of the data plane; included by
 * one .c of each.
 */
#ifndef SLUICE_TESTS_PIN_BED_H
#define SLUICE_TESTS_PIN_BED_H

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/netbed.h"

/* The gateway's NIC, and the far end that frames are sent from. */
#define NIC "gw0"
#define FAR "far0"

static char bed[PATH_MAX]; /* a directory of this process */
static char bpffs[PATH_MAX]; /* ... and the pin directory in it */

/* Setup and teardown of all tests. */
static inline int set_up(void **state)
{
	(void)state;
	netbed_enter();
	snprintf(bed, sizeof(bed), "/run/sl-test-%d", getpid());
	snprintf(bpffs, sizeof(bpffs), "/run/sl-test-%d/bpf", getpid());
	return mkdir(bed, 0700);
}

static inline int tear_down(void **state)
{
	(void)state;
	return rmdir(bed);
}

#endif
