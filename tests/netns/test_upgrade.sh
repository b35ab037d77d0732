#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A million numbered datagrams through a service, while its programs and maps are exchanged for others again and
# again: none may be lost.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

vip4=192.0.2.10 vip6=2001:db8::10
count=1000000 rate=50000
port=5300

net_up 2
for b in b1 b2; do backend_start $b; done

# upgrade_config XDP FORWARD ENDPOINTS: other map sizes are other maps, and other programs over them.
upgrade_config() {
	config "max_endpoints: $3" "interfaces: [ { name: gc, xdp: $1 }, { name: gb1, xdp: $1 }, { name: gb2, xdp: $1 } ]" <<-EOF
		probes:
		  - { name: quick, protocol: tcp, port: 80, interval: 1s, timeout: 5s }
		settings:
		  - { name: datagrams, protocol: udp, port: $port, probe: quick }
		pools:
		  - { name: four, backends: [ { address: 10.2.1.2 }, { address: 10.2.2.2 } ] }
		  - { name: six, backends: [ { address: "fd02:1::2" }, { address: "fd02:2::2" } ] }
		services:
		  - { name: s4, listen: "$vip4:$port/udp", pool: four, settings: datagrams, forward: $2 }
		  - { name: s6, listen: "[$vip6]:$port/udp", pool: six, settings: datagrams, forward: $2 }
	EOF
}

receivers_start() {
	local b

	receivers=()
	for b in b1 b2; do
		nsenter --net="/run/netns/$ns_id-$b" "$build/tests/netns/numbers" receive $port $count >"$work/$b.numbers" </dev/null &
		receivers+=($!)
	done
	eventually listening b1 && eventually listening b2
}

listening() {
	on "$1" ss -Huln "sport = :$port" | grep -q .
}

# As long as numbers are being sent; at least ten times.
upgrade_meanwhile() {
	local i

	for ((i = 0; i < 10 || i % 2; i++)); do
		kill -0 "$1" || break
		upgrade_config "$xdp" "$forward" $((128 + i % 2 * 128))
		reload "reloaded: " || return 1
	done
	echo "$i upgrades"
	((i >= 10))
}

# All of them came, each once, and both backends had some.
none_is_lost() {
	kill -TERM "${receivers[@]}"
	wait "${receivers[@]}"
	cat "$work/sent" "$work/b1.numbers" "$work/b2.numbers"
	awk -v count=$count '{ n += $1; again += $2; if (!$1) idle = 1 } END { exit !(n == count && !again && !idle) }' \
		"$work/b1.numbers" "$work/b2.numbers"
}

story() {
	xdp=$1 forward=$2
	local what="$1 $2 $3" vip=$3 sender

	if [ "$xdp" = native ]; then net_prepare_native b1 b2; fi
	for b in b1 b2; do
		[ "$forward" = nat ] || on $b ip addr replace $vip4/32 dev lo
		[ "$forward" = nat ] || on $b ip addr replace $vip6/128 dev lo nodad
	done
	upgrade_config "$xdp" "$forward" 64
	daemon_start
	check "$what: backends are healthy" eventually all_healthy
	check "$what: receivers listen" receivers_start
	nsenter --net="/run/netns/$ns_id-client" "$build/tests/netns/numbers" send "$vip" $port $count $rate \
		>"$work/sent" </dev/null &
	sender=$!
	check "$what: other programs and maps, ten times" upgrade_meanwhile $sender
	check "$what: everything was sent" wait $sender
	check "$what: of a million none was lost" none_is_lost
	check "$what: orderly stop" daemon_stop TERM
	check "$what: detach --all" sluice detach --all
}

stories=("auto nat $vip4" "native nat $vip6" "native dsr $vip4")
(($#)) && stories=("$@")
for story in "${stories[@]}"; do
	# shellcheck disable=SC2086
	story $story
done
