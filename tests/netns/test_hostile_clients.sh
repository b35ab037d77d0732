#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Clients of the API that mean no good: strangers, and members of the group that reads. Thousands at once, slow ones,
# endless ones, ones that speak nonsense, ones that never read. Meanwhile probes are on time, traffic flows, who may
# change something does, other readers read, and neither memory nor descriptors are theirs to take.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

readers=64001 changers=64002
stranger=64201 bad_reader=64202 deaf_reader=64203 busy_reader=64204 administrator=64301 good_reader=64302
many=10000             # connections at once
big=20000              # endpoints: an answer about them is far more than all buffers hold
interval_ms=500        # of the probe that is to be on time
attack_s=20            # each
administrator_ms=2000  # what a command may take beside
reader_ms=15000        # and that of a reader, who shares a thread with the bad ones
descriptors=160        # at most so many more: the API's places, and those of who is being sent away
memory_kb=$((96 * 1024))
if [ "$SLUICE_BUILD" = build-san ]; then
	memory_kb=$((256 * 1024))
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:quarantine_size_mb=16
fi

net_up 2
backend_start b2
{
	grep -vE '^sluice(-admin)?:' /etc/group
	printf 'sluice:x:%s:\nsluice-admin:x:%s:\n' $readers $changers
} >"$work/group"
cp "$build/sluice" "$(dirname "$0")/hostile_clients.py" "$work/"
chmod 755 "$work"

# A real server that writes down when it is asked.
mkdir -p "$work/fine"
cat >"$work/fine/nginx.conf" <<-EOF2
	daemon off;
	worker_processes 1;
	pid $work/fine/nginx.pid;
	error_log $work/fine/error.log;
	events { worker_connections 64; }
	http {
		log_format when "\$msec \$uri";
		access_log $work/fine/access.log when;
		client_body_temp_path $work/fine/tmp1; proxy_temp_path $work/fine/tmp2;
		fastcgi_temp_path $work/fine/tmp3; uwsgi_temp_path $work/fine/tmp4; scgi_temp_path $work/fine/tmp5;
		server { listen 80; listen [::]:80; return 200 fine; }
	}
EOF2
bg b1 nginx -c "$work/fine/nginx.conf" -p "$work/fine"
eventually on b1 curl -s -o /dev/null http://127.0.0.1/ || fail "nginx starts"

{
	cat <<-EOF2
		probes:
		  - { name: fine, protocol: http, path: /healthz, interval: ${interval_ms}ms, timeout: 2s }
		  - { name: rare, protocol: tcp, interval: 86400s }
		settings:
		  - { name: fine, protocol: http, port: 80, probe: fine }
		  - { name: rare, protocol: tcp, port: 9, probe: rare }
		pools:
		  - { name: fine, backends: [ { address: 10.2.1.2 }, { address: "fd02:1::2" } ] }
		  - { name: other, backends: [ { address: 10.2.2.2 } ] }
	EOF2
	for ((pool = 0; pool < big / 250; pool++)); do
		printf '  - { name: big-%d, backends: [' $pool
		for ((i = 1; i <= 250; i++)); do printf ' { address: 10.200.%d.%d },' $pool $i; done
		echo ' ] }'
	done
	echo "services:"
	echo "  - { name: fine, pool: fine, settings: fine }"
	echo "  - { name: other, pool: other, settings: fine }"
	for ((pool = 0; pool < big / 250; pool++)); do echo "  - { name: big-$pool, pool: big-$pool, settings: rare }"; done
} | config "interfaces: [ { name: gc }, { name: gb1 } ]"

daemon_start() {
	unshare --mount bash -c 'mount --bind "$0" /etc/group && exec nsenter --net="$1" "${@:2}"' "$work/group" \
		"/run/netns/$ns_id-gateway" "$build/sluiced" --foreground --config "$work/sluice.yaml" \
		>>"$work/sluiced.log" 2>&1 </dev/null &
	daemon_pid=$!
	patience_s=60 eventually daemon_is_up || fail "sluiced starts"
}

# as UID GROUP COMMAND...
as() {
	local groups=(--groups "$2")
	[ -n "$2" ] || groups=(--clear-groups)
	on gateway setpriv --reuid "$1" --regid "$1" "${groups[@]}" "${@:3}"
}

attackers=()
on_exit() {
	if ((${#attackers[@]})); then kill -KILL "${attackers[@]}" 2>/dev/null; fi
}

# attack UID GROUP KIND N: in the background; what it says is in $work/KIND.UID.
attack() {
	local groups=(--groups "$2")
	[ -n "$2" ] || groups=(--clear-groups)
	(
		ulimit -n $((many + 100))
		exec nsenter --net="/run/netns/$ns_id-gateway" setpriv --reuid "$1" --regid "$1" "${groups[@]}" \
			/usr/bin/python3 "$work/hostile_clients.py" "$SLUICE_SOCKET" "$3" "$4" >"$work/$3.$1" 2>&1 </dev/null
	) &
	attackers+=($!)
}

attack_ends() {
	kill -KILL "${attackers[@]}"
	wait "${attackers[@]}" 2>/dev/null
	attackers=()
}

now_ms() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

descriptors_now() {
	find "/proc/$daemon_pid/fd" -mindepth 1 | wc -l
}

# memory_now: resident, in KB.
memory_now() {
	awk '$1 == "VmRSS:" { print $2 }' "/proc/$daemon_pid/status"
}

# timed FILE COMMAND...: a line with its exit status, the milliseconds it took, and what it said.
timed() {
	local file=$1 start status=0 said
	shift
	start=$(now_ms)
	said=$("$@" 2>&1) || status=$?
	said=${said:0:200}
	echo "$status $(($(now_ms) - start)) ${said//$'\n'/ }" >>"$file"
}

# What others do meanwhile, until the attack is over.
others_go_on() {
	local what=$1 until=$((SECONDS + attack_s)) weight=0

	rm -f "$work"/{administrator,reader,root,traffic,descriptors,memory}.log
	while ((SECONDS < until)); do
		weight=$((weight % 200 + 1))
		timed "$work/administrator.log" as $administrator $changers "$work/sluice" backend weight other 10.2.2.2 $weight
		timed "$work/root.log" sluice why fine 10.2.1.2
		timed "$work/traffic.log" fetch http://10.2.1.2/
		descriptors_now >>"$work/descriptors.log"
		memory_now >>"$work/memory.log"
		sleep 0.2
	done &
	local first=$!
	while ((SECONDS < until)); do
		timed "$work/reader.log" as $good_reader $readers "$work/sluice" why fine 10.2.1.2
		sleep 0.2
	done
	wait $first
	for log in administrator root traffic reader; do
		echo "# $what: $log: $(awk '{ n++; bad += $1 != 0; if ($2 > max) max = $2 } END { print n " times, " bad " failed, at most " max " ms" }' "$work/$log.log")"
	done
	echo "# $what: at most $(sort -n "$work/descriptors.log" | tail -n 1) descriptors of $descriptors_before before, $(sort -n "$work/memory.log" | tail -n 1) KB of $memory_before before"
}

# within LOG MS: all of them went well, and none took longer.
within() {
	awk -v max="$(($2 * patience))" '$1 != 0 || $2 > max { print; bad = 1 } END { exit bad || NR < 5 }' "$work/$1.log"
}

at_most() {
	awk -v max="$2" '$1 > max { print; bad = 1 } END { exit bad || NR < 5 }' "$work/$1.log"
}

# Since $since: never much later than it was due.
on_time() {
	awk -v since="$since" -v interval=$interval_ms -v now="$EPOCHREALTIME" '
		$1 >= since && $2 == "/healthz" { n++; gap = $1 - (last ? last : since); if (gap > longest) longest = gap; last = $1 }
		END {
			# Two addresses, one log.
			wanted = int(2 * 1000 * (now - since) / interval)
			print n " of " wanted " probes, the longest gap " longest " s"
			exit !(n >= 0.8 * wanted && longest <= 3 * interval / 1000)
		}' "$work/fine/access.log"
}

# Each of them lives, and has connected as often as it was to.
attacked() {
	local log n=0

	kill -0 "${attackers[@]}" || return 1
	for log in "$work"/*.{$stranger,$bad_reader,$deaf_reader,$busy_reader}; do
		[ -s "$log" ] || continue
		n=$((n + 1))
		[ "$(tail -n 1 "$log" | cut -d ' ' -f 1)" -ge "$([[ $log == */many.* ]] && echo $many || echo 64)" ] || return 1
		# Who never reads is inside, with an answer that he does not take.
		[[ $log != */deaf.* ]] || [ "$(tail -n 1 "$log" | cut -d ' ' -f 2)" -ge 10 ] || return 1
	done
	((n == ${#attackers[@]}))
}

# under_attack WHAT: all that is to hold meanwhile.
under_attack() {
	since=$EPOCHREALTIME
	others_go_on "$1"
	check "$1: probes are on time" on_time
	sed "s/^/# $1: /" "$work/check.out"
	check "$1: who may change something does" within administrator $administrator_ms
	check "$1: so does root" within root $administrator_ms
	check "$1: another reader reads" within reader $reader_ms
	check "$1: traffic flows" within traffic 2000
	check "$1: descriptors have a bound" at_most descriptors $((descriptors_before + descriptors))
	check "$1: so has memory" at_most memory $((memory_before + memory_kb))
	# All have their part of a busy machine in the end; and who has just been thrown out comes again.
	eventually attacked
	for log in "$work"/*.{$stranger,$bad_reader,$deaf_reader,$busy_reader}; do
		if [ -s "$log" ]; then echo "# $1: $(basename "$log"): connections, at once, answers: $(tail -n 1 "$log")"; fi
	done
	check "$1: the attack took place" eventually attacked
	attack_ends
	rm -f "$work"/*.{$stranger,$bad_reader,$deaf_reader,$busy_reader}
	check "$1: all descriptors are free again" eventually test_descriptors
	check "$1: nobody was thought ill of" jq -e 'all(.pools[].services[].endpoints[]; .health == "Healthy")' <(sluice health fine --json)
}

test_descriptors() {
	[ "$(descriptors_now)" -le $((descriptors_before + 2)) ]
}

daemon_start
fine_is_healthy() {
	sluice health fine
}
check "backends are healthy" eventually fine_is_healthy
check "an answer is large" test "$(sluice health --json | wc -c)" -gt $((big * 400))
descriptors_before=$(descriptors_now) memory_before=$(memory_now)

others_go_on "at rest"
check "at rest: administrators are served" within administrator $administrator_ms
check "at rest: readers are served" within reader $administrator_ms
descriptors_before=$(descriptors_now) memory_before=$(memory_now)

attack $stranger "" many $many
for kind in header noise oversized half; do attack $stranger "" $kind 64; done
under_attack "strangers"

attack $bad_reader $readers many $many
under_attack "a reader, $many times"

attack $deaf_reader $readers deaf 64
for kind in header body oversized noise half; do attack $bad_reader $readers $kind 64; done
under_attack "readers, slow, endless and deaf"

attack $busy_reader $readers busy 64
attack $deaf_reader $readers deaf 64
attack $bad_reader $readers many $many
attack $stranger "" many $many
under_attack "all at once"

check "nobody changed anything" [ "$(sluice diff --json | jq '[.changes[] | select(.pool != "other")] | length')" = 0 ]
check "what they were refused is told" jq -e --argjson a $stranger --argjson b $bad_reader \
	'[.events[] | select(.kind == "access") | .numbers.uid] | contains([$a, $b])' <(sluice events --limit 1000 --json)
check "in few words" test "$(said refused:)" -le 200
check "orderly stop" daemon_stop TERM
