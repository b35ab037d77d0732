#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A service under load, every request on a connection of its own, while all that can happen to a
# gateway happens: no client sees an error that it need not see.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

vip4=192.0.2.10 vip6=2001:db8::10
urls=("http://$vip4:80" "http://[$vip6]:80")

net_up 3
# A client that never waits leaves no port idle for a minute.
on client sysctl -qw net.ipv4.ip_local_port_range="1024 65535" net.ipv4.tcp_tw_reuse=1
for b in b1 b2 b3; do
	backend_start $b
	backend_decapsulates $b
done

# write_config XDP FORWARD BACKENDS [ENDPOINTS]: so many backends; with so little room for flows that those that are over make way all the time.
write_config() {
	local i four='' six=''

	for ((i = 1; i <= $3; i++)); do
		four+="${four:+, }{ address: 10.2.$i.2 }"
		six+="${six:+, }{ address: \"fd02:$i::2\" }"
	done
	config "max_flows: 8192" "max_half_open: 4096" "max_endpoints: ${4:-64}" "interfaces: [ { name: gc, xdp: $1 }, { name: gb1, xdp: $1 }, { name: gb2, xdp: $1 }, { name: gb3, xdp: $1 } ]" <<-EOF
		probes:
		  - { name: quick, protocol: http, path: /healthz, interval: 100ms, timeout: 1s, unhealthy_threshold: 1 }
		settings:
		  - { name: web, protocol: http, port: 80, probe: quick }
		pools:
		  - { name: four, backends: [ $four ] }
		  - { name: six, backends: [ $six ] }
		services:
		  - { name: shop4, listen: "$vip4:80", pool: four, settings: web, forward: $2 }
		  - { name: shop6, listen: "[$vip6]:80", pool: six, settings: web, forward: $2 }
	EOF
}
# load_start SECONDS: requests over four connections at a time to each service. wrk finds the port of http in
# /etc/services only.
load_start() {
	local i

	wrk_pids=()
	for i in 0 1; do
		nsenter --net="/run/netns/$ns_id-client" wrk -t1 -c4 -d"${1}s" --timeout 5s -H 'Connection: close' \
			"${urls[i]}/" >"$work/wrk.$i" 2>&1 </dev/null &
		wrk_pids+=($!)
	done
}

# was_clean FILE N: at least so many requests, and none failed.
was_clean() {
	cat "$1"
	awk -v least="$2" '/requests in/ { n = $1 } /Socket errors|Non-2xx/ { failed = 1 }
		END { exit !(n >= least && !failed) }' "$1"
}

# Wait for its end, and see that there were many and none failed.
load_is_clean() {
	wait "${wrk_pids[@]}"
	was_clean "$work/wrk.0" 500 && was_clean "$work/wrk.1" 500
}

# One connection after the other, ten thousand of them.
sequence_is_clean() {
	local n=0

	while ((n < 10000)); do
		on client wrk -t1 -c1 -d2s --timeout 5s -H 'Connection: close' "$1/" >"$work/wrk.0" 2>&1
		was_clean "$work/wrk.0" 100 || return 1
		n=$((n + $(awk '/requests in/ { print $1 }' "$work/wrk.0")))
	done
}

ten_reloads() {
	local i

	for ((i = 0; i < 10; i++)); do
		write_config "$xdp" "$forward" $((2 + i % 2))
		reload "reloaded: " || return 1
	done
}

# Other map sizes are other maps, and other programs over them.
ten_upgrades() {
	local i

	for ((i = 0; i < 10; i++)); do
		write_config "$xdp" "$forward" 3 $((128 + i % 2 * 128))
		reload "reloaded: " || return 1
	done
	write_config "$xdp" "$forward" 3
}

# drained POOL ADDRESS: to the end, and then used again.
drained() {
	sluice backend drain "$1" "$2" --timeout 1s && eventually drain_is_over "$2" && sluice backend enable "$1" "$2"
}

drain_is_over() {
	[ "$(health_of "$1" .drain.left_ms)" = 0 ]
}

story() {
	xdp=$1 forward=$2
	local what="$1 $2" url

	if [ "$xdp" = native ]; then
		net_prepare_native b1 b2 b3
	fi
	for b in b1 b2 b3; do
		[ "$forward" = nat ] || on $b ip addr replace $vip4/32 dev lo
		[ "$forward" = nat ] || on $b ip addr replace $vip6/128 dev lo nodad
	done
	write_config "$xdp" "$forward" 3
	daemon_start
	check "$what: backends are healthy" eventually all_healthy

	for url in "${urls[@]}"; do
		check "$what: $url: $transfer_mib MiB down" carries down "$url"
		check "$what: $url: $transfer_mib MiB up" carries up "$url"
		check "$what: $url: 10,000 connections, one after the other: no error" sequence_is_clean "$url"
	done

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

	load_start 5
	check "$what: a backend is drained" drained four 10.2.1.2
	check "$what: and over IPv6" drained six fd02:1::2
	check "$what: and enabled again" eventually all_healthy
	check "$what: no error meanwhile" load_is_clean

	# Its own check fails first: nobody is sent there any more, and nobody was cut off.
	load_start 4
	touch "$work/b2.sick"
	check "$what: a backend turns unhealthy" eventually health_is 10.2.2.2 Unhealthy
	check "$what: and over IPv6" eventually health_is fd02:2::2 Unhealthy
	rm "$work/b2.sick"
	check "$what: and healthy again" eventually all_healthy
	check "$what: no error meanwhile" load_is_clean

	# All at once: what was in flight there is lost, and what comes until a probe has found out.
	load_start 4
	kill -KILL "$(pgrep -P "$(cat "$work/b3/nginx.pid")")" "$(cat "$work/b3/nginx.pid")"
	check "$what: a backend is killed" eventually health_is 10.2.3.2 Unhealthy
	check "$what: and over IPv6" eventually health_is fd02:3::2 Unhealthy
	check "$what: errors end with it" load_is_short
	backend_start b3
	check "$what: orderly stop" daemon_stop TERM
	check "$what: detach --all" sluice detach --all
}

# The gate cannot know before a probe does; but from then on nobody may be refused.
load_is_short() {
	wait "${wrk_pids[@]}"
	load_start 2
	load_is_clean
}

stories=("auto nat" "native nat" "auto dsr" "native dsr" "auto ipip" "native ipip")
(($#)) && stories=("$@")
for story in "${stories[@]}"; do
	# shellcheck disable=SC2086
	story $story
done
