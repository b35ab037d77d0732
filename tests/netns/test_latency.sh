#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# From the verdict to the first rejected packet: under a millisecond. A client connects without a
# pause while the backend turns sick; the daemon logs when the deciding probe ended.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

ROUNDS=7 LIMIT_US=1000

net_up 1
backend_start b1
web_backends=(10.2.1.2)
web_config 'interfaces: [ { name: gc } ]'
daemon_start

# verdict_us N: when the probe ended that brought the N-th change to Unhealthy.
verdict_us() {
	date -d "$(sed -n 's/.*Healthy -> Unhealthy, verdict at \([^:]*:[^:]*:[^:]*Z\).*/\1/p' "$work/sluiced.log" | sed -n "$1p")" +%s%6N
}

changes_are() {
	[ "$(grep -c 'Healthy -> Unhealthy' "$work/sluiced.log")" = "$1" ]
}

# measure N: the N-th round.
measure() {
	local refused begun ended

	sleep 4 # the log sums up what changes more often
	eventually health_is 10.2.1.2 Healthy || fail "backend is healthy first"
	on client "$build/tests/netns/client" refused 10.2.1.2 80 >"$work/refused" &
	refused=$!
	touch "$work/b1.sick"
	wait "$refused" || fail "the client is refused"
	rm "$work/b1.sick"
	read -r begun ended <"$work/refused"
	eventually changes_are "$1" || fail "the daemon logs the change"
	echo "$((begun - $(verdict_us "$1"))) $((ended - $(verdict_us "$1")))"
}

for ((i = 1; i <= ROUNDS; i++)); do measure "$i"; done >"$work/latencies"

# What was begun after the verdict's word was stored is refused, so the end counts.
median=$(awk '{ print $2 }' "$work/latencies" | sort -n | sed -n "$((ROUNDS / 2 + 1))p")
echo "# microseconds from the verdict to the begin and end of the first refused attempt:" "$(tr '\n' ';' <"$work/latencies")"
check "median $median us is under $LIMIT_US us" test "$median" -lt "$LIMIT_US"
