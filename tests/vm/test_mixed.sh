#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A gateway whose arms differ: the client on VLAN 10, b1 without a tag, b2 on VLAN 10 of another interface, so that
# tags are taken off and put on.
# shellcheck source=tests/netns/topology.sh
. "$(dirname "$0")/../netns/topology.sh"

transfer_mib=5 # the kernel that has VLANs is an emulated one
net_begin client b1 b2
cable gateway gc client eth0
cable gateway gb1 b1 eth0
cable gateway gb2 b2 eth0
vlan gateway gc 10
vlan client eth0 10
vlan gateway gb2 10
vlan b2 eth0 10
address gateway gc.10 3 1
address client eth0.10 3 9
address gateway gb1 4 1
address b1 eth0 4 11
address gateway gb2.10 5 1
address b2 eth0.10 5 12
way client 3
way b1 4
way b2 5
interfaces="{ name: gc, xdp: XDP }, { name: gb1, xdp: XDP }, { name: gb2, xdp: XDP }"
backends4="{ address: 10.4.0.11 }, { address: 10.5.0.12 }"
backends6="{ address: 'fd04::11' }, { address: 'fd05::12' }"
stories mixed "$@"
