#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the daemon may do once it runs, in all of its threads, and that it is enough: to reload, to replace the
# programs of the one before, to take the gate off.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

# BPF, PERFMON, NET_RAW, NET_ADMIN.
kept=000000c000003000

# threads_have NAME VALUE: every thread, and there are some.
threads_have() {
	local values
	values=$(sed -n "s/^$1:[[:space:]]*//p" "/proc/$daemon_pid/task"/*/status)
	[ "$(wc -l <<<"$values")" -gt 2 ] && [ "$(sort -u <<<"$values")" = "$2" ]
}

serves() {
	fetch http://192.0.2.10/healthz | grep -q ready
}

attached() {
	find "$SLUICE_BPFFS" -path '*/links/*' 2>/dev/null | grep -q .
}

# program_of HOOK: the id of the program that is in force there.
program_of() {
	bpftool -j link show pinned "$SLUICE_BPFFS/v1/links/$1" | jq -e .prog_id
}

services() {
	config "$@" <<-EOF
		probes:
		  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s }
		settings:
		  - { name: web, protocol: http, port: 80, probe: quick }
		pools:
		  - { name: web-pool, backends: [ { address: 10.2.1.2 } ] }
		services:
		  - { name: web, listen: "192.0.2.10:80", pool: web-pool, settings: web, forward: nat }
		  - { name: tunnel, listen: "192.0.2.11:80", pool: web-pool, settings: web, forward: ipip }
	EOF
}

net_up 1
on client ip route add 192.0.2.0/24 via 10.1.0.1
backend_start b1
web_config "$both_interfaces" </dev/null

daemon_start
for set in CapEff CapPrm CapBnd; do check "$set" threads_have $set $kept; done
check "CapInh" threads_have CapInh 0000000000000000
check "no new privileges" threads_have NoNewPrivs 1
services "$both_interfaces"
check "a reload to services, with tunnels" reload "reloaded: "
check "all are healthy" eventually all_healthy
check "a client is served" serves
services "interfaces: [ { name: gc, xdp: generic }, { name: gb1 } ]"
check "a reload to another mode" reload "reloaded: "
check "a client is served then" serves
check "drain" sluice backend drain web-pool 10.2.1.2 --timeout 5s
check "enable" sluice backend enable web-pool 10.2.1.2
check "events are kept" test -s "$work/state/state.db"
check "stop" daemon_stop TERM

daemon_start
check "the next one adopts" grep -q "adopted" "$work/sluiced.log"
check "and serves" serves
services "$both_interfaces" "on_exit: detach"
check "a reload" reload "reloaded: "
check "the gate is attached" attached
check "stop, and detach" daemon_stop TERM
refute "it is off" attached

# As a service manager starts it that allows no more from the beginning.
services "$both_interfaces"
limited() {
	nsenter --net="/run/netns/$ns_id-gateway" setpriv --bounding-set=-all,+bpf,+perfmon,+net_admin,+net_raw \
		"$build/sluiced" --foreground --config "$work/sluice.yaml" >>"$work/sluiced.log" 2>&1 </dev/null &
	daemon_pid=$!
	eventually daemon_is_up
}
check "started with no more than it keeps" limited
check "stopped" daemon_stop TERM
check "started again" limited
check "has them" threads_have CapEff $kept
check "and serves yet" eventually serves
before=$(program_of tcx-in-gc)
services "interfaces: [ { name: gc }, { name: lo, xdp: native }, { name: gb1 } ]"
check "a reload that the last interface refuses" reload "reload refused"
check "leaves the programs of the others in place" [ "$(program_of tcx-in-gc)" = "$before" ]
check "which serve" serves
services "$both_interfaces"
check "orderly stop" daemon_stop TERM

# Where it mounts the BPF file system itself, it also takes it off.
own=$work/own
web_config "$both_interfaces" "on_exit: detach" </dev/null
sed -i "s|bpffs: .*|bpffs: $own|" "$work/sluice.yaml"
daemon_start
check "a BPF file system of its own" grep -q " $own bpf " /proc/mounts
check "keeps the right to unmount it" threads_have CapEff 000000c000203000
check "stops" daemon_stop TERM
refute "and has" grep -q " $own bpf " /proc/mounts
