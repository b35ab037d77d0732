#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What may fail beneath the daemon while it runs: its BPF file system is unmounted, it stands still for a minute, it
# is given no more memory, it is killed for want of it. Traffic goes on as the failure policy says, the daemon says
# what is wrong, and is well again once it can be.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

vip4=192.0.2.10 vip6=2001:db8::10

# failure_config GATEWAY_LINE...: a service whose second backend is sick, and a gate before the same backends.
failure_config() {
	config "$@" 'interfaces: [ { name: gc }, { name: gb1 }, { name: gb2 } ]' <<-EOF
		probes:
		  - { name: ready, protocol: http, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 2 }
		settings:
		  - { name: web, protocol: http, port: 80, probe: ready }
		pools:
		  - { name: web-pool, backends: [ { address: 10.2.1.2 }, { address: 10.2.2.2 } ] }
		  - { name: six, backends: [ { address: "fd02:1::2" }, { address: "fd02:2::2" } ] }
		services:
		  - { name: s4, listen: "$vip4:80", pool: web-pool, settings: web, forward: nat }
		  - { name: s6, listen: "[$vip6]:80", pool: six, settings: web, forward: nat }
	EOF
}

as_known() {
	sluice health --json | jq -e '[.pools[].services[].endpoints[]] | length == 4 and
		all(.[]; .health == (if .backend | test("2[.]2[.]2$|02:2:") then "Unhealthy" else "Healthy" end))'
}

# Services serve, and the gate is closed where it was, for both.
goes_on() {
	local a
	for a in $vip4 "[$vip6]" 10.2.1.2 "[fd02:1::2]"; do fetch -o /dev/null "http://$a/" || return 1; done
	for a in 10.2.2.2 "[fd02:2::2]"; do refused_at_once "http://$a/" || return 1; done
}

# The same without a pause, until it is enough.
begin_traffic() {
	rm -f "$work/enough"
	(until [ -e "$work/enough" ]; do goes_on || exit 1; done) >"$work/traffic" 2>&1 &
	traffic=$!
}

enough_traffic() {
	touch "$work/enough"
	wait "$traffic"
}

happened() {
	sluice events --since 1h --json | jq -e --arg r "$1" 'any(.events[]; .reason == $r)'
}

# change_is_seen: probes reach the words.
change_is_seen() {
	rm -f "$work/b2.sick"
	eventually all_healthy || return 1
	eventually fetch -o /dev/null http://10.2.2.2/ || return 1
	touch "$work/b2.sick"
	eventually as_known && eventually goes_on
}

net_up 2
for b in b1 b2; do backend_start $b; done
touch "$work/b2.sick"
failure_config

# --- a BPF file system that somebody else has mounted -------------------------------------------

daemon_start
check "probes say how it is" eventually as_known
check "it is pinned" jq -e .pinned <(sluice status --json)
begin_traffic
umount -l "$work/bpf"
check "unmounted: the daemon says so, and what follows" eventually grep -q "error: the BPF file system under '$SLUICE_BPFFS' was unmounted: the gate stays in force for as long as sluiced runs, and cannot be pinned again (.*); tried again" "$work/sluiced.log"
check "unmounted: as an event" happened out_of_sight
check "unmounted: status says so" grep -q '^THE GATE IS NOT PINNED' <(sluice status)
check "unmounted: it is not mounted by who may not" test ! -e "$SLUICE_BPFFS"
check "unmounted: traffic goes where it went" enough_traffic
check "unmounted: and words change as ever" change_is_seen
begin_traffic
mount -t bpf bpf "$work/bpf"
check "mounted again: all is pinned there again" eventually happened pinned_again
check "mounted again: maps, programs and links" test "$(ls "$SLUICE_BPFFS/v1/maps" | wc -l) $(ls "$SLUICE_BPFFS/v1/progs" | wc -l) $(ls "$SLUICE_BPFFS/v1/links" | wc -l)" = "23 3 6"
check "mounted again: status is well" jq -e '.pinned and .in_force' <(sluice status --json)
check "mounted again: said once" test "$(said 'was unmounted')" = 2
check "mounted again: a reload is made" reload "reloaded: "
w=$(bpftool -j map dump pinned "$SLUICE_BPFFS/v1/maps/endpoint_words" | md5sum)
daemon_stop KILL
check "mounted again: words outlive the daemon" test "$(bpftool -j map dump pinned "$SLUICE_BPFFS/v1/maps/endpoint_words" | md5sum)" = "$w"
daemon_start
check "mounted again: the next one adopts what is there" jq -e 'all(.interfaces[]; .adopted)' <(sluice status --json)
check "mounted again: all that time traffic went where it went" enough_traffic
daemon_stop TERM
sluice detach --all >/dev/null

# --- one of its own -----------------------------------------------------------------------------

umount "$work/bpf"
daemon_start
check "the daemon mounts one" mountpoint -q "$SLUICE_BPFFS"
check "probes say how it is" eventually as_known
begin_traffic
umount -l "$SLUICE_BPFFS"
check "its own is unmounted: it is mounted again" eventually mountpoint -q "$SLUICE_BPFFS"
check "its own is unmounted: and said" eventually grep -q "warning: the BPF file system under '$SLUICE_BPFFS' was unmounted; the gate stayed in force, and is pinned there again" "$work/sluiced.log"
daemon_stop TERM
daemon_start
check "its own is unmounted: the next one adopts what is there" jq -e 'all(.interfaces[]; .adopted)' <(sluice status --json)
check "its own is unmounted: all that time traffic went where it went" enough_traffic
kill -STOP "$daemon_pid"
umount -l "$SLUICE_BPFFS"
daemon_stop KILL
daemon_start
check "the gate of one that died before it could pin it again is made anew" eventually as_known
check "and guards" eventually goes_on
daemon_stop TERM
sluice detach --all >/dev/null
mount -t bpf bpf "$work/bpf"

# --- a minute of standstill ---------------------------------------------------------------------

# Longer than anything that is waited for here, but for the transfer.
failure_config "daemon_loss_after: 5s"
daemon_start
check "probes say how it is" eventually as_known
n_health() {
	sluice events --since 1h --json | jq '[.events[] | select(.kind == "health")] | length'
}
n=$(n_health)
on client curl -sS --max-time $((120 * patience)) -o /dev/null -w '%{size_download}' --range 0-15999999 \
	"http://$vip4/slow" >"$work/transfer" 2>&1 </dev/null &
transfer=$!
begin_traffic
began=$SECONDS
kill -STOP "$daemon_pid"
check_status "standstill: the command says that nobody answers" 3 timeout 60 "$build/sluice" status
check "standstill: in a sentence" grep -qE 'no answer|timed out|does not answer|silent' "$work/out"
while ((SECONDS < began + 61)); do sleep 1; done
check "standstill: for a minute, traffic went where it went" enough_traffic
check "standstill: a transfer goes on" kill -0 "$transfer"
kill -CONT "$daemon_pid"
check "standstill: over, and it is said for how long" eventually grep -qE 'warning: the daemon stood still for (1m( [0-9]+s)?|6[0-9](\.[0-9])?s)' "$work/sluiced.log"
check "standstill: as an event" happened stood_still
check "standstill: health is what it was" eventually as_known
check "standstill: nobody was condemned or acquitted" jq -e --argjson n "$n" '[.events[] | select(.kind == "health")][$n:] | all(.[]; .after != "Unhealthy" or .before == "Unknown")' <(sluice events --since 1h --json)
check "standstill: words change as before" change_is_seen
transfer_arrives() {
	wait "$transfer" && [ "$(cat "$work/transfer")" = 16000000 ]
}
check "standstill: the transfer arrives" transfer_arrives
daemon_stop TERM

failure_config "on_daemon_loss: open" "daemon_loss_after: 2s"
daemon_start
check "probes say how it is" eventually as_known
kill -STOP "$daemon_pid"
check "standstill, open: the gate opens after a while" eventually fetch -o /dev/null http://10.2.2.2/
kill -CONT "$daemon_pid"
check "standstill, open: and is closed again as soon as it is over" eventually refused_at_once http://10.2.2.2/
daemon_stop TERM

# --- memory -------------------------------------------------------------------------------------

# Five times four thousand endpoints more, on a network that leads nowhere.
large_config() {
	local pool i

	failure_config
	for ((pool = 0; pool < 5; pool++)); do
		echo "  - name: many$pool"
		echo "    backends:"
		for ((i = 0; i < 4000; i++)); do echo "      - address: 10.77.$((pool * 16 + i / 250)).$((i % 250 + 1))"; done
		echo "  - { name: many$pool, pool: many$pool, settings: rare }" >>"$work/sluice.yaml"
	done >"$work/pools"
	sed -i -e 's/^settings:/  - { name: rarely, protocol: http, path: \/healthz, interval: 60s, timeout: 1s }\n&\n  - { name: rare, protocol: http, port: 80, probe: rarely }/' "$work/sluice.yaml"
	sed -i -e "/^pools:/r $work/pools" "$work/sluice.yaml"
}
on gateway ip route add blackhole 10.77.0.0/16

failure_config
plain=$build/versions/plain/sluiced
[ -x "$plain" ] || fail "make $SLUICE_BUILD/versions/plain/sluiced"
plain_start() {
	nsenter --net="/run/netns/$ns_id-gateway" "$plain" --foreground --config "$work/sluice.yaml" >>"$work/sluiced.log" 2>&1 </dev/null &
	daemon_pid=$!
	eventually daemon_is_up || fail "sluiced starts"
}
plain_start
check "probes say how it is" eventually as_known
begin_traffic
# with_room MIB: so much more than it has now.
with_room() {
	prlimit --pid "$daemon_pid" --as=$(($(awk '/^VmSize/ { print $2 }' "/proc/$daemon_pid/status") * 1024 + $1 * 1048576)):
}
with_room 1
large_config
check "no memory: a change that takes much is refused" reload "reload refused, nothing has changed: .*[Oo]ut of memory\\|reload refused, nothing has changed: .*Cannot allocate memory"
check "no memory: health is what it was" as_known
# Half way through a change the daemon may end, rather than be half of one; the next one goes on.
made_or_not() {
	process_gone "$daemon_pid" || has_said_more "$1" 'reload\(ed: \| refused\)'
}
gone_or_answers() {
	process_gone "$daemon_pid" || sluice status
}
for mib in 2 4 8 16 32 64; do
	with_room $mib
	n=$(said 'reload\(ed: \| refused\)')
	kill -HUP "$daemon_pid"
	check "$mib MiB: the change is made, or not" eventually made_or_not "$n"
	check "$mib MiB: and it goes on, or ends" eventually gone_or_answers
	process_gone "$daemon_pid" || continue
	wait "$daemon_pid"
	check "$mib MiB: the daemon says why it ends" sh -c "tail -n 1 '$work/sluiced.log' | grep -q 'error: '"
	failure_config
	plain_start
	check "$mib MiB: the next one goes on" eventually as_known
	large_config
done
failure_config
reload 'reload\(ed: \| refused\)'
check "no memory: traffic goes where it went" enough_traffic
check "no memory: words change as ever" change_is_seen
prlimit --pid "$daemon_pid" --as=unlimited:
check "memory again: a reload is made" reload "reloaded: "
check "memory again: all is well" eventually as_known
daemon_stop TERM

# Killed by the kernel, as where a service is given so much and no more.
limit_memory() {
	if [ -d /sys/fs/cgroup/memory ]; then
		cgroup=/sys/fs/cgroup/memory/$ns_id
		mkdir "$cgroup" && echo "$2" >"$cgroup/memory.limit_in_bytes" && echo "$1" >"$cgroup/cgroup.procs"
	else
		cgroup=/sys/fs/cgroup/$ns_id
		echo +memory >/sys/fs/cgroup/cgroup.subtree_control
		mkdir "$cgroup" && echo "$2" >"$cgroup/memory.max" && echo 0 >"$cgroup/memory.swap.max" && echo "$1" >"$cgroup/cgroup.procs"
	fi
}
on_exit() {
	if [ -n "${cgroup:-}" ]; then
		if [ -n "$daemon_pid" ]; then kill -KILL "$daemon_pid" && wait "$daemon_pid"; fi 2>/dev/null
		rmdir "$cgroup"
	fi
}
daemon_start
check "probes say how it is" eventually as_known
check "so much memory and no more" limit_memory "$daemon_pid" 8388608
begin_traffic
large_config
kill -HUP "$daemon_pid"
check "killed for want of memory" eventually process_gone "$daemon_pid"
check_status "killed: by the kernel" 137 daemon_stop KILL
check "killed: traffic goes where it went" enough_traffic
failure_config
daemon_start
check "killed: the next one goes on with what was known" as_known
check "killed: from before" jq -e 'all(.pools[].services[].endpoints[]; .adopted or .probe.last_ms_ago < 5000)' <(sluice health --json)
check "killed: and with probes" change_is_seen
daemon_stop TERM
