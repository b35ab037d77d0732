#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Interfaces attached and detached while traffic flows through others, which notice nothing of it; and interfaces that
# vanish, return, change their names, or lose their programs to somebody: said at once, guarded again within a second.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

vip=192.0.2.10 vip6='[2001:db8::10]'
vanishings=20 kills=12
rounds_of_backend=5

# Clients come in by gc, which this is about, and by go. Backend 1 is well, and 2 is not; 3 is what the service has.
net_up 3
add_host other
add_link other go 10.4.0 fd04
for b in b1 b2 b3; do backend_start $b; done
touch "$work/b2.sick"

# write_config INTERFACES
write_config() {
	config "interfaces: [ $1 ]" <<-EOF2
		probes:
		  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 1 }
		settings:
		  - { name: web, protocol: http, port: 80, probe: quick }
		pools:
		  - { name: p, backends: [ { address: 10.2.1.2 }, { address: 10.2.2.2 }, { address: "fd02:1::2" }, { address: "fd02:2::2" } ] }
		  - { name: q, backends: [ { address: 10.2.3.2 } ] }
		  - { name: six, backends: [ { address: "fd02:3::2" } ] }
		services:
		  - { name: gated, pool: p, settings: web }
		  - { name: shop, listen: "$vip:80", pool: q, settings: web }
		  - { name: shop6, listen: "$vip6:80", pool: six, settings: web }
	EOF2
}
in_file='{ name: go }, { name: gb1 }, { name: gb3 }'

# --- what is to be seen -------------------------------------------------------------------------

# state INTERFACE: as the daemon says; "none": it is not to be guarded.
state() {
	sluice status --json | jq -r --arg name "$1" 'first(.interfaces[] | select(.name == $name).state) // "none"'
}

is_state() {
	[ "$(state "$1")" = "$2" ]
}

# links: "gc tcx-in,tcx-out" and so on, of every device that runs programs of ours, as the kernel says.
links() {
	python3 "$(dirname "$0")/links.py" "$SLUICE_BPFFS/v1/links" | while read -r pin ifindex _; do
		[ "$ifindex" = 0 ] || on gateway ip -o link | awk -F'[ :@]+' -v i="$ifindex" -v pin="$pin" '$1 == i { sub("-[^-]*$", "", pin); print $2, pin }'
	done | sort | awk '{ by[$1] = by[$1] (by[$1] ? "," : "") $2 } END { for (name in by) print name, by[name] }' | sort
}

# Links that run our programs without being pinned: nobody could take them off again.
loose_links() {
	local pin programs=()
	for pin in "$SLUICE_BPFFS"/v1/progs/*; do programs+=("$(bpftool prog -j show pinned "$pin" | jq .id)"); done
	bpftool link -j | jq -e --argjson programs "$(jq -s . <<<"${programs[*]}")" --argjson pinned "$(find "$SLUICE_BPFFS/v1/links" -type f | wc -l)" \
		'[.[] | select(.prog_id as $id | $programs | index($id))] | length > $pinned'
}

# guarded NAME...: these devices run ours, and no others; and what runs is pinned.
guarded() {
	[ "$(links | awk '{ print $1 }' | paste -sd' ')" = "$*" ] && ! loose_links
}

# A closed gate: for clients by gc, over both families.
gate_is_shut() {
	refused_at_once "http://10.2.2.2/" && refused_at_once "http://[fd02:2::2]/"
}

gate_is_open() {
	fetch -o /dev/null http://10.2.2.2/ && fetch -o /dev/null "http://[fd02:2::2]/"
}

service_serves() {
	[ "$(fetch "http://$vip/")" = "hello from b3" ] && [ "$(fetch "http://$vip6/")" = "hello from b3" ]
}

# status_begins WORDS
status_begins() {
	sluice status | head -1 | grep -q "^$1"
}

version() {
	sluice diff --json | jq .version
}

rows() {
	sluice diff --json | jq -c '[.changes[] | del(.at)]'
}

# events_of REASON INTERFACE
events_of() {
	sluice events --limit 1000 --json | jq --arg r "$1" --arg i "$2" '[.events[] | select(.kind == "interface" and .reason == $r and (.text | contains($i)))] | length'
}

# has_told REASON INTERFACE N: so many of them.
has_told() {
	[ "$(events_of "$1" "$2")" = "$3" ]
}

# beats N: the daemon's heart beats so often, and each time it looks at what it guards.
has_beaten() {
	local before=$age

	age=$(sluice status --json | jq .heartbeat_ms_ago)
	((age < before))
}
beats() {
	local age=0 i

	for ((i = 0; i < $1; i++)); do eventually has_beaten || fail "the daemon's heart beats"; done
}

daemon_kill() {
	kill -KILL "$daemon_pid"
	wait "$daemon_pid" 2>/dev/null
	daemon_pid=
}

on_exit() {
	ip netns del "$ns_id-away" 2>/dev/null
}

# Traffic by the other interfaces, all the time: connections one by one, and a transfer that takes its time.
others_start() {
	nsenter --net="/run/netns/$ns_id-other" stdbuf -oL curl -s --max-time $((2 * patience)) --rate 40/s -H 'Connection: close' -o /dev/null \
		-w '%{http_code} %{errormsg}\n' "http://10.2.1.2/?[1-1000000]" >"$work/others" 2>/dev/null </dev/null &
	others_pid=$!
	nsenter --net="/run/netns/$ns_id-other" stdbuf -oL curl -s --max-time $((2 * patience)) --rate 20/s -H 'Connection: close' -o /dev/null \
		-w '%{http_code} %{errormsg}\n' "http://[fd02:1::2]/?[1-1000000]" >"$work/others6" 2>/dev/null </dev/null &
	others6_pid=$!
	nsenter --net="/run/netns/$ns_id-other" curl -sS --limit-rate 600k -o "$work/slow.bin" -w '%{size_download}' \
		"http://10.2.1.2/huge" >"$work/slow.out" 2>&1 </dev/null &
	slow_pid=$!
}

others_count() {
	cat "$work/others" "$work/others6" | wc -l
}

others_failed() {
	grep -vh '^200 ' "$work/others" "$work/others6"
}

# It has time to end meanwhile.
slow_is_well() {
	kill -0 $slow_pid 2>/dev/null || [ "$(cat "$work/slow.out")" = $((64 << 20)) ]
}

others_notice_nothing() {
	! others_failed && kill -0 $others_pid && kill -0 $others6_pid && slow_is_well
}

write_config "$in_file"
daemon_start
check "backends are known" eventually health_is 10.2.2.2 Unhealthy
check "over both families" eventually health_is fd02:2::2 Unhealthy
check "and the services', too" eventually health_is 10.2.3.2 Healthy
check "over both families" eventually health_is fd02:3::2 Healthy
check "the file's interfaces are guarded" guarded gb1 gb3 go
check "who comes in by another passes" gate_is_open
refute "and no service is reached by it" service_serves
others_start
eventually test -s "$work/slow.bin" || fail "somebody else's transfer has begun"

# --- attach -------------------------------------------------------------------------------------

before=$(version)
check_status "dry run" 0 sluice attach gc --dry-run
check "says what would be" grep -q "interface gc added, auto" "$work/out"
check "and does nothing" guarded gb1 gb3 go
check_status "attach" 0 sluice attach gc
check "says how" grep -q "^gc: attached, ingress tcx, egress tcx (version $((before + 1)))" "$work/out"
check "it is guarded" guarded gb1 gb3 gc go
check "at once, over both families" gate_is_shut
check "and services are reached" service_serves
check "diff shows it" grep -qE "^gc +added +auto +true" <(sluice diff)
check "events say who did it" jq -e 'any(.events[]; .kind == "order" and .reason == "attach" and
	(.text | test("attach gc by uid 0, process [0-9]+ \\(.*sluice attach gc")))' <(sluice events --json)
check "and that it is attached" has_told attached gc: 1
check "in another way" sluice attach gc --xdp generic --egress false --json
check "it is" test "$(links | grep '^gc')" = "gc xdp"
check "as bpftool says, too" grep -qE "^gc\([0-9]+\) generic id" <(on gateway bpftool net)
check "the gate is shut all the same" gate_is_shut
check "diff says how" grep -qE "^gc +added +generic +false" <(sluice diff)
check_status "what is not said stays" 0 sluice attach gc --xdp off
check "so it did" grep -qE "^gc +added +off +false" <(sluice diff)
check_status "as at first" 0 sluice attach gc --xdp auto --egress true
check "an interface of the file in another way" sluice attach gb3 --egress false
check "is one change" test "$(rows)" = '[{"interface":"gb3","change":"changed","xdp":"auto","egress":false},{"interface":"gc","change":"added","xdp":"auto","egress":true}]'
check "others have noticed nothing" others_notice_nothing

# --- nonsense -----------------------------------------------------------------------------------

on gateway ip tuntap add dev tun7 mode tun || fail "tun device is made"
cat >"$work/other.c" <<-'EOF2'
	__attribute__((section("xdp"), used)) int someone_elses(void *ctx) { return 2; }
	char terms[] __attribute__((section("license"), used)) = "GPL";
EOF2
clang -O2 -target bpf -c "$work/other.c" -o "$work/other.o" || fail "other program compiles"
bpftool prog load "$work/other.o" "$work/bpf/other" type xdp || fail "other program is loaded"
foreign() {
	on gateway bpftool net "$1" xdpgeneric ${2:+pinned "$2"} dev "$3"
}
foreign attach "$work/bpf/other" gb2 || fail "other program is attached"

before=$(version) was=$(links)
# nonsense STATUS WORDS COMMAND...
nonsense() {
	local status=$1 words=$2
	shift 2
	check_status "refused: $*" "$status" "$@"
	check "because: $words" grep -q "$words" "$work/out"
}
nonsense 1 "interface 'gc' is guarded already, xdp: auto, egress: true" sluice attach gc
nonsense 1 "interface 'none0': this host has none of that name" sluice attach none0
nonsense 1 "interface 'none0': this host has none of that name" sluice attach none0 --dry-run
nonsense 1 "interface 'tun7' does not carry Ethernet frames" sluice attach tun7
nonsense 1 "already runs an XDP program that is not ours" sluice attach gb2
nonsense 1 "already runs an XDP program that is not ours" sluice attach gb2 --dry-run
nonsense 1 "NIC does not offer it" sluice attach gc --xdp offload
nonsense 1 "xdp 'fast' is no mode" sluice attach gc --xdp fast
nonsense 2 "neither true nor false" sluice attach gc --egress perhaps
nonsense 1 "name 'a/b'" sluice attach a/b
nonsense 1 "interface 'gb2' is not guarded" sluice detach gb2
nonsense 1 "the configuration has version $before, not 1" sluice detach gc --if-version 1
nonsense 2 "usage: sluice detach INTERFACE" sluice detach
nonsense 4 "No results\|not permitted" on gateway setpriv --reuid 65534 --clear-groups env "SLUICE_SOCKET=$SLUICE_SOCKET" \
	"$(cp "$build/sluice" "$work/sluice" && echo "$work/sluice")" detach gc
check "JSON: errors too" jq -e '.refused and (.errors[0] | contains("none0"))' <(sluice attach none0 --json)
check "nothing has changed" test "$(version)" = "$before"
check "in the kernel, either" test "$(links)" = "$was"
check "the other program is where it was" grep -q "gb2.*generic" <(on gateway bpftool net)
check "services are reached" service_serves
check_status "beside it, by tcx" 0 sluice attach gb2 --xdp off
check "which is guarded then" guarded gb1 gb2 gb3 gc go
check_status "and off again" 0 sluice detach gb2
foreign detach "" gb2
on gateway ip link del tun7
check "others have noticed nothing" others_notice_nothing

# --- gone, and back -----------------------------------------------------------------------------

# returns INTERFACE N: it is attached again for the Nth time.
returns() {
	sluice status --json | jq -e --arg name "$1" --argjson n "$2" '.interfaces[] | select(.name == $name) | .state == "attached" and .returns == $n'
}

ms() {
	date +%s%3N
}

# In worst_lost and worst_back: how long it took to say so, with the command that asks, in ms.
worst_lost=0 worst_back=0
vanish_and_return() {
	local i began took

	for ((i = 1; i <= vanishings; i++)); do
		began=$(ms)
		on gateway ip link del gc
		eventually is_state gc gone || return 1
		took=$(($(ms) - began))
		((took <= worst_lost)) || worst_lost=$took
		add_link client gc 10.1.0 fd01
		began=$(ms)
		eventually returns gc $i || return 1
		took=$(($(ms) - began))
		((took <= worst_back)) || worst_back=$took
		eventually gate_is_shut && service_serves || return 1
	done
}
patience_was=$poll_s poll_s=0.02
check "vanishes and returns $vanishings times, with another number and address each time" vanish_and_return
poll_s=$patience_was
echo "# said to be gone within $worst_lost ms, attached again within $worst_back ms"
check "gone: said at once" test "$worst_lost" -lt $((1000 * patience))
check "back: guarded within a second" test "$worst_back" -lt $((1000 * patience))
check "guarded as before" guarded gb1 gb3 gc go
check "others have noticed nothing" others_notice_nothing
check "events: the first of many, and not all of them" test "$(events_of gone "'gc'")" -le 6 -a "$(events_of gone "'gc'")" -ge 1
check "a metric counts it" grep -q "^sluice_interface_returns_total{interface=\"gc\"} $vanishings" <(on gateway curl -s http://127.0.0.1:9477/metrics)

# The way to the service's backend: routes, neighbours and numbers are others afterwards.
backend_returns() {
	local i
	for ((i = 1; i <= rounds_of_backend; i++)); do
		on gateway ip link del gb3
		eventually is_state gb3 gone || return 1
		! service_serves || return 1
		add_link b3 gb3 10.2.3 fd02:3
		eventually returns gb3 $i && eventually health_is 10.2.3.2 Healthy && eventually health_is fd02:3::2 Healthy || return 1
		eventually service_serves || return 1
	done
}
check "a service's way vanishes and returns $rounds_of_backend times" backend_returns

on gateway ip link del gc
check "while it is away: status says so first" eventually status_begins "gc IS NOT GUARDED: there is no such interface"
check "health, too" grep -q "^gc IS NOT GUARDED: " <(sluice health | head -1)
check "in JSON as well" jq -e '.unguarded == [.unguarded[] | select(.interface == "gc" and .state == "gone")] and (.unguarded | length) == 1' <(sluice health --json)
check "and a metric" grep -q '^sluice_interface_guarded{interface="gc"} 0' <(on gateway curl -s http://127.0.0.1:9477/metrics)
check_status "while it is away: changes are made" 0 sluice backend weight p 10.2.1.2 3
check_status "and reloads" 0 sluice reload
check_status "and other interfaces attached" 0 sluice attach gb2
check "what is away stays away, and nothing is lost" guarded gb1 gb2 gb3 go
check "restart while it is away" daemon_stop TERM
daemon_start
check "it is waited for" eventually is_state gc gone
add_link client gc 10.1.0 fd01
check "and guarded when it is back" eventually is_state gc attached
check "for real" eventually gate_is_shut
check_status "gb2 off again" 0 sluice detach gb2
check_status "and the weight" 0 sluice backend weight p 10.2.1.2 1

# --- another name, another namespace ------------------------------------------------------------

on gateway ip link set gc name gx
check "renamed: said" eventually is_state gc renamed
check "renamed: with the name" status_begins "gc IS NOT GUARDED: its device is called 'gx' now, and keeps the gate"
check "renamed: keeps the gate" gate_is_shut
check_status "renamed: over a change" 0 sluice backend weight p 10.2.1.2 3
check "renamed: keeps it then, too" gate_is_shut
check "renamed: as the kernel says" guarded gb1 gb3 go gx
on gateway ip link set gx name gc
check "renamed back" eventually is_state gc attached
on gateway ip link set gc name gx
eventually is_state gc renamed || fail "renamed again"
on gateway ip link add gc type veth peer name gcpeer
check "another of its name gets the gate" eventually is_state gc attached
check "and nobody else" guarded gb1 gb3 gc go
check "the renamed one has it no more" gate_is_open
on gateway ip link del gc
on gateway ip link set gx name gc
check "until it is called so again" eventually gate_is_shut
ip netns add "$ns_id-away"
on gateway ip link set gc netns "$ns_id-away"
check "moved to another namespace: gone" eventually is_state gc gone
check "and no link went along" guarded gb1 gb3 go
ip -n "$ns_id-away" link set gc netns "$ns_id-gateway"
on gateway ip addr add 10.1.0.1/24 dev gc
on gateway ip addr add fd01::1/64 dev gc nodad
on gateway ip link set gc up
check "moved back: guarded" eventually gate_is_shut
check "others have noticed nothing" others_notice_nothing

# --- somebody else --------------------------------------------------------------------------------

# link_of PIN: its id.
link_of() {
	bpftool link -j show pinned "$SLUICE_BPFFS/v1/links/$1" | jq .id
}

# What was told of gc too often is told less often for a while, but not by the next daemon.
check "restart" daemon_stop TERM
daemon_start
check_status "by XDP" 0 sluice attach gc --xdp generic
refute "ip link cannot take it off" on gateway ip link set dev gc xdpgeneric off
bpftool link detach id "$(link_of xdp-gc)" || fail "bpftool detaches"
check "bpftool can: noticed" eventually has_told stripped "'gc'" 1
check "and attached again" eventually is_state gc attached
check "for real" gate_is_shut
bpftool link detach id "$(link_of xdp-gc)" || fail "bpftool detaches"
eventually has_told stripped "'gc'" 2 || fail "noticed again"
foreign attach "$work/bpf/other" gc || fail "other program is attached"
check "somebody else's program has its place: said who" eventually status_begins "gc IS NOT GUARDED: .* an XDP program that is not ours (bpftool prog show id [0-9]*)"
beats 3
check "nobody fights" grep -q "gc.*generic" <(on gateway bpftool net)
check "and it is said once" has_told refused "not ours" 1
check_status "nor does a change" 0 sluice backend weight p 10.2.1.2 1
check "which leaves it alone" is_state gc refused
foreign detach "" gc
check "it has left: guarded" eventually is_state gc attached
check "for real" gate_is_shut
check_status "as at first" 0 sluice attach gc --xdp auto
check "others have noticed nothing" others_notice_nothing

# --- the BPF file system --------------------------------------------------------------------------

# Links are found by their pins: who looks for them while those are out of sight must not take them for lost.
pinned() {
	sluice status --json | jq -e .pinned
}
umount -l "$work/bpf"
check "unmounted: said" eventually status_begins "THE GATE IS NOT PINNED"
on gateway ip link set gb2 mtu 1400
beats 2
check "no interface is said to have lost anything" jq -e 'all(.interfaces[]; .state == "attached")' <(sluice status --json)
check "nor has it" gate_is_shut
on gateway ip link del gc
add_link client gc 10.1.0 fd01
mount -t bpf bpf "$work/bpf"
check "mounted: pinned again" eventually pinned
check "and who came meanwhile is guarded" eventually guarded gb1 gb3 gc go
check "for real" gate_is_shut
check "others have noticed nothing" others_notice_nothing

# --- detach ---------------------------------------------------------------------------------------

fetch --max-time 60 --limit-rate 4M -o "$work/mine.bin" -w '%{size_download}' http://10.2.1.2/huge >"$work/mine.out" 2>&1 &
mine_pid=$!
eventually test -s "$work/mine.bin"
check_status "detach" 0 sluice detach gc
check "says so" grep -q "^gc: detached, its packets pass unjudged" "$work/out"
check "it is off" guarded gb1 gb3 go
check "and open" gate_is_open
check "an open connection by it goes on" kill -0 $mine_pid
check "diff shows the rest" test "$(rows)" = '[{"interface":"gb3","change":"changed","xdp":"auto","egress":false}]'
check_status "one of the file" 0 sluice detach gb3
check "is a change" test "$(rows)" = '[{"interface":"gb3","change":"removed"}]'
check_status "which comes back" 0 sluice attach gb3
check "as the file has it" test "$(rows)" = '[]'
check "others have noticed nothing" others_notice_nothing
check "the connection has ended well" wait $mine_pid
check "and whole" test "$(cat "$work/mine.out")" = $((64 << 20))
check "others all this time: $(others_count) connections" test "$(others_count)" -gt 500
check "none of them failed" others_notice_nothing

# --- the daemon goes and comes ---------------------------------------------------------------------

check_status "attach" 0 sluice attach gc --xdp generic
killed_rounds() {
	local i verb wanted pid told after

	for ((i = 0; i < kills; i++)); do
		verb=attach wanted=attached
		((i % 2 == 0)) || verb=detach wanted=none
		sluice $verb gb2 >/dev/null 2>&1 &
		pid=$!
		sleep "0.$((i * 37 % 90 + 10))"
		daemon_kill
		told=no
		! wait $pid || told=yes
		daemon_start
		after=$(state gb2)
		case $told,$after in
		"yes,$wanted" | no,attached | no,none) ;;
		*) echo "round $i: $verb, told: $told, then: $after" && return 1 ;;
		esac
		echo "# $verb: told: $told, then: $after" >>"$work/rounds"
		# What the model says is what the kernel has.
		if [ "$after" = attached ]; then guarded gb1 gb2 gb3 gc go; else guarded gb1 gb3 gc go; fi || return 1
		gate_is_shut || return 1
		[ "$after" = "$wanted" ] || sluice $verb gb2 >/dev/null || return 1
	done
}
check "kill -9 at $kills points of a change" killed_rounds
sort "$work/rounds" | uniq -c | sed 's/^/# /'
check "others have noticed nothing of that" others_notice_nothing

# As after a reboot: nothing is left in the kernel.
check "stop" daemon_stop TERM
kill $others_pid $others6_pid $slow_pid 2>/dev/null
check "detach --all" sluice detach --all
daemon_start
check "after a reboot: attached as it was" test "$(links | grep '^gc')" = "$(printf 'gc tcx-out,xdp')"
check "with the change that says so" test "$(rows)" = '[{"interface":"gc","change":"added","xdp":"generic","egress":true}]'
check "and shut" eventually gate_is_shut
check "stop" daemon_stop TERM
check "detach --all" sluice detach --all
on gateway ip link del gc
daemon_start
check "after a reboot without it: the daemon starts, and waits for it" eventually is_state gc gone
add_link client gc 10.1.0 fd01
check "then it is guarded" eventually gate_is_shut
check "stop" daemon_stop TERM
write_config "$in_file, { name: none0 }"
check_status "what the file names and nobody knows refuses a start" 1 on gateway timeout 10 "$build/sluiced" --foreground --config "$work/sluice.yaml"
check "by name" grep -q "interface 'none0': this host has none of that name" "$work/out"
write_config "$in_file"
daemon_start

# --- the file ---------------------------------------------------------------------------------------

write_config "$in_file, { name: gc, xdp: generic }"
check_status "the file says the same by now" 0 sluice reload
check "that is no change any more" test "$(rows)" = '[]'
check_status "another way" 0 sluice attach gc --xdp off
check_status "and one more" 0 sluice attach gb2
write_config "$in_file"
check_status "the file has it no more" 0 sluice reload
check "which is said" grep -q "the runtime change of interface gc is dropped: the file no longer has the interface" "$work/out"
check "and done" guarded gb1 gb2 gb3 go
check_status "dry run of the file alone" 0 sluice reload --discard-runtime --dry-run
check "says what would go" grep -q "interface gb2 removed" "$work/out"
check_status "the file alone" 0 sluice reload --discard-runtime
check "it goes" guarded gb1 gb3 go

check_status "one detached, one attached" 0 sluice detach gb3
check_status "in its own way" 0 sluice attach gc --xdp generic --egress false
check_status "saved" 0 sluice save
check "in the file" grep -q "interfaces: \[ { name: go }, { name: gb1 }, { name: gc, xdp: generic, egress: false } \]" "$work/sluice.yaml"
check "which is no change any more" test "$(rows)" = '[]'
check "and in force as before" guarded gb1 gc go
check_status "as it was" 0 sluice detach gc
check_status "as it was" 0 sluice attach gb3
check_status "saved" 0 sluice save
check "for good" daemon_stop TERM
daemon_start
check "what is saved is in force" guarded gb1 gb3 go

# --- nothing left -----------------------------------------------------------------------------------

check_status "all but one" 0 sluice detach gb1
check_status "all but one" 0 sluice detach gb3
check_status "dry run of the last" 0 sluice detach go --dry-run
check "warns" grep -q "NOTHING WOULD BE GUARDED" "$work/out"
check_status "the last one" 0 sluice detach go
check "says so" grep -q "NOTHING IS GUARDED NOW" "$work/out"
check "nothing is" guarded
check "status says it first" status_begins "NOTHING IS GUARDED: no interface is attached"
check "health, too" grep -q "^NOTHING IS GUARDED: " <(sluice health | head -1)
check "packets pass" gate_is_open
check_status "no file can say so" 0 sluice save
check "it stays a change" grep -q "stays a runtime change, since a file names one interface at least: go removed" "$work/out"
check "over a restart" daemon_stop TERM
daemon_start
check "nothing is guarded still" guarded
check_status "one is attached again" 0 sluice attach gc
check "and guarded" gate_is_shut
check "detach --all under the daemon" sluice detach --all
check "is noticed" eventually said "the gate was removed from outside"
beats 1
check "is not taken back" test ! -e "$SLUICE_BPFFS/v1/links"
check "orderly stop" daemon_stop TERM
