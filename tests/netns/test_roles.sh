#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who may do what: root, the two groups, everybody else. By the kernel's word on who connects; every change and every
# refusal with who it was. Users need no names; the groups are in an /etc/group of the daemon's own.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

readers=64001 changers=64002
secret=s3cret
events_file=$work/events.json

net_up 1
backend_start b1
grep -vE '^sluice(-admin)?:' /etc/group >"$work/group"
cp "$build/sluice" "$work/sluice"
chmod 755 "$work"

# Each event is about a user of his own: of one and the same, only the first few are told one by one.
uid=64100
next_user() {
	uid=$((uid + 1))
}

# as GROUPS COMMAND...: as a user who is in these groups only, besides his own.
as() {
	local groups=(--groups "$1")
	[ -n "$1" ] || groups=(--clear-groups)
	shift
	on gateway setpriv --reuid "$uid" --regid "$uid" "${groups[@]}" "$@"
}

# asks GROUPS ARGUMENT...: the command line program.
asks() {
	local in=$1
	shift
	as "$in" "$work/sluice" "$@"
}

# curls GROUPS PATH [OPTION...]: status and document of an answer.
curls() {
	local in=$1 path=$2
	shift 2
	as "$in" curl -sS --unix-socket "$SLUICE_SOCKET" -w '\n%{http_code}\n' "$@" "http://sluice$path"
}

daemon_start() {
	unshare --mount bash -c 'mount --bind "$0" /etc/group && exec nsenter --net="$1" "${@:2}"' "$work/group" \
		"/run/netns/$ns_id-gateway" "$build/sluiced" --foreground --config "$work/sluice.yaml" \
		>>"$work/sluiced.log" 2>&1 </dev/null &
	daemon_pid=$!
	eventually daemon_is_up || fail "sluiced starts"
}

# told FILTER: an event of which this holds; $uid is the user in question.
told() {
	sluice events --limit 1000 --json >"$events_file" && jq -e --argjson uid "$uid" "any(.events[]; $1)" "$events_file"
}

is_refused() {
	[ "$(cat "$work/out")" = "No results." ] || grep -qx "No results." "$work/out"
}

is_read_only() {
	grep -qx "sluice: not permitted: only root and members of the group 'sluice-admin' may change anything" "$work/out"
}

config "listen: 127.0.0.1:19477" "interfaces: [ { name: gc }, { name: gb1 } ]" <<-EOF2
	probes:
	  - { name: quick, protocol: http, path: "/healthz?token=$secret", interval: $often, timeout: 1s }
	  - { name: sick, protocol: http, path: "/nowhere?token=$secret", interval: $often, timeout: 1s }
	settings:
	  - { name: web, protocol: http, port: 80, probe: quick }
	  - { name: ill, protocol: http, port: 80, probe: sick }
	pools:
	  - { name: p, backends: [ { address: 10.2.1.2 } ] }
	  - { name: six, backends: [ { address: "fd02:1::2" } ] }
	services:
	  - { name: web, pool: p, settings: web }
	  - { name: web6, pool: six, settings: ill }
EOF2

# --- without the groups -------------------------------------------------------------------------

daemon_start
check "groups that do not exist are told once" [ "$(said "the groups 'sluice' and 'sluice-admin' do not exist")" = 1 ]
check "the socket takes whoever comes" [ "$(stat -c %a "$SLUICE_SOCKET")" = 666 ]
check_status "root may ask" 0 sluice status
check_status "root may change" 0 sluice backend drain p 10.2.1.2
check_status "somebody may not ask" 4 asks $readers health
check "and gets no results" is_refused
check_status "nor may the other group" 4 asks $changers health
check_status "nor change" 4 asks $changers backend enable p 10.2.1.2

# --- with them ----------------------------------------------------------------------------------

printf 'sluice:x:%s:\nsluice-admin:x:%s:\n' $readers $changers >>"$work/group"
check "groups are looked up at a reload" reload "reloaded: "
check "with no complaint" [ "$(said "do not exist")" = 1 ]
uid=0
check "who sent the signal is told" told '.kind == "reload" and .after == "done" and .numbers.uid == 0 and .numbers.pid > 0 and
	(.text | test("; by SIGHUP of uid 0, process [0-9]+"))'

# --- many refusals ------------------------------------------------------------------------------

# Of thirty-one users at a time it is told who they were, and these take one's place for a while. All users below find
# one, however fast they come.
for ((i = 0; i < 300; i++)); do echo "url=http://sluice/v1/backend"; done >"$work/urls"
uid=64500
as $readers curl -sS --unix-socket "$SLUICE_SOCKET" -d '{}' -K "$work/urls" >/dev/null
six_are_told() {
	[ "$(sluice events --limit 1000 --json | jq --argjson uid "$uid" '[.events[] | select(.numbers.uid == $uid)] | length')" = 6 ]
}
# They are written a moment later.
check "of three hundred refusals six are told" eventually six_are_told

# --- everybody else -----------------------------------------------------------------------------

uid=64200
n=0
while read -r -a command; do
	((n++ % 2)) || next_user # by their commands two can be told apart
	check_status "somebody: ${command[*]}" 4 asks 100,200 "${command[@]}"
	check "no results" is_refused
	check_status "somebody: ${command[*]} --json" 4 asks "" "${command[@]}" --json
	check "an empty list" [ "$(jq -c . "$work/out")" = "[]" ]
	check "is told" told '.kind == "access" and .after == "refused" and .numbers.uid == $uid and .numbers.pid > 0 and
		(.text | test("refused: a connection of uid [0-9]+, process [0-9]+ \\(.*/sluice '"${command[0]}"'"))'
done <<-EOF2
	status
	health
	events
	why p 10.2.1.2
	maps
	diff
	backend drain p 10.2.1.2
	pool add mine
	backend weight p 10.2.1.2 7
	attach gb1
	detach gc
	reload
	reload --dry-run
EOF2
next_user
check "over the socket" grep -qx 403 <(curls "" /v1/health)
check "there is nothing for him" grep -qx 403 <(curls "" /v1/nothing)
check "whatever he sends" grep -qx 403 <(curls "" /v1/reload --data-binary @"$work/b1/html/big")
root_abroad() {
	as "" unshare --user --map-root-user "$work/sluice" "$@"
}
# The kernel makes none for who lives in a chroot.
if unshare --user true 2>/dev/null; then
	next_user
	check_status "root of a user namespace of his own is nobody" 4 root_abroad health
	check "no results" is_refused
else
	echo "# no user namespace can be made here: their root is not tried"
fi

# --- the group that reads -----------------------------------------------------------------------

check "all as before" [ "$(sluice health --json | jq -r '.pools[0].services[0].endpoints[0].admin')" = draining ]
check_status "enabled again" 0 sluice backend enable p 10.2.1.2
check "the endpoint is healthy" eventually health_is 10.2.1.2 Healthy
check "the other one is not" eventually health_is fd02:1::2 Unhealthy
next_user
while read -r path; do
	curls "100,$readers" "$path" >>"$work/read"
	check "a reader: GET $path" [ "$(tail -n 1 "$work/read")" = 200 ]
done <<-EOF2
	/v1/status
	/v1/health
	/v1/pools
	/v1/pools/p
	/v1/why?pool=p&address=10.2.1.2
	/v1/why?pool=six&address=fd02:1::2
	/v1/stats
	/v1/maps
	/v1/flows
	/v1/decide?from=10.1.0.2&to=10.2.1.2:80
	/v1/events
	/v1/changes
EOF2
check_status "a reader by his first group" 0 on gateway setpriv --reuid "$uid" --regid $readers --clear-groups "$work/sluice" status
uid=64300
before=$(sluice diff --json | jq .version)
while read -r what command; do
	read -r -a command <<<"$command"
	next_user
	check_status "a reader: ${command[*]}" 4 asks $readers "${command[@]}"
	check "is told so" is_read_only
	check_status "a reader: ${command[*]} --json" 4 asks $readers "${command[@]}" --json
	check "is told so" [ "$(jq -r .error.code "$work/out")" = read_only ]
	check "is told of" told '.kind == "order" and .after == "refused" and .severity == "warning" and .reason == "'"$what"'" and
		.numbers.uid == $uid and .numbers.pid > 0 and
		(.text | test("refused: '"$what"'.* by uid [0-9]+, process [0-9]+ \\(.*/sluice '"${command[0]}"'.*\\): not permitted"))'
done <<-EOF2
	drain backend drain p 10.2.1.2
	enable backend enable p 10.2.1.2
	disable backend disable p 10.2.1.2
	weight backend weight p 10.2.1.2 7
	add backend add p 10.2.1.9
	remove backend remove p 10.2.1.2
	add pool add mine
	remove pool remove six
	attach attach gb1 --xdp generic
	detach detach gc
	detach detach gc --dry-run
	drain backend drain p 10.2.1.2 --dry-run
	reload reload
	reload reload --discard-runtime
	reload reload --dry-run
EOF2
check "with pool and backend" told '.pool == "p" and .endpoint == "10.2.1.9" and .after == "refused"'
check "nothing has changed" [ "$(sluice diff --json | jq .version)" = "$before" ]
check "nothing at all" [ "$(sluice pool list --json | jq -c '[.pools[].name]')" = '["p","six"]' ]

# --- the group that changes ---------------------------------------------------------------------

uid=64400
while read -r what command; do
	read -r -a command <<<"$command"
	next_user
	check_status "an administrator: ${command[*]}" 0 asks $changers "${command[@]}"
	check "is told of" told '.after != "refused" and .reason == "'"$what"'" and .numbers.uid == $uid and .numbers.pid > 0 and
		(.text | test("by uid [0-9]+, process [0-9]+ \\(.*/sluice '"${command[0]}"'"))'
done <<-EOF2
	drain backend drain p 10.2.1.2
	enable backend enable p 10.2.1.2
	weight backend weight p 10.2.1.2 7
	add backend add p 10.2.1.9
	remove backend remove p 10.2.1.9
	add pool add mine
	remove pool remove mine
	detach detach gc
	attach attach gc
EOF2
next_user
check_status "an administrator reads" 0 asks "100,$changers,200" status
check_status "rehearses" 0 asks $changers backend drain p 10.2.1.2 --dry-run
check_status "reloads" 0 asks $changers reload
check "is told of" told '.kind == "reload" and .numbers.uid == $uid and (.text | test("; by uid [0-9]+, process [0-9]+ \\(.*/sluice reload"))'
next_user
check_status "both groups" 0 asks "$readers,$changers" backend weight p 10.2.1.2 1
next_user
check_status "what is refused to who may" 1 asks $changers backend drain p 10.9.9.9
check "is told of, too" told '.after == "refused" and .endpoint == "10.9.9.9" and .numbers.uid == $uid and (.text | test("refused: drain by uid"))'
check_status "a stale version" 1 asks $changers backend weight p 10.2.1.2 7 --if-version 1
check "is told of, too" told '.after == "refused" and .reason == "weight" and .numbers.uid == $uid'
check_status "a pool in use" 1 asks $changers pool remove p
check "is told of, too" told '.after == "refused" and .reason == "remove" and .numbers.uid == $uid'
check "nonsense" grep -qx 400 <(curls $changers /v1/backend -d '{')
check "is told of, too" told '.kind == "access" and .numbers.uid == $uid and (.text | test("refused: POST /v1/backend of uid .*curl"))'

# --- what nobody is told ------------------------------------------------------------------------

cp "$work/sluice.yaml" "$work/good.yaml"
sed -i "s|10.2.1.2 }|$secret }|; s|protocol: http, port|protocol: $secret, port|" "$work/sluice.yaml"
check_status "a file with an error" 1 asks $changers reload
check "is quoted to who may change it" grep -q $secret "$work/out"
next_user
for path in /v1/status /v1/health /v1/pools/p "/v1/why?pool=p&address=10.2.1.2" "/v1/why?pool=six&address=fd02:1::2" /v1/events \
	/v1/changes /v1/jobs/{1..12}; do
	curls "$readers" "$path" >>"$work/read"
done
check "a reader sees that it was refused" grep -q '"refused": true' "$work/read"
check "and that a path has a query" grep -q '"path": "/healthz?..."' "$work/read"
check "in what is wrong, too" grep -q 'GET /nowhere?... (Host' "$work/read"
refute "but not what is in either" grep $secret "$work/read"
cp "$work/good.yaml" "$work/sluice.yaml"

# Of the three hundred at the beginning.
uid=64500
patience_s=15
check "it is told how many more refusals there were" eventually told '.numbers.uid == $uid and .numbers.held == 294 and
	(.text | test("refused 294 more within 10 s, of uid"))'

# --- over TCP -----------------------------------------------------------------------------------

tcp() {
	on gateway curl -sS -o /dev/null -w '%{http_code}' "$@"
}
check "metrics can be read" [ "$(tcp http://127.0.0.1:19477/metrics)" = 200 ]
check "nothing can be changed" [ "$(tcp http://127.0.0.1:19477/metrics -d '{}')" = 405 ]
check "by nobody" [ "$(tcp http://127.0.0.1:19477/v1/reload -d '{}')" = 405 ]
check "only what the page shows can be read" [ "$(tcp http://127.0.0.1:19477/v1/changes)$(tcp http://127.0.0.1:19477/v1/flows)" = 404404 ]
for path in /v1/status "/v1/why?pool=p&address=10.2.1.2" "/v1/why?pool=six&address=fd02:1::2" "/v1/events?limit=1000"; do
	on gateway curl -sS "http://127.0.0.1:19477$path" >>"$work/seen"
done
on gateway curl -sS --max-time 2 http://127.0.0.1:19477/v1/live >>"$work/seen" 2>/dev/null
check "that somebody ordered something" grep -q '"text": "order: drain, refused"' "$work/seen"
check "the page's stream" grep -q '^event: complete' "$work/seen"
refute "but not who, nor by which command" grep -qE 'uid [0-9]|"(uid|pid)": [0-9]+ *}|process [0-9]|sluice backend' "$work/seen"
refute "nor what a file says" grep -q $secret "$work/seen"
check "nor from outside" [ "$(on client curl -sS -o /dev/null -w '%{http_code}' http://10.1.0.1:19477/metrics 2>/dev/null)" = 000 ]

# --- the groups go ------------------------------------------------------------------------------

grep -v '^sluice-admin:' "$work/group" >"$work/fewer"
cat "$work/fewer" >"$work/group" # the very file, which the daemon sees
uid=64600
check_status "until the next reload nothing changes" 0 asks $changers backend weight p 10.2.1.2 6
check_status "reload" 0 sluice reload
check "it is told that one group is gone" grep -q "the group 'sluice-admin' does not exist: only root" "$work/sluiced.log"
check_status "and so is its right" 4 asks $changers status
check_status "the other group has its own" 0 asks $readers status
check_status "root may change as ever" 0 sluice backend weight p 10.2.1.2 7
check "orderly stop" daemon_stop TERM
