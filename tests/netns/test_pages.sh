#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two hundred open pages, fifty of them stuck, while thousands of endpoints are probed: a backend that fails is found
# as soon as without them, no probe is late, and all who read are told.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

readers=150 slow=50 seconds=18
found_within_ms=$((600 * patience))
many=2000 # endpoints, each probed every two seconds

net_up 1
backend_start b1

pages_config() {
	local i

	{
		cat <<-EOF
			probes:
			  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 2 }
			  - { name: steady, protocol: tcp, interval: 2s, timeout: 1s, unhealthy_threshold: 2 }
			settings:
			  - { name: web, protocol: http, port: 80, probe: quick }
			  - { name: local, protocol: tcp, port: 9477, probe: steady }
			pools:
			  - { name: web-pool, backends: [ { address: 10.2.1.2 }, { address: "fd02:1::2" } ] }
			  - name: many
			    backends:
		EOF
		for ((i = 0; i < many; i++)); do echo "      - address: 10.9.$((i / 200)).$((i % 200 + 1))"; done
		cat <<-EOF
			services:
			  - { name: web, pool: web-pool, settings: web }
			  - { name: many, pool: many, settings: local }
		EOF
	} | config "$both_interfaces"
}

# Somebody who accepts for all of them. Not the daemon's own port, which is where the pages are.
many_start() {
	on b1 ip route add local 10.9.0.0/16 dev lo
	on gateway ip route add 10.9.0.0/16 via 10.2.1.2
	bg b1 socat -T 5 TCP-LISTEN:9477,fork,reuseaddr,backlog=512 OPEN:/dev/null
	eventually on b1 bash -c 'exec 3<>/dev/tcp/127.0.0.1/9477' || fail "somebody accepts"
}

# How long after the backend fails it is found, in milliseconds.
finding_ms() {
	local from at

	from=$(date +%s%3N)
	touch "$work/b1.sick"
	eventually health_is 10.2.1.2 Unhealthy || return 1
	at=$(sluice events --pool web-pool --json | jq -r '[.events[] | select(.endpoint | startswith("10.2.1.2")) | select(.after == "Unhealthy")] | last | .at')
	rm "$work/b1.sick"
	eventually health_is 10.2.1.2 Healthy || return 1
	echo $(($(date -d "$at" +%s%3N) - from))
}

engine() {
	sluice status --json | jq ".engine.$1"
}

pages_config
many_start
daemon_start
patience_s=30
check "all are healthy" eventually all_healthy
alone_ms=$(finding_ms)
echo "# without a page, found after $alone_ms ms"
check "a failure is found without a page" test "$alone_ms" -le $found_within_ms

overloaded=$(engine overloaded)
on gateway /usr/bin/python3 "$(dirname "$0")/live_readers.py" 9477 $readers $slow $seconds >"$work/pages" 2>"$work/pages.said" </dev/null &
pages_pid=$!
check "all read what there is" eventually grep -q "all are complete" "$work/pages.said"
finished=$(engine finished) from=$(date +%s%3N)
crowd_ms=$(finding_ms)
echo "# with $((readers + slow)) pages, found after $crowd_ms ms"
check "a failure is found with them" test "$crowd_ms" -le $found_within_ms
sleep 4 # a rate takes its time to tell
took_ms=$(($(date +%s%3N) - from)) finished=$(($(engine finished) - finished))
echo "# $finished probes in $took_ms ms, loops late by $(engine loop_lag_ms) ms"
# Those of the many alone are a thousand a second.
check "no probe was left out" test $((finished * 1000 / took_ms)) -ge $((many / 2 * 95 / 100))
check "and none was put off" test "$(engine overloaded)" = "$overloaded"
wait $pages_pid
cat "$work/pages" | sed 's/^/# /'
told() {
	jq -e --argjson n $readers --argjson s $seconds "$1" "$work/pages"
}
check "every page that reads has all endpoints" told '.complete == $n and .closed == 0'
check "within seconds" told ".slowest_s < $((8 * patience))"
check "is told of what changes" told '.changes >= 2 * $n'
check "and of the gateway, every second" told '.statuses >= $n * ($s - 8)'
check "others are answered besides" told '.extra > 100'
refute "the daemon still runs well" grep -E "ERROR|runtime error" "$work/sluiced.log"
check_status "and stops" 0 daemon_stop TERM
