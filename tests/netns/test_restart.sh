#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Restarts are non-events: health begins with what was known, marked with its age; words do not move; nobody is
# probed all at once. The same after a boot, and when somebody has set the clock meanwhile.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

day=86400
echo 0 >"$work/ahead"
cat /proc/sys/kernel/random/boot_id >"$work/boot"

on_exit() {
	if mountpoint -q "$work/state"; then umount "$work/state"; fi
}

# restart_config INTERVAL: b1 is well, b2 is not.
restart_config() {
	config 'interfaces: [ { name: gc }, { name: gb1 }, { name: gb2 } ]' <<-EOF
		probes:
		  - { name: ready, protocol: http, path: /healthz, interval: $1, timeout: 1s, unhealthy_threshold: 2 }
		settings:
		  - { name: web, protocol: http, port: 80, probe: ready }
		pools:
		  - { name: web-pool, backends: [ { address: 10.2.1.2 }, { address: "fd02:1::2" }, { address: 10.2.2.2 }, { address: "fd02:2::2" } ] }
		services:
		  - { name: web, pool: web-pool, settings: web }
	EOF
}

# The daemon, on a host whose boot id and wall clock are what the files say.
start() {
	# shellcheck disable=SC2016
	unshare --mount --propagation slave sh -c '
		mount --bind "$1/boot" /proc/sys/kernel/random/boot_id &&
		exec env WALLCLOCK="$1/ahead" LD_PRELOAD="$2/tests/preload/wallclock.so" ASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0" \
			nsenter --net="$3" "$2/sluiced" --foreground --config "$1/sluice.yaml"' \
		sh "$work" "$build" "/run/netns/$ns_id-gateway" >>"$work/sluiced.log" 2>&1 </dev/null &
	daemon_pid=$!
	eventually daemon_is_up || fail "sluiced starts"
}
export ASAN_OPTIONS=${ASAN_OPTIONS:-}

# Everything that a boot takes with it: the maps, and the id.
boot() {
	sluice detach --all >/dev/null || fail "the gate is gone"
	cat /proc/sys/kernel/random/uuid >"$work/boot"
}

# endpoints FILTER: whether it is so of all of them.
endpoints() {
	sluice health --json | jq -e "[.pools[].services[].endpoints[]] | length == 4 and all(.[]; $1)"
}

of() {
	sluice health --json | jq -e --arg a "$1" "first(.pools[].services[].endpoints[] | select(.address == \$a)) | $2"
}

words() {
	bpftool -j map dump pinned "$SLUICE_BPFFS/v1/maps/endpoint_words" | md5sum
}

n_probed() {
	cat "$work/b1/access.log" "$work/b2/access.log" | grep -c healthz
}

# The words, as fast as they can be looked at, as long as somebody starts or stops.
watch_words() {
	while [ -d "$work" ] && [ ! -e "$work/enough" ]; do words; done | sort -u >"$work/words"
}

served_and_refused() {
	local a
	for a in 10.2.1.2 "[fd02:1::2]"; do fetch -o /dev/null "http://$a/" || return 1; done
	for a in 10.2.2.2 "[fd02:2::2]"; do refused_at_once "http://$a/" || return 1; done
}

all_are_served() {
	local a
	for a in 10.2.1.2 "[fd02:1::2]" 10.2.2.2 "[fd02:2::2]"; do fetch -o /dev/null "http://$a/" || return 1; done
}

as_known() {
	endpoints '.health == (if .backend | test("2[.]2[.]2$|02:2:") then "Unhealthy" else "Healthy" end)'
}

# Of before, so old at least and at most, in ms.
is_of_before() {
	endpoints ".adopted and .verdict_ms_ago >= $1 and .verdict_ms_ago <= $2"
}

net_up 2
backend_start b1
backend_start b2
touch "$work/b2.sick"
restart_config "$often"
start
check "two are healthy, two are not" eventually as_known
check "more than once, in the case of both" eventually endpoints '.health == "Healthy" or .probe.consecutive_failures >= 2'
refute "a verdict of this daemon is not of before" is_of_before 0 100000000
before=$(words)

# --- the daemon alone is restarted --------------------------------------------------------------

daemon_stop TERM
restart_config 60s
watch_words &
watching=$!
n=$(n_probed)
start
check "restart: health is what it was, of before, with its age" is_of_before 0 30000
check "restart: of each" as_known
check "restart: with the reason" of 10.2.2.2 '.id == "http_status_mismatch" and (.message | contains("503")) and .probe.consecutive_failures >= 2'
check "restart: and since when" of fd02:2::2 '(.since | fromdate? // (sub("[.][0-9]+Z$"; "Z") | fromdate)) as $t | now - $t < 60'
sluice health >"$work/out"
check "restart: people read it" grep -Eq '^10.2.2.2:80 +Unhealthy \(adopted\) .*Verdict of [0-9.]+m?s ago, not yet probed since the start: .*503' "$work/out"
check "restart: why says so" grep -Eq 'it was unhealthy by the verdict of [0-9.]+m?s ago, before the daemon started: .*503' <(sluice why web-pool 10.2.2.2)
check "restart: of who is well, too" grep -Eq 'it was healthy by the verdict of [0-9.]+m?s ago' <(sluice why web-pool fd02:1::2)
check "restart: traffic goes where it went" served_and_refused
sleep 2 # in which probes would have come
check "restart: nobody was probed at once" test "$(n_probed)" = "$n"
ago=$(of 10.2.1.2 .verdict_ms_ago)
daemon_stop KILL
start
check "kill -9: the same" is_of_before "$ago" 60000
check "kill -9: of each" as_known
touch "$work/enough"
wait "$watching"
check "no word has moved meanwhile, and there were many looks" test "$(cat "$work/words")" = "$before"
daemon_stop TERM
restart_config "$often"
start
fresh() {
	endpoints '(.adopted | not) and .verdict_ms_ago == null and .probe.last_ms_ago < 5000'
}
check "and probes take over" eventually fresh
sluice events --since 1h --json | jq -r '.events[] | select(.kind == "health") | .endpoint' | sort | uniq -c >"$work/out"
check "nobody's health has changed by all that" test "$(awk '{ n += $1 } END { print n, NR }' "$work/out")" = "4 4"

# --- a boot -------------------------------------------------------------------------------------

sluice backend drain web-pool fd02:1::2 --timeout 300s >/dev/null || fail "one drains"
restart_config 60s
daemon_stop TERM
boot
start
check "boot: what was kept is taken over" is_of_before 0 30000
check "boot: of each" as_known
check "boot: with the reason" of fd02:2::2 '.message | contains("503")'
check "boot: it closes the gate" eventually refused_at_once http://10.2.2.2/
check "boot: IPv6, too" eventually refused_at_once "http://[fd02:2::2]/"
check "boot: and opens it" fetch -o /dev/null http://10.2.1.2/
check "boot: a drain goes on until when it was to" of fd02:1::2 '.admin == "draining" and .drain.left_ms > 200000 and .drain.left_ms <= 300000'
sluice backend enable web-pool fd02:1::2 >/dev/null
daemon_stop KILL
sleep 1 # so old it is at least
boot
start
check "boot after a kill: what was kept is older" is_of_before 1000 60000

# --- clocks -------------------------------------------------------------------------------------

daemon_stop TERM
for ahead in $day -$day; do
	echo "$ahead" >"$work/ahead"
	start
	check "restart, clock set by $ahead s: ages are right all the same" is_of_before 1000 120000
	check "restart, clock set by $ahead s: of each" as_known
	check "restart, clock set by $ahead s: traffic goes where it went" served_and_refused
	daemon_stop TERM
done
echo 0 >"$work/ahead"
start
sluice backend drain web-pool fd02:1::2 --timeout 300s >/dev/null || fail "one drains"
daemon_stop TERM

unknown() {
	endpoints '.health == "Unknown" and (.adopted | not)'
}
for ahead in -$day $day; do
	echo "$ahead" >"$work/ahead"
	boot
	# So that nothing is found out meanwhile: who is unknown is probed at once.
	sed -i 's/healthz, interval: 60s/healthz, port: 9, interval: 60s/' "$work/sluice.yaml"
	on b1 nft add table inet hold "{ chain in { type filter hook input priority 0; tcp dport 9 drop; }; }"
	on b2 nft add table inet hold "{ chain in { type filter hook input priority 0; tcp dport 9 drop; }; }"
	start
	check "boot, clock set by $ahead s: nothing is believed" unknown
	check "boot, clock set by $ahead s: the gate closes on proof only" eventually fetch -o /dev/null http://10.2.2.2/
	if ((ahead < 0)); then
		check "boot, clock set back: nobody drains for longer than was ordered" of fd02:1::2 '.drain.left_ms > 200000 and .drain.left_ms <= 300000'
	else
		check "boot, clock set forward: a drain may be over" of fd02:1::2 '.admin == "draining" and .drain.left_ms == 0'
	fi
	daemon_stop KILL
	on b1 nft delete table inet hold
	on b2 nft delete table inet hold
	restart_config 60s
done

# While it runs.
echo 0 >"$work/ahead"
restart_config "$often"
start
sluice backend enable web-pool fd02:1::2 >/dev/null
check "probes say how it is" eventually as_known
# With what is told of flapping summed up after some.
has_changed_on() {
	sluice events --since 1000d --json | jq -e --arg day "$(date -u -d "@$(($(date +%s) + $1))" +%F)" \
		'any(.events[]; .kind == "health" and .endpoint == "10.2.2.2:80" and (.at | startswith($day)))'
}
for ahead in $day 0 -$day 0; do
	echo "$ahead" >"$work/ahead"
	check "clock set to $ahead s: probes go on" eventually fresh
	check "clock set to $ahead s: what they say goes on, too" as_known
	check "clock set to $ahead s: traffic goes where it went" served_and_refused
	rm "$work/b2.sick"
	check "clock set to $ahead s: a change is seen" eventually health_is 10.2.2.2 Healthy
	check "clock set to $ahead s: on both" eventually health_is fd02:2::2 Healthy
	touch "$work/b2.sick"
	check "clock set to $ahead s: and back" eventually as_known
done
check "what happened tomorrow is an event" has_changed_on $day
check "and yesterday" has_changed_on -$day
grows() {
	jq -e '[.events[].id] | length > 10 and . == unique' <(sluice events --since 1000d --json)
}
check "events' ids grow" grows
daemon_stop TERM

# --- state directories --------------------------------------------------------------------------

# What is in force stays in force, whatever became of what was kept.
still() {
	local what=$1 w
	w=$(words)
	start
	check "$what: health is what the kernel acts on" as_known
	check "$what: no word moves" test "$(words)" = "$w"
	check "$what: traffic goes where it went" served_and_refused
}

restart_config 60s
rm -rf "$work/state"
still "state is gone"
check "state is gone: no age is known" endpoints '.adopted and .verdict_ms_ago == null'
daemon_stop TERM
restart_config "$often"
start
check "state is gone: it is made anew" eventually test -s "$work/state/state.db"
check "probes say how it is" eventually fresh
daemon_stop TERM
restart_config 60s

printf 'rubbish, much of it' | dd of="$work/state/state.db" bs=1 conv=notrunc status=none
still "state is rubbish"
check "state is rubbish: said" grep -q 'verdicts of before cannot be read: .*state.db' "$work/sluiced.log"
check "state is rubbish: and set aside" eventually test -s "$(echo "$work"/state/state.db.damaged-2*Z)"
daemon_stop TERM

rm -rf "$work/state"
mkdir "$work/state"
mount -t tmpfs -o size=512k tmpfs "$work/state"
restart_config "$often"
start
check "probes say how it is" eventually fresh
daemon_stop TERM
restart_config 60s
mount -o remount,ro "$work/state"
still "state is read-only"
check "state is read-only: what is there is read" is_of_before 0 60000
check "state is read-only: status says that nothing is kept" eventually grep -q '^EVENTS ARE NOT KEPT: .*state.db' <(sluice status)
daemon_stop TERM
mount -o remount,rw "$work/state"

head -c 1M /dev/zero >"$work/state/filler" 2>/dev/null
restart_config "$often"
start
check "disk is full: health goes on" eventually fresh
rm "$work/b2.sick"
check "disk is full: a change is seen" eventually health_is 10.2.2.2 Healthy
check "disk is full: and the gate follows" eventually all_are_served
rm "$work/state/filler"
kept_as() {
	sqlite3 -readonly "$work/state/state.db" "SELECT gate FROM verdicts WHERE address = '10.2.2.2'" | grep -qx "$1"
}
check "disk has room: what was found out meanwhile is kept" eventually kept_as Healthy
check "one row for each" test "$(sqlite3 -readonly "$work/state/state.db" 'SELECT count(*) FROM verdicts')" = 4
daemon_stop TERM
