#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a service manager hears of the daemon: ready, reloading, alive for as long as its main loop turns, stopping.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

manager=$work/notify

heard() {
	grep -cE "$1" "$work/heard"
}

heard_more() {
	[ "$(heard "$2")" -gt "$1" ]
}

stands_still() {
	! grep -L '^State:.*stopped' /proc/"$daemon_pid"/task/*/status | grep -q .
}

# Whatever the manager was told before this has been heard after it.
all_is_heard() {
	printf WATCHDOG=mark | socat - "UNIX-SENDTO:$manager"
	eventually heard '^WATCHDOG=mark$'
}

# Two seconds are what the manager allows.
alive() {
	local before
	before=$(heard '^WATCHDOG=1$')
	sleep 2
	heard_more "$before" '^WATCHDOG=1$'
}

# in_order STATES: what was said besides, one after the other.
in_order() {
	[ "$(grep -v WATCHDOG "$work/heard" | cut -d' ' -f1 | paste -sd' ')" = "$1" ]
}

net_up 1
: >"$work/heard"
bg gateway /usr/bin/python3 "$(dirname "$0")/manager.py" "$manager" "$work/heard"
eventually test -S "$manager" || fail "the manager listens"
web_config "$both_interfaces" </dev/null

NOTIFY_SOCKET=$manager WATCHDOG_USEC=2000000 daemon_start
check "ready, with what there is" eventually heard '^READY=1 STATUS=mode enforce, pools 1, endpoints 2$'
check "signs of life" alive
check "reload" sluice reload
check "is told, with the time" eventually heard '^RELOADING=1 MONOTONIC_USEC=[0-9]+$'
check "and its end" eventually in_order "READY=1 RELOADING=1 READY=1"
echo "nonsense: true" >>"$work/sluice.yaml"
refute "a reload that is refused" sluice reload
check "ends, too" eventually in_order "READY=1 RELOADING=1 READY=1 RELOADING=1 READY=1"
kill -STOP "$daemon_pid"
check "it stands still" eventually stands_still
check "and has said what it had to say" all_is_heard
refute "a daemon that stands still gives no sign" alive
kill -CONT "$daemon_pid"
check "goes on" alive
check "orderly stop" daemon_stop TERM
check "is told" eventually in_order "READY=1 RELOADING=1 READY=1 RELOADING=1 READY=1 STOPPING=1"

: >"$work/heard"
sed -i '/^nonsense/d' "$work/sluice.yaml"
daemon_start
refute "nobody asked: nothing is told" grep -q . "$work/heard"
check "orderly stop again" daemon_stop TERM
