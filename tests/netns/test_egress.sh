#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the gateway itself sends is gated too, while the daemon's own probes pass.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

net_up 1
backend_start b1
web_config 'interfaces: [ { name: gb1 } ]'
daemon_start

local_fetch() {
	on gateway curl -sS --max-time 2 "$@"
}

eventually health_is 10.2.1.2 Healthy || fail "backend is healthy first"
eventually health_is fd02:1::2 Healthy || fail "backend is healthy first over IPv6"
check "the gateway is served" local_fetch http://10.2.1.2/
check "and over IPv6" local_fetch "http://[fd02:1::2]/"
touch "$work/b1.sick"
eventually health_is 10.2.1.2 Unhealthy || fail "backend becomes unhealthy"
eventually health_is fd02:1::2 Unhealthy || fail "backend becomes unhealthy over IPv6"
check "the gateway is refused at once" refused_at_once gateway http://10.2.1.2/
check "and over IPv6" refused_at_once gateway "http://[fd02:1::2]/"
check "no bad checksum was seen" test "$(on gateway nstat -az TcpInCsumErrors | awk '/Csum/ { print $2 }')" = 0
check "probes pass by their mark" jq -e '.decisions.pass_probe >= 1' <(sluice status --json)

rm "$work/b1.sick"
check "so recovery is seen" eventually health_is 10.2.1.2 Healthy
check "and the gateway is served again" local_fetch http://10.2.1.2/
daemon_stop TERM

web_config 'interfaces: [ { name: gb1, egress: false } ]'
touch "$work/b1.sick"
daemon_start
eventually health_is 10.2.1.2 Unhealthy || fail "backend is unhealthy"
check "egress: false leaves the gateway's own traffic alone" local_fetch http://10.2.1.2/
