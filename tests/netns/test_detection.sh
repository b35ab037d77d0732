#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What clients meet is noticed long before the next probe is due: with the default probe, every 30 s and three
# failures, a backend that refuses is gated within 250 ms of the first client that it refused, one that goes
# silent within 1.5 s. Clients that misbehave take nobody down, and do not make the daemon probe without end.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

refusing_ms=$((250 * patience)) silent_ms=$((1500 * patience))
every_ms=10 # from one client to the next

net_up 1
backend_start b1

detection_config() {
	config "$both_interfaces" <<-EOF
		settings: [ { name: web, protocol: http, port: 80 } ]
		pools: [ { name: web-pool, backends: [ { address: 10.2.1.2 }, { address: "fd02:1::2" } ] } ]
		services: [ { name: web, pool: web-pool, settings: web } ]
	EOF
}

# clients ADDRESS SECONDS: in the background; what they met is in $work/clients.
clients() {
	on client /usr/bin/python3 "$(dirname "$0")/connecting.py" "$1" 80 $every_ms "$2" >"$work/clients" </dev/null &
	clients_pid=$!
	eventually are_served "$1" || fail "clients are served"
}

are_served() {
	sluice stats --json | jq -e --arg a "$1" 'first(.pools[].services[].endpoints[] | select(.address == $a)).kernel.completed > 20'
}

clients_end() {
	wait $clients_pid
	read -r first_failure_ms ok refused silent <"$work/clients"
	echo "# $ok connected, $refused refused, $silent without an answer"
}

# When the daemon found ADDRESS unhealthy, in milliseconds of the wall clock.
found_ms() {
	local at

	at=$(sed -n "s/.*web-pool \[*$1\]*:80: Healthy -> Unhealthy, verdict at \([^ ]*\): .*/\1/p" "$work/sluiced.log" | tail -n 1)
	[ -n "$at" ] && date -d "$at" +%s%3N
}

# within MS: of the first client that failed, the backend was found unhealthy.
within() {
	local took=$(($(found_ms "$address") - first_failure_ms))

	echo "# found unhealthy after $took ms"
	((took >= 0 && took <= $1))
}

story() {
	local what=$1 limit=$2 break=$3 mend=$4

	for address in 10.2.1.2 fd02:1::2; do
		check "$what, $address: it is healthy" eventually health_is $address Healthy
		clients $address 6
		$break
		check "$what, $address: it is found unhealthy" eventually health_is $address Unhealthy
		clients_end
		check "$what, $address: within $limit ms" within "$limit"
		cat "$work/check.out"
		check "$what, $address: clients were served before" test "$ok" -ge 20
		check "$what, $address: and refused by the gate afterwards" test "$refused" -gt 100
		$mend
		# Its next probe is half a minute away.
		reload_and_heal
	done
}

reload_and_heal() {
	daemon_stop TERM
	sluice detach --all >/dev/null
	daemon_start
}

go_silent() {
	on b1 nft add table inet silence
	on b1 nft 'add chain inet silence input { type filter hook input priority 0; }'
	on b1 nft add rule inet silence input tcp dport 80 drop
}

speak() {
	on b1 nft delete table inet silence
}

stop_listening() {
	backend_stop b1
}

detection_config
daemon_start
story refusing $refusing_ms stop_listening "backend_start b1"
story silent $silent_ms go_silent speak

# A client that nobody can answer, because nothing leads back to it, and another that only sends SYNs.
probes() {
	wc -l <"$work/b1/access.log"
}

misbehave() {
	local i

	on client ip addr add 10.1.0.77/24 dev eth0
	on client ip addr add 10.1.0.78/24 dev eth0
	on b1 ip route add blackhole 10.1.0.77/32
	for ((i = 0; i < 150; i++)); do
		on client curl -s --interface 10.1.0.77 --connect-timeout 0.2 -o /dev/null http://10.2.1.2/
		sleep 0.02
	done &
	wait $!
	on b1 ip route del blackhole 10.1.0.77/32
}

check "misbehaving clients: it is healthy" eventually health_is 10.2.1.2 Healthy
check "misbehaving clients: others are served" fetch -o /dev/null http://10.2.1.2/
before=$(grep -c 'HTTP' "$work/b1/access.log")
said_before=$(said 'suspected, and')
SECONDS=0
misbehave
lasted=$SECONDS
check "misbehaving clients: it stays healthy" health_is 10.2.1.2 Healthy
check "misbehaving clients: it was suspected" test "$(said 'suspected, and')" -gt "$said_before"
check "misbehaving clients: for nothing, and so ever more rarely" test "$(($(said 'suspected, and') - said_before))" -le 8
check "misbehaving clients: few probes more than usual in $lasted s" test "$(($(grep -c HTTP "$work/b1/access.log") - before))" -le 40
check "orderly stop" daemon_stop TERM
check "detach --all" sluice detach --all
