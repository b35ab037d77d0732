#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# SIGHUP: the file is applied while traffic flows. What is the same goes on as it was, health and open
# connections included; what is wrong changes nothing.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

vip=192.0.2.10

net_up 3
for b in b1 b2 b3; do backend_start $b; done

# write_config BACKENDS SERVICES [GATEWAY_LINE...]
write_config() {
	local backends=$1 services=$2
	shift 2

	config "interfaces: [ { name: gc }, { name: gb1 }, { name: gb2 }, { name: gb3 } ]" "$@" <<-EOF
		probes:
		  - { name: quick, protocol: http, path: /healthz, interval: 100ms, timeout: 1s, unhealthy_threshold: 1 }
		settings:
		  - { name: web, protocol: http, port: 80, probe: quick }
		pools:
		  - { name: p, backends: [ $backends ] }
		services: [ $services ]
	EOF
}

shop="{ name: shop, listen: \"$vip:80\", pool: p, settings: web }"
second="{ name: second, listen: \"192.0.2.11:80\", pool: p, settings: web }"
two="{ address: 10.2.1.2 }, { address: 10.2.2.2 }"
three="$two, { address: 10.2.3.2 }"

served_by() {
	fetches 40 "http://$1/" | sort -u | sed 's/hello from //' | paste -sd' '
}

is_served_by() {
	[ "$(served_by "$1")" = "$2" ]
}

since_of() {
	health_of "$1" .since
}

# A transfer that takes as long as it is let: it ends when $work/go exists.
slow_start() {
	: >"$work/slow.out"
	nsenter --net="/run/netns/$ns_id-client" curl -sS --limit-rate 4M -o "$work/slow.bin" -w '%{size_download}' \
		"http://$vip/huge" >"$work/slow.out" 2>"$work/slow.err" </dev/null &
	slow_pid=$!
	eventually test -s "$work/slow.bin"
}

few_descriptors() {
	local fds=("/proc/$daemon_pid/fd"/*)
	((${#fds[@]} < 120))
}

write_config "$two" "$shop"
daemon_start
check "backends are healthy" eventually all_healthy
check "two backends serve" is_served_by $vip "b1 b2"
since=$(since_of 10.2.1.2)
check "a transfer has begun" slow_start

write_config "$three" "$shop, $second"
check "a backend and a service more: reloaded" reload "reloaded: "
check "all are healthy" eventually all_healthy
check "three backends serve" is_served_by $vip "b1 b2 b3"
check "and the new service" is_served_by 192.0.2.11 "b1 b2 b3"
check "what was known is still known" test "$(since_of 10.2.1.2)" = "$since"
check "recent verdicts included" jq -e '.endpoints[0].recent | length > 1' <(sluice why p 10.2.1.2 --json)

check_status "by a command" 0 sluice reload
check "which says what there is" grep -qx "reloaded: pools 1, endpoints 3" "$work/out"
check "as a document" jq -e '.number >= 2 and .refused == false and .errors == []' <(sluice reload --json)
cp "$build/sluice" "$work/sluice" # where everybody may read it
check_status "not by everybody" 4 on gateway setpriv --reuid 65534 --clear-groups env "SLUICE_SOCKET=$SLUICE_SOCKET" "$work/sluice" reload

echo "nonsense: true" >>"$work/sluice.yaml"
check_status "an unknown key: the command is refused" 1 sluice reload
check "it says where" grep -q "sluice.yaml:.*nonsense: unknown key" "$work/out"
check "and that nothing has changed" grep -q "reload refused, nothing has changed" "$work/out"
check "an unknown key: refused" reload "reload refused"
check "the log says where" grep -q "sluice.yaml:.*nonsense: unknown key" "$work/sluiced.log"
check "nothing has changed" is_served_by $vip "b1 b2 b3"
write_config "$three" "$shop" "bpffs: $work/bpf/other"
sed -i "\|bpffs: $SLUICE_BPFFS|d" "$work/sluice.yaml"
check "another bpffs: refused" reload "reload refused"
check "the log says why" grep -q "gateway.bpffs cannot change" "$work/sluiced.log"
write_config "$three" "$shop" "max_endpoints: 1"
check "more endpoints than there is room for: refused" reload "reload refused"
check "still nothing has changed" is_served_by $vip "b1 b2 b3"
check "and the API answers" sluice status
check "and probing goes on" eventually all_healthy

write_config "$two" "$shop"
check "both gone again: reloaded" reload "reloaded: "
check "two backends serve again" is_served_by $vip "b1 b2"
refute "the other service is gone" fetch --max-time 1 http://192.0.2.11/
check "health is as before" test "$(since_of 10.2.1.2)" = "$since"

write_config "$two" "$shop" "max_endpoints: 8192"
check "other map sizes: reloaded" reload "reloaded: "
check "two backends serve yet" is_served_by $vip "b1 b2"
touch "$work/b1.sick"
check "health still moves the traffic" eventually is_served_by $vip "b2"
rm "$work/b1.sick"

for i in 1 2 3 4 5; do check "reload $i in a row" reload "reloaded: "; done
check "descriptors do not pile up" few_descriptors
check "the transfer that began before all this ends well" wait "$slow_pid"
check "and is whole" test "$(cat "$work/slow.out")" = $((64 << 20))
check "orderly stop" daemon_stop TERM
