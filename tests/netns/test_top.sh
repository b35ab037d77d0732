#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `sluice top` as somebody at a terminal sees it: in tmux, with keys, sizes that change, a thousand endpoints, without
# colors, and with a daemon that goes away.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

many=1000
net_up 1
backend_start b1
on b1 ip route add local 10.9.0.0/16 dev lo
on gateway ip route add 10.9.0.0/16 via 10.2.1.2
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -keyout "$work/soon.key" -out "$work/soon.crt" \
	-subj "/CN=soon.test" -addext "subjectAltName=DNS:soon.test" 2>/dev/null
bg b1 openssl s_server -quiet -www -accept 8444 -cert "$work/soon.crt" -key "$work/soon.key"
{
	cat <<-EOF
		probes:
		  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 1 }
		  - { name: calm, protocol: tcp, interval: 10s, timeout: 1s }
		  - { name: secure, protocol: https, path: /, interval: 1s, timeout: 1s }
		settings:
		  - { name: web, protocol: http, port: 80, probe: quick }
		  - { name: many, protocol: tcp, port: 80, probe: calm }
		  - { name: closed, protocol: tcp, port: 81, probe: calm }
		  - { name: ending, protocol: https, port: 8444, probe: secure, host_name: soon.test, allow_listed: [ $work/soon.crt ] }
		pools:
		  - { name: web-pool, backends: [ { address: 10.2.1.2 }, { address: "fd02:1::2" } ] }
		  - { name: closed-pool, backends: [ { address: 10.2.1.2 } ] }
		  - { name: tls-pool, backends: [ { address: 10.2.1.2 } ] }
		  - name: many-pool
		    backends:
	EOF
	for ((i = 0; i < many - 4; i++)); do echo "      - address: 10.9.$((i / 200)).$((i % 200 + 1))"; done
	cat <<-EOF
		services:
		  - { name: web, pool: web-pool, settings: web }
		  - { name: closed, pool: closed-pool, settings: closed }
		  - { name: ending, pool: tls-pool, settings: ending }
		  - { name: many, pool: many-pool, settings: many }
	EOF
} | config "$both_interfaces"
daemon_start
known() {
	sluice status --json | jq -e ".totals.healthy == $((many - 1)) and .totals.unhealthy == 1"
}
check "all but one are well" eventually known

# --- a terminal -----------------------------------------------------------------------------------

tmux=false
on_exit() { $tmux kill-server; } 2>/dev/null

# terminal COLUMNS LINES [VARIABLE=VALUE...]: a new one, with top in it.
terminal() {
	local columns=$1 lines=$2
	shift 2
	$tmux kill-server 2>/dev/null
	# A server of its own: one that is about to go takes new sessions along.
	tmux="tmux -f /dev/null -S $(mktemp -u "$work/tmux.XXXXXX")"
	$tmux new-session -d -x "$columns" -y "$lines" \
		"env LC_ALL=C.UTF-8 $* nsenter --net=/run/netns/$ns_id-gateway $build/sluice --socket $SLUICE_SOCKET top; echo ended \$?; sleep 60"
}

keys() {
	$tmux send-keys "$@"
}

screen() {
	$tmux capture-pane -p
}

# shows PATTERN...: each somewhere on the screen.
shows() {
	local pattern

	screen >"$work/out"
	for pattern in "$@"; do grep -Eq -- "$pattern" "$work/out" || return 1; done
}

# nth N PATTERN: the Nth endpoint of the screen.
nth() {
	screen | sed -n "$((3 + $1))p" | grep -Eq -- "$2"
}

width() {
	(($(screen | wc -L) <= $1)) && (($(screen | wc -l) <= $2))
}

terminal 80 24
check "it says how many are how" eventually shows "^$many endpoints: $((many - 1)) Healthy, 1 Unhealthy, 0 Unknown"
check "what is wrong comes first" nth 1 '^! Unhealthy 10\.2\.1\.2:81 +closed-pool/'
check "with the reason" shows 'TCP connection'
check "80 columns and 24 lines are enough" width 80 24
keys End
check "a key leads to the last of a thousand" eventually shows '10\.9\.4\.196:80'
keys Home
check "and back" eventually nth 1 '10\.2\.1\.2:81'
keys s
check "sorted by pool" eventually shows "$many shown, by pool"
check "the pools are in order" eventually nth 1 '10\.2\.1\.2:81 +closed-pool/'
keys s
check "sorted by address" eventually shows "$many shown, by address"
check "the addresses are in order" eventually nth 1 '10\.2\.1\.2:80'
keys r
check "and in reverse" eventually nth 1 '\[fd02:1::2\]:80'
keys r s
check "sorted by since when" eventually shows "$many shown, by since"
keys s
check "sorted by time" eventually shows "$many shown, by time"
keys s
check "until the state is back" eventually shows "shown, by state"
keys / '10.9.3.7'
check "a filter works while it is typed" eventually shows 'filter: 10.9.3.7_' '10\.9\.3\.7:80'
keys 7 Enter
check "and stays" eventually shows '^1 shown, by state, filter: 10.9.3.77'
keys / Escape
check "until it is dropped: what was before" eventually shows '^1 shown, by state, filter: 10.9.3.77'
keys / Enter
check "or emptied" eventually shows "^$many shown"
keys u
check "trouble only" eventually shows '^2 shown, by state, trouble only' '^! Unhealthy 10\.2\.1\.2:81'
check "with a certificate that ends soon" shows '^\* Healthy +10\.2\.1\.2:8444 +tls-pool/ending'
keys u

# --- an endpoint ----------------------------------------------------------------------------------

keys Home Enter
check "an endpoint in full" eventually shows '10\.2\.1\.2:81/tcp +Unhealthy' 'pool closed-pool' 'reject'
keys NPage
check "has more than a screen" eventually shows 'q back'
keys q
check "and back to the list" eventually shows "^$many shown"

# --- as it comes ----------------------------------------------------------------------------------

touch "$work/b1.sick"
check "a backend fails: it shows" eventually shows '! Unhealthy \[fd02:1::2\]:80 +web-pool/web' "3 Unhealthy"
keys p
check "a pause is told" eventually shows PAUSED
rm "$work/b1.sick"
eventually health_is 10.2.1.2 Healthy
sleep 2 # in which it would have moved
check "nothing moves meanwhile" shows '3 Unhealthy'
keys p
check "and then it does" eventually shows '1 Unhealthy'
check_status "an order" 0 sluice backend drain web-pool 10.2.1.2 --timeout 1m
check "is a word" eventually shows '^- draining +10\.2\.1\.2:80'
drain_shows() {
	$tmux resize-window -x 160 -y 24
	eventually shows '10\.2\.1\.2:80 .* flows not counted, [0-9]+s left\. answered GET'
}
check "with what is left of it" drain_shows
$tmux resize-window -x 80 -y 24

# --- what is not guarded --------------------------------------------------------------------------

on gateway ip link add extra0 type veth peer name extra1
check_status "an interface is attached" 0 sluice attach extra0
on gateway ip link del extra0
check "one that vanishes is told" eventually shows '^! extra0 is not guarded: there is no such interface' '^STATE +ADDRESS'
check "above as many endpoints as there is room for" width 80 24
keys p
check "even beside a pause" eventually shows PAUSED '^! extra0 is not guarded'
keys p
check_status "it is detached" 0 sluice detach extra0
all_guarded() {
	shows '^STATE +ADDRESS' && ! shows 'not guarded'
}
check "and is no matter any more" eventually all_guarded

# --- sizes and terminals --------------------------------------------------------------------------

$tmux resize-window -x 132 -y 40
wide() {
	shows "^$many endpoints" && nth 30 '^ .*10\.9\.' && (($(screen | wc -L) > 100))
}
check "a window that grows is used" eventually wide
$tmux resize-window -x 40 -y 8
small() {
	shows '^! Unhealth' && width 40 8
}
check "one that shrinks is enough" eventually small
$tmux resize-window -x 80 -y 24
kill -KILL "$daemon_pid"
check "a daemon that is gone is told" eventually shows '^! the daemon cannot be reached' "10\.2\.1\.2:81"
daemon_start
check "and that it is back" eventually shows "^$many shown"
keys q
check "it ends well" eventually shows '^ended 0'
terminal 80 24 TERM=vt100 NO_COLOR=1
check "a terminal without colors" eventually shows '^! Unhealthy 10\.2\.1\.2:81'
keys C-c
check "an interrupt ends it" eventually shows '^ended 0'
terminal 80 24 TERM=nosuch
check "a terminal that is not known" eventually shows 'TERM=nosuch' '^ended 1'
check_status "no terminal" 2 sluice top
check "what else there is" grep -q "sluice health" "$work/out"
check_status "no JSON" 2 sluice top --json
check_status "an unknown pool" 2 sluice top nosuch </dev/null
check_status "the daemon stops" 0 daemon_stop TERM
