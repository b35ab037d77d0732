#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Backends with DNS names, found by way of a real name server: addresses appear and drain, outages
# change nothing, and the gate knows whose address it guards when the daemon comes back.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

dns_dir=$work/nsd
nsd_pid=

# zone RECORD...: what the server says from now on.
zone() {
	{
		echo '$ORIGIN test.'
		echo "@ 1 IN SOA ns.test. root.test. $((++serial)) 60 60 600 1"
		echo '@ 1 IN NS ns.test.'
		echo 'ns 1 IN A 10.2.3.2'
		(($# == 0)) || printf '%s\n' "$@"
	} >"$dns_dir/test.zone"
	[ -z "$nsd_pid" ] || kill -HUP "$nsd_pid"
}
serial=0

nsd_start() {
	nsd_config "$dns_dir" 10.2.3.2
	bg b3 nsd -d -c "$dns_dir/nsd.conf"
	eventually test -s "$dns_dir/nsd.pid" || fail "nsd starts"
	nsd_pid=$(cat "$dns_dir/nsd.pid")
}

nsd_stop() {
	local pid=$nsd_pid

	nsd_pid=
	kill -TERM "$pid"
	eventually process_gone "$pid" || fail "nsd stops"
	rm -f "$dns_dir/nsd.pid"
}

# A server that is there and says nothing.
server_mute() {
	on b3 nft add table inet mute
	on b3 nft add chain inet mute input '{ type filter hook input priority 0; }'
	on b3 nft add rule inet mute input udp dport 53 drop
	on b3 nft add rule inet mute input tcp dport 53 drop
}

server_speak() {
	on b3 nft delete table inet mute
}

# addresses [HEALTH]: of the endpoints, sorted; of those in that state.
addresses() {
	sluice health --json | jq -r --arg h "${1-}" \
		'[.pools[].services[].endpoints[] | select($h == "" or .health == $h) | .address] | sort | join(" ")'
}

addresses_are() {
	[ "$(addresses)" = "$1" ]
}

healthy_are() {
	[ "$(addresses Healthy)" = "$1" ]
}

name_is() {
	[ "$(sluice health --json | jq -r "first(.pools[].services[].endpoints[].dns | select(.name == \"app.test\")) | .$1")" = "$2" ]
}

admin_is() {
	[ "$(health_of "$1" .admin)" = "$2" ]
}

refused() {
	local status=0
	fetch -o /dev/null "$@" || status=$?
	((status == 7))
}

# dns_config NAME [GATEWAY_LINE]
dns_config() {
	web_backends=("$1")
	web_config "$both_interfaces" "resolv_conf: $work/resolv.conf" "${@:2}"
}

net_up 3
backend_start b1
backend_start b2
mkdir -p "$dns_dir"
echo "nameserver 10.2.3.2" >"$work/resolv.conf"
zone 'app 1 IN A 10.2.1.2'
nsd_start
eventually on gateway sh -c "echo | socat - TCP:10.2.3.2:53" || fail "nsd answers"

dns_config app.test
daemon_start
check "the address of the name is an endpoint, and healthy" eventually healthy_are 10.2.1.2
check "nothing else is shown" addresses_are 10.2.1.2
check "the endpoint says whose it is" jq -e '.backend == "app.test" and .dns.state == "fresh" and .dns.rcode == "NOERROR" and .dns.ttl_s <= 1 and .dns.servers == ["10.2.3.2"]' <(health_of 10.2.1.2 .)
check "status tells of the names" jq -e '.names[0].name == "app.test" and .names[0].addresses == 1' <(sluice status --json)
check "why takes the name" grep -q 10.2.1.2 <(sluice why web-pool app.test)
check "a client is served" fetch -o /dev/null http://10.2.1.2/
touch "$work/b1.sick"
check "the address is gated" eventually refused http://10.2.1.2/
rm "$work/b1.sick"
check "and opened again" eventually healthy_are 10.2.1.2

zone 'app 1 IN A 10.2.1.2' 'app 1 IN AAAA fd02:2::2' 'app 1 IN A 10.2.2.2'
check "A and AAAA: what is new appears" eventually healthy_are "10.2.1.2 10.2.2.2 fd02:2::2"

zone 'app 1 IN A 10.2.2.2' 'app 1 IN AAAA fd02:2::2'
check "what is gone drains" eventually admin_is 10.2.1.2 draining
check "draining: a new client is refused" refused_at_once http://10.2.1.2/
check "draining: the others serve" fetch -o /dev/null "http://[fd02:2::2]/"
zone 'app 1 IN A 10.2.1.2' 'app 1 IN A 10.2.2.2'
check "what comes back is let in again" eventually admin_is 10.2.1.2 enabled
check "and served" fetch -o /dev/null http://10.2.1.2/
check "the other one drains" eventually admin_is fd02:2::2 draining

nsd_stop
check "outage: last known good, and said so" eventually name_is state last_known_good
check "outage: no answer is told from an answer" name_is rcode "no answer"
check "outage: both addresses serve on" fetch -o /dev/null http://10.2.1.2/ http://10.2.2.2/
check "outage: the log says so" grep -q 'last known addresses stay' "$work/sluiced.log"
check "outage: health shows an age" jq -e '.dns.age_s >= 1 and .dns.failing_since' <(health_of 10.2.1.2 .)

touch "$work/b1.sick"
check "outage: probing goes on, and closes the gate" eventually refused http://10.2.1.2/
daemon_stop KILL
check "killed: the gate stays closed" refused http://10.2.1.2/
daemon_start
check "restarted without DNS: the gate is still closed" refused http://10.2.1.2/
check "restarted without DNS: it never opened" eventually health_is 10.2.1.2 Unhealthy
check "restarted without DNS: the others still serve" fetch -o /dev/null http://10.2.2.2/
check "restarted without DNS: last known good" eventually name_is state last_known_good
check "restarted without DNS: the addresses are those" grep -q '10.2.1.2 10.2.2.2' <(addresses)
rm "$work/b1.sick"

daemon_stop TERM
dns_config app.test "reply_rate: 900"
daemon_start
check "another configuration without DNS: the addresses are given up" eventually health_is app.test Unknown
check "message 17 says so" jq -e '.code == 17 and .id == "unknown_dns_cache_flushed" and .gate == null' <(health_of app.test .)
check "nothing is guarded under that name" fetch -o /dev/null http://10.2.1.2/
nsd_start
check "DNS is back: so are the addresses" eventually healthy_are "10.2.1.2 10.2.2.2"

server_mute
check "a silent server is no answer" eventually name_is state last_known_good
check "a silent server: its addresses serve on" fetch -o /dev/null http://10.2.1.2/
server_speak
check "it speaks again" eventually name_is state fresh
zone
check "a name that is gone keeps its addresses" eventually name_is rcode NXDOMAIN
check "and they are healthy" healthy_are "10.2.1.2 10.2.2.2"
daemon_stop TERM
sluice detach --all >/dev/null

dns_config app.test
daemon_start
check "NXDOMAIN from the start is message 2" eventually jq -e '.code == 2 and .health == "Unhealthy" and .address == "app.test" and .dns.rcode == "NXDOMAIN"' <(health_of app.test .)
check "the message names name, rcode and server" grep -q 'app.test .*NXDOMAIN.*10.2.3.2' <(sluice why web-pool app.test)
check_status "sluice health says that all is not well" 1 sluice health
zone "app 1 IN CNAME web" "web 1 IN A 10.2.1.2"
check "a name that comes to be is found, through an alias" eventually healthy_are 10.2.1.2

records=()
for ((i = 1; i <= 40; i++)); do records+=("app 1 IN A 10.2.2.$((i + 1))" "app 1 IN TXT $(printf 'x%.0s' {1..60})"); done
zone "${records[@]}"
many_are_there() {
	[ "$(sluice health --json | jq '[.pools[].services[].endpoints[] | select(.admin == "enabled")] | length')" = "$1" ]
}
check "more records than fit: the lowest sixteen" eventually many_are_there 16
check "and the log says what was left out" grep -q 'left out' "$work/sluiced.log"
zone "app 1 IN A 10.2.1.2"
check "back to one" eventually many_are_there 1

# Three names for one address: the second under the same settings, the third under others.
daemon_stop TERM
zone 'app 1 IN A 10.2.1.2' 'same 1 IN A 10.2.1.2' 'other 1 IN A 10.2.1.2' 'mixed 1 IN A 10.2.2.2'
config "$both_interfaces" "resolv_conf: $work/resolv.conf" <<-EOF
	probes: [ { name: quick, protocol: http, path: /healthz, interval: 100ms, timeout: 1s, unhealthy_threshold: 2 } ]
	settings:
	  - { name: web, protocol: http, port: 80, probe: quick }
	  - { name: web2, protocol: http, port: 80, probe: quick }
	pools:
	  - { name: web-pool, backends: [ { address: app.test } ] }
	  - { name: same-pool, backends: [ { address: same.test }, { address: mixed.test } ] }
	  - { name: other-pool, backends: [ { address: other.test } ] }
	services:
	  - { name: web, pool: web-pool, settings: web }
	  - { name: same, pool: same-pool, settings: web }
	  - { name: other, pool: other-pool, settings: web2 }
EOF
# Whoever is answered first has it; the others see that.
one_has_it() {
	sluice health --json | jq -e '[.pools[].services[].endpoints[]] as $e |
		([$e[] | select(.address == "10.2.1.2")] | length) == 1 and
		([$e[] | select(.address == "10.2.2.2")] | length) == 1 and
		([$e[] | .dns | select((.why // "") | contains("is left out"))] | length) >= 1'
}
daemon_start
check "one address under two settings: one has it, and the other says so" eventually one_has_it
check "and the log" eventually grep -q 'another settings guards it' "$work/sluiced.log"
check "and all of it serves" fetch -o /dev/null http://10.2.1.2/ http://10.2.2.2/
zone 'same 1 IN A 10.2.1.2' 'app 1 IN A 10.2.2.2'
check "handed from name to name it stays guarded" eventually healthy_are "10.2.1.2 10.2.2.2"
daemon_stop TERM
dns_config app.test
zone 'app 1 IN A 10.2.1.2'
daemon_start
eventually healthy_are 10.2.1.2 || fail "one name again"

echo "nameserver 10.2.3.77" >"$work/resolv.conf"
check "another server in resolv.conf is asked" eventually name_is "servers[0]" 10.2.3.77
echo "nameserver 10.2.3.2" >"$work/resolv.conf"
check "and back" eventually name_is state fresh
check "orderly stop" daemon_stop TERM
