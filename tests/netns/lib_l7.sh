# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# lib_l7.sh - what scenarios of layer 7 have in common. Sourced after lib.sh.

vip=192.0.2.10 vip6=2001:db8::10
l7=$work/state/l7

# HAProxy outlives the daemon; its process is the gateway namespace's and goes with it.
vip_up() {
	on gateway ip addr add $vip/32 dev lo
	on gateway ip -6 addr add $vip6/128 dev lo nodad
	on client ip route add 192.0.2.0/24 via 10.1.0.1
	on client ip -6 route add 2001:db8::/64 via fd01::1
}

# teller_start HOST [PORT [CERTIFICATE]]: a backend that tells what it sees.
teller_start() {
	nsenter --net="/run/netns/$ns_id-$1" python3 "$(dirname "${BASH_SOURCE[0]}")/l7_backend.py" "$1" "${2:-80}" \
		"$work/$1.sick" ${3:+"$3"} >>"$work/$1.out" 2>&1 </dev/null &
	printf -v "${1}_pid" %d $!
	eventually listens "$1" "${2:-80}" || fail "the backend on $1 starts"
}

listens() {
	on "$1" ss -Hltn "sport = :$2" | grep -q .
}

# ask FILTER CURL_ARGUMENT...: what the backend that answered has seen.
ask() {
	local filter=$1
	shift
	fetch "$@" | jq -r "$filter"
}

# says WANTED FILTER CURL_ARGUMENT...
says() {
	local wanted=$1
	shift
	[ "$(ask "$@")" = "$wanted" ]
}

status_of() {
	fetch -o /dev/null -w '%{http_code}' "$@"
}

# status_is CODE CURL_ARGUMENT...
status_is() {
	local wanted=$1
	shift
	[ "$(status_of "$@")" = "$wanted" ]
}

# spread N URL [CURL_ARGUMENT...]: who answers N requests of a connection each, sorted, once.
spread() {
	local n=$1 url=$2
	shift 2
	fetch "$@" -H 'Connection: close' "$url?[1-$n]" | jq -r .name | sort -u | paste -sd' '
}

spread_is() {
	local wanted=$1
	shift
	[ "$(spread "$@")" = "$wanted" ]
}

# rehearse: a reload; what is said of it is in $work/rehearsal.
rehearse() {
	sluice reload --dry-run >"$work/rehearsal" 2>&1
}

# rehearsal_refused WHY
rehearsal_refused() {
	! rehearse && grep -q "$1" "$work/rehearsal"
}

master_pid() {
	sluice l7 status --json | jq -r .pid
}

serves_current() {
	sluice l7 status --json | jq -e .current
}

# What HAProxy's newest process says of itself: "CumReq", "Nbthread".
info() {
	local socket
	socket=$(printf '%s\n' "$l7"/worker-*.sock | sort -V | tail -n1)
	echo "show info" | socat - "UNIX-CONNECT:$socket" | sed -n "s/^$1: //p"
}

# What HAProxy itself says of a server: its status ("UP", "DOWN", "DRAIN", "MAINT", "no check").
server_is() {
	[ "$(server_status "$1")" = "$2" ]
}

server_status() {
	echo "show stat -1 4 -1" | socat - "UNIX-CONNECT:$(echo "$l7"/worker-*.sock)" | awk -F, -v s="$1" '$2 == s { print $18; exit }'
}

# Certificates in $work: NAME.pem.
root() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" \
		-keyout "$work/$1.key" -out "$work/$1.pem" 2>/dev/null
}
leaf() { # NAME ISSUER [DAYS [HOST]]: with its key behind it
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$work/$1.key" -out "$work/$1.csr" 2>/dev/null
	openssl x509 -req -in "$work/$1.csr" -CA "$work/$2.pem" -CAkey "$work/$2.key" -days "${3:-30}" \
		-extfile <(echo "subjectAltName=DNS:${4:-$1}") -out "$work/$1.crt" 2>/dev/null
	cat "$work/$1.crt" "$work/$1.key" >"$work/$1.pem"
}
