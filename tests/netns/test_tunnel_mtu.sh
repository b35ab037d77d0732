#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A tunnel that leads over a router with a smaller MTU: what the router says about the tunnel's packets
# reaches the client as if its own had been too large.
#
#   client ---- gc  gateway  gr ---- eth0  router  r1 (MTU 1400) ---- eth0  backend
# shellcheck source=tests/netns/topology.sh
. "$(dirname "$0")/topology.sh"

narrow=1400
transfer_mib=$((10 / patience)) transfer_s=3 # what is too large is noticed at once

net_begin router b1
add_host client
add_link client gc 10.1.0 fd01
cable gateway gr router eth0
cable router r1 b1 eth0
address gateway gr 2 1
address router eth0 2 2
address router r1 3 1
address b1 eth0 3 2
way b1 3
way router 2
on router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
on router ip link set r1 mtu $narrow
on gateway ip route add 10.3.0.0/24 via 10.2.0.2
on gateway ip -6 route add fd03::/64 via fd02::2
on b1 ip addr add "$vip4/32" dev lo
on b1 ip addr add "$vip6/128" dev lo nodad
backend_start b1
backend_decapsulates b1

# The MTU of the way to ADDRESS, as the gateway's kernel knows it.
path_mtu() {
	on gateway ip route get "$1" | grep -o 'mtu [0-9]*'
}

learnt() {
	[ "$(path_mtu "$1")" = "mtu $narrow" ]
}

story() {
	local what="$1 ipip" host url

	if [ "$1" = native ]; then
		on client ethtool -K eth0 tx off gro on >/dev/null
		on router ethtool -K eth0 tx off gro on >/dev/null
	fi
	for host in client gateway; do
		on $host ip route flush cache
		on $host ip -6 route flush cache
	done
	interfaces="{ name: gc, xdp: XDP }, { name: gr, xdp: XDP }"
	backends4="{ address: 10.3.0.2 }" backends6="{ address: \"fd03::2\" }"
	service_config "$1" ipip
	daemon_start
	check "$what: backends are healthy" eventually all_healthy
	refute "$what: the way looks wide" learnt 10.3.0.2
	for url in "http://$vip4" "http://[$vip6]"; do
		check "$what: $url: $transfer_mib MiB up" carries up "$url"
	done
	check "$what: the way's MTU is known" learnt 10.3.0.2
	check "$what: and over IPv6" learnt fd03::2
	check "$what: orderly stop" daemon_stop TERM
	check "$what: detach --all" sluice detach --all
}

stories=(auto native)
(($#)) && stories=("$@")
for xdp in "${stories[@]}"; do story "$xdp"; done
