#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What HAProxy may have: as many clients at a time as gateway.l7 says, and as many threads; both change with a reload.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_l7.sh
. "$(dirname "$0")/lib_l7.sh"

net_up 1
vip_up
teller_start b1

# write_config MAX_CONNECTIONS THREADS
write_config() {
	config "interfaces: [ { name: gc }, { name: gb1 } ]" "l7: { max_connections: $1, threads: $2 }" <<-EOF
		probes:
		  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 1 }
		settings:
		  - { name: web, protocol: http, port: 80, probe: quick, request_timeout: 5m }
		pools:
		  - { name: p, backends: [ { address: 10.2.1.2 } ] }
		services:
		  - { name: shop, listen: "$vip:80", forward: l7, pool: p, settings: web }
		  - { name: shop6, listen: "[$vip6]:80", forward: l7, pool: p, settings: web }
	EOF
}

with() {
	write_config "$@"
	reload "reloaded:" || fail "the configuration is loaded"
	eventually serves_current || fail "HAProxy serves the configuration"
}

# --- threads --------------------------------------------------------------------------------------
# Neither number is what auto would be.
some=$(($(nproc) + 1)) others=$(($(nproc) + 2))
has_threads() {
	[ "$(info Nbthread)" = "$1" ] && [ "$(find "/proc/$(info Pid)/task" -mindepth 1 -maxdepth 1 | wc -l)" = "$1" ]
}
write_config 16 $some
daemon_start
eventually all_healthy || fail "the backend is healthy"
check "HAProxy serves" eventually serves_current
check "with as many threads as it is told" has_threads $some
with 16 $others
check "a reload changes that" eventually has_threads $others

# --- max_connections ------------------------------------------------------------------------------
# crowd N: N clients at the same time, half of them by IPv6, who each keep a connection busy as long as the file is
# there; who is answered is in $work/crowd.
crowd() {
	local url
	touch "$work/b1.sick.held"
	for url in "http://$vip" "http://[$vip6]"; do
		fetch --max-time $((30 * patience)) -Z --parallel-immediate --parallel-max $(($1 / 2)) -H 'Connection: close' \
			"$url/held?[1-$(($1 / 2))]" >"$work/crowd.${#url}" 2>"$work/out" &
		crowd_pids+=($!)
	done
}
crowd_end() {
	rm "$work/b1.sick.held"
	wait "${crowd_pids[@]}"
	crowd_pids=()
	cat "$work"/crowd.* >"$work/crowd"
}
crowd_pids=()
answered() { jq -r .name "$work/crowd" | grep -cx b1; }
most() { jq -s 'map(.most) | max' "$work/crowd"; }
open_now() { sluice stats --json | jq 'first(.pools[].services[].endpoints[]).l7.sessions'; }
is_open() { [ "$(open_now)" = "$1" ]; }
waiting() { on gateway ss -Hltn "sport = :80" | awk '{ n += $2 } END { print n + 0 }'; }
are_waiting() { [ "$(waiting)" = "$1" ]; }
clients() { sluice l7 status --json | jq -c '[.clients[]]'; }
clients_are() { [ "$(clients)" = "$1" ]; }
crowd 40
check "as many clients as may be are served at a time" eventually is_open 16
check "the others wait, and none has to ask again" eventually are_waiting 24
check "as the status says" eventually clients_are "[16,16,24]"
check "in text, too" grep -qx "clients        16 of 16 connections, 24 waiting" <(sluice l7 status)
check "and the metrics" grep -qx "sluice_l7_clients_waiting 24" <(on gateway curl -s 'http://127.0.0.1:9477/metrics')
crowd_end
check "and are served in their turn" test "$(answered)" = 40
check "the backend has never had more" test "$(most)" = 16
with 24 $others
crowd 40
check "a reload changes that, too" eventually clients_are "[24,24,16]"
crowd_end
check "all are served" test "$(answered)" = 40
check "by that limit" test "$(most)" = 24
check "nobody waits any more" eventually clients_are "[0,24,0]"
