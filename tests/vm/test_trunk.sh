#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A gateway with one arm on a trunk: the client is on VLAN 10, b1 on VLAN 20, b2 on VLAN 10, so that tags are kept
# or changed.
# shellcheck source=tests/netns/topology.sh
. "$(dirname "$0")/../netns/topology.sh"

transfer_mib=5 # the kernel that has VLANs is an emulated one
net_begin client switch b1 b2
make_switch
plug gateway gw
for host in client b1 b2; do plug $host eth0; done
vlan gateway gw 10
vlan gateway gw 20
address gateway gw.10 3 1
address gateway gw.20 4 1
vlan client eth0 10
vlan b1 eth0 20
vlan b2 eth0 10
address client eth0.10 3 9
address b1 eth0.20 4 11
address b2 eth0.10 3 12
way client 3
way b1 4
way b2 3
interfaces="{ name: gw, xdp: XDP }"
backends4="{ address: 10.4.0.11 }, { address: 10.3.0.12 }"
backends6="{ address: 'fd04::11' }, { address: 'fd03::12' }"
stories trunk "$@"
