#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bench_size FILE: how long a gateway of 10,000 pools with 65,536 endpoints takes to start, to reload its file as it was and
# with one backend changed, to add a backend, and to tell the health of all. FILE gets the figures.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/../netns/lib.sh" >/dev/null

rounds=${SLUICE_BENCH_ROUNDS:-9}
pools=10000 endpoints=65536
out=$1

# ms_since NANOSECONDS
ms_since() {
	echo $((($(date +%s%N) - $1) / 1000000))
}

# keep FIGURE MILLISECONDS
keep() {
	echo "$2" >>"$work/figure.$1"
}

# Every one of them is probed once, and not again before all is over.
big_config() {
	{
		echo "probes: [ { name: once, protocol: tcp, interval: 3600s, timeout: 1s } ]"
		echo "settings: [ { name: web, protocol: tcp, port: 80, probe: once } ]"
		awk -v pools=$pools -v n=$((endpoints - rounds)) 'BEGIN {
			print "pools:"
			for (p = 0; p < pools; p++) {
				print "  - name: p" p
				print "    backends:"
				for (; at * pools < n * (p + 1); at++)
					print "      - { address: 10." int(at / 65536) "." int(at / 256) % 256 "." at % 256 " }"
			}
			print "services:"
			for (p = 0; p < pools; p++) print "  - { name: s" p ", pool: p" p ", settings: web }"
		}'
	} | config "interfaces: [ { name: gc } ]" "max_endpoints: $endpoints"
}

# reload FIGURE: the whole of it, and what it takes beyond reading the file.
reload() {
	local began
	began=$(date +%s%N)
	sluice reload --json >"$work/job" || fail "reload"
	keep "$1" "$(ms_since "$began")"
	keep "$1_beyond" "$(jq '(.took_us - .read_us) / 1000' "$work/job")"
}

all_known() {
	sluice status --json | jq -e ".totals.endpoints > 0 and .totals.unknown == 0"
}

written() {
	find "$work/state" -type f -printf '%p %s %T@\n' | sort
}

# For longer than the daemon rests between what it has to write.
nothing_is_written() {
	local before
	before=$(written)
	sleep 2
	[ "$(written)" = "$before" ]
}

net_up 1
big_config
for ((i = 0; i < rounds; i++)); do
	began=$(date +%s%N)
	daemon_start
	keep start "$(ms_since "$began")"
	((i == rounds - 1)) || daemon_stop TERM
done
patience_s=90 poll_s=1
eventually all_known || fail "every endpoint is probed"
for ((i = 0; i < rounds; i++)); do
	reload reload
	# Another address for one backend in the middle of the file.
	sed -i "0,/address: 10\.0\.$((100 + i))\.7 /s//address: 192.0.2.$((100 + i)) /" "$work/sluice.yaml"
	reload change
	began=$(date +%s%N)
	sluice backend add p5 192.0.2.$i >/dev/null || fail "add a backend"
	keep add "$(ms_since "$began")"
done
eventually nothing_is_written || fail "what the changes have left to be written is on the disk"
for ((i = 0; i < rounds; i++)); do
	began=$(date +%s%N)
	sluice health --json >"$work/health"
	keep health "$(ms_since "$began")"
done
jq -e "[.pools[].services[].endpoints[]] | length == $endpoints" "$work/health" >/dev/null || fail "all endpoints are there"

# figure NAME FILE [MILLISECONDS]: the median, and what is asked for.
figure() {
	jq -s --arg name "$1" --argjson target "${3:-null}" 'sort | { name: $name, value: .[length / 2 | floor], unit: "ms",
		min: first, max: last, runs: length } +
		if $target then { target: $target, ok: (.[length / 2 | floor] <= $target) } else {} end' "$work/figure.$2"
}

{
	figure size.start start 5000
	figure size.reload_same reload 1000
	figure size.reload_one_changed change
	figure size.reload_one_changed_beyond_reading change_beyond 100
	figure size.add_backend add
	figure size.health health 1000
} | jq -s '{ machine: { }, figures: . }' >"$out"
jq -r '.figures[] | "\(.name)  \(.value | round) ms (\(.min | round) to \(.max | round))  \(if .target then "target \(.target)  \(if .ok then "ok" else "MISSED" end)" else "" end)"' "$out"
tap_n=0
jq -e 'all(.figures[]; .ok != false)' "$out" >/dev/null
