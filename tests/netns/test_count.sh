#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A million attempts to connect, as fast as they can be made: every packet is counted once, and whatever came of each
# attempt, or that it was lost sight of, adds up to them.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

wanted=1000000

net_up 1
for i in 1 2; do
	add_host a$i
	on a$i sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	add_link a$i ga$i 10.3.$i fd03:$i 2>/dev/null
	on gateway sysctl -qw net.ipv6.conf.ga$i.disable_ipv6=1
done
on gateway ip route add blackhole 198.18.0.0/15
on b1 nft -f - <<-'EOF'
	table netdev silence {
		chain ingress {
			type filter hook ingress device eth0 priority 0;
			ip saddr 198.18.0.0/15 tcp dport 82 drop
		}
	}
EOF

count_config() {
	config "mode: observe" "interfaces: [ { name: ga1, xdp: $1 }, { name: ga2, xdp: $1 }, { name: gb1, xdp: $1 } ]" <<-EOF
		pools: [ { name: p, backends: [ { address: 10.2.1.2 } ] } ]
		settings:
		  - { name: s81, protocol: tcp, port: 81, passive: { enabled: false } }
		  - { name: s82, protocol: tcp, port: 82, passive: { enabled: false } }
		services:
		  - { name: refuses, pool: p, settings: s81 }
		  - { name: silent, pool: p, settings: s82 }
	EOF
}

kernel() {
	sluice stats --json | jq "first(.pools[].services[].endpoints[] | select(.port == $1)).kernel | $2"
}

counted() {
	[ "$(kernel "$1" "$2")" = true ]
}

received() {
	on gateway ip -j -s link show | jq '[.[] | select(.ifname == "ga1" or .ifname == "ga2") | .stats64.rx.packets] | add'
}

# flood PORT NTH: a second of it, over both cables.
flood() {
	local i pids=()

	for i in 1 2; do
		nsenter --net="/run/netns/$ns_id-a$i" "$build/tests/netns/flood" eth0 \
			"$(on gateway ip -j link show ga$i | jq -r '.[0].address')" 10.2.1.2 "$1" 1000000 1 $(($2 * 2 + i)) \
			>"$work/flood.$i" 2>&1 </dev/null &
		pids+=($!)
	done
	wait "${pids[@]}"
}

# floods PORT: until there were enough.
floods() {
	local nth

	for nth in {0..15}; do
		flood "$1" "$nth" || return 1
		[ "$(kernel "$1" .syn)" -lt $wanted ] || return 0
	done
	return 1
}

story() {
	local port what before

	[ "$1" = auto ] || net_prepare_native a1 a2 b1
	for i in 1 2; do on gateway ethtool -K ga$i gro on >/dev/null; done
	count_config "$1"
	daemon_start
	for port in 81 82; do
		what="$1, port $port"
		before=$(received)
		check "$what: $wanted SYNs" floods $port
		check "$what: each that the cables carried is counted" test "$(kernel $port .syn)" = $(($(received) - before))
		check "$what: as an attempt, or as one that was sent again" counted $port '.attempts + .retransmits == .syn'
		check "$what: all of them come to something" eventually counted $port '.pending == 0'
		check "$what: and it adds up" counted $port \
			'.syn_ack + .refused + .unreachable + .unanswered + .unsampled == .attempts'
		echo "# $(kernel $port '"\(.attempts) attempts, \(.refused) refused, \(.unanswered) unanswered, \(.unsampled) unsampled"')"
	done
	check "$1: what refuses, refused" counted 81 '.refused > 0 and .syn_ack == 0'
	check "$1: what is silent, was" counted 82 '.refused == 0 and .syn_ack == 0 and .unanswered > 0'
	check "$1: orderly stop" daemon_stop TERM
	check "$1: detach --all" sluice detach --all
}

stories=(auto native)
(($#)) && stories=("$@")
for xdp in "${stories[@]}"; do story "$xdp"; done
