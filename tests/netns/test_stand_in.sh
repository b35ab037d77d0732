#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A backend stands in for another that is disabled, drained, or without weight, and both changes are taken back at once:
# there is somebody to choose all the time.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

vip=192.0.2.10 vip6=2001:db8::10 rounds=12

net_up 2
for b in b1 b2; do backend_start $b; done
config "interfaces: [ { name: gc }, { name: gb1 }, { name: gb2 } ]" <<-EOF
	probes:
	  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 5s, unhealthy_threshold: 20 }
	settings:
	  - { name: web, protocol: http, port: 80, probe: quick }
	pools:
	  - { name: four, backends: [ { address: 10.2.1.2 } ] }
	  - { name: six, backends: [ { address: "fd02:1::2" } ] }
	services:
	  - { name: shop, listen: "$vip:80", pool: four, settings: web }
	  - { name: shop6, listen: "[$vip6]:80", pool: six, settings: web }
EOF
daemon_start
eventually all_healthy || fail "the backends are healthy"

# stands_in POOL ADDRESS OTHER ROUND: OTHER comes, and ADDRESS rests, each time in another way.
stands_in() {
	sluice backend add "$1" "$3" >"$work/out" || fail "add $3"
	eventually health_is "$3" Healthy || fail "$3 is healthy"
	case $(($4 % 3)) in
	0) sluice backend disable "$1" "$2" ;;
	1) sluice backend drain "$1" "$2" --timeout 30s ;;
	2) sluice backend weight "$1" "$2" 0 ;;
	esac >"$work/out" || fail "$2 rests"
}

# Until it is refused; then it says when.
asked() { # NAME ADDRESS
	on client "$build/tests/netns/client" refused "$2" 80 >"$work/refused.$1" </dev/null &
	askers+=($!)
}
still_asked() { kill -0 "${askers[@]}" && [ ! -s "$work/refused.four" ] && [ ! -s "$work/refused.six" ]; }
for ((i = 0; i < rounds; i++)); do
	askers=()
	asked four $vip
	asked six $vip6
	stands_in four 10.2.1.2 10.2.2.2 $i
	stands_in six fd02:1::2 fd02:2::2 $i
	sluice reload --discard-runtime >"$work/out" || fail "the changes are taken back"
	sleep 0.05 # in which the clients may be refused
	still_asked || break
	kill "${askers[@]}"
	wait "${askers[@]}" 2>/dev/null
done
check "nobody is refused, by IPv4 or by IPv6, while the changes are taken back" test "$i" = $rounds
opened() { [ "$(sluice health --json | jq -c '[.pools[].services[].endpoints[].admin // "enabled"] | unique')" = '["enabled"]' ]; }
check "and the backends are open" opened
