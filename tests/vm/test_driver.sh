#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# NICs whose driver lets go of them and takes them again, as when it is loaded anew: one under XDP in the driver, one under
# filters of clsact, since this kernel has no tcx.
# shellcheck source=tests/netns/topology.sh
. "$(dirname "$0")/../netns/topology.sh"

# device_of NUMBER: the virtual machine's NIC, known by its address.
device_of() {
	ip -j link | jq -er ".[] | select(.address == \"02:00:00:00:00:0$1\") | .ifname"
}

# nic HOST DEVICE NUMBER
nic() {
	local device

	device=$(device_of "$3") || fail "NIC $3 of the virtual machine is not here: this is a test for scripts/check-vm"
	ip link set "$device" netns "$ns_id-$1" name "$2"
	on "$1" ip link set "$2" up
}

# driver bind|unbind DEVICE
driver() {
	echo "$2" >"/sys/bus/virtio/drivers/virtio_net/$1"
}

net_begin client b1
bus_gc=$(basename "$(readlink "/sys/class/net/$(device_of 2)/device")")
bus_gb=$(basename "$(readlink "/sys/class/net/$(device_of 3)/device")")
nic client eth0 1
nic gateway gc 2
nic gateway gb 3
nic b1 eth0 4
address client eth0 3 9
address b1 eth0 4 11
# The gateway's ends, and what is lost with them. The cable is a hub that never loses its link, so whoever is at its other
# end has to be told to ask for the gateway again, as a link that comes back makes him do: XDP sends to nobody whom the
# kernel does not know.
dress_gc() {
	nic gateway gc 2
	address gateway gc 3 1
	on client ip neigh flush dev eth0
	on client ip -6 neigh flush dev eth0
}
dress_gb() {
	nic gateway gb 3
	address gateway gb 4 1
}
address gateway gc 3 1
address gateway gb 4 1
way client 3
way b1 4
interfaces="{ name: gc, xdp: XDP }, { name: gb, xdp: XDP }"
backends4="{ address: 10.4.0.11 }"
backends6="{ address: 'fd04::11' }"
backend_start b1

# state_is DEVICE "STATE INGRESS"
state_is() {
	[ "$(sluice status --json | jq -r --arg name "$1" 'first(.interfaces[] | select(.name == $name)) | "\(.state) \(.ingress)"')" = "$2" ]
}

service_serves() {
	[ "$(fetch "http://$vip4/")" = "hello from b1" ] && [ "$(fetch "http://[$vip6]/")" = "hello from b1" ]
}

# goes_and_comes DEVICE NUMBER BUS INGRESS: the others stay.
goes_and_comes() {
	local other=gc
	[ "$1" = gb ] || other=gb

	driver unbind "$3"
	check "$4: $1: the driver lets go of it: said" eventually state_is "$1" "gone $4"
	check "$4: $1: $other stays" state_is "$other" "attached $4"
	driver bind "$3"
	eventually device_of "$2" || fail "NIC $2 is back"
	"dress_$1"
	check "$4: $1: it is back: guarded as before" eventually state_is "$1" "attached $4"
	check "$4: $1: the service serves" eventually service_serves
}

# story XDP INGRESS
story() {
	service_config "$1" nat
	daemon_start
	check "$2: backends are healthy" eventually all_healthy
	check "$2: it is" state_is gc "attached $2"
	check "$2: the service serves" service_serves
	for _ in 1 2; do
		goes_and_comes gc 2 "$bus_gc" "$2"
		goes_and_comes gb 3 "$bus_gb" "$2"
	done
}

story native xdp-native
check "orderly stop" daemon_stop TERM
check "detach --all" sluice detach --all
story "'off'" clsact
on gateway tc qdisc del dev gb clsact
# They are away for a second, in which a slow machine may not ask.
check "filters that somebody removes" eventually has_said_more 0 "'gb' is not guarded: somebody took programs of the gate off it"
check "are put back" eventually state_is gb "attached clsact"
check "and serve" eventually service_serves
on gateway ip link set gb down
on gateway ip link set gb name gx
check "a device with filters that is renamed loses them" eventually state_is gb "gone clsact"
refute "for real" grep -q sl_tc <(on gateway tc filter show dev gx ingress)
on gateway ip link set gx name gb
check "and has them again with its name" eventually state_is gb "attached clsact"
check "for real" grep -q sl_tc <(on gateway tc filter show dev gb ingress)
check "orderly stop" daemon_stop TERM
check "detach --all" sluice detach --all
