// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/nic.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "util/cleanup.h"
#include "util/err.h"

/*
 * What virtual devices put where others put their place on a bus. A virtio NIC has a place
 * ("virtio0"), and its driver runs XDP natively: it is hardware as far as we care.
 */
static bool is_no_bus(const char *bus)
{
	static const char *const none[] = { "", "N/A", "tun", "tap", "eth" };

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (!strcmp(bus, none[i]))
			return true;
	return false;
}

static void ask_driver(struct nic *nic)
{
	CLEANUP(close_p) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request = { .ifr_data = (char *)&info };

	memcpy(request.ifr_name, nic->name, sizeof(request.ifr_name));
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request) < 0) {
		snprintf(nic->driver, sizeof(nic->driver), "unknown");
		nic->is_virtual = true;
		return;
	}
	info.driver[sizeof(info.driver) - 1] = '\0';
	info.bus_info[sizeof(info.bus_info) - 1] = '\0';
	snprintf(nic->driver, sizeof(nic->driver), "%s", info.driver);
	nic->is_virtual = is_no_bus(info.bus_info);
}

/*
 * The programs read Ethernet frames. On a device without them (tun, WireGuard) every packet would
 * pass as unreadable, and the operator would believe it guarded.
 */
static int check_link_layer(const struct nic *nic, struct err *err)
{
	CLEANUP(close_p) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };

	memcpy(request.ifr_name, nic->name, sizeof(request.ifr_name));
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		return err_set(err, -errno, "interface '%s': %s", nic->name, strerror(errno));
	if (request.ifr_hwaddr.sa_family == ARPHRD_ETHER ||
	    request.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK)
		return 0;
	return err_set(err, -EOPNOTSUPP,
		       "interface '%s' does not carry Ethernet frames, which "
		       "is what the gate reads; guard the Ethernet interfaces instead",
		       nic->name);
}

int nic_find(struct nic *ret_nic, const char *name, struct err *err)
{
	struct nic nic = { 0 };
	int r;

	snprintf(nic.name, sizeof(nic.name), "%s", name);
	nic.ifindex = if_nametoindex(nic.name);
	if (!nic.ifindex)
		return err_set(err, errno == ENXIO ? -ENODEV : -errno, "interface '%s': %s",
			       nic.name,
			       errno == ENODEV || errno == ENXIO ? "this host has none of that name"
								 : strerror(errno));
	r = check_link_layer(&nic, err);
	if (r < 0)
		return r;
	ask_driver(&nic);
	*ret_nic = nic;
	return 0;
}
