#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Services: packets to an address that is nobody's own go to healthy backends, in every way to
# forward them and over IPv4 and IPv6 alike.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

vip4=192.0.2.10
vip6=2001:db8::10

net_up 3
for b in b1 b2 b3; do
	backend_start $b
	# For the ways to forward that leave the packet addressed as it is.
	on $b ip addr add $vip4/32 dev lo
	on $b ip addr add $vip6/128 dev lo
	backend_decapsulates $b
done

# What native XDP needs of veth at all ends; tcx needs nothing.
prepare() {
	[ "$1" = native ] || return 0
	net_prepare_native b1 b2 b3
}

# service_config XDP FORWARD [SERVICE_KEYS]
service_config() {
	local xdp=$1 forward=$2 keys=${3:-}

	config "interfaces: [ { name: gc, xdp: $xdp }, { name: gb1, xdp: $xdp }, { name: gb2, xdp: $xdp }, { name: gb3, xdp: $xdp } ]" <<-EOF
		probes:
		  - { name: quick, protocol: http, path: /healthz, interval: 100ms, timeout: 1s, unhealthy_threshold: 1 }
		settings:
		  - { name: web, protocol: http, port: 80, probe: quick }
		pools:
		  - name: four
		    backends: [ { address: 10.2.1.2 }, { address: 10.2.2.2 }, { address: 10.2.3.2 } ]
		  - name: six
		    backends: [ { address: "fd02:1::2" }, { address: "fd02:2::2" }, { address: "fd02:3::2" } ]
		services:
		  - { name: shop4, listen: "$vip4:80", pool: four, settings: web, forward: $forward${keys:+, $keys} }
		  - { name: shop6, listen: "[$vip6]:80", pool: six, settings: web, forward: $forward${keys:+, $keys} }
	EOF
}

# spread URL N: how many of N fetches each backend answered, as "b1 b2 b3" counts.
spread() {
	fetches "$2" "$1" | sort | uniq -c >"$work/spread"
	cat "$work/spread"
}

# Every backend got some, and nothing failed.
all_serve() {
	spread "$1" 60
	[ "$(grep -c 'hello from' "$work/spread")" = 3 ] && ! grep -q failed "$work/spread"
}

only_two_serve() {
	spread "$1" 30
	[ "$(grep -c 'hello from' "$work/spread")" = 2 ] && ! grep -Eq "failed|hello from b$2" "$work/spread"
}

transfer() {
	[ "$(fetch --max-time $((20 * patience)) -o /dev/null -w '%{size_download}' "$1/big")" = 4194304 ]
}

story() {
	local xdp=$1 forward=$2 keys=${3:-} what="$1 $2 ${3:-}" url

	prepare "$xdp"
	service_config "$xdp" "$forward" "$keys"
	daemon_start
	check "$what: backends are healthy" eventually all_healthy
	for url in "http://$vip4" "http://[$vip6]"; do
		check "$what: $url: all backends serve" all_serve "$url/"
		check "$what: $url: a large transfer passes" transfer "$url"
	done
	touch "$work/b2.sick"
	check "$what: one turns unhealthy" eventually health_is 10.2.2.2 Unhealthy
	check "$what: and over IPv6" eventually health_is fd02:2::2 Unhealthy
	for url in "http://$vip4" "http://[$vip6]"; do
		check "$what: $url: the others serve" only_two_serve "$url/" 2
	done
	rm "$work/b2.sick"
	check "$what: it comes back" eventually all_healthy
	for url in "http://$vip4" "http://[$vip6]"; do
		check "$what: $url: all backends serve again" all_serve "$url/"
	done
	check "$what: orderly stop" daemon_stop TERM
	check "$what: forwarding goes on without the daemon" all_serve "http://$vip4/"
	check "$what: detach --all" sluice detach --all
}

# Each: how XDP is attached, how packets are forwarded, more keys of the services.
stories=(
	"auto nat"
	"auto nat source_nat: false"
	"auto dsr"
	"auto ipip"
	"native nat"
	"native nat source_nat: false"
	"native dsr"
	"native ipip"
)
(($#)) && stories=("$@")
for story in "${stories[@]}"; do
	read -r xdp forward keys <<<"$story"
	story "$xdp" "$forward" "$keys"
done
