#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Layer 7 under load: HAProxy is reloaded twenty times, then the daemon, each backend in turn, HAProxy and its worker
# are killed. No request fails but those in flight to what was killed.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_l7.sh
. "$(dirname "$0")/lib_l7.sh"

reloads=20 clients=16

net_up 3
vip_up
for b in b1 b2 b3; do backend_start $b; done

# write_config TIMEOUT: a key that changes HAProxy's configuration and nothing else.
write_config() {
	config "interfaces: [ { name: gc }, { name: gb1 }, { name: gb2 }, { name: gb3 } ]" <<-EOF
		probes:
		  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 1 }
		settings:
		  - { name: web, protocol: http, port: 80, probe: quick, request_timeout: $1 }
		pools:
		  - { name: p, backends: [ { address: 10.2.1.2 }, { address: 10.2.2.2 }, { address: 10.2.3.2 } ] }
		services:
		  - { name: shop, listen: "$vip:80", forward: l7, pool: p, settings: web }
	EOF
}

# load: in the background, until load_end, which says what failed.
load() {
	on client wrk -t1 -c$clients -d600 --timeout 5s "http://$vip/" >"$work/wrk.out" 2>&1 </dev/null &
	load_pid=$!
	load_goes_on 1000
}

# load_goes_on N: until HAProxy has had so many requests more.
load_goes_on() {
	local before
	before=$(info CumReq)
	eventually has_had $((${before:?} + $1)) || fail "there is load"
}
has_had() { [ "$(info CumReq)" -ge "$1" ]; }

load_end() {
	load_goes_on 10000
	# Interrupted, it says what it has counted.
	kill -INT "$(pgrep -x wrk -P "$load_pid" || echo "$load_pid")"
	wait "$load_pid"
	sed 's/^/# /' "$work/wrk.out" >&2
}

# failed WHAT...: requests that failed in any of these ways: status, connect, read, write, timeout.
failed() {
	awk -v "what=$*" '
		/requests in/ { n = $1 }
		/Non-2xx/ { count["status"] = $NF }
		/Socket errors/ { gsub(",", ""); for (i = 3; i < NF; i += 2) count[$i] = $(i + 1) }
		END { if (!n) exit 1; split(what, names, " "); for (i in names) sum += count[names[i]]; print sum + 0 }' "$work/wrk.out"
}
failures() { failed status connect read write timeout; }

at_most() {
	local n
	n=$("${@:2}") || return
	echo "$n"
	((n <= $1))
}

serves_number() {
	sluice l7 status --json | jq -e --argjson n "$1" '.current and .configuration >= $n'
}

write_config 20
daemon_start
check "backends are healthy" eventually all_healthy
check "HAProxy serves" eventually serves_current

# --- reloads ------------------------------------------------------------------------------------
first=$(sluice l7 status --json | jq .configuration)
load
for ((i = 1; i <= reloads; i++)); do
	write_config $((20 + i))
	reload "reloaded:" || fail "the configuration is loaded"
	eventually serves_number $((first + i)) || fail "reload $i is served"
done
load_end
check "$reloads reloads" test "$(sluice l7 status --json | jq .reloads)" = $reloads
check "and no request failed" at_most 0 failures

# --- the daemon ---------------------------------------------------------------------------------
master=$(master_pid)
load
kill -KILL "$daemon_pid"
wait "$daemon_pid" 2>/dev/null
load_goes_on 20000
daemon_start
check "a HAProxy that serves is adopted" eventually serves_current
load_end
check "it is the same process" test "$(master_pid)" = "$master"
check "no request failed for kill -9 of the daemon" at_most 0 failures

# --- each backend in turn -----------------------------------------------------------------------
eventually all_healthy
load
for b in b1 b2 b3; do
	kill -KILL "$(cat "$work/$b/nginx.pid")"
	ip netns pids "$ns_id-$b" | xargs -r kill -KILL
	eventually server_is "10.2.${b#b}.2" DOWN || fail "HAProxy knows that $b is gone"
	load_goes_on 10000
	bg $b nginx -c "$work/$b/nginx.conf" -p "$work/$b"
	eventually all_healthy || fail "$b is back"
done
load_end
# Each has a share of the clients at a time, and one more that was just on its way.
check "each backend's death costs no more than what was in flight" at_most $((3 * (clients / 3 + 1))) failures

# --- HAProxy ------------------------------------------------------------------------------------
is_another() { [ "$(master_pid)" != "$1" ] && serves_current; }
# killed WHAT PID: each client has one request in flight; whoever comes until there is another HAProxy waits for it.
killed() {
	local since
	master=$(master_pid)
	load
	since=$(date +%s%3N)
	kill -KILL "$2"
	check "$1: HAProxy is started again" eventually is_another "$master"
	check "$1: within a second" test $(($(date +%s%3N) - since)) -lt $((1000 * patience))
	load_end
	check "$1: nobody was refused, waited in vain, or got an answer of another sort" at_most 0 failed connect status timeout
	check "$1: nothing failed but what was in flight" at_most $clients failures
	load
	load_end
	check "$1: and then nobody failed" at_most 0 failures
}
killed "kill of the master" "$(master_pid)"
killed "kill of the worker" "$(pgrep -P "$(master_pid)")"
check "the daemon stops in order" daemon_stop TERM
