#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where probes and clients do not say the same, that comes before all else, with the causes that each difference has,
# over IPv4 and IPv6. And where they do, for long enough, the probe comes less often.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

v4=10.2.1.2
v6=fd02:1::2

net_up 1
backend_start b1
# 82: nobody; 83 drops clients, 84 refuses them; 85 refuses this host; 86 is for all.
for port in 83 84 85 86; do bg b1 socat TCP6-LISTEN:$port,fork,reuseaddr,backlog=64 SYSTEM:true; done
on b1 nft -f - <<-'EOF'
	table inet firewall {
		chain input {
			type filter hook input priority 0;
			ip saddr 10.1.0.0/24 tcp dport 83 drop
			ip6 saddr fd01::/64 tcp dport 83 drop
			ip saddr 10.1.0.0/24 tcp dport 84 reject with tcp reset
			ip6 saddr fd01::/64 tcp dport 84 reject with tcp reset
			ip saddr 10.2.1.1 tcp dport 85 reject with tcp reset
			ip6 saddr fd02:1::1 tcp dport 85 reject with tcp reset
		}
	}
EOF

config "$both_interfaces" <<-EOF
	probes:
	  - { name: often, protocol: tcp, interval: 500ms, timeout: 200ms, unhealthy_threshold: 2 }
	  - { name: page, protocol: http, port: 80, interval: 500ms, timeout: 1s }
	  - { name: wrong, protocol: http, path: /nowhere, interval: 500ms, timeout: 1s }
	pools:
	  - { name: p, backends: [ { address: $v4 }, { address: "$v6" } ] }
	settings:
	  - { name: s80, protocol: http, port: 80, probe: wrong, on_unhealthy: pass }
	  - { name: s82, protocol: tcp, port: 82, probe: page }
	  - { name: s83, protocol: tcp, port: 83, probe: often }
	  - { name: s84, protocol: tcp, port: 84, probe: often }
	  - { name: s85, protocol: tcp, port: 85, probe: often, on_unhealthy: pass }
	  - { name: s86, protocol: tcp, port: 86, probe: often, passive: { stretch: 6 } }
	services:
	  - { name: g80, pool: p, settings: s80 }
	  - { name: g82, pool: p, settings: s82 }
	  - { name: g83, pool: p, settings: s83 }
	  - { name: g84, pool: p, settings: s84 }
	  - { name: g85, pool: p, settings: s85 }
	  - { name: g86, pool: p, settings: s86 }
EOF

# at ADDRESS PORT: as it is written
at() {
	case $1 in *:*) echo "[$1]:$2" ;; *) echo "$1:$2" ;; esac
}

# clients ADDRESS PORT N: so many connections, one after the other.
clients() {
	on client curl -s --connect-timeout 0.3 -H 'Connection: close' -o /dev/null "http://$(at "$1" "$2")/?[1-$3]"
	return 0
}

# why ADDRESS PORT FILTER
why() {
	sluice why p "$(at "$1" "$2")" --json | jq -e ".endpoints[0] | $3"
}

health_at() {
	sluice health --json | jq -e --argjson p "$1" --arg h "$2" \
		'[.pools[].services[].endpoints[] | select(.port == $p) | .health == $h] | all'
}

comes_first() {
	awk '/^The probe passes, and clients fail: .*The probe asks port 80\/tcp and clients use 82\/tcp/ { d = NR }
		/^New connections pass/ { f = NR }
		END { exit !(d && d < f) }' "$work/out"
}

# troubleshoot ADDRESS PORT CAUSE: which it comes to, from its own attempts and the clients'.
troubleshoot() {
	check_status "$1: troubleshooting port $2 finds something" 1 sluice troubleshoot p "$(at "$1" "$2")" --json
	check "$1: the same" jq -e --arg id "$3" \
		'.cause == $id and any(.steps[]; .step == "clients" and .state == "bad")' "$work/out"
}

events_have() {
	sluice events --since 10m --json | jq -se "any(.[] | (.events // [.])[]; $1)"
}

daemon_start
for port in 82 83 84 86; do check "the probes of port $port pass" eventually health_at $port Healthy; done
for port in 80 85; do check "those of port $port fail" eventually health_at $port Unhealthy; done
refute "nobody disagrees yet" why $v4 82 'has("disagreement")'

# Of what is probed every half second, and connected to every second for more than a minute.
on client bash -c 'while :; do for a in 10.2.1.2 "[fd02:1::2]"; do curl -s -m 1 -o /dev/null http://$a:86/; done; sleep 1; done' &
steady_pid=$!

for a in $v4 $v6; do
	clients $a 82 8
	check "$a: the probe asks another port, which works" eventually why $a 82 \
		'.disagreement.id == "green_but_broken" and .lately.refused == 8 and .lately.answered == 0'
	check_status "$a: people can read it" 0 sluice why p "$(at $a 82)"
	check "$a: before what becomes of new connections" comes_first
	clients $a 83 8
	check "$a: a firewall drops clients only" eventually why $a 83 \
		'.disagreement.id == "clients_unanswered" and .lately.unanswered == 8'
	troubleshoot $a 83 clients_unanswered
	clients $a 84 8
	check "$a: a firewall refuses clients only" eventually why $a 84 \
		'.disagreement.id == "clients_refused" and .lately.refused == 8'
	troubleshoot $a 84 clients_refused
	clients $a 85 8
	check "$a: a firewall refuses this host only" eventually why $a 85 \
		'.disagreement.id == "probe_wrong" and .lately.answered == 8'
	clients $a 80 8
	check "$a: what is asked for may be wrong" eventually why $a 80 \
		'any(.notes[]; contains("it is the probe'"'"'s request that is wrong"))'
	refute "$a: which is not known" why $a 80 'has("disagreement")'
done

patience_s=30 # a mark is set every 20 s
check "it is told" eventually events_have '.kind == "evidence" and .after == "green_but_broken"'
check "health shows it" grep -q 'Healthy (clients disagree)' <(sluice health)
check "a metric has it" grep -q '^sluice_endpoint_disagreement{.*id="green_but_broken"} 1' <(on gateway curl -s http://127.0.0.1:9477/metrics)
patience_s=90
check "where clients fare well the probe comes less often" eventually why $v4 86 '.probe.stretch == 6'
check "over IPv6, too" eventually why $v6 86 '.probe.stretch == 6'
check "it does" eventually why $v4 86 '.probe.last_ms_ago > 1500'
check "what disagreed, and is forgotten, is told" eventually events_have '.before == "green_but_broken"'
patience_s=2
on b1 nft add rule inet firewall input tcp dport 86 reject with tcp reset
check "it is found in time all the same" eventually health_at 86 Unhealthy
kill $steady_pid
check "orderly stop" daemon_stop TERM
