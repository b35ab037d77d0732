#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# test_misbehaving.sh [SECONDS]: one client in a hundred misbehaves, in ways that look like an endpoint that fails: none is taken
# for dead, nobody else is turned away, and probes do not become many. With the defaults of everything.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

soak_s=${1:-40}
per_s=100

net_up 1
backend_start b1
# Nothing leads back to the addresses that are made up: nobody can answer those.
on b1 ip route add blackhole 198.18.0.0/16
on b1 ip -6 route add blackhole 2001:db8:ffff::/48
config "$both_interfaces" <<-EOF
	settings: [ { name: web, protocol: http, port: 80 } ]
	pools: [ { name: web-pool, backends: [ { address: 10.2.1.2 }, { address: "fd02:1::2" } ] } ]
	services: [ { name: web, pool: web-pool, settings: web } ]
EOF
daemon_start
check "it is healthy" eventually all_healthy

mac=$(on gateway ip -j link show gc | jq -r '.[0].address')
pids=()
for pair in "10.1.0.2 10.2.1.2" "fd01::2 fd02:1::2"; do
	read -r client address <<<"$pair"
	nsenter --net="/run/netns/$ns_id-client" /usr/bin/python3 "$(dirname "$0")/misbehaving.py" eth0 "$mac" "$client" "$address" 80 $per_s "$soak_s" \
		>"$work/clients.${#pids[@]}" 2>&1 </dev/null &
	pids+=($!)
done
check "$soak_s s of clients" wait "${pids[@]}"

for i in 0 1; do
	read -r served failed misbehaved <"$work/clients.$i"
	echo "# $served served, $failed failed, $misbehaved misbehaved"
	check "those who behaved were served" test "$served" -gt $((soak_s * per_s / 4))
	check "all of them" test "$failed" = 0
	check "some misbehaved" test "$misbehaved" -ge $((soak_s * per_s / 1000))
done
suspected=$(said 'suspected, and')
probes=$(grep -c '127.0.0.1\|"GET / HTTP/1.1"' "$work/b1/access.log")
echo "# suspected $suspected times, probed $probes times"
check "it was suspected" test "$suspected" -gt 0
# Left alone for 1, 2, 4, 8, 16 s and then 30 s: two endpoints, and each time a probe or two.
check "ever more rarely" test "$suspected" -le $((2 * (6 + soak_s / 30)))
check "nobody was taken for dead" test "$(said 'Healthy -> Unhealthy')" = 0
check "all are healthy" all_healthy
check "orderly stop" daemon_stop TERM
