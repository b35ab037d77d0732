/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nic - what kind of device an interface is. Asked by socket ioctl, not by sysfs, which may show
 * another network namespace.
 */
#ifndef SLUICE_DATAPLANE_NIC_H
#define SLUICE_DATAPLANE_NIC_H

#include <net/if.h>
#include <stdbool.h>

struct err;

struct nic {
	char name[IFNAMSIZ];
	unsigned int ifindex;
	char driver[32]; /* "veth", "virtio_net"; "unknown" if the device does not say */
	bool is_virtual; /* no hardware behind it: no bus that it sits on */
};

/*
 * -ENODEV: no such interface in this network namespace; -EOPNOTSUPP: it carries no Ethernet frames.
 */
int nic_find(struct nic *ret_nic, const char *name, struct err *err);

#endif
