#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What keeps a connection from working is made to happen, and has to be named: the area, and the cause.
#
#   gateway ---- b1                        10.2.1.2  fd02:1::2   on the link
#   gateway ---- r1 ---- r2 ---- far       10.5.0.2  fd05::2     behind two routers
#                                          198.51.100.2  2001:db8:5::2  of the internet
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

# found WHAT AREA CAUSE ARGUMENT...: sluice troubleshoot finds this; AREA "-" is none.
found() {
	local what=$1 area=$2 cause=$3 status=0 wanted=1
	shift 3
	[ "$area" = - ] && area='' wanted=0
	sluice troubleshoot --json "$@" >"$work/out" 2>&1 || status=$?
	check "$what: exit status $wanted" [ "$status" = "$wanted" ]
	check "$what: ${area:-no area} $cause" [ "$(jq -r '(.area // "") + " " + .cause' "$work/out")" = "$area $cause" ]
}

# The last answer has this.
says() {
	jq -e "$@" "$work/out"
}

# rule HOST TEXT...: a rule in a chain of its own; the first word names the hook.
rule() {
	local host=$1 hook=$2
	shift 2
	on "$host" nft add table inet trouble
	on "$host" nft add chain inet trouble "$hook" "{ type filter hook $hook priority 0; }"
	on "$host" nft add rule inet trouble "$hook" "$*"
}

no_rules() {
	on "$1" nft delete table inet trouble
}

connect_hosts() {
	local host device

	on "$1" ip link add "$2" type veth peer name "$4" netns "$ns_id-$3"
	for host in "$1 $2 1" "$3 $4 2"; do
		read -r host device n <<<"$host"
		on "$host" ip addr add "10.$5.0.$n/24" dev "$device"
		on "$host" ip addr add "fd0$5::$n/64" dev "$device" nodad
		on "$host" ip link set "$device" up
	done
}

# by HOST GATEWAY4 GATEWAY6 NET...: routes
by() {
	local host=$1 four=$2 six=$3 net
	shift 3
	for net in "$@"; do
		if [[ $net == *:* ]]; then
			on "$host" ip -6 route add "$net" via "$six"
		else
			on "$host" ip route add "$net" via "$four"
		fi
	done
}

behind=(10.5.0.0/24 fd05::/64 198.51.100.0/24 2001:db8:5::/64)
net_begin b1 r1 r2 far
add_link b1 gb1 10.2.1 fd02:1
connect_hosts gateway gr1 r1 eth0 3
connect_hosts r1 eth1 r2 eth0 4
connect_hosts r2 eth1 far eth0 5
by gateway 10.3.0.2 fd03::2 10.4.0.0/24 fd04::/64 "${behind[@]}"
by r1 10.3.0.1 fd03::1 10.2.0.0/16 fd02::/16
by r1 10.4.0.2 fd04::2 "${behind[@]}"
by r2 10.4.0.1 fd04::1 10.2.0.0/16 fd02::/16 10.3.0.0/24 fd03::/64
by far 10.5.0.1 fd05::1 default ::/0
on r2 ip route add 198.51.100.0/24 via 10.5.0.2
on r2 ip -6 route add 2001:db8:5::/64 via fd05::2
on far ip addr add 198.51.100.2/32 dev lo
on far ip addr add 2001:db8:5::2/128 dev lo nodad
for host in r1 r2; do on $host sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; done
for host in b1 r1 r2 far; do on $host sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0; done
backend_start b1
backend_start far
near=("10.2.1.2" "[fd02:1::2]") far=("10.5.0.2" "[fd05::2]") public=("198.51.100.2" "[2001:db8:5::2]")

# --- nothing is wrong ---------------------------------------------------------------------------

for a in "${near[@]}" "${far[@]}"; do
	found "$a works" - reachable "http://$a"
done
check "and is told in Network Watcher's words" says '.ConnectionStatus == "Reachable" and .ProbesSent == 3 and .ProbesFailed == 0 and .DestinationPortStatus == "Reachable" and (.MinLatencyInMs <= .AvgLatencyInMs) and (.AvgLatencyInMs <= .MaxLatencyInMs) and [.Hops[].Type] == ["Source", "Router", "Router", "Destination"] and .Hops[1].NextHopIds == ["hop2"]'
found "host:port is a TCP port" - reachable 10.2.1.2:80 --count 7
check "tried as often as told" says '.ProbesSent == 7'
check "without a daemon it says so" says '[.not_looked_at[] | select(startswith("No daemon answers"))] | length == 1'

# --- A: the application -------------------------------------------------------------------------

for a in "${near[@]}" "${far[@]}"; do
	found "$a: nobody listens" A refused "tcp://$a:81"
	check "$a: by RST" says '.DestinationPortStatus == "NoConnection" and .ProbesFailed == 3 and (.evidence | contains("RST to 3 of 3"))'
	found "$a: no UDP port" A refused "udp://$a:81"
done

bg b1 socat TCP-LISTEN:82,bind=127.0.0.1,fork,reuseaddr OPEN:/dev/null
bg b1 socat TCP6-LISTEN:82,bind=::1,fork,reuseaddr OPEN:/dev/null
bg b1 socat -u TCP6-LISTEN:83,fork,reuseaddr,ipv6only=0 OPEN:/dev/null
for a in 10.2.1.2 fd02:1::2; do bg b1 "$build/tests/netns/fullqueue" $a 84; done
bg b1 socat TCP4-LISTEN:85,bind=10.2.1.2,fork,reuseaddr OPEN:/dev/null
listening() { [ "$(on b1 ss -Hlnt 'sport >= 82 and sport <= 85' | wc -l)" = 6 ]; }
eventually listening || fail "servers listen"
queues_full() { [ "$(on b1 ss -Hlnt 'sport = 84' | awk '$2 > $3' | wc -l)" = 2 ]; }
eventually queues_full || fail "queues are full"

for a in "${near[@]}"; do
	found "$a: bound to loopback, from outside" A refused "tcp://$a:82"
	found "$a: accepts and never answers" A no_answer "http://$a:83"
	found "$a: accept queue full" A accept_queue_full "http://$a:84"
	found "$a: an error of the application" A application_error "http://$a/nothing-here"
done

# on_target WHAT AREA CAUSE ARGUMENT...: the same from within.
on_target() {
	local what=$1 area=$2 cause=$3 status=0 wanted=1
	shift 3
	[ "$area" = - ] && area='' wanted=0
	on b1 "$build/sluice" troubleshoot --json --local "$@" >"$work/out" 2>&1 || status=$?
	check "$what, from within: ${area:-no area} $cause" [ "$(jq -r '(.area // "") + " " + .cause' "$work/out") $status" = "$area $cause $wanted" ]
}

on_target "nobody listens" A not_running 81
on_target "nobody listens on UDP" A not_running 80/udp
on_target "bound to loopback" A loopback_only 82
check "and whose socket it is" says '.evidence | test("^socat \\(pid [0-9]+\\)")'
on_target "accept queue full" A accept_queue_full 84
on_target "the other family" A other_address 85 fd02:1::2
check_status "its own address by URL is looked at from within" 1 on b1 "$build/sluice" troubleshoot --json tcp://10.2.1.2:82
check "and so it is known that it is bound to loopback" says '.cause == "loopback_only"'
on_target "one of its addresses" - reachable 85 10.2.1.2
on_target "works" - reachable 80
rule b1 input tcp dport 80 drop
on_target "own firewall drops" B host_firewall_drops 80
check "and which rule" says '.evidence | contains("table inet trouble, chain input (hook input), handle") and contains("tcp dport 80 drop")'
no_rules b1
rule b1 input tcp dport 80 reject with tcp reset
found "RST by the host's firewall, from outside" A refused tcp://10.2.1.2:80
on_target "RST by the host's firewall" B host_firewall_rejects 80
no_rules b1

# --- B: the host and its firewall ---------------------------------------------------------------

rule b1 input tcp dport 80 drop
for a in "${near[@]}"; do
	found "$a: firewall drops" B host_firewall_drops "http://$a"
	check "$a: nothing came back" says '.DestinationPortStatus == "Timeout"'
done
no_rules b1
rule far input tcp dport 80 drop
for a in "${far[@]}"; do found "$a: firewall drops, far away" B host_firewall_drops "http://$a"; done
no_rules far
for code in net-unreachable host-unreachable prot-unreachable port-unreachable net-prohibited host-prohibited admin-prohibited; do
	rule b1 input meta nfproto ipv4 tcp dport 80 reject with icmp type $code
	found "firewall rejects with ICMP $code" B host_firewall_rejects http://10.2.1.2
	no_rules b1
done
for code in no-route admin-prohibited addr-unreachable port-unreachable policy-fail reject-route; do
	rule b1 input meta nfproto ipv6 tcp dport 80 reject with icmpv6 type $code
	found "firewall rejects with ICMPv6 $code" B host_firewall_rejects "http://[fd02:1::2]"
	no_rules b1
done
for a in 10.2.1.77 "[fd02:1::77]"; do found "$a: nobody has the address" B host_down "tcp://$a:80"; done
for a in 10.5.0.77 "[fd05::77]"; do found "$a: nobody has the address, far away" B host_down "tcp://$a:80"; done

# --- C: the network -----------------------------------------------------------------------------

rule r1 forward tcp dport 80 drop
for a in "${far[@]}"; do
	found "$a: dropped on the way" C path_drops "http://$a"
	check "$a: and where" says '.evidence | test("as far as (10.3.0.2|fd03::2) \\(hop 1\\)")'
done
no_rules r1
for code in net-unreachable host-unreachable port-unreachable net-prohibited host-prohibited admin-prohibited; do
	rule r1 forward meta nfproto ipv4 tcp dport 80 reject with icmp type $code
	found "rejected on the way with ICMP $code" C path_rejects http://10.5.0.2
	check "by whom" says '.evidence | contains("from 10.3.0.2")'
	no_rules r1
done
for code in no-route admin-prohibited addr-unreachable port-unreachable policy-fail reject-route; do
	rule r1 forward meta nfproto ipv6 tcp dport 80 reject with icmpv6 type $code
	found "rejected on the way with ICMPv6 $code" C path_rejects "http://[fd05::2]"
	check "by whom" says '.evidence | contains("from fd03::2")'
	no_rules r1
done
rule r2 forward 'tcp sport 80 tcp flags & (syn|ack) == (syn|ack) drop'
for a in "${far[@]}"; do found "$a: SYN-ACK lost" C reply_lost "http://$a"; done
no_rules r2

for a in 203.0.113.1 "[2001:db8:77::1]"; do found "$a: no route" C no_route "tcp://$a:80"; done
for kind in unreachable prohibit blackhole; do
	on gateway ip route add $kind 203.0.113.0/24
	on gateway ip -6 route add $kind 2001:db8:77::/64
	for a in 203.0.113.1 "[2001:db8:77::1]"; do
		found "$a: $kind" C route_refuses "tcp://$a:80"
		check "$a: and of which type" says --arg k $kind '.evidence | contains("type " + $k)'
	done
	on gateway ip route del $kind 203.0.113.0/24
	on gateway ip -6 route del $kind 2001:db8:77::/64
done
on gateway ip route add 203.0.113.0/24 via 10.2.1.77
on gateway ip -6 route add 2001:db8:77::/64 via fd02:1::77
for a in 203.0.113.1 "[2001:db8:77::1]"; do found "$a: the gateway is down" C next_hop_down "tcp://$a:80"; done
by gateway 10.3.0.2 fd03::2 192.0.2.0/24 2001:db8:78::/64
for a in 192.0.2.1 "[2001:db8:78::1]"; do found "$a: a router has no route" C path_unreachable "tcp://$a:80"; done
by r1 10.4.0.2 fd04::2 192.0.2.0/24 2001:db8:78::/64
by r2 10.4.0.1 fd04::1 192.0.2.0/24 2001:db8:78::/64
for a in 192.0.2.1 "[2001:db8:78::1]"; do found "$a: routing loop" C routing_loop "tcp://$a:80"; done

rule gateway output tcp dport 80 drop
for a in "${near[@]}"; do
	found "$a: own output rule" C own_filter "http://$a"
	check "$a: which" says '.evidence | contains("chain output (hook output), handle") and contains("tcp dport 80 drop")'
	check "$a: and is an issue of this host" says '.Hops[0].Issues[0] | .Origin == "Local" and .Severity == "Error" and .Type == "NetworkSecurityRule"'
done
no_rules gateway
rule gateway output tcp dport 80 reject with tcp reset
for a in "${near[@]}"; do found "$a: own reject" C own_filter "http://$a"; done
no_rules gateway
rule gateway input iifname gb1 tcp sport 80 drop
for a in "${near[@]}"; do found "$a: own input rule" C own_filter "http://$a"; done
no_rules gateway
rule gateway forward oifname gb1 tcp dport 80 drop
for a in "${near[@]}"; do found "$a: own forward rule" C forward_filter "http://$a"; done
no_rules gateway
rule gateway output meta mark 7 tcp dport 80 drop
found "a rule that may match" - reachable http://10.2.1.2
check "is told as one that may" says '[.steps[] | select(.step == "own filter" and .state == "unclear" and (.evidence | startswith("may end them")))] | length == 1'
no_rules gateway

on r1 ip link set eth1 mtu 1400
on r2 ip link set eth0 mtu 1400
for host in r1 r2; do
	rule $host output icmp type destination-unreachable icmp code frag-needed drop
	on $host nft add rule inet trouble output icmpv6 type packet-too-big drop
done
for a in "${far[@]}"; do
	found "$a: MTU black hole" C mtu_black_hole "http://$a"
	check "$a: and what comes through" says '.evidence | test("of 1400 bytes is answered, of 1500 bytes")'
done
for host in r1 r2; do no_rules $host; done
for a in "${far[@]}"; do found "$a: a small MTU that is told" - reachable "http://$a"; done
on r1 ip link set eth1 mtu 1500
on r2 ip link set eth0 mtu 1500

# --- D: the edge --------------------------------------------------------------------------------

for a in "${public[@]}"; do found "$a: the internet works" - reachable "http://$a"; done
rule r1 forward ip daddr 198.51.100.0/24 drop
on r1 nft add rule inet trouble forward ip6 daddr 2001:db8:5::/64 drop
for a in "${public[@]}"; do found "$a: the edge drops" D edge_drops "http://$a"; done
no_rules r1
rule r1 forward ip daddr 198.51.100.0/24 reject with icmp type admin-prohibited
on r1 nft add rule inet trouble forward ip6 daddr 2001:db8:5::/64 reject with icmpv6 type admin-prohibited
for a in "${public[@]}"; do found "$a: the edge rejects" D edge_rejects "http://$a"; done
no_rules r1

# --- names --------------------------------------------------------------------------------------

# The command asks the servers of /etc/resolv.conf: it gets one of its own.
sluice() {
	on gateway unshare -m sh -c 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"' sh "$work/resolv.conf" "$build/sluice" "$@"
}

echo "nameserver 10.2.1.2" >"$work/resolv.conf"
mkdir "$work/dns"
cat >"$work/dns/test.zone" <<-ZONE
	\$ORIGIN test.
	@ 1 IN SOA ns.test. root.test. 1 60 60 600 1
	@ 1 IN NS ns.test.
	ns 1 IN A 10.2.1.2
	app 1 IN A 10.2.1.2
	app6 1 IN AAAA fd02:1::2
	text 1 IN TXT "no address"
ZONE
nsd_config "$work/dns" 10.2.1.2
bg b1 nsd -d -c "$work/dns/nsd.conf"
eventually on gateway sh -c "echo | socat - TCP:10.2.1.2:53" || fail "nsd answers"
for name in app app6; do
	found "$name.test resolves" - reachable "http://$name.test"
	check "$name.test: and how" says --arg n $name.test '.steps[0] | .step == "name" and (.evidence | startswith($n + " is ") and contains("TTL 1 s, 10.2.1.2"))'
done
found "no such name" C name_unknown http://nobody.test
check "no such name: rcode and servers" says '(.steps[0].evidence | contains("NXDOMAIN") and contains("10.2.1.2")) and .Hops[0].Issues[0].Type == "DnsResolution"'
found "a name without an address" C name_without_address http://text.test
found "a zone that the server does not serve" C name_server_failed http://www.elsewhere.example
echo "nameserver 10.2.1.99" >"$work/resolv.conf"
found "the name server is silent" C name_server_silent http://app.test
echo "nameserver 10.2.1.2" >"$work/resolv.conf"

# --- from, users, limits ------------------------------------------------------------------------

found "from an address" - reachable --from 10.3.0.1 http://10.5.0.2
check "and it is the source" says '.Hops[0].Address == "10.3.0.1"'
found "from an interface that leads elsewhere" B host_down --from gr1 tcp://10.2.1.2:80
found "from an address that is not there" C no_source_address --from 10.99.0.1 tcp://10.2.1.2:80
check_status "a target without a port is refused" 2 sluice troubleshoot 10.2.1.2
check_status "a count past its limit is refused" 2 sluice troubleshoot tcp://10.2.1.2:80 --count 101
check_status "a port past its limit is refused" 2 sluice troubleshoot --local 65536
check_status "a pool is known to the daemon only" 3 sluice troubleshoot web-pool 10.2.1.2
check_status "no target is refused" 2 sluice troubleshoot
# within SECONDS ARGUMENT...: whatever is found.
within() {
	local start=$SECONDS
	sluice troubleshoot "${@:2}" >/dev/null
	((SECONDS - start <= $1 * patience))
}
check "time is bounded" within 3 --timeout 2s --count 100 tcp://10.2.1.77:80

# As nobody: less is looked at, and that is said.
as_nobody() {
	on gateway setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all "$build/sluice" "$@"
}
chmod 755 "$work"
rule b1 input tcp dport 80 drop
check_status "as nobody: exit status" 1 as_nobody troubleshoot --json http://10.2.1.2
check "as nobody: a cause all the same" says '.cause == "host_firewall_drops" and .area == "B"'
check "as nobody: and what was not looked at" says '(.not_looked_at | map(select(test("nftables|Echo|SYNs"))) | length) == 3'
no_rules b1

# --- our own gate -------------------------------------------------------------------------------

sluice() {
	on gateway "$build/sluice" "$@"
}

# gate_config PROBE_PORT TRAFFIC_PORT
gate_config() {
	config 'interfaces: [ { name: gb1 } ]' <<-CONFIG
		probes:
		  - { name: quick, protocol: http, path: /healthz, port: $1, interval: 100ms, timeout: 500ms, unhealthy_threshold: 2 }
		settings:
		  - { name: web, protocol: http, port: $2, probe: quick }
		pools:
		  - name: web-pool
		    backends: [ { address: 10.2.1.2 }, { address: "fd02:1::2" } ]
		services:
		  - { name: web, pool: web-pool, settings: web }
	CONFIG
}

gate_config 80 80
daemon_start
check "the endpoints are healthy" eventually all_healthy
for a in 10.2.1.2 fd02:1::2; do
	found "$a: a healthy endpoint" - reachable web-pool $a
	found "$a: by its address alone" - reachable $a
done
touch "$work/b1.sick"
for a in 10.2.1.2 fd02:1::2; do check "$a is unhealthy" eventually health_is $a Unhealthy; done
for a in 10.2.1.2 fd02:1::2; do
	found "$a: the gate is closed" C gate_closed web-pool $a
	check "$a: because" says '.evidence | startswith("The gateway itself refuses this, because the endpoint in pool web-pool is Unhealthy: ") and contains("503")'
done
for a in "${near[@]}"; do found "$a: the same by URL" C gate_closed "tcp://$a:80"; done
kill -STOP "$daemon_pid"
check "a daemon that hangs holds nobody up" within 16 tcp://10.2.1.2:80
found "a daemon that hangs" C gate_closed tcp://10.2.1.2:80
kill -CONT "$daemon_pid"
backend_stop b1
found "the gate is closed, and nobody listens" C gate_closed web-pool 10.2.1.2
check "and what is behind is told" says '.behind_gate | .area == "A" and .cause == "refused"'
kill -KILL "$daemon_pid"
wait "$daemon_pid" 2>/dev/null
daemon_pid=
found "the daemon is dead, the maps are there" C gate_closed tcp://10.2.1.2:80
check "and it says so" says '(.not_looked_at | map(select(startswith("No daemon answers"))) | length == 1) and (.evidence | contains("no daemon runs"))'
sluice detach --all >/dev/null
rm "$work/b1.sick"
backend_start b1

gate_config 81 80
daemon_start
for a in 10.2.1.2 fd02:1::2; do
	check "$a: probed at a wrong port" eventually health_is $a Unhealthy
	found "$a: the server is fine, the probe is wrong" A probe_wrong web-pool $a
done
check "orderly stop" daemon_stop TERM
sluice detach --all >/dev/null
gate_config 80 81
daemon_start
check "the probe is green" eventually all_healthy
for a in 10.2.1.2 fd02:1::2; do found "$a: green but broken" A green_but_broken web-pool $a; done
check "orderly stop" daemon_stop TERM
