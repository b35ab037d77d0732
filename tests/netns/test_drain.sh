#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What operators order of a backend: new connections go elsewhere, open ones have their time, and the
# kernel sees to its end, with or without a daemon.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

vip=192.0.2.10
url=http://$vip
while_s=$((4 * patience)) # a drain's time that is long enough to look at it

net_up 2
for b in b1 b2; do backend_start $b; done
net_prepare_native b1 b2

config "interfaces: [ { name: gc, xdp: native }, { name: gb1, xdp: native }, { name: gb2, xdp: native } ]" <<-EOF
	probes:
	  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 1 }
	settings:
	  - { name: web, protocol: http, port: 80, probe: quick }
	pools:
	  - name: web-pool
	    backends: [ { address: 10.2.1.2 }, { address: 10.2.2.2 } ]
	services:
	  - { name: shop, listen: "$vip:80", pool: web-pool, settings: web }
EOF

# served N: which backends answered N fetches, as "b1 b2".
served() {
	fetches "$1" "$url/" | sed 's/hello from //' | sort -u | xargs
}

served_by() {
	[ "$(served 60)" = "$1" ] # a quarter of the flows must not be missed by chance
}

admin_is() {
	[ "$(health_of "$1" .admin)" = "$2" ]
}

# The client's end of the transfer.
transfer_end() {
	sluice flows --json | jq -r --arg b "$backend" 'first(.flows[] | select(.endpoint.address == $b)).client | "\(.address):\(.port)"'
}

# flows_left ADDRESS N: as health says.
flows_left() {
	[ "$(health_of "$1" .drain.flows)" = "$2" ]
}

time_left() {
	health_of "$1" .drain.left_ms | awk -v most=$((while_s * 1000)) '{ exit !($1 > 0 && $1 <= most) }'
	sluice health | grep -Eq "$1:80 .*Draining: 1 flow, [0-9.]+m?s left"
}

# listed ADDRESS N: flows to it, all of them from the client.
listed() {
	[ "$(sluice flows web-pool "$1" --json | jq '[.flows[] | select(.client.address == "10.1.0.2" and .state == "open")] | length')" = "$2" ]
}

# share_is ADDRESS SLOTS
share_is() {
	[ "$(sluice why web-pool "$1" --json | jq '.endpoints[0].table.slots')" = "$2" ]
}

share_shown() {
	sluice pool show web-pool | grep -E '10.2.2.2:80 +Healthy +3 +7[45].[0-9]%'
}

flows_counted() {
	sluice stats --json | jq -e '.pools[0].services[0].kernel | .flows > 100 and .replies > 1000 and .failed == 0'
}

filled() {
	sluice status --json | jq -e '.forwarding | .services == 1 and .flows.entries > 20 and .flows.max > 1000'
}

# transfer_start NAME: a long download in the background, whose end and status are in files.
transfer_start() {
	{
		on client curl -sS --max-time $((60 * patience)) -D "$work/$1.head" -o "$work/$1.got" "$url/slow"
		echo $? >"$work/$1.status"
	} </dev/null >/dev/null 2>"$work/$1.err" &
	disown
	eventually test -s "$work/$1.got"
}

# grows NAME: more arrives.
grows() {
	local before

	before=$(stat -c %s "$work/$1.got")
	eventually grown "$1" "$before"
}

grown() {
	(($(stat -c %s "$work/$1.got") > $2))
}

# transfer_reset NAME: it has been ended by a reset.
transfer_reset() {
	eventually test -s "$work/$1.status"
	[ "$(cat "$work/$1.status")" = 56 ] && grep -q reset "$work/$1.err"
}

# Who serves the transfer, and who else there is.
find_backend() {
	here=$(sed -n 's/^X-Served-By: \(b[12]\).*/\1/p' "$work/$1.head")
	[ -n "$here" ] || return 1
	backend=10.2.${here#b}.2
	there=b$((3 - ${here#b}))
}

daemon_start
check "backends are healthy" eventually all_healthy
check "both serve" served_by "b1 b2"

# decides WANTED FROM [OPTION...]: the decision about a packet to the service.
decides() {
	local wanted=$1 from=$2
	shift 2
	[ "$(sluice decide "$from" "$vip:80" --json "$@" | jq -r '.decision + " " + .endpoint.address')" = "$wanted" ]
}

forwarded() {
	sluice stats --json | jq .decisions.forward_nat
}

quiet=$(forwarded)
check_status "a new connection would go to a backend" 0 sluice decide 10.1.0.2:1 "$vip:80" --interface gc
check "which is said" grep -q '^forward_nat: ' "$work/out"
check_status "asking counts nothing" 0 test "$quiet" = "$(forwarded)"
transfer_start first
check "a transfer runs" find_backend first
check_status "its backend is drained" 0 sluice backend drain web-pool "$backend" --timeout ${while_s}s
check "the answer says for how long" grep -Eq "$backend:80 +draining, ($while_s|$((while_s - 1)))(\.[0-9])?s left" "$work/out"
check "health says so" admin_is "$backend" draining
check "new connections go elsewhere" served_by "$there"
check "the transfer goes on" grows first
check "it is the one flow that is left" eventually flows_left "$backend" 1
check "whose end is known" time_left "$backend"
check "it is listed" eventually listed "$backend" 1
check_status "the order is taken back" 0 sluice backend enable web-pool "$backend"
check "both serve again" served_by "b1 b2"

# Past the deadline that was, nothing happens.
check_status "another backend's drain ends" 0 sluice backend drain web-pool "10.2.${there#b}.2" --timeout 1s
deadline=$((SECONDS + while_s + 1))
until ((SECONDS >= deadline)); do fetch -o /dev/null "$url/"; done
check "the transfer outlives a deadline that was taken back" grows first
check_status "that backend is enabled" 0 sluice backend enable web-pool "10.2.${there#b}.2"
check_status "a drain that lasts" 0 sluice backend drain web-pool "$backend" --timeout 10m
check "the transfer's packets would still go there" decides "forward_nat $backend" "$(transfer_end)" --flags ack
check "and those of new ones elsewhere" decides "forward_nat 10.2.${there#b}.2" 10.1.0.2:1
check "it has no share of what is new" share_is "$backend" 0
cp "$work/sluice.yaml" "$work/whole.yaml"
sed -i 's/interfaces: \[/& { name: nowhere },/' "$work/sluice.yaml"
left_ms=$(health_of "$backend" .drain.left_ms)
check_status "a reload that would drop the order is refused" 1 sluice reload --discard-runtime
check "as there is no such interface" grep -q nowhere "$work/out"
check "and the drain has no more time than it had" test "$(health_of "$backend" .drain.left_ms)" -le "$left_ms"
cp "$work/whole.yaml" "$work/sluice.yaml"
check_status "it is taken back" 0 sluice backend enable web-pool "$backend"

check_status "a drain of a second" 0 sluice backend drain web-pool "$backend" --timeout 1s
check "the transfer is reset when it is over" transfer_reset first
check "new connections still go elsewhere" served_by "$there"
check_status "the backend is enabled" 0 sluice backend enable web-pool "$backend"

transfer_start second
check "another transfer runs" find_backend second
check_status "its backend is drained" 0 sluice backend drain web-pool "$backend" --timeout ${while_s}s
daemon_stop KILL
check "the daemon is gone, and the transfer goes on" grows second
check "the kernel resets it all the same" transfer_reset second
check "new connections go elsewhere without a daemon" served_by "$there"
daemon_start
check "the order outlives the daemon" admin_is "$backend" draining
check "and is in force" served_by "$there"
check_status "it is taken back" 0 sluice backend enable web-pool "$backend"
check "both serve once more" served_by "b1 b2"

# The order is dropped by a reload after which the backend is asked at another port: it leaves, and no later than was said.
cp "$work/sluice.yaml" "$work/whole.yaml"
transfer_start third
check "one more transfer runs" find_backend third
check_status "its backend is drained" 0 sluice backend drain web-pool "$backend" --timeout ${while_s}s
sed -i 's/port: 80,/port: 8001,/' "$work/sluice.yaml"
check_status "the order is dropped, and the port is another" 0 sluice reload --discard-runtime
check "the transfer is reset when the drain that was ordered is over" transfer_reset third
cp "$work/whole.yaml" "$work/sluice.yaml"
check_status "the port is the old one" 0 sluice reload
check "backends are healthy at it" eventually all_healthy
check "both serve there" served_by "b1 b2"

# A backend is removed by a reload that also exchanges the maps: whichever set a packet is judged by knows whom its flow goes
# to. Connections that never pause have packets at every moment of it.
removed_with_other_maps() {
	local i

	for ((i = 0; i < 5; i++)); do
		sed 's/, { address: 10.2.2.2 }//; s/^gateway:/&\n  max_endpoints: 100/' "$work/whole.yaml" >"$work/sluice.yaml"
		reload "new maps for 100 endpoints" || return 1
		cp "$work/whole.yaml" "$work/sluice.yaml"
		reload "new maps for 4096 endpoints" || return 1
	done
}

no_connection_fails() {
	wait "$wrk" && cat "$work/wrk" && ! grep -qE 'Socket errors|Non-2xx' "$work/wrk"
}

nsenter --net="/run/netns/$ns_id-client" wrk -t1 -c8 -d$((6 * patience))s "$url:80/" >"$work/wrk" </dev/null &
wrk=$!
check "a backend is removed and returns, with other maps each time" removed_with_other_maps
check "no connection to it is cut" no_connection_fails

check_status "a backend is disabled" 0 sluice backend disable web-pool 10.2.1.2
check "the other serves" served_by b2
check_status "it is enabled" 0 sluice backend enable web-pool 10.2.1.2
check_status "a weight of none" 0 sluice backend weight web-pool 10.2.2.2 0
check "the other serves all" served_by b1
check_status "a weight" 0 sluice backend weight web-pool 10.2.2.2 3
check "both serve by weight" served_by "b1 b2"
check "three quarters of the table are its" share_shown
check "flows are counted for the service" flows_counted
check "and the tables' fill" filled

as_nobody() {
	on gateway setpriv --reuid=65534 --regid=65534 --clear-groups "$build/sluice" "$@"
}

chmod 755 "$work"
check_status "others change nothing" 4 as_nobody backend disable web-pool 10.2.1.2
check "which is said" grep -qx "sluice: not permitted: only root and .*" "$work/out"
check "and nothing was changed" served_by "b1 b2"
check_status "an unknown backend" 1 sluice backend drain web-pool 10.2.9.9
check_status "an unknown pool" 1 sluice backend drain none 10.2.1.2
check "orderly stop" daemon_stop TERM
check "detach --all" sluice detach --all
