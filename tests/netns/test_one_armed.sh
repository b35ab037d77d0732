#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A gateway with one arm: client, gateway and backends on one bridge, and packets leave by the interface that
# they came in by. Large transfers both ways, with all offloads of the interfaces.
# shellcheck source=tests/netns/topology.sh
. "$(dirname "$0")/topology.sh"

net_begin client switch b1 b2
make_switch
plug gateway gw
address gateway gw 3 1
for host in client b1 b2; do plug $host eth0; done
address client eth0 3 9
address b1 eth0 3 11
address b2 eth0 3 12
for host in client b1 b2; do way $host 3; done
interfaces="{ name: gw, xdp: XDP }"
backends4="{ address: 10.3.0.11 }, { address: 10.3.0.12 }"
backends6="{ address: 'fd03::11' }, { address: 'fd03::12' }"
stories one-armed "$@"
