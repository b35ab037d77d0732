#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Backends of layer 7 that are DNS names: their addresses come and go without a reload, and the Host header is the name.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_l7.sh
. "$(dirname "$0")/lib_l7.sh"

net_up 3
vip_up
for b in b1 b2 b3; do teller_start $b; done

dns=$work/dns
mkdir -p "$dns"
serial=0
# zone ADDRESS...: those of app.test, for a second each.
zone() {
	serial=$((serial + 1))
	{
		echo "\$ORIGIN test."
		echo "\$TTL 1"
		echo "@ IN SOA ns admin $serial 60 60 60 1"
		echo "@ IN NS ns"
		echo "ns IN A 127.0.0.53"
		printf 'app IN A %s\n' "$@"
	} >"$dns/test.zone"
	[ ! -s "$dns/nsd.pid" ] || kill -HUP "$(cat "$dns/nsd.pid")"
}
zone 10.2.1.2 10.2.2.2
nsd_config "$dns" 127.0.0.53
chmod -R a+rX "$work"
bg gateway nsd -d -c "$dns/nsd.conf"
echo "nameserver 127.0.0.53" >"$work/resolv.conf"

config "interfaces: [ { name: gc }, { name: gb1 }, { name: gb2 }, { name: gb3 } ]" "resolv_conf: $work/resolv.conf" <<-EOF
	probes:
	  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 1 }
	settings:
	  - { name: web, protocol: http, port: 80, probe: quick, host_name_from_backend: true, cookie_affinity: { enabled: true, name: Gw } }
	pools:
	  - { name: p, backends: [ { address: app.test } ] }
	services:
	  - { name: shop, listen: "$vip:80", forward: l7, pool: p, settings: web }
EOF
daemon_start
check "HAProxy serves" eventually serves_current
check "both addresses of a name get requests" eventually spread_is "b1 b2" 20 "http://$vip/"
check "and are asked for by the name" test "$(fetch -H 'Host: shop.test' "http://$vip/?[1-10]" | jq -r '.host | ascii_downcase' | sort -u)" = app.test
value=$(fetch -D - -o /dev/null "http://$vip/" | tr -d '\r' | sed -n 's/^set-cookie: Gw=\([0-9a-f]*\);.*/\1/p')
pinned=$(ask .name -H "Cookie: Gw=$value" "http://$vip/")
check "a cookie keeps a client at an address" spread_is "$pinned" 10 "http://$vip/" -H "Cookie: Gw=$value"
zone "10.2.${pinned#b}.2" 10.2.3.2
check "an address that is new gets requests, one that is gone none" \
	eventually spread_is "$(printf '%s\n' "$pinned" b3 | sort | paste -sd' ')" 20 "http://$vip/"
check "who is pinned to one that stays does" spread_is "$pinned" 10 "http://$vip/" -H "Cookie: Gw=$value"
check "without a reload" test "$(sluice l7 status --json | jq -c '[.starts, .reloads]')" = "[1,0]"
touch "$work/b3.sick"
check "and its health is heeded" eventually spread_is "$pinned" 20 "http://$vip/"
