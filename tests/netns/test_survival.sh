#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The gate outlives the daemon: kill -9, adoption, daemon loss, on_exit, detach --all.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

status_says() {
	sluice status | grep -q "$1"
}

refused() {
	fetch "$@"
	(($? == 7))
}

net_up 2
backend_start b1
backend_start b2
web_backends=(10.2.1.2 10.2.2.2)
web_config "$both_interfaces"
touch "$work/b1.sick"
daemon_start
eventually health_is 10.2.1.2 Unhealthy || fail "first backend is unhealthy"
eventually health_is 10.2.2.2 Healthy || fail "second backend is healthy"

daemon_stop KILL
check_status "killed: the closed gate stays closed" 7 fetch http://10.2.1.2/
check "killed: the open gate stays open" fetch http://10.2.2.2/
check_status "killed: the CLI says that nobody answers" 3 sluice status

refused_before() {
	bpftool -j map dump pinned "$SLUICE_BPFFS/v1/maps/endpoint_stats" |
		jq '[.. | .rejected? // empty | if type == "number" then . else tonumber end] | add'
}
before=$(refused_before)

# Requests go on without a pause while a new daemon takes over, many times.
requests() {
	while [ ! -e "$work/enough" ]; do
		fetch -o /dev/null http://10.2.2.2/ || return 1
		status=0
		fetch -o /dev/null http://10.2.1.2/ 2>/dev/null || status=$?
		((status == 7)) || return 1
	done
}
requests >"$work/requests" 2>&1 &
requests=$!
for ((i = 0; i < 3; i++)); do
	daemon_start
	daemon_stop KILL
done
daemon_start
touch "$work/enough"
check "adopted: no request was lost or let through meanwhile" wait "$requests"
check "adopted: interfaces say so" jq -e 'all(.interfaces[]; .adopted)' <(sluice status --json)
check "adopted: the counters went on" test "$(refused_before)" -gt "$before"
rm "$work/b1.sick"
check "adopted: probing goes on" eventually health_is 10.2.1.2 Healthy
check "adopted: and opens the gate" fetch http://10.2.1.2/

check "detach --all under a running daemon" sluice detach --all
check "detach --all: the gate is gone" test ! -e "$SLUICE_BPFFS/v1"
check "detach --all: status says so" eventually status_says "NOTHING IS GUARDED"
check "detach --all: why does not claim that the gate is closed" \
	grep -q 'Nothing is guarded' <(sluice why web-pool 10.2.1.2)
check "detach --all: and the log" eventually grep -q 'gate was removed' "$work/sluiced.log"
check "detach --all: and the daemon still stops in order" daemon_stop TERM
refute "detach --all: and does not claim that the gate stays" grep -q 'on_exit: keep' "$work/sluiced.log"
daemon_start
eventually health_is 10.2.1.2 Healthy || fail "backend is healthy"

check "keep: orderly stop" daemon_stop TERM
check "keep: the log says that the gate stays" grep -q 'on_exit: keep' "$work/sluiced.log"
check "keep: links stay pinned" test -n "$(ls "$SLUICE_BPFFS/v1/links")"
check "detach --all without a daemon" sluice detach --all
check "detach --all leaves nothing" test ! -e "$SLUICE_BPFFS"
check_status "detach --all again has nothing to do" 0 sluice detach --all

touch "$work/b1.sick"
web_config "on_exit: detach" "$both_interfaces"
daemon_start
eventually health_is 10.2.1.2 Unhealthy || fail "first backend is unhealthy again"
check_status "the gate is closed again" 7 fetch http://10.2.1.2/
check "detach: orderly stop" daemon_stop TERM
check "detach: the log says so" grep -q 'on_exit: detach' "$work/sluiced.log"
check "detach: the gate is gone" fetch http://10.2.1.2/
check "detach: nothing is left" test ! -e "$SLUICE_BPFFS"

web_config "on_daemon_loss: open" "daemon_loss_after: 1s" "$both_interfaces"
daemon_start
eventually health_is 10.2.1.2 Unhealthy || fail "first backend is unhealthy again"
check_status "loss: the gate is closed while the daemon lives" 7 fetch http://10.2.1.2/
daemon_stop KILL
check "loss: and opens when its heartbeat has been silent" eventually fetch http://10.2.1.2/
daemon_start
check "loss: a new daemon closes it at once" eventually refused http://10.2.1.2/
daemon_stop TERM
sluice detach --all >/dev/null

# Many workers take longer to stop than few, and meanwhile clients go on asking.
web_config "probe_workers: 16" "$both_interfaces"
for round in 1 2 3; do
	askers=()
	daemon_start
	for _ in 1 2 3; do
		bg gateway curl -s --unix-socket "$SLUICE_SOCKET" 'http://sluice/v1/status?[1-100000]'
		askers+=($!)
	done
	eventually daemon_is_up || fail "the daemon answers"
	check "busy: orderly stop, round $round" daemon_stop TERM
	# They would ask the next daemon, and have all the places that one user may have.
	kill "${askers[@]}" 2>/dev/null
done

on gateway ip link add gx type veth peer name gx1
web_config "interfaces: [ { name: gc }, { name: gx } ]"
daemon_start
refute "interface: nothing is missing while it is there" status_says "NOT GUARDED"
on gateway ip link del gx
check "interface: status says that it went away" eventually status_says "gx IS NOT GUARDED"
check "interface: the others stay guarded" test "$(sluice status --json | jq '[.interfaces[].present] == [true, false]')" = true
daemon_stop TERM

background_start() {
	on gateway "$build/sluiced" --config "$work/sluice.yaml" <&- >&- 2>&-
}
web_config "$both_interfaces"
check "background: the starter returns when the daemon is ready, also without standard files" background_start
daemon_pid=$(sluice status --json | jq .pid)
check "background: it answers" status_says "configuration  $work/sluice.yaml"
check "background: it is told to stop" kill -TERM "$daemon_pid"
check "background: and is gone" eventually process_gone "$daemon_pid"
daemon_pid=
