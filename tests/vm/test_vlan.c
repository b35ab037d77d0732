// SPDX-License-Identifier: GPL-2.0-or-later
/* Which device carries a VLAN device. Needs a kernel with VLANs, which not every machine has. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>
#include <net/if.h>

#include "dataplane/network.h"
#include "sluice/abi.h"
#include "tests/lib/netbed.h"
#include "util/err.h"

#define NIC "gw0"
#define FAR "far0"

static int set_up(void **state)
{
	(void)state;
	netbed_enter();
	netbed_veth(NIC, FAR);
	return 0;
}

static struct network *must_open(void)
{
	struct network *network = NULL;
	struct err err = { "" };

	if (network_open(&network, &err) < 0)
		fail_msg("%s", err.text);
	return network;
}

static void must_be(int fd, const char *name, const char *carrier, uint16_t vlan, uint16_t proto)
{
	__u32 ifindex = if_nametoindex(name);
	struct sl_device device;

	assert_int_equal(bpf_map_lookup_elem(fd, &ifindex, &device), 0);
	assert_int_equal(device.ifindex, if_nametoindex(carrier));
	assert_int_equal(device.vlan, vlan);
	assert_int_equal(device.vlan_proto, proto);
}

static void test_devices(void **state)
{
	CLEANUP(network_close_p) struct network *network = must_open();
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "devices", sizeof(__u32),
				sizeof(struct sl_device), 16, NULL);
	__u32 gone = 4711, key;
	struct sl_device old = { .ifindex = 1 };

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_update_elem(fd, &gone, &old, BPF_ANY), 0);
	netbed_must("ip", "link", "add", "link", NIC, "name", "gw0.7", "type", "vlan", "id", "7");
	netbed_must("ip", "link", "add", "link", NIC, "name", "gw0.s", "type", "vlan", "proto",
		    "802.1ad", "id", "4094");
	assert_int_equal(network_list_devices(network, fd), 0);
	must_be(fd, "gw0.7", NIC, 7, 0x8100);
	must_be(fd, "gw0.s", NIC, 4094, 0x88a8);
	assert_int_equal(bpf_map_lookup_elem(fd, &gone, &old), -ENOENT);
	key = if_nametoindex(NIC);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &old), -ENOENT);

	netbed_must("ip", "link", "del", "gw0.7");
	netbed_must("ip", "link", "del", "gw0.s");
	assert_int_equal(network_list_devices(network, fd), 0);
	assert_int_equal(bpf_map_get_next_key(fd, NULL, &key), -ENOENT);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
