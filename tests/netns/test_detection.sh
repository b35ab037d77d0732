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
standstill_ms=$((50 * patience)) # so late is none of them while the machine is well

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
	read -r first_failure_ms ok refused silent late_ms <"$work/clients"
	echo "# $ok connected, $refused refused, $silent without an answer"
}

# When the daemon found $address unhealthy, in milliseconds of the wall clock.
found_ms() {
	local at

	at=$(sed -n "s/.*web-pool \[*$address\]*:80: Healthy -> Unhealthy, verdict at \([^ ]*\): .*/\1/p" "$work/sluiced.log" | tail -n 1)
	[ -n "$at" ] && date -d "$at" +%s%3N
}

# round WHAT BREAK MEND: once, for $address.
round() {
	local what="$1, $address"

	check "$what: it is healthy" eventually health_is $address Healthy
	clients $address 6
	$2
	check "$what: it is found unhealthy" eventually health_is $address Unhealthy
	clients_end
	took=$(($(found_ms) - first_failure_ms))
	echo "# found unhealthy after $took ms"
	check "$what: clients were served before" test "$ok" -ge 20
	check "$what: and refused by the gate afterwards" test "$refused" -gt 100
	$3
	# Its next probe is half a minute away.
	reload_and_heal
}

# A machine that others share may stand still for longer than all this takes, and its clients with it: such a round says
# nothing, and is held again.
story() {
	local what=$1 limit=$2 i

	for address in 10.2.1.2 fd02:1::2; do
		for i in 1 2 3 4 5; do
			round "$what" "$3" "$4"
			((took > limit && late_ms > standstill_ms)) || break
			echo "# the machine stood still for $late_ms ms: once more"
		done
		check "$what, $address: within $limit ms" test "$took" -ge 0 -a "$took" -le "$limit"
	done
}

reload_and_heal() {
	daemon_stop TERM
	sluice detach --all >/dev/null
	# What is known of an endpoint would stand until its turn comes, within the interval.
	rm -f "$work"/state/state.db*
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

# A peer, for comparison: HAProxy, which sees the same as it connects for clients, with checks as rare.
peer_start() {
	cat >"$work/haproxy.cfg" <<-EOF
		global
			log stdout format rfc5424 daemon notice
		defaults
			mode tcp
			timeout connect 1s
			timeout client 5s
			timeout server 5s
			retries 0
		listen peer
			bind 10.1.0.1:80
			server s 10.2.1.2:80 check inter 30s fall 3 observe layer4 error-limit 5 on-error mark-down
			log global
	EOF
	nsenter --net="/run/netns/$ns_id-gateway" haproxy -db -f "$work/haproxy.cfg" >"$work/haproxy.log" 2>&1 </dev/null &
	peer_pid=$!
	eventually fetch -o /dev/null http://10.1.0.1/ || fail "HAProxy starts"
}

peer_found_ms() {
	local at

	at=$(sed -n 's/^<[0-9]*>1 \([^ ]*\) .*Server peer\/s is DOWN.*/\1/p' "$work/haproxy.log" | head -n 1)
	[ -n "$at" ] && date -d "$at" +%s%3N
}

# What its clients meet: connections to it are made in any case, and end where the server cannot be had.
peer_clients() {
	on client /usr/bin/python3 "$(dirname "$0")/connecting.py" 10.2.1.2 80 $every_ms 6 >"$work/clients" </dev/null &
	clients_pid=$!
	on client /usr/bin/python3 "$(dirname "$0")/connecting.py" 10.1.0.1 80 $every_ms 6 >/dev/null 2>"$work/peers_clients" </dev/null &
	disown
	eventually grep -q served "$work/peers_clients" || fail "HAProxy's clients are served"
}

peer_story() {
	peer_start
	peer_clients
	$2
	check "$1, the peer: it is found down" eventually peer_found_ms
	clients_end
	echo "# $1: HAProxy with observe layer4 took $(($(peer_found_ms) - first_failure_ms)) ms"
	kill $peer_pid
	wait $peer_pid 2>/dev/null
	$3
}

# A client that nobody can answer, because nothing leads back to it, and another that only sends SYNs.
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

daemon_stop TERM
sluice detach --all >/dev/null
peer_story refusing stop_listening "backend_start b1"
peer_story silent go_silent speak
daemon_start

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
