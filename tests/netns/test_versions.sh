#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Another version is started over what this one has pinned, and the other way round: what both describe in the same
# way goes on, what is lost is said; and programs that the kernel refuses leave those in force where they are.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

vip4=192.0.2.10 vip6=2001:db8::10
layout=1 # of the one that runs

# start VERSION [LAYOUT]: "this", or one of tests/versions.
start() {
	local program=$build/sluiced
	[ "$1" = this ] || program=$build/versions/$1/sluiced
	layout=${2:-1}
	nsenter --net="/run/netns/$ns_id-gateway" "$program" --foreground \
		--config "$work/sluice.yaml" >>"$work/sluiced.log" 2>&1 </dev/null &
	daemon_pid=$!
	eventually daemon_is_up || fail "sluiced ($1) starts"
}

# run VERSION [CONFIG]: which is expected to refuse; its words in $work/out.
run() {
	on gateway timeout 20 "$build/versions/$1/sluiced" --foreground --config "$work/${2:-sluice.yaml}"
}

# Only its own directory is there.
pinned_as() {
	[ "$(ls "$SLUICE_BPFFS")" = "$1" ]
}

version_config() {
	config "$@" <<-EOF
		probes:
		  - { name: ready, protocol: http, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 2 }
		settings:
		  - { name: web, protocol: http, port: 80, probe: ready, on_none_healthy: drop }
		pools:
		  - { name: web-pool, backends: [ { address: 10.2.1.2 }, { address: 10.2.2.2 } ] }
		  - { name: six, backends: [ { address: "fd02:1::2" }, { address: "fd02:2::2" } ] }
		  - { name: fleet, backends: [ { address: 10.2.3.2 } ] }
		services:
		  - { name: s4, listen: "$vip4:80", pool: web-pool, settings: web, forward: nat }
		  - { name: s6, listen: "[$vip6]:80", pool: six, settings: web, forward: nat }
		  - { name: gate, pool: fleet, settings: web }
	EOF
}
interfaces='interfaces: [ { name: gc }, { name: gb1 }, { name: gb2 }, { name: gb3 } ]'

as_known() {
	sluice health --json | jq -e '[.pools[].services[].endpoints[]] | length == 5 and
		all(.[]; .health == (if .backend | test("2[.]2[.]2$|02:2:") then "Unhealthy" else "Healthy" end))'
}

words() {
	bpftool -j map dump pinned "$SLUICE_BPFFS/v$layout/maps/endpoint_words" | md5sum
}

# What came to the endpoint by the kernel's count.
syns() {
	sluice health --json | jq --arg a "$1" '[.pools[].services[].endpoints[] | select(.address == $a) | .kernel.syn] | add'
}

serves() {
	fetch -o /dev/null "http://$vip4/" && fetch -o /dev/null "http://[$vip6]/"
}

# transfer_start FILE SECONDS: some ten seconds' worth, over one connection, for so long at most.
transfer_start() {
	on client curl -sS --max-time $(($2 * patience)) -o /dev/null -w '%{size_download}' \
		"http://$vip4/slow" --range 0-2000000 >"$work/$1" 2>"$work/$1.err" </dev/null &
	transfer=$!
	eventually flows_there
}

flows_there() {
	sluice flows --json | jq -e 'any(.. | objects; .state? == "open")'
}

transfer_arrives() {
	wait "$transfer" && [ "$(cat "$work/$1")" = 2000001 ]
}

# Connections without a pause, each served.
requests() {
	while [ ! -e "$work/enough" ]; do serves || return 1; done
}

lost() {
	sluice events --since 1h --json | jq -e --arg t "$1" 'any(.events[]; .reason == "not_taken_over" and .severity == "error" and (.text | contains($t)))'
}

n_lost() {
	sluice events --since 1h --json | jq '[.events[] | select(.reason == "not_taken_over")] | length'
}

for v in two three refused; do [ -x "$build/versions/$v/sluiced" ] || fail "make $SLUICE_BUILD/versions/$v/sluiced"; done
net_up 3
for b in b1 b2 b3; do backend_start $b; done
touch "$work/b2.sick"
version_config "$interfaces"
start this
check "probes say how it is" eventually as_known
sluice backend drain fleet 10.2.3.2 --timeout 600s >/dev/null || fail "one drains"
for _ in 1 2 3; do serves || fail "the services serve"; done

# --- maps that are described in the same way ----------------------------------------------------

sed "s,^  api_socket:.*,  api_socket: $work/other.sock\n  listen: none,; s,^  state_dir:.*,  state_dir: $work/other," "$work/sluice.yaml" >"$work/other.yaml"
check_status "two layouts are one pin directory: the other daemon is refused" 1 run two other.yaml
check "it says why" grep -q "another daemon" "$work/out"
check "and touches nothing" pinned_as v1

w=$(words) n=$(syns 10.2.1.2)
requests >"$work/requests" 2>&1 &
requests=$!
check "a transfer is under way" transfer_start long 40
daemon_stop TERM
start two 2
check "two: took over what was pinned" pinned_as v2
check "two: it says so" grep -q "took over what another version has pinned as '.*/v1'" "$work/sluiced.log"
check "two: every interface was updated in place" jq -e '.layout == 2 and all(.interfaces[]; .adopted) and .version == "0.0-two"' <(sluice status --json)
check "two: the words are what they were" test "$(words)" = "$w"
check "two: so is health" as_known
check "two: a drain goes on" jq -e '.. | objects | select(.address? == "10.2.3.2") | .drain.left_ms > 500000' <(sluice health --json)
check "two: counters go on" test "$(syns 10.2.1.2)" -ge "$n"
check "two: nothing is lost" test "$(n_lost)" = 0
daemon_stop KILL
start this
check "and back, after a kill: v1 again" pinned_as v1
check "and back: the words are what they were" test "$(words)" = "$w"
touch "$work/enough"
check "all that time every connection was served" wait "$requests"
check "and the transfer arrives" transfer_arrives long
check "and nothing is lost" test "$(n_lost)" = 0

check "a transfer is under way" transfer_start resized 40
for n in 4096 100000; do
	version_config "max_flows: $n" "max_half_open: $n" "$interfaces"
	check "tables for $n flows" reload "reloaded: "
done
check "the transfer goes on in other tables" transfer_arrives resized
version_config "$interfaces"
daemon_stop TERM

# --- maps that are not --------------------------------------------------------------------------

start this
n=$(sluice status --json | jq .decisions.forward_nat)
check "a transfer is under way" transfer_start lost 14
daemon_stop TERM
w=$(words)
start three 3
check "three: took over what was pinned" pinned_as v3
check "three: says what is lost with the maps" lost "describes these differently, and what was in them is lost: flows, half_open, endpoint_stats"
check "three: and what that means" lost "open flows of services could not be taken over"
check "three: the log has it" grep -q "error: .*could not be taken over" "$work/sluiced.log"
check "three: interfaces were updated in place all the same" jq -e '.layout == 3 and all(.interfaces[]; .adopted)' <(sluice status --json)
check "three: the words are what they were" test "$(words)" = "$w"
check "three: so is health" as_known
check "three: a drain goes on" jq -e '.. | objects | select(.address? == "10.2.3.2") | .drain.left_ms > 400000' <(sluice health --json)
check "three: new connections are served" serves
check "three: counters that fit go on" test "$(sluice status --json | jq .decisions.forward_nat)" -ge "$n"
wait "$transfer"
refute "three: what was open through a translation is not" test "$(cat "$work/lost")" = 2000001
rm "$work/b2.sick"
check "three: probes go on" eventually all_healthy
touch "$work/b2.sick"
check "three: and words follow" eventually as_known
n=$(n_lost)
daemon_stop TERM
start this
check "back: v1 again" pinned_as v1
check "back: the loss is said again" test "$(n_lost)" -gt "$n"
check "back: new connections are served" serves
check "back: health is what it was" as_known
daemon_stop TERM

# A start that fails leaves everything as it was, its name as well.
cat >"$work/other.c" <<-'C'
	__attribute__((section("xdp"), used)) int someone_elses(void *ctx) { return 2; }
	char terms[] __attribute__((section("license"), used)) = "GPL";
C
clang -O2 -target bpf -c "$work/other.c" -o "$work/other.o" || fail "other program compiles"
bpftool prog load "$work/other.o" "$work/bpf/other" type xdp || fail "other program is loaded"
on gateway bpftool net attach xdpgeneric pinned "$work/bpf/other" dev gb3 || fail "other program is attached"
version_config 'interfaces: [ { name: gc }, { name: gb1 }, { name: gb2 }, { name: gb3, xdp: generic } ]'
w=$(words)
for v in two three; do
	check_status "$v cannot start: refused" 1 run $v
	check "$v cannot start: the directory is called as before" pinned_as v1
	check "$v cannot start: words stay" test "$(words)" = "$w"
	check "$v cannot start: traffic goes on" serves
done
on gateway bpftool net detach xdpgeneric dev gb3
version_config "$interfaces"

# --- programs that are refused ------------------------------------------------------------------

start refused
check "refused: the daemon runs, and says what is wrong" jq -e '.degraded | test("programs of this version were refused, and those of version .* stay in force: load the XDP program: .*outside of the packet")' <(sluice status --json)
check "refused: for people" grep -q '^DEGRADED: the programs of this version were refused' <(sluice status)
check "refused: as an event" lost "were refused"
check "refused: in metrics" grep -qx 'sluice_programs_current 0' <(on gateway curl -s http://127.0.0.1:9477/metrics)
check "refused: what is in force stays in force" serves
check "refused: all interfaces have it" jq -e '[.interfaces[] | select(.adopted and .ingress == "tcx" and .egress == "tcx")] | length == 4' <(sluice status --json)
check "refused: probes go on" eventually as_known
rm "$work/b2.sick"
check "refused: and the gate follows them" eventually all_healthy
n=$(syns 10.2.2.2)
reaches_b2() {
	serves && [ "$(syns 10.2.2.2)" -gt "$n" ]
}
check "refused: up" eventually reaches_b2
touch "$work/b2.sick"
check "refused: and down" eventually as_known
check "refused: a live change is made over the same maps" sluice backend add web-pool 10.2.3.2
check "refused: and is in force" eventually jq -e '[.. | objects | select(.address? == "10.2.3.2" and .health == "Healthy")] | length == 2' <(sluice health --json)
check "refused: taken back" sluice backend remove web-pool 10.2.3.2
check "refused: a reload tries again" reload "reloaded: "
check "refused: and it is as it was" grep -q '^DEGRADED' <(sluice status)
check_status "refused: nobody can try single packets on programs that are not there" 1 sluice decide 10.1.0.2 $vip4:80
check "refused: and it says so" grep -q "of another version" "$work/out"
version_config "max_endpoints: 128" "$interfaces"
check "refused: a change that needs other maps is refused" reload "reload refused, nothing has changed: what is pinned stays in force, but its maps cannot be used"
version_config "$interfaces"
check "refused: traffic goes on" serves
daemon_stop TERM
start this
check "this one again: not degraded" jq -e '.degraded == null' <(sluice status --json)
check "this one again: nor in metrics" grep -qx 'sluice_programs_current 1' <(on gateway curl -s http://127.0.0.1:9477/metrics)
check "this one again: serves" serves
daemon_stop TERM

# Over maps that it does not know, or with more to do than those in force can.
start three 3
check "probes say how it is" eventually as_known
daemon_stop TERM
w=$(words)
check_status "refused, over other maps: does not start" 1 run refused
check "refused, over other maps: in one line" test "$(grep -c "error: " "$work/out")" = 1
check "refused, over other maps: says why" grep -q "what is pinned stays in force, but its maps cannot be used by this version: load the XDP program:.*outside of the packet" "$work/out"
check "refused, over other maps: those stay" pinned_as v3
check "refused, over other maps: with their words" test "$(words)" = "$w"
check "refused, over other maps: and traffic goes on" serves
check "detach --all knows them all" sluice detach --all
check_status "refused, with nothing before: does not start" 1 run refused
check "refused, with nothing before: says why" grep -q "load the XDP program:.*outside of the packet" "$work/out"
check "refused, with nothing before: leaves nothing" test -z "$(ls -A "$SLUICE_BPFFS" 2>/dev/null)"

web_backends=(10.2.1.2)
web_config "max_services: 64" "$interfaces"
start this
eventually all_healthy || fail "the backend is healthy"
daemon_stop TERM
version_config "max_services: 64" "$interfaces"
check_status "refused, with services that are new: does not start" 1 run refused
check "refused, with services that are new: says why" grep -q "what is pinned stays in force, but cannot do what is configured: load the XDP program:" "$work/out"
check "refused, with services that are new: the gate stays" fetch -o /dev/null http://10.2.1.2/
