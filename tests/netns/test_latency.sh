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
web_config 'interfaces: [ { name: gc } ]'
daemon_start

verdict_us() {
	date -d "$(sed -n 's/.*Healthy -> Unhealthy, verdict at \([^:]*:[^:]*:[^:]*Z\).*/\1/p' "$work/sluiced.log" | tail -n 1)" +%s%6N
}

measure() {
	local refused begun ended

	eventually health_is 10.2.1.2 Healthy || fail "backend is healthy first"
	on client "$build/tests/netns/client" refused 10.2.1.2 80 >"$work/refused" &
	refused=$!
	touch "$work/b1.sick"
	wait "$refused" || fail "the client is refused"
	rm "$work/b1.sick"
	read -r begun ended <"$work/refused"
	eventually grep -q 'Healthy -> Unhealthy' "$work/sluiced.log"
	echo $((ended - $(verdict_us)))
	: "$begun"
}

for ((i = 0; i < ROUNDS; i++)); do
	measure
	eventually health_is 10.2.1.2 Unhealthy
done >"$work/latencies"

median=$(sort -n "$work/latencies" | sed -n "$((ROUNDS / 2 + 1))p")
echo "# verdict to first refusal, microseconds: $(sort -n "$work/latencies" | tr '\n' ' ')"
check "median $median us is under $LIMIT_US us" test "$median" -lt "$LIMIT_US"
