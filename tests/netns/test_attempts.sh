#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What comes of attempts to connect is counted to the connection: by the gate, which observes here so that nothing
# keeps the clients from trying, for what this host itself sends, and for services in every way to forward.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

vip4=192.0.2.10
vip6=2001:db8::10
v4=10.2.1.2
v6=fd02:1::2
down4=10.2.1.77
down6=fd02:1::77
n=7 # attempts of each kind

net_up 1
backend_start b1
on b1 ip addr add $vip4/32 dev lo
on b1 ip addr add $vip6/128 dev lo nodad
backend_decapsulates b1

# Every packet gets its ICMP error, and soon.
on gateway sysctl -qw net.ipv4.neigh.gb1.mcast_solicit=1 net.ipv6.neigh.gb1.mcast_solicit=1
on gateway sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
on b1 sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
# Each port of the backend has its own way to fail.
on b1 nft -f - <<-'EOF'
	table inet firewall {
		set seen { type inet_service; size 65535; flags dynamic; }
		chain input {
			type filter hook input priority 0;
			tcp dport 82 drop
			tcp dport 91 tcp flags & (syn | ack) == syn tcp sport != @seen add @seen { tcp sport } drop
			meta nfproto ipv4 tcp dport 83 reject with icmp host-unreachable
			meta nfproto ipv6 tcp dport 83 reject with icmpv6 addr-unreachable
			meta nfproto ipv4 tcp dport 84 reject with icmp port-unreachable
			meta nfproto ipv6 tcp dport 84 reject with icmpv6 port-unreachable
			meta nfproto ipv4 tcp dport 85 reject with icmp admin-prohibited
			meta nfproto ipv6 tcp dport 85 reject with icmpv6 admin-prohibited
			meta nfproto ipv4 tcp dport 86 reject with icmp net-unreachable
			meta nfproto ipv6 tcp dport 86 reject with icmpv6 no-route
		}
		chain output {
			type filter hook output priority 0;
			tcp sport 87 tcp flags & (syn | ack) == syn | ack drop
			tcp sport 92 meta length > 1000 drop
		}
	}
EOF
bg b1 socat TCP6-LISTEN:87,fork,reuseaddr /dev/null
for a in $v4 $v6; do bg b1 "$build/tests/netns/fullqueue" $a 88; done
bg b1 socat TCP6-LISTEN:89,fork,reuseaddr,backlog=64 SYSTEM:'sleep 9'  # accepts, and says nothing
bg b1 socat TCP4-LISTEN:90,bind=127.0.0.1,fork,reuseaddr /dev/null
bg b1 socat TCP6-LISTEN:91,fork,reuseaddr,backlog=64 SYSTEM:true # takes the second SYN of each connection
bg b1 socat TCP6-LISTEN:92,fork,reuseaddr,backlog=64 SYSTEM:'head -c 20000 /dev/zero; sleep 9' # large packets vanish

gate_config() {
	local port

	{
		echo "probes: [ { name: often, protocol: tcp, interval: 1s, timeout: 200ms } ]"
		echo "pools:"
		echo "  - { name: p, backends: [ { address: $v4 }, { address: \"$v6\" } ] }"
		echo "  - { name: down, backends: [ { address: $down4 }, { address: \"$down6\" } ] }"
		echo "settings:"
		for port in {80..92}; do
			echo "  - { name: s$port, protocol: tcp, port: $port, probe: often, passive: { enabled: false } }"
		done
		echo "services:"
		for port in {80..92}; do echo "  - { name: g$port, pool: p, settings: s$port }"; done
		echo "  - { name: g93, pool: down, settings: s80 }"
	} | config "mode: observe" "interfaces: [ { name: gc, xdp: $1 }, { name: gb1, xdp: $1 } ]"
}

# counted ADDRESS PORT FILTER: of what the kernel counts for an endpoint, whether it soon is so; shows it if not, and
# what the clients saw.
counted() {
	eventually is_counted "$@" && return
	cat "$work/seen"
	kernel_counts "$1" "$2"
	return 1
}

is_counted() {
	kernel_counts "$1" "$2" | jq -e "$3"
}

kernel_counts() {
	sluice stats --json | jq --arg a "$1" --argjson p "$2" \
		'first(.pools[].services[].endpoints[] | select(.address == $a and .port == $p)).kernel'
}

# Two attempts that are under way at the same time may have the same place in the kernel's table, by their addresses and
# ports; then one is lost sight of, as it may be. So ports are always the same ones, which get along; but others with each
# turn, as connections of the one before are remembered for a while.
source=10000

# attempts HOST ADDRESS PORT MS: n attempts, each given so long from when it was begun.
attempts() {
	local from=$((source + ($3 - 80) * 20))

	case $2 in *:*) from=$((from + 10)) ;; esac
	case $2 in *77) from=$((from + 400)) ;; esac
	on "$1" "$build/tests/netns/client" attempts "$2" "$3" $n "$4" $from | sort | uniq -c | seen "$1 to port $3 of $2:"
}

# requests HOST URL CURL_OPTION...: n requests, each over a connection of its own.
requests() {
	local from=$((source + 500))

	case $2 in *:92/) from=$((from + 100)) ;; esac
	case $2 in *\[*) from=$((from + 50)) ;; esac
	on "$1" curl -sS --no-progress-meter --local-port $from-$((from + 49)) "${@:3}" -H 'Connection: close' -o /dev/null "$2?[1-$n]" 2>&1 |
		seen "$1 of $2:"
}

# seen WHO: keep what it saw, in one piece.
seen() {
	local what
	what=$(cat)
	echo "$1" "$what" >>"$work/seen"
}

# all_by HOST: of all kinds, over both families.
all_by() {
	local a port ms pids=()

	source=$((source + 1000))
	for a in $v4 $v6; do
		for port in {81..91}; do
			case $port in
			8[2-8]) ms=500 ;; # nothing ever comes, or an error that may not end it
			*) ms=5000 ;;
			esac
			attempts "$1" "$a" "$port" $ms &
			pids+=($!)
		done
	done
	for a in $v4 "[$v6]"; do
		requests "$1" "http://$a/" --max-time 20 &
		pids+=($!)
		requests "$1" "http://$a:92/" --max-time 5 --parallel --parallel-immediate &
		pids+=($!)
	done
	for a in $down4 $down6; do
		attempts "$1" "$a" 80 5000 &
		pids+=($!)
	done
	wait "${pids[@]}"
}

# What must have been counted of m attempts, by port, and nothing else.
outcome() {
	# A client that waits for half a second may on a busy machine wait for long enough to send another SYN,
	# which gets its error as well.
	local none='.unsampled == 0 and .pending == 0'
	local silent='.syn_ack == 0 and .completed == 0'
	local made=".attempts == $2 and $none and .syn_ack == $2 and .completed == $2 and .refused == 0 and .unanswered == 0"
	local failed=".attempts == $2 and $none and $silent and .refused == 0 and .unanswered == 0 and .unreachable == $2"

	case $1 in
	80) echo ".attempts == $2 and .retransmits == 0 and $none and .syn_ack == $2 and .completed == $2 and .refused == 0 and
		.unanswered == 0 and .unreachable == 0 and .handshake_us.p99 >= .handshake_us.p50 and .open_estimate == 0" ;;
	81 | 90) echo ".attempts == $2 and $none and $silent and .refused == $2 and .unanswered == 0" ;;
	82 | 87 | 88) echo ".attempts == $2 and $none and $silent and .refused == 0 and .unanswered == $2" ;;
	83) echo "$failed and .icmp.host == $2 + .retransmits" ;;
	84) echo "$failed and .icmp.port == $2 + .retransmits" ;;
	85) echo "$failed and .icmp.prohibited == $2 + .retransmits" ;;
	86) echo "$failed and .icmp.net == $2 + .retransmits" ;;
	89) echo "$made and .retransmits == 0 and .fin_client == $2" ;;
	91) echo "$made and .retransmits == $2 and .handshake_us.p50 > 500000" ;;
	92) echo "$made and .fin_client + .reset_client == $2 and .icmp.too_big == 0" ;;
	# Linux forgets packets that wait for a neighbour when another comes while it tells of them; and it tells of each SYN.
	down) echo ".attempts == $2 and $none and $silent and .refused == 0 and .unreachable > 0 and .unreachable + .unanswered == $2 and
		.icmp.host >= .unreachable" ;;
	esac
}

gate_story() {
	local port what="gate, $1"

	[ "$1" = auto ] || net_prepare_native b1
	gate_config "$1"
	daemon_start
	check "$what: what works is healthy" eventually health_is_at 80 Healthy
	check "$what: what fails is not" eventually health_is_at 87 Unhealthy
	all_by client
	for port in {80..92}; do
		check "$what: IPv4, port $port" counted $v4 "$port" "$(outcome "$port" $n)"
		check "$what: IPv6, port $port" counted $v6 "$port" "$(outcome "$port" $n)"
	done
	check "$what: IPv4, a host that is down" counted $down4 80 "$(outcome down $n)"
	check "$what: IPv6, a host that is down" counted $down6 80 "$(outcome down $n)"
	all_by gateway
	for port in {80..92}; do
		check "$what: and of this host's own, IPv4, port $port" counted $v4 "$port" "$(outcome "$port" $((2 * n)))"
		check "$what: and of this host's own, IPv6, port $port" counted $v6 "$port" "$(outcome "$port" $((2 * n)))"
	done
	check_status "$what: people can read it" 0 sluice why p $v4:81
	check "$what: in words" grep -q "^ *$((2 * n)) *attempts refused by the endpoint" "$work/out"
	check "$what: orderly stop" daemon_stop TERM
	check "$what: detach --all" sluice detach --all
}

health_is_at() {
	sluice health --json | jq -e --argjson p "$1" --arg h "$2" \
		'[.pools[] | select(.name == "p") | .services[].endpoints[] | select(.port == $p) | .health == $h] | all'
}

service_config() {
	config "interfaces: [ { name: gc, xdp: $1 }, { name: gb1, xdp: $1 } ]" <<-EOF
		probes: [ { name: often, protocol: tcp, interval: 1s, timeout: 1s, unhealthy_threshold: 20 } ]
		settings: [ { name: web, protocol: tcp, port: 80, probe: often, passive: { enabled: false } } ]
		pools:
		  - { name: four, backends: [ { address: $v4 } ] }
		  - { name: six, backends: [ { address: "$v6" } ] }
		services:
		  - { name: shop4, listen: "$vip4:80", pool: four, settings: web, forward: $2 }
		  - { name: shop6, listen: "[$vip6]:80", pool: six, settings: web, forward: $2 }
	EOF
}

service_story() {
	local what="$2, $1" sided="(.one_sided // false) == true"

	[ "$1" = auto ] || net_prepare_native b1
	[ "$2" = nat ] && sided="(.one_sided // false) == false and .fin_endpoint == $n"
	service_config "$1" "$2"
	daemon_start
	check "$what: backends are healthy" eventually all_healthy
	requests client "http://$vip4/" --max-time 20
	requests client "http://[$vip6]/" --max-time 20
	check "$what: IPv4" counted $v4 80 "$(outcome 80 $n) and $sided"
	check "$what: IPv6" counted $v6 80 "$(outcome 80 $n) and $sided"
	on b1 nft insert rule inet firewall input tcp dport 80 drop
	source=$((source + 1000))
	attempts client $vip4 80 500
	attempts client $vip6 80 500
	check "$what: what nobody answers, IPv4" counted $v4 80 ".attempts == $((2 * n)) and .syn_ack == $n and .unanswered == $n"
	check "$what: what nobody answers, IPv6" counted $v6 80 ".attempts == $((2 * n)) and .syn_ack == $n and .unanswered == $n"
	on b1 nft delete rule inet firewall input handle "$(on b1 nft -a list chain inet firewall input | sed -n 's/.*dport 80 drop # handle //p')"
	check "$what: orderly stop" daemon_stop TERM
	check "$what: detach --all" sluice detach --all
}

stories=("gate auto" "gate native" "nat auto" "nat native" "dsr auto" "dsr native" "ipip auto" "ipip native")
(($#)) && stories=("$@")
for story in "${stories[@]}"; do
	read -r kind xdp <<<"$story"
	if [ "$kind" = gate ]; then gate_story "$xdp"; else service_story "$xdp" "$kind"; fi
done
