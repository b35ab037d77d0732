#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A gateway with two arms, of NICs whose driver runs XDP itself: those of the virtual machine, on two cables.
# shellcheck source=tests/netns/topology.sh
. "$(dirname "$0")/../netns/topology.sh"

transfer_mib=5 # the NICs are emulated, too

# nic HOST DEVICE NUMBER: the virtual machine's, known by its address.
nic() {
	local device

	device=$(ip -j link | jq -r ".[] | select(.address == \"02:00:00:00:00:0$3\") | .ifname")
	[ -n "$device" ] || fail "NIC $3 of the virtual machine is not here: this is a test for scripts/check-vm"
	ip link set "$device" netns "$ns_id-$1" name "$2"
	on "$1" ip link set "$2" up
}

# They need nothing from the other end of the cable.
net_prepare_native() {
	:
}

modes() {
	sluice status --json | jq -r '[.interfaces[].ingress] | unique | join(" ")'
}

net_begin client b1 b2
nic client eth0 1
nic gateway gc 2
nic gateway gb 3
nic b1 eth0 4
nic b2 eth0 5
address gateway gc 3 1
address gateway gb 4 1
address client eth0 3 9
address b1 eth0 4 11
address b2 eth0 4 12
way client 3
way b1 4
way b2 4
interfaces="{ name: gc, xdp: XDP }, { name: gb, xdp: XDP }"
backends4="{ address: 10.4.0.11 }, { address: 10.4.0.12 }"
backends6="{ address: 'fd04::11' }, { address: 'fd04::12' }"
service_config auto nat
daemon_start
check "auto: XDP runs in the driver" test "$(modes)" = xdp-native
check "auto: orderly stop" daemon_stop TERM
check "auto: detach --all" sluice detach --all
(($#)) || set -- "native nat" "native dsr"
stories virtio "$@"
