#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# on_unhealthy: redirect. Clients that address a backend itself are carried to another one while it is
# out, and connections stay where they were begun.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

net_up 2
backend_start b1
backend_start b2
web_backends=(10.2.1.2 10.2.2.2 fd02:1::2 fd02:2::2)

says() {
	[ "$(fetch "$1")" = "hello from $2" ]
}

transfer() {
	[ "$(fetch --max-time 10 -o /dev/null -w '%{size_download}' "$1/big")" = 4194304 ]
}

story() {
	local xdp=$1

	if [ "$xdp" = native ]; then
		net_prepare_native b1 b2
	fi
	web_config "interfaces: [ { name: gc, xdp: $xdp }, { name: gb1, xdp: $xdp }, { name: gb2, xdp: $xdp } ]" -- "on_unhealthy: redirect"
	daemon_start
	check "$xdp: backends are healthy" eventually all_healthy
	check "$xdp: each answers for itself" says http://10.2.1.2/ b1
	touch "$work/b1.sick"
	check "$xdp: one turns unhealthy" eventually health_is 10.2.1.2 Unhealthy
	check "$xdp: and over IPv6" eventually health_is fd02:1::2 Unhealthy
	check "$xdp: the other answers for it" says http://10.2.1.2/ b2
	check "$xdp: and over IPv6" says "http://[fd02:1::2]/" b2
	check "$xdp: large transfers too" transfer http://10.2.1.2
	nsenter --net="/run/netns/$ns_id-client" curl -sS --limit-rate 8M -o "$work/slow" -w '%{size_download}' \
		http://10.2.1.2/huge >"$work/slow.out" </dev/null &
	slow_pid=$!
	eventually test -s "$work/slow"
	rm "$work/b1.sick"
	check "$xdp: it comes back" eventually all_healthy
	check "$xdp: and answers for itself again" says http://10.2.1.2/ b1
	check "$xdp: what was begun elsewhere ends there" wait $slow_pid
	check "$xdp: whole" test "$(cat "$work/slow.out")" = $((64 << 20))
	check "$xdp: counted" jq -e '.decisions.forward_redirect > 0' <(sluice status --json)

	touch "$work/b1.sick" "$work/b2.sick"
	check "$xdp: none is healthy" eventually health_is 10.2.2.2 Unhealthy
	eventually health_is 10.2.1.2 Unhealthy || fail "both"
	check "$xdp: then clients are refused" refused_at_once http://10.2.1.2/
	rm "$work/b1.sick" "$work/b2.sick"
	check "$xdp: orderly stop" daemon_stop TERM
	check "$xdp: detach --all" sluice detach --all
}

story auto
story native
