#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A service under load, every request on a connection of its own, while all that can happen to a
# gateway happens: no client sees an error that it need not see.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

vip=192.0.2.10

net_up 3
on client ip route add 192.0.2.0/24 via 10.1.0.1
# A client that never waits leaves no port idle for a minute.
on client sysctl -qw net.ipv4.ip_local_port_range="1024 65535" net.ipv4.tcp_tw_reuse=1
for b in b1 b2 b3; do backend_start $b; done

# write_config XDP FORWARD BACKENDS [ENDPOINTS]: with so little room for flows that those that are over make way all the time.
write_config() {
	config "max_flows: 8192" "max_half_open: 4096" "max_endpoints: ${4:-64}" "interfaces: [ { name: gc, xdp: $1 }, { name: gb1, xdp: $1 }, { name: gb2, xdp: $1 }, { name: gb3, xdp: $1 } ]" <<-EOF
		probes:
		  - { name: quick, protocol: http, path: /healthz, interval: 100ms, timeout: 1s, unhealthy_threshold: 1 }
		settings:
		  - { name: web, protocol: http, port: 80, probe: quick }
		pools:
		  - { name: p, backends: [ $3 ] }
		services:
		  - { name: shop, listen: "$vip:80", pool: p, settings: web, forward: $2 }
	EOF
}
two="{ address: 10.2.1.2 }, { address: 10.2.2.2 }"
three="$two, { address: 10.2.3.2 }"

# load_start SECONDS: requests from 8 connections at a time. wrk finds the port of http in /etc/services only.
load_start() {
	nsenter --net="/run/netns/$ns_id-client" wrk -t1 -c8 -d"${1}s" --timeout 5s -H 'Connection: close' \
		"http://$vip:80/" >"$work/wrk.out" 2>&1 </dev/null &
	wrk_pid=$!
}

# Wait for its end, and see that there were many and none failed.
load_is_clean() {
	wait "$wrk_pid" && cat "$work/wrk.out"
	awk '/requests in/ { n = $1 } /Socket errors|Non-2xx/ { failed = 1 }
		END { exit !(n > 1000 && !failed) }' "$work/wrk.out"
}

ten_reloads() {
	local i backends

	for ((i = 0; i < 10; i++)); do
		backends=$three
		((i % 2)) || backends=$two
		write_config "$xdp" "$forward" "$backends"
		reload "reloaded: " || return 1
	done
}

# Other map sizes are other maps, and other programs over them.
ten_upgrades() {
	local i

	for ((i = 0; i < 10; i++)); do
		write_config "$xdp" "$forward" "$three" $((128 + i % 2 * 128))
		reload "reloaded: " || return 1
	done
	write_config "$xdp" "$forward" "$three"
}

story() {
	xdp=$1 forward=$2
	local what="$1 $2"

	if [ "$xdp" = native ]; then
		net_prepare_native b1 b2 b3
	fi
	for b in b1 b2 b3; do
		[ "$forward" != nat ] && on $b ip addr replace $vip/32 dev lo
	done
	write_config "$xdp" "$forward" "$three"
	daemon_start
	check "$what: backends are healthy" eventually all_healthy

	load_start 3
	check "$what: under load: no error" load_is_clean

	load_start 4
	check "$what: ten reloads, with a backend more or less" ten_reloads
	check "$what: no error meanwhile" load_is_clean
	eventually all_healthy

	load_start 6
	check "$what: ten times other programs and maps" ten_upgrades
	check "$what: no error meanwhile" load_is_clean
	eventually all_healthy

	load_start 4
	daemon_stop KILL
	check "$what: the daemon is killed and started again" daemon_start
	check "$what: no error meanwhile" load_is_clean

	# Its own check fails first: nobody is sent there any more, and nobody was cut off.
	load_start 4
	touch "$work/b2.sick"
	check "$what: a backend turns unhealthy" eventually health_is 10.2.2.2 Unhealthy
	rm "$work/b2.sick"
	check "$what: and healthy again" eventually all_healthy
	check "$what: no error meanwhile" load_is_clean

	# All at once: what was in flight there is lost, and what comes until a probe has found out.
	load_start 4
	kill -KILL "$(pgrep -P "$(cat "$work/b3/nginx.pid")")" "$(cat "$work/b3/nginx.pid")"
	check "$what: a backend is killed" eventually health_is 10.2.3.2 Unhealthy
	check "$what: errors end with it" load_is_short
	backend_start b3
	check "$what: orderly stop" daemon_stop TERM
	check "$what: detach --all" sluice detach --all
}

# The gate cannot know before a probe does; but from then on nobody may be refused.
load_is_short() {
	wait "$wrk_pid"
	cat "$work/wrk.out"
	load_start 2
	load_is_clean
}

stories=("auto nat" "native nat" "auto dsr")
(($#)) && stories=("$@")
for story in "${stories[@]}"; do
	# shellcheck disable=SC2086
	story $story
done
