#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Datagrams to a service, those in fragments among them, and what ICMP has to say about its flows: a closed port behind it, a link
# on the way that takes only small packets.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

vip4=192.0.2.10
vip6=2001:db8::10

net_up 2
for b in b1 b2; do
	backend_start $b
	# All that is refused here goes to one address, the gateway's.
	on $b sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
done

udp_start() {
	bg b1 socat UDP6-LISTEN:5300,fork,ipv6only=0 EXEC:cat
	udp_pids=($!)
	bg b2 socat UDP6-LISTEN:5300,fork,ipv6only=0 EXEC:cat
	udp_pids+=($!)
}

# Children answer those who have spoken before.
udp_stop() {
	on b1 pkill -f UDP6-LISTEN:5300
	on b2 pkill -f UDP6-LISTEN:5300
	eventually udp_is_gone
}

udp_is_gone() {
	! kill -0 "${udp_pids[0]}" && ! kill -0 "${udp_pids[1]}"
}

udp_config() {
	config "interfaces: [ { name: gc, xdp: $1 }, { name: gb1, xdp: $1 }, { name: gb2, xdp: $1 } ]" <<-EOF
		probes:
		  - { name: quick, protocol: tcp, port: 80, interval: $often, timeout: 1s, unhealthy_threshold: 2 }
		settings:
		  - { name: dns, protocol: udp, port: 5300, probe: quick }
		  - { name: web, protocol: tcp, port: 80, probe: quick }
		pools:
		  - { name: four, backends: [ { address: 10.2.1.2 }, { address: 10.2.2.2 } ] }
		  - { name: six, backends: [ { address: "fd02:1::2" }, { address: "fd02:2::2" } ] }
		services:
		  - { name: dns4, listen: "$vip4:53/udp", pool: four, settings: dns$2 }
		  - { name: dns6, listen: "[$vip6]:53/udp", pool: six, settings: dns$2 }
		  - { name: web4, listen: "$vip4:80", pool: four, settings: web$2 }
		  - { name: web6, listen: "[$vip6]:80", pool: six, settings: web$2 }
	EOF
}

# client_gets VIP WHAT [BYTES]
client_gets() {
	local what i
	for ((i = 0; i < 20; i++)); do
		what=$(on client "$build/tests/netns/client" udp "$1" 53 "${3:-1}")
		[ "$what" = "$2" ] || { echo "$what" && return 1; }
	done
}

# nginx takes the whole of it before it says that it takes none.
upload() {
	head -c 900000 /dev/zero | on client curl -sS --max-time 10 -o /dev/null -w '%{http_code}' --data-binary @- "http://$1/" |
		grep -q 405
}

download() {
	[ "$(on client curl -sS --max-time 10 -o /dev/null -w '%{size_download}' "http://$1/big")" = 4194304 ]
}

count() {
	sluice status --json | jq ".decisions.$1"
}

story() {
	local xdp=$1 keys=${2:+, $2} what="$1 $2" vip

	if [ "$xdp" = native ]; then
		net_prepare_native b1 b2
	fi
	udp_start
	udp_config "$xdp" "$keys"
	daemon_start
	check "$what: backends are healthy" eventually all_healthy
	for vip in $vip4 $vip6; do
		check "$what: $vip: datagrams are answered" eventually client_gets "$vip" answered
		check "$what: $vip: those in fragments, too" client_gets "$vip" answered 5000
	done
	udp_stop
	for vip in $vip4 $vip6; do
		check "$what: $vip: a closed port behind it is told to the client" client_gets "$vip" refused
	done
	check "$what: no fragment went astray" test "$(count pass_fragment)" = 0
	check "$what: by ICMP errors that were translated" test "$(count forward_icmp)" -ge 40

	# The gateway's links to the backends take less than the client's: it has to say so.
	for b in 1 2; do
		on gateway ip link set gb$b mtu 1400
		on b$b ip link set eth0 mtu 1400
	done
	for vip in $vip4 "[$vip6]"; do
		check "$what: $vip: an upload through a narrow link" upload "$vip"
		check "$what: $vip: and a download" download "$vip"
	done
	# And the other way round.
	for b in 1 2; do
		on gateway ip link set gb$b mtu 1500
		on b$b ip link set eth0 mtu 1500
	done
	on gateway ip link set gc mtu 1400
	on client ip link set eth0 mtu 1400
	for vip in $vip4 "[$vip6]"; do
		check "$what: $vip: a download to a narrow link" download "$vip"
	done
	on gateway ip link set gc mtu 1500
	on client ip link set eth0 mtu 1500
	check "$what: orderly stop" daemon_stop TERM
	check "$what: detach --all" sluice detach --all
}

story auto ""
story auto "source_nat: false"
story native ""
