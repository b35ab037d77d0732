#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# HAProxy's process: killed, left behind by a daemon that is killed, adopted, stopped; absent.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_l7.sh
. "$(dirname "$0")/lib_l7.sh"

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

at_most() {
	local n
	n=$("${@:2}")
	echo "$n"
	((n <= $1))
}

write_config 20
daemon_start
check "backends are healthy" eventually all_healthy
check "HAProxy serves" eventually serves_current

# --- the daemon ---------------------------------------------------------------------------------
master=$(master_pid)
kill -KILL "$daemon_pid"
wait "$daemon_pid" 2>/dev/null
check "HAProxy serves without the daemon" status_is 200 "http://$vip/"
daemon_start
check "a HAProxy that serves is adopted" eventually serves_current
check "it is the same process" test "$(master_pid)" = "$master"
check "with the same configuration" test "$(sluice l7 status --json | jq -c '[.starts, .reloads]')" = "[0,0]"
check "and verdicts reach it again" eventually all_healthy
touch "$work/b3.sick"
check "an unhealthy backend is down" eventually server_is 10.2.3.2 DOWN
rm "$work/b3.sick"
check "and up again" eventually server_is 10.2.3.2 "no check"
kill -HUP "$daemon_pid"
sleep 0.3
check "the same configuration is no reload" test "$(sluice l7 status --json | jq .reloads)" = 0

# --- HAProxy ------------------------------------------------------------------------------------
kill -KILL "$(master_pid)"
is_another() { [ "$(master_pid)" != "$1" ] && serves_current; }
check "a killed HAProxy is started again" eventually is_another "$master"
check "and serves" eventually status_is 200 "http://$vip/"
master=$(master_pid)
worker=$(pgrep -P "$master")
kill -KILL "$worker"
check "and so it is when its worker is killed" eventually is_another "$master"
check "which serves, too" eventually status_is 200 "http://$vip/"

# One that is there, and says nothing.
says_error() { [ "$(sluice l7 status --json | jq '.error // "" | test("does not answer")')" = "$1" ]; }
both_told() {
	[ "$(sluice events --json | jq '[.events[].text | select(test("does not answer|answers again"))] | length')" = 2 ]
}
worker=$(info Pid)
kill -STOP "$worker"
check "a HAProxy that does not answer is reported" eventually says_error true
touch "$work/b3.sick"
check "the daemon goes on meanwhile" eventually health_is 10.2.3.2 Unhealthy
kill -CONT "$worker"
check "and once it answers, it hears of what it has missed" eventually server_is 10.2.3.2 DOWN
check "that is over then" eventually says_error false
check "both are events" eventually both_told
rm "$work/b3.sick"
check "and the backend is up again" eventually server_is 10.2.3.2 "no check"

# --- clients while there is no HAProxy ------------------------------------------------------------
cat >"$work/late" <<-'EOF'
	#!/bin/sh
	[ "$1" = -W ] && sleep "$(cat "$0.s")"
	exec haproxy "$@"
EOF
chmod +x "$work/late"
# late TIMEOUT: the next process is one that starts late.
late() {
	write_config "$1"
	sed -i "s|^  state_dir|  l7: { program: $work/late }\n  state_dir|" "$work/sluice.yaml"
	reload "reloaded:" || fail "the configuration is loaded"
	eventually serves_current
}
lose() { # SECONDS: HAProxy is killed, with its worker, and the next one comes that much later
	master=$(master_pid)
	echo "$1" >"$work/late.s"
	pgrep -P "$master" | xargs kill -KILL "$master"
	eventually is_gone "$master"
}
is_gone() { [ "$(master_pid)" != "$1" ]; }
listeners() { on gateway ss -Hltn src $vip | wc -l; }
listens_once() { [ "$(listeners)" = 1 ]; }
late 21
lose 2
check "who comes while there is none waits for the next" status_is 200 --max-time 8 "http://$vip/"
check "which has the sockets" listens_once
eventually serves_current
late 22
check "and is reloaded like any other" eventually status_is 200 "http://$vip/"
check "with one socket" eventually listens_once
lose 60
check "nobody waits for ever" eventually refused_at_once "http://$vip/"
echo 0 >"$work/late.s"
kill -KILL "$(master_pid)"
check "then it is back" eventually status_is 200 "http://$vip/"
check "and no worse" eventually serves_current
sockets() { local all=("$l7"/*.sock) && echo ${#all[@]}; }
check "nothing is left of those that never served" test "$(sockets)" = 2
write_config 20
reload "reloaded:" || fail "the configuration is loaded"
eventually serves_current

# --- the time of a verdict ----------------------------------------------------------------------
# From the change of a server's state in the daemon until HAProxy has confirmed it: the median of nine.
told_us() {
	local i told
	for ((i = 0; i < 9; i++)); do
		told=$(sluice l7 status --json | jq .told)
		if ((i % 2)); then rm "$work/b2.sick"; else touch "$work/b2.sick"; fi
		eventually told_more "$told" || return 1
		sluice l7 status --json | jq .told_us
	done | sort -n | sed -n 5p
}
told_more() { [ "$(sluice l7 status --json | jq .told)" -gt "$1" ]; }
check "HAProxy has a verdict within 10 ms" at_most $((10000 * patience)) told_us
rm -f "$work/b2.sick"

# --- the end ------------------------------------------------------------------------------------
eventually all_healthy
check "the daemon stops in order" daemon_stop TERM
check "HAProxy goes on without the daemon" status_is 200 "http://$vip/"
sed -i 's/^  state_dir/  on_exit: detach\n  state_dir/' "$work/sluice.yaml"
daemon_start
eventually serves_current
master=$(master_pid)
daemon_stop TERM
check "on_exit: detach takes it along" eventually process_gone "$master"
sed -i '/on_exit/d' "$work/sluice.yaml"
daemon_start
eventually serves_current
master=$(master_pid)
daemon_stop TERM
check "detach --all stops what a daemon has left behind" grep -qx "HAProxy, .* stops: process $master" <(sluice detach --all)
check "and it ends" eventually process_gone "$master"
check "once" jq -e '.haproxy == null' <(sluice detach --all --json)
daemon_start
eventually serves_current
master=$(master_pid)
sluice detach --all >/dev/null || fail "detach --all"
check "so does a daemon that runs" eventually process_gone "$master"
check "which does not start it again" jq -e '.running or .wanted | not' <(sluice l7 status --json)
check "and leaves no child unburied" test -z "$(ps --ppid "$daemon_pid" -o pid=)"
daemon_stop TERM

# --- the first service of layer 7 -----------------------------------------------------------------
# without_l7 [SECTION]: the same service, forwarded by the kernel; and gateway.l7, if it is given.
without_l7() {
	write_config 20
	sed -i 's/, forward: l7//; s/, request_timeout: [0-9]*//' "$work/sluice.yaml"
	section "${1-}"
}
section() { sed -i "s|^  state_dir|${1:+  l7: $1\n}  state_dir|" "$work/sluice.yaml"; }
does_not_run() { sluice l7 status | grep -q "does not run"; }
has_capabilities() { [ "$(sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$daemon_pid/status")" = "$1" ]; }
without_l7
daemon_start
check "without services of layer 7, HAProxy does not run" does_not_run
check "and the daemon has nothing for it" has_capabilities 000000c000003000
write_config 20
section "{}"
check_status "the first of them needs a restart, for what the daemon gave up" 1 sluice reload
check "as is said" grep -q "HAProxy cannot be started without CAP_SETUID.* gives up at a start .*; restart it" "$work/out"
check "with what would have kept it" grep -q "a section gateway.l7 in the file, if only 'l7: {}', keeps them from the start" "$work/out"
check "a rehearsal says so" rehearsal_refused "gives up at a start"
check "and nothing is the worse for it" all_healthy
check "nor has changed" does_not_run
daemon_stop TERM
for keys in "{}" " " "{ threads: 2 }"; do
	without_l7 "$keys"
	daemon_start
	check "gateway.l7: '$keys' keeps it, for later" has_capabilities 000000c0000034e0
	check "while HAProxy does not run" does_not_run
	write_config 20
	check "then the first service needs no restart" sluice reload
	check "and a client is served" eventually status_is 200 "http://$vip/"
	daemon_stop TERM
	sluice detach --all >/dev/null
done

# --- without HAProxy ------------------------------------------------------------------------------
write_config 20
sed -i 's|^  state_dir|  l7: { program: /nowhere/haproxy }\n  state_dir|' "$work/sluice.yaml"
daemon_start
check "a start without HAProxy is one, and says what is missing" grep -q "install the package haproxy" "$work/sluiced.log"
check "backends are probed" eventually all_healthy
check "the client is refused" refused_at_once "http://$vip/"
sed -i '/^  l7:/d' "$work/sluice.yaml"
reload "reloaded:" || fail "the configuration is loaded"
check "with HAProxy there, a reload brings the service" eventually status_is 200 "http://$vip/"
sed -i 's|^  state_dir|  l7: { program: /nowhere/haproxy }\n  state_dir|' "$work/sluice.yaml"
check "a reload that takes it away is refused" reload "reload refused, nothing has changed: services with forward: l7 need HAProxy 2.6"
check "which leaves what was" status_is 200 "http://$vip/"
check "in a rehearsal, too" rehearsal_refused "install the package haproxy"
printf '#!/bin/sh\necho HAProxy version 2.4.22-0 2023/03/28' >"$work/old"
chmod +x "$work/old"
sed -i "s|/nowhere/haproxy|$work/old|" "$work/sluice.yaml"
check "and so is one that brings an older one" reload "reload refused, nothing has changed: services with forward: l7 need HAProxy 2.6 or later; '$work/old' is 2.4"
check "which leaves it, too" status_is 200 "http://$vip/"
check "and the daemon stops in order" daemon_stop TERM

# --- a HAProxy that thinks for long -------------------------------------------------------------
cat >"$work/slow" <<-'EOF'
	#!/bin/sh
	[ "$1" = -c ] && sleep "$(cat "$0.s")"
	exec haproxy "$@"
EOF
chmod +x "$work/slow"
echo 0 >"$work/slow.s"
slow_config() {
	write_config "$1"
	sed -i "s|^  state_dir|  l7: { program: $work/slow }\n  state_dir|" "$work/sluice.yaml"
}
slow_config 30
daemon_start
eventually serves_current
echo 3 >"$work/slow.s"
slow_config 31
sluice reload >"$work/reload" 2>&1 &
reload=$!
sleep 0.5
before=$(date +%s%3N)
check "while HAProxy thinks, orders are taken" sluice backend disable p 10.2.2.2
check "at once" test $(($(date +%s%3N) - before)) -lt $((1000 * patience))
touch "$work/b3.sick"
check "and verdicts come" eventually server_is 10.2.3.2 DOWN
check "all that before it has answered" kill -0 $reload
rm "$work/b3.sick"
check "then the reload is done" wait $reload
check "it is in force" eventually grep -q 'timeout server 31000ms' <(sluice l7 show)
check "and what was ordered meanwhile, too" eventually server_is 10.2.2.2 MAINT
echo 30 >"$work/slow.s"
slow_config 32
kill -HUP "$daemon_pid"
sleep 0.5
before=$(date +%s%3N)
check "a daemon whose HAProxy thinks stops in order" daemon_stop TERM
check "without waiting for it" test $(($(date +%s%3N) - before)) -lt $((2000 * patience))
