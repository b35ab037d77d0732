#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The whole path with a real nginx: traffic, a failing backend, refusal at once, recovery; over
# every way to attach, IPv4 and IPv6 alike.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

net_up 1
net_prepare_native
backend_start b1

story() {
	local xdp=$1 mode=$2

	web_config "interfaces: [ { name: gc, xdp: $xdp }, { name: gb1, xdp: $xdp } ]"
	daemon_start
	check "$xdp: attached as $mode" jq -e --arg m "$mode" 'all(.interfaces[]; .ingress == $m)' <(sluice status --json)
	check "$xdp: backend becomes healthy" eventually health_is 10.2.1.2 Healthy
	check "$xdp: and over IPv6" eventually health_is fd02:1::2 Healthy
	check_status "$xdp: sluice health says all is well" 0 sluice health
	check "$xdp: client is served" fetch http://10.2.1.2/
	check "$xdp: client is served over IPv6" fetch "http://[fd02:1::2]/"
	check "$xdp: a large transfer passes" fetch -o /dev/null http://10.2.1.2/big

	touch "$work/b1.sick"
	check "$xdp: backend becomes unhealthy" eventually health_is 10.2.1.2 Unhealthy
	check "$xdp: and over IPv6" eventually health_is fd02:1::2 Unhealthy
	check_status "$xdp: sluice health says so" 1 sluice health
	check "$xdp: client is refused at once" refused_at_once http://10.2.1.2/
	check "$xdp: and over IPv6" refused_at_once "http://[fd02:1::2]/"
	check "$xdp: by the gate: nginx would have answered" on b1 curl -sf -o /dev/null http://127.0.0.1/
	check "$xdp: the refusals are counted" jq -e '.kernel.rejected >= 1 and .kernel.syn >= 1' <(health_of 10.2.1.2 .)
	check "$xdp: why names the cause" grep -q 503 <(sluice why web-pool 10.2.1.2)

	rm "$work/b1.sick"
	check "$xdp: backend recovers" eventually health_is 10.2.1.2 Healthy
	check "$xdp: client is served again" fetch http://10.2.1.2/
	check "$xdp: orderly stop" daemon_stop TERM
	check "$xdp: detach --all" sluice detach --all
}

# Kernels before 6.6 have no tcx.
tc=tcx
if printf "%s\n6.6\n" "$(uname -r)" | sort -VC; then tc=clsact; fi
story auto $tc
story native xdp-native
story generic xdp-generic
story off $tc

check "nothing is left in bpffs" test ! -e "$SLUICE_BPFFS"
