#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# UDP endpoints, judged by a TCP probe: datagrams to a closed gate are answered with ICMP.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

net_up 1
net_prepare_native
bg b1 socat UDP6-LISTEN:5300,fork,ipv6only=0 EXEC:cat
bg b1 socat -u TCP6-LISTEN:5301,fork,ipv6only=0 /dev/null
listener=$!

client_udp() {
	[ "$(on client "$build/tests/netns/client" udp "$1" 5300)" = "$2" ]
}

local_udp() {
	[ "$(on gateway "$build/tests/netns/client" udp "$1" 5300)" = "$2" ]
}

story() {
	local xdp=$1

	config "interfaces: [ { name: gc, xdp: $xdp }, { name: gb1, xdp: $xdp } ]" <<-EOF
		probes:
		  - { name: quick, protocol: tcp, port: 5301, interval: $often, timeout: 1s, unhealthy_threshold: 2 }
		settings:
		  - { name: dns, protocol: udp, port: 5300, probe: quick }
		pools:
		  - { name: dns-pool, backends: [ { address: 10.2.1.2 }, { address: "fd02:1::2" } ] }
		services:
		  - { name: dns, pool: dns-pool, settings: dns }
	EOF
	daemon_start
	eventually health_is 10.2.1.2 Healthy || fail "$xdp: backend is healthy first"
	eventually health_is fd02:1::2 Healthy || fail "$xdp: backend is healthy first over IPv6"
	check "$xdp: the client is answered" client_udp 10.2.1.2 answered
	check "$xdp: and over IPv6" client_udp fd02:1::2 answered
	kill "$listener"
	eventually health_is 10.2.1.2 Unhealthy || fail "$xdp: backend becomes unhealthy"
	eventually health_is fd02:1::2 Unhealthy || fail "$xdp: backend becomes unhealthy over IPv6"
	check "$xdp: the client is refused" client_udp 10.2.1.2 refused
	check "$xdp: and over IPv6" client_udp fd02:1::2 refused
	check "$xdp: the gateway itself is refused" local_udp 10.2.1.2 refused
	check "$xdp: and over IPv6" local_udp fd02:1::2 refused
	check "$xdp: counted" jq -e '.decisions.reject_udp >= 4' <(sluice status --json)
	bg b1 socat -u TCP6-LISTEN:5301,fork,ipv6only=0 /dev/null
	listener=$!
	eventually health_is 10.2.1.2 Healthy || fail "$xdp: backend recovers"
	check "$xdp: the client is answered again" client_udp 10.2.1.2 answered
	daemon_stop TERM
	sluice detach --all >/dev/null || fail "detach --all"
}

story auto
story native
