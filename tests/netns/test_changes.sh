#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Pools and backends changed while traffic flows, by commands: at once, visibly, for good. What was told to be done is
# there after kill -9, after a start from nothing, and never by half; what is wrong or stale changes nothing.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

vip=192.0.2.10 other_vip=192.0.2.11
rounds=20 # of kill -9

net_up 3
for b in b1 b2 b3; do backend_start $b; done

# write_config BACKENDS
write_config() {
	config "interfaces: [ { name: gc }, { name: gb1 }, { name: gb2 }, { name: gb3 } ]" <<-EOF
		probes:
		  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 1 }
		settings:
		  - { name: web, protocol: http, port: 80, probe: quick }
		pools:
		  - { name: p, backends: [ $1 ] }
		  - { name: q, backends: [ { address: 10.2.3.2 } ] }
		  - { name: six, backends: [ { address: "fd02:1::2" } ] }
		  - { name: spare }
		services:
		  - { name: shop, listen: "$vip:80", pool: p, settings: web }
		  - { name: other, listen: "$other_vip:80", pool: q, settings: web }
		  - { name: shop6, listen: "[2001:db8::10]:80", pool: six, settings: web }
	EOF
}

served_by() {
	fetches 30 "http://$1/" | sort -u | sed 's/hello from //' | paste -sd' '
}

is_served_by() {
	[ "$(served_by "$1")" = "$2" ]
}

version() {
	sluice diff --json | jq .version
}

# pool_is POOL "ADDRESS*WEIGHT …"
pool_is() {
	[ "$(sluice pool show "$1" --json | jq -r '[.weights | to_entries[] | "\(.key)*\(.value)"] | join(" ")')" = "$2" ]
}

# changed N: so many rows over the file.
changed() {
	[ "$(sluice diff --json | jq '.changes | length')" = "$1" ]
}

# Somebody else's transfer, which nothing of this is to touch: it ends when it is whole.
slow_start() {
	nsenter --net="/run/netns/$ns_id-client" curl -sS --limit-rate 2M -o "$work/slow.bin" -w '%{size_download}' \
		"http://$other_vip/huge" >"$work/slow.out" 2>"$work/slow.err" </dev/null &
	slow_pid=$!
	eventually test -s "$work/slow.bin"
}

daemon_kill() {
	kill -KILL "$daemon_pid"
	wait "$daemon_pid" 2>/dev/null
	daemon_pid=
}

write_config "{ address: 10.2.1.2 }"
daemon_start
check "backends are healthy" eventually all_healthy
check "one backend serves" is_served_by $vip "b1"
check "nothing is changed" changed 0
check "and that is what diff says" grep -q "nothing is changed over the file" <(sluice diff)
check "a transfer of somebody else's has begun" slow_start

# would_drain WHOM: flows are counted once a second at most.
would_drain() {
	grep -q "$1" <(sluice backend remove q 10.2.3.2 --dry-run)
}

# --- what would be ------------------------------------------------------------------------------

before=$(version)
check_status "dry run: add" 0 sluice backend add p 10.2.2.2 --weight 3 --dry-run
check "says what" grep -q "p: backend 10.2.2.2 added, 3" "$work/out"
check_status "dry run: remove, with flows" 0 sluice backend remove q 10.2.3.2 --dry-run
check "says who would drain" eventually would_drain "10.2.3.2:80  1 flows"
check_status "dry run: drain" 0 sluice backend drain q 10.2.3.2 --dry-run
check "says so, too" grep -q "q: backend 10.2.3.2 changed, draining" "$work/out"
check_status "dry run: of the file as it is" 0 sluice reload --dry-run
check "nothing" grep -q "nothing would change" "$work/out"
check "and nothing has" test "$(version)" = "$before"
check "at all" changed 0

# --- changes ------------------------------------------------------------------------------------

check_status "a backend is added" 0 sluice backend add p 10.2.2.2
check "which says so" grep -q "^p 10.2.2.2: added (version $((before + 1)))" "$work/out"
check "it is probed" eventually health_is 10.2.2.2 Healthy
check "and serves" eventually is_served_by $vip "b1 b2"
check "the pool shows it" pool_is p "10.2.1.2*1 10.2.2.2*1"
check "diff shows it" grep -qE "^p +10\.2\.2\.2 +added +weight 1" <(sluice diff)
check_status "over IPv6" 0 sluice backend add six fd02:2::2
check "both serve" eventually test "$(for i in {1..30}; do fetch -g "http://[2001:db8::10]/"; done | sort -u | paste -sd' ')" = "hello from b1 hello from b2"
check_status "weight" 0 sluice backend weight p 10.2.1.2 0
check "moves all" eventually is_served_by $vip "b2"
check_status "a pool" 0 sluice pool add fresh
check_status "with a backend" 0 sluice backend add fresh app.test --weight 7
check "is there" pool_is fresh "app.test*7"
check_status "the file's own is removed" 0 sluice pool remove spare
refute "and is gone" sluice pool show spare
check_status "a backend of the file is removed" 0 sluice backend remove p 10.2.1.2
check "the pool has it no more" pool_is p "10.2.2.2*1"
check "the other serves on" is_served_by $vip "b2"
check_status "an operator's order" 0 sluice backend disable q 10.2.3.2
check "events say who did it" jq -e 'any(.events[]; .kind == "order" and .reason == "add" and .endpoint == "10.2.2.2" and
	(.text | test("by uid 0, process [0-9]+ \\(.*sluice backend add")))' <(sluice events --json)
rows=$(sluice diff --json | jq -c '[.changes[] | del(.at)]')
check "seven changes" changed 7

# --- nonsense -----------------------------------------------------------------------------------

before=$(version)
check_status "an unknown pool" 1 sluice backend add nowhere 10.2.2.2
check "is named" grep -q "there is no pool 'nowhere'" "$work/out"
check_status "a backend that is there" 1 sluice backend add p 10.2.2.2
check "is named" grep -q "pool 'p' has the backend '10.2.2.2' already" "$work/out"
check_status "no address" 1 sluice backend add p 10.2.2.2:80
check "is explained" grep -q "address '10.2.2.2:80'" "$work/out"
check_status "a pool in use" 1 sluice pool remove p
check "by whom" grep -q "used by 'shop'" "$work/out"
check_status "a stale version" 1 sluice backend add p 10.2.3.2 --if-version 1
check "is told" grep -q "the configuration has version $before, not 1" "$work/out"
check_status "no weight" 2 sluice backend add p 10.2.3.2 --weight many
check_status "no version" 2 sluice backend add p 10.2.3.2 --if-version new
check_status "not by everybody" 4 on gateway setpriv --reuid 65534 --clear-groups env "SLUICE_SOCKET=$SLUICE_SOCKET" \
	"$(cp "$build/sluice" "$work/sluice" && echo "$work/sluice")" pool add mine
check "nothing has changed" test "$(version)" = "$before"
check_status "the right version" 0 sluice backend weight p 10.2.2.2 5 --if-version "$before"

# --- the daemon goes and comes ------------------------------------------------------------------

rows=$(sluice diff --json | jq -c '[.changes[] | del(.at)]')
before=$(version)
check "orderly stop" daemon_stop TERM
check "start" daemon_start
check "all changes are there" test "$(sluice diff --json | jq -c '[.changes[] | del(.at)]')" = "$rows"
check "the version, too" test "$(version)" = "$before"
check "the pool is as it was" pool_is p "10.2.2.2*5"
check "and serves" eventually is_served_by $vip "b2"

# Killed at any moment of a change: what was told is there, and what was not is there whole or not at all.
daemon_at() {
	sluice pool show p --json | jq -r '.backends | join(" ")'
}

# The last row is the one that removes it; who adds it takes that away again.
killed_rounds() {
	local i verb wanted pid told after
	local with="10.2.1.2 10.2.2.2" without="10.2.2.2"

	for ((i = 0; i < rounds; i++)); do
		verb=add wanted=$with
		((i % 2 == 0)) || verb=remove wanted=$without
		sluice backend $verb p 10.2.1.2 >/dev/null 2>&1 &
		pid=$!
		sleep "0.$((i * 7 % 30 + 10))"
		daemon_kill
		told=no
		! wait $pid || told=yes
		daemon_start
		after=$(daemon_at)
		case $told,$after in
		"yes,$wanted" | "no,$with" | "no,$without") ;;
		*) echo "round $i: $verb, told: $told, then: $after" && return 1 ;;
		esac
		echo "# $verb: told: $told, then: $after" >>"$work/rounds"
		# As the maps say, not only the API.
		eventually is_served_by $vip "$(sed 's/10.2.1.2/b1/; s/10.2.2.2/b2/' <<<"$after")" || return 1
		[ "$after" = "$wanted" ] || sluice backend $verb p 10.2.1.2 >/dev/null || return 1
	done
}

check "kill -9 at $rounds points of a change" killed_rounds
sort "$work/rounds" | uniq -c | sed 's/^/# /'
check "back to what it was" test "$(sluice diff --json | jq -c '[.changes[] | del(.at)]')" = "$rows"

check "somebody else's transfer has ended well" wait "$slow_pid"
check "and is whole" test "$(cat "$work/slow.out")" = $((64 << 20))

# As after a reboot: nothing is left in the kernel.
check "stop" daemon_stop TERM
check "detach --all" sluice detach --all
daemon_start
check "after a reboot, all changes are there" test "$(sluice diff --json | jq -c '[.changes[] | del(.at)]')" = "$rows"
check "orders are obeyed" test "$(health_of 10.2.3.2 .admin)" = disabled
check "and it serves" eventually is_served_by $vip "b2"

# --- the file -----------------------------------------------------------------------------------

write_config "{ address: 10.2.1.2 }, { address: 10.2.2.2, weight: 5 }"
check_status "the file says the same by now" 0 sluice reload
check "that is no change any more" jq -e 'all(.changes[]; .address != "10.2.2.2")' <(sluice diff --json)
check "the rest is" pool_is p "10.2.2.2*5"
check_status "dry run of the file alone" 0 sluice reload --discard-runtime --dry-run
check "says what would come" grep -q "p: backend 10.2.1.2 added" "$work/out"
check "and go" grep -q "pool fresh removed" "$work/out"
check_status "the file alone" 0 sluice reload --discard-runtime
check "nothing is changed over it" changed 0
check "it is as the file says" pool_is p "10.2.1.2*1 10.2.2.2*5"
check "orders are gone, too" eventually test "$(health_of 10.2.3.2 .admin)" = enabled
check "and both serve" eventually is_served_by $vip "b1 b2"
check "for good" daemon_stop TERM
daemon_start
check "nothing is changed after a restart" changed 0

# --- where changes cannot be kept ----------------------------------------------------------------

check "stop" daemon_stop TERM
mount -t tmpfs -o size=256k tmpfs "$work/state"
daemon_start
check_status "there is room" 0 sluice backend weight p 10.2.1.2 9
head -c 1M /dev/zero >"$work/state/filler" 2>/dev/null
before=$(sluice diff --json | jq -c '[.changes[] | del(.at)], .version')
check_status "a full disk: refused" 1 sluice backend add p 10.2.3.2
check "and told why" grep -q "the change cannot be kept over a restart" "$work/out"
check "nothing has changed" test "$(sluice diff --json | jq -c '[.changes[] | del(.at)], .version')" = "$before"
check "in the pool, either" pool_is p "10.2.1.2*9 10.2.2.2*5"
check "traffic flows" is_served_by $vip "b1 b2"
write_config "{ address: 10.2.2.2, weight: 5 }"
check_status "a reload goes on, and drops the change of who is gone" 0 sluice reload
check "as it says" grep -q "change of p 10.2.1.2 is dropped" "$work/out"
write_config "{ address: 10.2.1.2 }, { address: 10.2.2.2, weight: 5 }"
check_status "he is back" 0 sluice reload
rm "$work/state/filler"
check_status "room again: done" 0 sluice backend add p 10.2.3.2
check "and serves" eventually is_served_by $vip "b1 b2 b3"
check "stop" daemon_stop TERM
daemon_start
check "what was dropped does not come back" pool_is p "10.2.1.2*1 10.2.2.2*5 10.2.3.2*1"
check "stop" daemon_stop TERM
head -c 100 /dev/urandom >"$work/state/changes.db"
rm -f "$work/state/changes.db-wal"
daemon_start
check "a damaged file: the daemon starts from the file" pool_is p "10.2.1.2*1 10.2.2.2*5"
check "keeps the damaged one" test -n "$(find "$work/state" -name 'changes.db.damaged-*')"
check "and says so" eventually grep -q "what was changed at runtime could not be read" "$work/sluiced.log"
check_status "changes can be made" 0 sluice backend add p 10.2.3.2
check "orderly stop" daemon_stop TERM
umount "$work/state"
