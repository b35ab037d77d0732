#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A flood of SYNs from nobody to a service, whether it is answered or not: connections that are open stay open,
# used or not, and new ones are made meanwhile.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

vip=192.0.2.10
flood_s=10
rate=250000 # a second

net_up 2
# The flood has cables of its own, one for each CPU: it is not the client's that is to be full.
for i in 1 2; do
	add_host a$i
	add_link a$i ga$i 10.3.$i fd03:$i
done
# Whoever answers those who do not exist must not be kept busy with looking for them.
on gateway ip route add blackhole 198.18.0.0/15
for b in b1 b2; do
	backend_start $b
	on $b sysctl -qw net.ipv4.tcp_max_syn_backlog=4096 net.core.somaxconn=4096
done

flood_config() {
	config "interfaces: [ { name: gc, xdp: $1 }, { name: ga1, xdp: $1 }, { name: ga2, xdp: $1 }, { name: gb1, xdp: $1 }, { name: gb2, xdp: $1 } ]" <<-EOF
		probes:
		  - { name: quick, protocol: tcp, interval: 1s, timeout: 5s, unhealthy_threshold: 5 }
		settings:
		  - { name: web, protocol: tcp, port: 80, probe: quick }
		pools:
		  - { name: p, backends: [ { address: 10.2.1.2 }, { address: 10.2.2.2 } ] }
		services:
		  - { name: shop, listen: "$vip:80", pool: p, settings: web, forward: nat }
	EOF
}

# A connection that says nothing until $work/ask exists, and then asks.
idle_start() {
	mkfifo "$work/ask.$1"
	nsenter --net="/run/netns/$ns_id-client" socat -t5 - "TCP:$vip:80" <"$work/ask.$1" >"$work/idle.$1" 2>&1 &
	idle_pids+=($!)
}

idle_answers() {
	local i fd
	for i in 1 2 3 4; do
		printf 'GET / HTTP/1.0\r\n\r\n' >&"${idle_fds[i]}"
		fd=${idle_fds[i]}
		exec {fd}>&-
	done
	wait "${idle_pids[@]}"
	cat "$work"/idle.*
	[ "$(grep -c 'hello from' "$work"/idle.* | grep -c ':1$')" = 4 ]
}

connected() {
	[ "$(on client ss -Htn state established dst "$vip" | wc -l)" -ge "$1" ]
}

# A flood displaces by chance what is half open, and so now and then one that is none of it: who tries
# again gets through.
many_fetches() {
	local i
	for ((i = 0; i < 50; i++)); do
		fetch --max-time 5 --retry 2 --retry-all-errors -o /dev/null "http://$vip/" || return 1
	done
}

# Flood, gateway and the backends share this machine's CPUs. What one is too many for is lost on the cables; much
# less than what was sent would be no flood. Backends that answer take more of the CPUs than all others.
enough() {
	local least=$((rate * flood_s / 2)) got

	[ "$1" = silent ] || least=$((rate * flood_s / 5))
	got=$(sluice stats --json | jq '.pools[0].services[0].kernel.packets')
	echo "$got of $(cat "$work/flood.1") and $(cat "$work/flood.2") SYNs in $flood_s s"
	((got >= least))
}

# Whether backends answer the flood.
answer() {
	local b

	for b in b1 b2; do
		on $b nft flush ruleset
		[ "$1" = answered ] || on $b nft -f - <<-EOF
			table netdev flood {
				chain ingress {
					type filter hook ingress device eth0 priority 0;
					ip saddr 198.18.0.0/15 drop
				}
			}
		EOF
	done
}

story() {
	local what="$1, $2" i fd
	idle_pids=() idle_fds=(x)

	if [ "$1" = native ]; then
		net_prepare_native b1 b2 a1 a2
	fi
	flood_config "$1"
	check "$what: backends are set up" answer "$2"
	# What is sent to it as XDP sends gets lost unless it polls.
	for i in 1 2; do on gateway ethtool -K ga$i gro on >/dev/null; done
	daemon_start
	check "$what: backends are healthy" eventually all_healthy
	for i in 1 2 3 4; do
		idle_start $i
		exec {fd}>"$work/ask.$i"
		idle_fds[i]=$fd
	done
	check "$what: four connections are open and idle" eventually connected 4
	nsenter --net="/run/netns/$ns_id-client" curl -sS --limit-rate 3M -o /dev/null -w '%{size_download}' \
		"http://$vip/huge" >"$work/busy.out" 2>&1 </dev/null &
	busy_pid=$!
	check "$what: and a fifth is busy" eventually connected 5

	flood_pids=()
	for i in 1 2; do
		nsenter --net="/run/netns/$ns_id-a$i" "$build/tests/netns/flood" eth0 \
			"$(on gateway ip -j link show ga$i | jq -r '.[0].address')" $vip 80 $((rate / 2)) $flood_s $i \
			>"$work/flood.$i" 2>&1 </dev/null &
		flood_pids+=($!)
	done
	check "$what: new connections succeed during the flood" many_fetches
	check "$what: it ends" wait "${flood_pids[@]}"
	check "$what: it was one" enough "$2"
	sed 's/^/# /' "$work/check.out"
	check "$what: idle connections are still open" idle_answers
	check "$what: the busy one went on" wait $busy_pid
	check "$what: and is whole" test "$(cat "$work/busy.out")" = $((64 << 20))
	check "$what: no backend was taken for dead" all_healthy
	check "$what: orderly stop" daemon_stop TERM
	check "$what: detach --all" sluice detach --all
	rm -f "$work"/ask.* "$work"/idle.*
}

stories=("auto answered" "native answered" "native silent")
(($#)) && stories=("$@")
for story in "${stories[@]}"; do
	# shellcheck disable=SC2086
	story $story
done
