#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What happened is kept and told: over restarts and kills, with a damaged database, on a full disk.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

on_exit() {
	mountpoint -q "$work/state" && umount "$work/state"
	return 0
}

# In a directory of its own, so that many more events than usual fit into a test's time.
sick() {
	touch "$work/b1.sick"
	eventually health_is 10.2.1.2 Unhealthy
}

well() {
	rm -f "$work/b1.sick"
	eventually health_is 10.2.1.2 Healthy
}

# events JQ [OPTION...]: whether the document is so.
events() {
	local filter=$1
	shift
	sluice events --json "$@" | jq -e "$filter"
}

health_changes() {
	sluice events --since 1h --json | jq -r '[.events[] | select(.kind == "health" and .endpoint == "10.2.1.2:80") | .after] | join(" ")'
}

changes_are() {
	[ "$(health_changes)" = "$1" ]
}

# kinds_include KIND AFTER
happened() {
	events "any(.events[]; .kind == \"$1\" and .after == \"$2\")" --since 1h
}

restart() {
	daemon_stop "$1"
	daemon_start
}

# follow_start NAME [OPTION...]: in the background, what it prints in $work/NAME.
follow_start() {
	local name=$1
	shift
	nsenter --net="/run/netns/$ns_id-gateway" "$build/sluice" events --follow "$@" >"$work/$name" 2>"$work/$name.err" </dev/null &
	follow_pid=$!
}

# follow_stop SIGNAL: its exit status.
follow_stop() {
	local status=0
	kill "-$1" "$follow_pid"
	wait "$follow_pid" || status=$?
	return "$status"
}

lines_have() {
	grep -q "$2" "$work/$1"
}

net_up 1
backend_start b1
web_config "$both_interfaces"
daemon_start
eventually all_healthy || fail "endpoints become healthy"
check "the state directory is the daemon's own" test "$(stat -c %a "$work/state") $(stat -c %a "$work/state/state.db")" = "750 640"
check "the start is an event" happened daemon started
check "so is every interface" events '[.events[] | select(.kind == "interface" and .reason == "attached") | .text] | any(startswith("gc: ingress tcx")) and any(startswith("gb1: "))'

sick
well
check "healthy, unhealthy, healthy" eventually changes_are "Healthy Unhealthy Healthy"
check "with the reason, the thresholds' counts, and all else that is known" events '
	[.events[] | select(.after == "Unhealthy" and .endpoint == "10.2.1.2:80")][0] |
	.kind == "health" and .severity == "warning" and .before == "Healthy" and .reason == "http_status_mismatch" and
	.pool == "web-pool" and .service == "web" and .settings == "web" and (.text | contains("503")) and
	.numbers.code == 4 and .numbers.failures == 2 and .numbers.http_status == 503' --since 1h
check "IPv6 beside IPv4" events 'any(.events[]; .endpoint == "[fd02:1::2]:80" and .after == "Unhealthy")' --since 1h
check "the log has the same" grep -q 'web-pool 10.2.1.2:80: Healthy -> Unhealthy, verdict at 20.*503' "$work/sluiced.log"
sluice events >"$work/out"
check "as a table" grep -Eq '^20.*Z +health +web-pool +10.2.1.2:80 +Healthy -> Unhealthy +.*503' "$work/out"

sluice backend drain web-pool 10.2.1.2 --timeout 7s >/dev/null
check "an order, and who gave it" events '
	.events[-1] | .kind == "order" and .reason == "drain" and .after == "draining" and .pool == "web-pool" and .endpoint == "10.2.1.2" and
	.numbers.uid == 0 and .numbers.pid > 1 and .numbers.timeout_ms == 7000 and (.text | contains("sluice backend drain web-pool 10.2.1.2"))'
sluice backend weight web-pool 10.2.1.2 7 >/dev/null
check "a weight, and which it was" events '.events[-1] | .reason == "weight" and .before == "1" and .after == "7"'
sluice backend enable web-pool 10.2.1.2 >/dev/null

check "of another pool there is nothing" events '.events == []' --pool nobody --since 1h
check "of this one, nothing else" events 'all(.events[]; .pool == "web-pool") and length > 0' --pool web-pool --since 1h
check "the newest one" events '(.events | length) == 1 and .more and .events[0].reason == "enable"' --limit 1
check "none since now" events '.events == [] and (.more | not)' --since 0s
since=$(sluice events --json | jq -r '.events[-1].at')
check "since a time, to the microsecond" events '.events | length == 1' --since "$since"
check "or in another zone" events '.events | length == 1' --since "${since%Z}+00:00"
check_status "not since whenever" 2 sluice events --since yesterday
check "what is allowed is said" grep -q "'yesterday' is not a duration such as 10m" "$work/out"
check_status "not both" 2 sluice events --since 1h --limit 3
check_status "the API refuses the same" 0 on gateway curl -s --unix-socket "$SLUICE_SOCKET" 'http://sluice/v1/events?limit=1001'
check "with a sentence" grep -q "limit '1001' is not a whole number from 1 to 1000" "$work/out"

# Page after page, each event once.
pages() {
	local after=0 page all=
	while :; do
		page=$(on gateway curl -s --unix-socket "$SLUICE_SOCKET" "http://sluice/v1/events?after=$after&limit=3")
		all+=$(jq -r '.events[].id' <<<"$page")$'\n'
		after=$(jq -r '.events[-1].id' <<<"$page")
		[ "$(jq .more <<<"$page")" = true ] || break
	done
	printf %s "$all" | grep .
}
check "pages hold each event once" test "$(pages)" = "$(sluice events --since 1h --json | jq -r '.events[].id')"

# --- restarts ----------------------------------------------------------------------------------

before=$(sluice events --since 1h --json | jq -c '[.events[].id]')
kept() {
	events "[.events[].id][0:($before | length)] == $before" --since 1h
}
restart TERM
check "events outlive the daemon" kept
check "its stop is one" happened daemon stopped
follow_start follow
check "a follower sees the last ones" eventually lines_have follow "daemon .*ready: mode enforce"
follow_start follow.json --json --pool web-pool --since 1h
json_pid=$follow_pid
sick
check "and what comes" eventually lines_have follow "health .*10.2.1.2:80  Healthy -> Unhealthy"
check "also as objects, one a line" eventually jq -e 'select(.after == "Unhealthy" and .pool == "web-pool") | .id' "$work/follow.json"
daemon_stop KILL || true
check "it says that the daemon is away" eventually lines_have follow.err "waiting for it"
well_again() {
	rm -f "$work/b1.sick"
	daemon_start
}
well_again
check "and that it is back" eventually lines_have follow.err "answers again"
check "nothing is lost by a kill" kept
check "what was unhealthy when it was killed is followed on" eventually lines_have follow "Unhealthy -> Healthy"
jq -r .id "$work/follow.json" >"$work/ids" # it goes on growing
check "each event is shown once, in order" sort -nuc "$work/ids"
follow_pid=$json_pid
check_status "SIGINT ends it in good order" 0 follow_stop INT
ends_with_its_reader() {
	local status
	on gateway timeout 20 "$build/sluice" events --follow 2>"$work/err" | head -n 1 >/dev/null
	status=${PIPESTATUS[0]}
	[ "$status" = 0 ] && [ ! -s "$work/err" ]
}
check "so does a reader that has seen enough" ends_with_its_reader
check_status "without a daemon it is an error as always" 3 sluice events --follow --socket "$work/none.sock"

reload "reloaded"
check "a reload is an event" happened reload "done"
echo "nonsense" >>"$work/sluice.yaml"
kill -HUP "$daemon_pid"
check "so is one that is refused, with the reason" eventually events 'any(.events[]; .kind == "reload" and .severity == "error" and .after == "refused")'
sed -i '/^nonsense$/d' "$work/sluice.yaml"

cp "$work/sluice.yaml" "$work/kept.yaml"
sed -i "s,^  state_dir:.*,  state_dir: $work/elsewhere," "$work/sluice.yaml"
check "the directory cannot change meanwhile" reload "gateway.state_dir cannot change"
cp "$work/kept.yaml" "$work/sluice.yaml"

# --- flapping ----------------------------------------------------------------------------------

n_told() {
	sluice events --since 1h --json | jq '[.events[] | select(.kind == "health" and .endpoint == "10.2.1.2:80")] | length'
}
restart TERM
told=$(n_told) lines=$(said '10.2.1.2:80: .*verdict')
for ((i = 0; i < 8; i++)); do
	sick
	well
done
# Six of the sixteen, unless the machine is so slow that they do not fit into one window.
told=$(($(n_told) - told)) lines=$(($(said '10.2.1.2:80: .*verdict') - lines))
check "what flaps is not told each time" test $((told >= 6 && told <= 13)) = 1
check "in the log neither" test "$lines" -le 13
patience_s=30
summed_up() {
	events '[.events[] | select(.numbers.more and .endpoint == "10.2.1.2:80")][-1] | .after == "Healthy" and .numbers.more >= 1 and (.text | test("more changes within [0-9]+s, now: 10.2.1.2:80 answered"))' --since 1h
}
check "and then summed up" eventually summed_up

# --- disks -------------------------------------------------------------------------------------

daemon_stop TERM
printf 'rubbish, much of it' | dd of="$work/state/state.db" bs=1 conv=notrunc status=none
daemon_start
check "with a damaged database the daemon starts" eventually all_healthy
check "keeps the file" test -s "$(echo "$work"/state/state.db.damaged-2*Z)"
check "and says so" eventually events 'any(.events[]; .kind == "store" and .reason == "database_damaged" and (.text | contains("state.db.damaged-")))'
check "in the log" grep -q "error: the state database is damaged (.*file is not a database): kept as" "$work/sluiced.log"

daemon_stop TERM
rm -rf "$work/state"
mkdir "$work/state"
mount -t tmpfs -o size=256k tmpfs "$work/state"
head -c 1M /dev/zero >"$work/state/filler" 2>/dev/null || true
daemon_start
check "on a full disk the daemon runs" eventually all_healthy
check "and says so" eventually sh -c "$build/sluice status --socket $SLUICE_SOCKET | grep -q '^EVENTS ARE NOT KEPT: .*state.db'"
sick
check "events are in memory" eventually events 'any(.events[]; .after == "Unhealthy") and any(.events[]; .reason == "database_unusable")'
check "the log says it once" test "$(said 'state database cannot be used')" = 1
rm "$work/state/filler"
check "and are written when there is room" eventually events 'any(.events[]; .reason == "database_usable")'
status_is_well() {
	sluice status --json | jq -e '.events.usable and .events.kept > 3 and .events.waiting == 0 and .events.lost == 0'
}
check "status agrees" eventually status_is_well
daemon_stop KILL || true
daemon_start
check "they are there for the next daemon" events 'any(.events[]; .after == "Unhealthy") and any(.events[]; .reason == "database_unusable")' --since 1h
daemon_stop TERM

# A file system that cannot be written to at all.
mount -o remount,ro "$work/state"
daemon_start
check "a read-only one holds nobody up" eventually health_is fd02:1::2 Unhealthy
check "what is there can still be read, or is said not to be" eventually sh -c "$build/sluice status --json --socket $SLUICE_SOCKET | jq -e '.events.usable == false'"
daemon_stop TERM
umount "$work/state"

# --- the journal -------------------------------------------------------------------------------

# A journal of our own at the journal's place, in a mount namespace of its own, for a daemon whose
# standard error it is said to read.
mkdir -p /run/systemd/journal
[ -e /run/systemd/journal/socket ] || made_place=1
[ -e /run/systemd/journal/socket ] || : >/run/systemd/journal/socket
/usr/bin/python3 - "$work/journal.sock" "$work/journal" <<-'PYTHON' &
	import socket, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	s.bind(sys.argv[1])
	with open(sys.argv[2], "wb", 0) as out:
	    while True:
	        out.write(s.recv(65536) + b"--\n")
PYTHON
journal_pid=$!
eventually test -S "$work/journal.sock"
rm -f "$work/b1.sick"
: >"$work/sluiced.log"
# shellcheck disable=SC2016
nsenter --net="/run/netns/$ns_id-gateway" unshare -m --propagation slave sh -c '
	mount --bind "$1/journal.sock" /run/systemd/journal/socket
	JOURNAL_STREAM=$(stat -L -c %d:%i "$1/sluiced.log") exec "$2/sluiced" --foreground --config "$1/sluice.yaml"' \
	sh "$work" "$build" >>"$work/sluiced.log" 2>&1 </dev/null &
daemon_pid=$!
eventually daemon_is_up || fail "sluiced starts"
eventually all_healthy
sick
entry() {
	awk -v RS='--\n' '/SLUICE_AFTER=Unhealthy/ && /SLUICE_ENDPOINT=10.2.1.2:80/ { print; exit }' "$work/journal"
}
has_fields() {
	local field
	for field in PRIORITY=4 SYSLOG_IDENTIFIER=sluiced SLUICE_EVENT=health SLUICE_POOL=web-pool SLUICE_BEFORE=Healthy SLUICE_REASON=http_status_mismatch; do
		entry | grep -qx "$field" || return 1
	done
	entry | grep -q '^MESSAGE=web-pool 10.2.1.2:80: Healthy -> Unhealthy'
}
check "the journal gets fields" eventually has_fields
check "what has none goes to standard error" grep -q '^<6>.*SIGTERM\|^<6>' "$work/sluiced.log"
refute "and nothing is said twice" grep -q 'Healthy -> Unhealthy' "$work/sluiced.log"
kill -STOP "$journal_pid"
# More than its socket takes; the query is there to be counted by.
orders=$(($(sysctl -n net.unix.max_dgram_qlen) + 100))
order_much() {
	on gateway curl -s --unix-socket "$SLUICE_SOCKET" -d '{"action": "weight", "pool": "web-pool", "address": "10.2.1.2", "weight": 3}' \
		-o /dev/null -w '%{http_code}\n' "http://sluice/v1/backend?[1-$orders]" | grep -c 200
}
check "a journal that hangs holds nobody up" test "$(order_much)" = "$orders"
check "and then standard error has it" eventually grep -q 'ordered: weight' "$work/sluiced.log"
kill -CONT "$journal_pid"
daemon_stop TERM
kill "$journal_pid"
[ -z "${made_place-}" ] || rm -f /run/systemd/journal/socket
