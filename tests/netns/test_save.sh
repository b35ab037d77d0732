#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What was changed at runtime is written into the file: what is in force stays as it is, down to open connections, and
# so do the comments. Whenever it is ended by force, and whatever it cannot write, nothing is lost.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

vip=192.0.2.10 other_vip=192.0.2.11
readers=64001 changers=64002

net_up 3
for b in b1 b2 b3; do backend_start $b; done

config "interfaces: [ { name: gc }, { name: gb1 }, { name: gb2 }, { name: gb3 } ]   # all there are" <<-EOF

	probes:
	  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 1 }
	settings:
	  - { name: web, protocol: http, port: 80, probe: quick }

	# Who serves.
	pools:
	  - name: p           # the shop's
	    backends:
	      # in the cellar
	      - address: 10.2.1.2   # old
	      # on the roof
	      - { address: "10.2.3.2" , weight: 1 }  # windy
	  - name: q
	    backends: [ { address: 10.2.3.2 } ]   # one is enough
	  - name: six
	    backends:
	      - address: "fd02:1::2"
	  - name: spare       # for bad days

	services:
	  - { name: shop, listen: "$vip:80", pool: p, settings: web }
	  - { name: other, listen: "$other_vip:80", pool: q, settings: web }
	  - { name: shop6, listen: "[2001:db8::10]:80", pool: six, settings: web }
EOF
cp "$work/sluice.yaml" "$work/first.yaml"

# What the file is to be after the changes below.
sed -e '/- address: 10.2.1.2   # old/d' \
	-e 's/\(windy\)$/\1\n      - { address: "10.2.2.2", weight: 7 }/' -e 's/"10.2.3.2" , weight: 1 /"10.2.3.2" , weight: 2 /' \
	-e 's/\(fd02:1::2"\)/\1\n      - address: "fd02:2::2"/' \
	-e 's/  - name: spare .*/  - name: fresh\n    backends:\n      - address: "10.2.3.2"\n        weight: 0/' \
	"$work/first.yaml" >"$work/wanted.yaml"

served_by() {
	fetches 30 "http://$1/" | sort -u | sed 's/hello from //' | paste -sd' '
}

is_served_by() {
	[ "$(served_by "$1")" = "$2" ]
}

pools_are() {
	[ "$(in_force)" = "$1" ]
}

# All pools with their weights, in their order.
in_force() {
	for pool in $(sluice pool list --json | jq -r '.pools[].name'); do
		sluice pool show "$pool" --json | jq -c '[.name, .weights]'
	done
}

rows() {
	sluice diff --json | jq -c '[.changes[] | del(.at)]'
}

# Somebody else's transfer, which nothing of this is to touch.
slow_start() {
	nsenter --net="/run/netns/$ns_id-client" curl -sS --limit-rate 2M -o "$work/slow.bin" -w '%{size_download}' \
		"http://$other_vip/huge" >"$work/slow.out" 2>"$work/slow.err" </dev/null &
	slow_pid=$!
	eventually test -s "$work/slow.bin"
}

# With groups of its own.
{
	grep -vE '^sluice(-admin)?:' /etc/group
	echo "sluice:x:$readers:"
	echo "sluice-admin:x:$changers:"
} >"$work/group"
daemon_start() {
	unshare --mount bash -c 'mount --bind "$0" /etc/group && exec nsenter --net="$1" "${@:2}"' "$work/group" \
		"/run/netns/$ns_id-gateway" "$build/sluiced" --foreground --config "$work/sluice.yaml" \
		>>"$work/sluiced.log" 2>&1 </dev/null &
	daemon_pid=$!
	eventually daemon_is_up || fail "sluiced starts"
}

daemon_kill() {
	kill -KILL "$daemon_pid"
	wait "$daemon_pid" 2>/dev/null
	daemon_pid=
}

daemon_start
check "backends are healthy" eventually all_healthy
check_status "nothing to save" 0 sluice save
check "is said" grep -q "nothing to save: $work/sluice.yaml says what is in force" "$work/out"
check "a transfer of somebody else's has begun" slow_start

# --- saved ----------------------------------------------------------------------------------------

sluice backend add p 10.2.2.2 --weight 7 >/dev/null
sluice backend remove p 10.2.1.2 >/dev/null
sluice backend weight p 10.2.3.2 2 >/dev/null
sluice backend add six fd02:2::2 >/dev/null
sluice pool remove spare >/dev/null
sluice pool add fresh >/dev/null
sluice backend add fresh 10.2.3.2 --weight 0 >/dev/null
sluice backend disable six fd02:1::2 >/dev/null
check "they serve" eventually is_served_by $vip "b2 b3"
before=$(in_force)

check_status "a rehearsal" 0 sluice save --dry-run
check "changes nothing" cmp "$work/sluice.yaml" "$work/first.yaml"
cp "$work/first.yaml" "$work/patched.yaml"
check "and is a patch" git -C "$work" apply --unsafe-paths -p0 - < <(sluice save --dry-run 2>/dev/null | sed -E 's/^(---|\+\+\+) .*/\1 patched.yaml/')
check "that makes what is wanted" diff "$work/wanted.yaml" "$work/patched.yaml"

chmod 640 "$work/sluice.yaml"
chown 0:34 "$work/sluice.yaml"
check_status "saved" 0 sluice save
check "says how much" grep -q "^saved to $work/sluice.yaml: 7 changes" "$work/out"
check "what no file can say" grep -q "stays a runtime change, for which the file has no words: six fd02:1::2: disabled" "$work/out"
check "and which comments went" grep -q "taken out with what it stood beside: line .*: # old" "$work/out"
check "the file is what is wanted" diff "$work/wanted.yaml" "$work/sluice.yaml"
check "with owner and mode" test "$(stat -c '%u:%g %a' "$work/sluice.yaml")" = "0:34 640"
check "it is in order" sluice check "$work/sluice.yaml"
check "what is in force is the same" pools_are "$before"
check "but for the order nothing is changed over it" test "$(rows)" = '[{"pool":"six","address":"fd02:1::2","change":"changed","admin":"disabled"}]'
check "they serve on" is_served_by $vip "b2 b3"
check_status "again: nothing to save" 0 sluice save
check "the file stays" diff "$work/wanted.yaml" "$work/sluice.yaml"
check "events say who had it loaded" jq -e 'any(.events[]; .kind == "reload")' <(sluice events --json)
daemon_kill
daemon_start
check "after kill -9 and a start it is the same" pools_are "$before"
check "the order, too" eventually test "$(health_of fd02:1::2 .admin)" = disabled
check "somebody else's transfer has ended well" wait "$slow_pid"
check "and is whole" test "$(cat "$work/slow.out")" = $((64 << 20))

# --- ended by force -------------------------------------------------------------------------------

# Killed at the entry of the N-th such system call; whether it came so far.
save_killed_at() {
	local status=0

	ASAN_OPTIONS=detect_leaks=0 on gateway strace -f -qq -o /dev/null -e "trace=$1" -e "inject=$1:signal=KILL:when=$2" \
		"$build/sluice" save >"$work/killed.out" 2>&1 || status=$?
	((status == 137))
}

# One after the other: a backend is added and removed in turns, and each is saved in the end.
turn=0
killed_once() {
	local verb=add with=with wanted

	((turn % 2 == 0)) || verb=remove with=without
	turn=$((turn + 1))
	sluice backend $verb p 10.2.1.2 >/dev/null || return 1
	cp "$work/sluice.yaml" "$work/old.yaml"
	wanted=$(in_force)
	save_killed_at "$1" "$2" || return 2
	cmp -s "$work/sluice.yaml" "$work/old.yaml" || cmp -s "$work/sluice.yaml" "$work/$with.yaml" ||
		{ echo "$1 $2: neither the old nor the new file" && return 1; }
	pools_are "$wanted" || { echo "$1 $2: not in force: $(in_force)" && return 1; }
	! grep -q "has been changed since it was loaded" <(sluice diff) || echo "# written and not loaded: $1 $2" >>"$work/rounds"
	daemon_kill
	daemon_start
	pools_are "$wanted" || { echo "$1 $2: lost with a restart: $(in_force)" && return 1; }
	sluice save >/dev/null 2>&1 || return 1
	cmp "$work/sluice.yaml" "$work/$with.yaml" && pools_are "$wanted"
}

killed_rounds() {
	local call n status

	for call in openat connect sendto write fchmod fsync rename; do
		n=1
		# Most of what is opened are libraries.
		[ $call != openat ] || n=$(on gateway strace -qq -e trace=openat "$build/sluice" save 2>&1 | grep -c openat)
		while status=0 && { killed_once $call "$n" || status=$?; } && ((status == 0)); do
			echo "# killed: $call $n" >>"$work/rounds"
			n=$((n + 1))
		done
		# It has ended before: then all is saved.
		((status == 2)) || return 1
	done
}

# What both turns come to, written by hand.
cp "$work/wanted.yaml" "$work/without.yaml"
sed 's/\(.*{ address: "10.2.2.2", weight: 7 }\)/\1\n      - { address: "10.2.1.2" }/' "$work/wanted.yaml" >"$work/with.yaml"
check "kill -9 at every call that matters" killed_rounds
check "at some of them the file was written, and not loaded" grep -q "written and not loaded" "$work/rounds"
sort "$work/rounds" | uniq -c | sed 's/^ *[0-9]* /&/; s/^/# /'
rm -f "$work"/.sluice-save.*

# --- what it cannot write -------------------------------------------------------------------------

((turn % 2 == 0)) || { sluice backend remove p 10.2.1.2 && sluice save; } >/dev/null 2>&1
check "back to what it was" diff "$work/wanted.yaml" "$work/sluice.yaml"
sluice backend weight p 10.2.3.2 200 >/dev/null
before=$(in_force) rows=$(rows)
unchanged() {
	cmp "$work/wanted.yaml" "${1:-$work/sluice.yaml}" && pools_are "$before" && [ "$(rows)" = "$rows" ]
}
cp "$build/sluice" "$work/sluice"
chmod 755 "$work"
# as GROUP ARGUMENT...
as() {
	local group=$1
	shift
	on gateway setpriv --reuid 64100 --regid 64100 --groups "$group" env "SLUICE_SOCKET=$SLUICE_SOCKET" "$work/sluice" "$@"
}
check_status "not by everybody" 4 as 64100 save
check_status "not by who may not read the file" 4 as $changers save
check "is told" grep -q "sluice.yaml' cannot be read: Permission denied" "$work/out"
chmod 644 "$work/sluice.yaml"
check_status "not by who may not change anything" 4 as $readers save
check "is told" grep -q "'sluice-admin' may change anything" "$work/out"
check_status "not by who may not write there" 4 as $changers save
check "is told" grep -q "sluice.yaml' cannot be written: no file can be made beside it: Permission denied" "$work/out"
check "nothing has changed" unchanged
check_status "who may see it can see what would be" 0 as $readers save --dry-run
check "all of it" grep -q "^+ .* weight: 200" "$work/out"

mkdir "$work/small"
mount -t tmpfs -o size=64k tmpfs "$work/small"
cp "$work/sluice.yaml" "$work/small/sluice.yaml"
head -c 1M /dev/zero >"$work/small/filler" 2>/dev/null
check_status "a full disk" 1 sluice save --config "$work/small/sluice.yaml"
check "is told" grep -q "'$work/small/sluice.yaml' cannot be written: No space left on device" "$work/out"
check "nothing has changed" unchanged "$work/small/sluice.yaml"
check "and nothing is left" test "$(find "$work/small" -name '.sluice*')" = ""
rm "$work/small/filler"
mount -o remount,ro "$work/small"
check_status "a directory that cannot be written" 1 sluice save --config "$work/small/sluice.yaml"
check "is told" grep -q "no file can be made beside it: Read-only file system" "$work/out"
mount -o remount,rw "$work/small"
check_status "a copy" 0 sluice save --config "$work/small/sluice.yaml"
check "is written" grep -q "weight: 200" "$work/small/sluice.yaml"
check "but is not what the daemon reads" grep -q "the changes are kept until it does" "$work/out"
check "nothing has changed there" unchanged
umount "$work/small"

echo "# by hand" >>"$work/sluice.yaml"
check_status "a file that was changed by hand" 1 sluice save
check "is told" grep -q "is not what the daemon has loaded" "$work/out"
check "also by diff" grep -q "has been changed since it was loaded" <(sluice diff)
check "it stays" grep -q "# by hand" "$work/sluice.yaml"
check_status "after a reload" 0 sluice reload
check_status "it can be saved" 0 sluice save --json
check "as JSON" jq -e '.loaded and (.saved | length) == 1 and .saved[0].weight == 200 and (.not_saved | length) == 1 and
	.comments_removed == []' "$work/out"
check "with what was written by hand" diff <(sed 's/weight: 2 /weight: 200 /' "$work/wanted.yaml" && echo "# by hand") "$work/sluice.yaml"
check "what is in force is the same" pools_are "$before"
check "orderly stop" daemon_stop TERM
