#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a client hears of the end of a drain that only listens: large segments, checksums left to the device, and
# nothing to say itself.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

vip4=192.0.2.10 vip6=2001:db8::10

net_up 2
for b in b1 b2; do backend_start $b; done

cutoff_config() {
	config "interfaces: [ { name: gc, xdp: $1 }, { name: gb1, xdp: $1 }, { name: gb2, xdp: $1 } ]" <<-EOF
		probes:
		  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s }
		settings:
		  - { name: web, protocol: http, port: 80, probe: quick }
		pools:
		  - { name: four, backends: [ { address: 10.2.1.2 }, { address: 10.2.2.2 } ] }
		  - { name: six, backends: [ { address: "fd02:1::2" }, { address: "fd02:2::2" } ] }
		services:
		  - { name: shop, listen: "$vip4:80", pool: four, settings: web }
		  - { name: shop6, listen: "[$vip6]:80", pool: six, settings: web }
	EOF
}

# transfer URL: a download, and what became of it.
transfer() {
	nsenter --net="/run/netns/$ns_id-client" curl -sS --max-time 30 -o "$work/got" "$1" >"$work/curl" 2>&1 </dev/null &
	transfer_pid=$!
	eventually test -s "$work/got"
}

drain_all() {
	local backend

	for backend in $2; do sluice backend drain "$1" "$backend" --timeout 1s || return 1; done
}

enable_all() {
	local backend

	for backend in $2; do sluice backend enable "$1" "$backend" || return 1; done
}

# Long before its own patience ends.
is_reset() {
	local begun=$SECONDS status

	wait "$transfer_pid"
	status=$?
	cat "$work/curl"
	((status == 56 && SECONDS - begun < 10)) && grep -q reset "$work/curl"
}

# decided N: of what came too late, at least so much was passed on as a RST.
decided() {
	[ "$(sluice stats --json | jq .decisions.forward_reset)" -ge "$1" ]
}

story() {
	local xdp=$1 n=0 url pool backends

	if [ "$xdp" = native ]; then net_prepare_native b1 b2; fi
	cutoff_config "$xdp"
	daemon_start
	check "$xdp: backends are healthy" eventually all_healthy
	while read -r url pool backends; do
		rm -f "$work/got"
		check "$xdp: $pool: a transfer runs" transfer "$url"
		check "$xdp: $pool: its backend is drained" drain_all "$pool" "$backends"
		check "$xdp: $pool: the client hears of the end" is_reset
		n=$((n + 1))
		check "$xdp: $pool: from the endpoint's own packet" eventually decided $n
		check "$xdp: $pool: enabled again" enable_all "$pool" "$backends"
	done <<-EOF
		http://$vip4/slow four 10.2.1.2 10.2.2.2
		http://[$vip6]/slow six fd02:1::2 fd02:2::2
	EOF
	check "$xdp: orderly stop" daemon_stop TERM
	check "$xdp: detach --all" sluice detach --all
}

story auto
story native
