#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Servers that mean no good, plain and behind TLS: each gets its message within the timeout, by
# `sluice probe` and by one daemon that probes all of them at once. The daemon's memory stays
# bounded, and a healthy endpoint beside them is probed on time.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

server=10.2.1.2
fine_server=10.2.2.2
first_port=3000
servers=$work/servers
plan=$work/rows.tsv
probes=$work/probes

timeout_ms=2000
interval_ms=2000
fine_interval_ms=500
rounds=5
doubts_percent=5 # of the probes, for want of time

# What the daemon may need for all of these servers more than for the good ones among them: an eighth
# of a megabyte each, the longest list of certificates that it takes from anybody. That is twice what
# it does need, and less than ten bodies that are kept, or one bomb that is unpacked.
memory_kb=$((9 * 1024))

# For the lists of revoked certificates beside the sixteen megabytes that one may have, of which the two
# that never end use all.
lists_kb=$((40 * 1024))

# Sanitizers make everything several times slower and larger; and what was freed is kept for a while.
if [[ $build == *-san ]]; then
	timeout_ms=3000 interval_ms=8000 fine_interval_ms=1000 rounds=2 doubts_percent=50
	memory_kb=$((160 * 1024)) lists_kb=$((240 * 1024))
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:quarantine_size_mb=16
fi

# What the command takes beside the probe itself: to start, trust and all, and to print, on a busy machine.
start_ms=1500

# A wave of first probes may be too much at once, and what was doubted then is probed again an interval later.
# A machine that has better to do takes its time; what is asked here is that nothing else is said.
patience_s=60

# --- the table ----------------------------------------------------------------------------------

# SCHEME    of the probe; crl: the server is asked for the revocation list of one that is fine
# ROLE      of the server: tests/netns/hostile.c, with TLS 1.3 unless it says "tls1.2:"
# SEEK      "-": the status line decides; "needle": the body must contain it
# ID        of the message
# SAYS      what the message must contain, a regular expression
table() {
	cat <<-'ROWS'
		http   fine             -       ok                    -
		http   fine             needle  ok                    -
		http   silent           -       backend_timeout       -
		http   garbage          -       http_malformed        status line is not HTTP
		http   endless-status   -       http_malformed        header larger than 65536
		http   endless-line     -       http_malformed        header larger than 65536
		http   endless-header   -       http_malformed        header larger than 65536
		http   slow-header      -       backend_timeout       -
		http   interim          -       http_malformed        more than 16 interim
		http   endless-body     -       ok                    -
		http   endless-body     needle  http_body_mismatch    first 1048576 bytes
		http   endless-chunks   needle  http_body_mismatch    first
		http   huge-chunk       needle  http_body_mismatch    first 1048
		http   slow-body        -       ok                    -
		http   slow-body        needle  backend_timeout       -
		http   4gb-promised     -       ok                    -
		http   4gb-promised     needle  backend_timeout       -
		http   4gb-sent         -       ok                    -
		http   4gb-sent         needle  http_body_mismatch    first 1048576 bytes
		http   bomb             -       ok                    -
		http   bomb             needle  http_body_mismatch    -
		http   reset-accept     -       conn_closed_early     reset
		http   reset-request    -       conn_closed_early     reset
		http   reset-header     -       conn_closed_early     header incomplete
		http   reset-body       -       ok                    -
		http   reset-body       needle  conn_closed_early     body incomplete

		https  fine             needle  ok                    -
		https  silent-raw       -       tls_handshake_failed  -
		https  garbage-raw      -       tls_handshake_failed  does not speak TLS
		https  garbage-records  -       tls_handshake_failed  -
		https  endless-hello    -       tls_handshake_failed  -
		https  alerts           -       tls_handshake_failed  -
		https  slow-handshake   -       tls_handshake_failed  -
		https  chain-100        -       cert_verify_failed    chain too long
		https  list-100         -       ok                    -
		https  chain-1mb        -       tls_handshake_failed  certificate list longer than 131072 bytes
		https  reset-accept     -       tls_handshake_failed  -
		https  reset-first      -       tls_handshake_failed  -
		https  reset-record     -       tls_handshake_failed  -
		https  reset-flight     -       conn_closed_early     reset
		https  reset-handshake  -       conn_closed_early     reset
		https  reset-request    -       conn_closed_early     reset
		https  reset-header     -       conn_closed_early     header incomplete
		https  reset-body       -       ok                    -
		https  reset-body       needle  conn_closed_early     body incomplete
		https  silent           -       backend_timeout       -
		https  garbage          -       http_malformed        status line is not HTTP
		https  endless-status   -       http_malformed        header larger than 65536
		https  endless-line     -       http_malformed        header larger than 65536
		https  endless-header   -       http_malformed        header larger than 65536
		https  slow-header      -       backend_timeout       -
		https  interim          -       http_malformed        more than 16 interim
		https  endless-body     -       ok                    -
		https  endless-body     needle  http_body_mismatch    first 1048576 bytes
		https  endless-chunks   needle  http_body_mismatch    first
		https  huge-chunk       needle  http_body_mismatch    first 1048
		https  slow-body        needle  backend_timeout       -
		https  4gb-promised     needle  backend_timeout       -
		https  4gb-sent         needle  http_body_mismatch    first 1048576 bytes
		https  bomb             needle  http_body_mismatch    -
		https  tickets          -       tls_handshake_failed  more than 64 messages
		https  key-updates      -       tls_handshake_failed  more than 64 messages

		https  tls1.2:chain-1mb        -  tls_handshake_failed  certificate list longer than 131072 bytes
		https  tls1.2:reset-flight     -  tls_handshake_failed  reset
		https  tls1.2:reset-handshake  -  conn_closed_early     reset
		https  tls1.2:reset-header     -  conn_closed_early     header incomplete
		https  tls1.2:endless-header   -  http_malformed        header larger than 65536
		https  tls1.2:hello-requests   -  tls_handshake_failed  renegotiate

		crl    silent           -       unknown_crl_unreachable  -
		crl    garbage          -       unknown_crl_unreachable  -
		crl    endless-header   -       unknown_crl_unreachable  -
		crl    endless-body     -       unknown_crl_unreachable  -
		crl    slow-body        -       unknown_crl_unreachable  -
		crl    4gb-sent         -       unknown_crl_unreachable  -
		crl    bomb             -       unknown_crl_unreachable  -
		crl    interim          -       unknown_crl_unreachable  -
		crl    reset-body       -       unknown_crl_unreachable  -

		tls    fine             -       ok                    -
		tls    reset-first      -       tls_handshake_failed  -
		tls    tickets          -       ok                    -

		grpc   h2-settings      -       http_malformed        -
		grpc   h2-pings         -       http_malformed        -
		grpc   h2-continuation  -       http_malformed        -
		grpc   garbage          -       http_malformed        -
		grpc   reset-first      -       conn_closed_early     reset
		grpcs  h2-pings         -       http_malformed        -
	ROWS
}

# --- servers ------------------------------------------------------------------------------------

# list_user PORT: of the server whose revocation list is there.
list_user() {
	echo $(($1 + 1000))
}

hostile_start() {
	local port scheme role arguments=()

	mkdir -p "$servers"
	# What a decompressor would find at once, and then 64 MiB of nothing.
	{ echo needle && head -c 64M /dev/zero; } | gzip >"$servers/bomb.gz"
	while IFS=$'\t' read -r port scheme role _; do
		case $scheme:$role in
		https:tls1.2:*) ;;
		https:* | tls:* | grpcs:*) role=tls:$role ;;
		crl:*) arguments+=("tls:fine=$(list_user "$port")") ;;
		esac
		arguments+=("$role=$port")
	done <"$plan"
	bg b1 "$build/tests/netns/hostile" "$server" "$servers" "${arguments[@]}"
	eventually test -s "$servers/root.crt" || fail "the servers start"
}

# A real server on another host, which writes down when it is asked.
fine_start() {
	local dir=$work/fine

	mkdir -p "$dir"
	cat >"$dir/nginx.conf" <<-EOF
		daemon off;
		worker_processes 1;
		pid $dir/nginx.pid;
		error_log $dir/error.log;
		events { worker_connections 64; }
		http {
			log_format when \$msec;
			access_log $dir/access.log when;
			client_body_temp_path $dir/tmp1; proxy_temp_path $dir/tmp2;
			fastcgi_temp_path $dir/tmp3; uwsgi_temp_path $dir/tmp4; scgi_temp_path $dir/tmp5;
			server { listen $fine_server:80; return 200 fine; }
		}
	EOF
	chmod -R a+rX "$work"
	bg b2 nginx -c "$dir/nginx.conf" -p "$dir"
	eventually on b2 curl -s -o /dev/null "http://$fine_server/" || fail "nginx starts"
}

# --- on demand ----------------------------------------------------------------------------------

now_ms() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# probe_row PORT SCHEME SEEK: what is said in $probes/PORT.json, and how long it took in PORT.ms.
probe_row() {
	local port=$1 scheme=$2 seek=$3 args=() start

	case $scheme in
	https | tls | grpcs | crl) args+=(--ca "$servers/root.crt" --host a.probe.test) ;;
	esac
	if [ "$scheme" = crl ]; then
		args+=(--crl "http://$server:$port/list")
		scheme=https port=$(list_user "$port")
	fi
	[ "$seek" = - ] || args+=(--body "$seek")
	start=$(now_ms)
	sluice probe --json "$scheme://$server:$port" --timeout "${timeout_ms}ms" "${args[@]}" >"$probes/$1.json" 2>&1
	echo $(($(now_ms) - start)) >"$probes/$1.ms"
}

probe_all() {
	local port scheme seek jobs=()

	# A few at a time.
	while IFS=$'\t' read -r port scheme _ seek _; do
		probe_row "$port" "$scheme" "$seek" </dev/null &
		jobs+=($!)
		((${#jobs[@]} % 6)) || wait "${jobs[@]}"
	done <"$plan"
	wait "${jobs[@]}"
}

# --- the daemon ---------------------------------------------------------------------------------

# probe_line NAME PROTOCOL INTERVAL_MS [NEEDLE]
probe_line() {
	echo "  - { name: $1, protocol: $2, interval: ${3}ms, timeout: ${timeout_ms}ms," \
		"unhealthy_threshold: 1${4:+, match: { body: $4 \}} }"
}

settings_row() {
	local port=$1 scheme=$2 seek=$3 protocol=http

	case $scheme in
	https | grpcs | crl) protocol=https ;;
	tls) protocol=tls ;;
	esac
	echo "  - name: at-$port"
	if [ "$scheme" = crl ]; then
		echo "    crl: [ http://$server:$port/list ]"
		scheme=https port=$(list_user "$port")
	fi
	printf '    %s\n' "protocol: $protocol" "port: $port" "probe: $scheme-$seek"
	[ "$protocol" = http ] || printf '    %s\n' "host_name: a.probe.test" "trusted_roots: [ $servers/root.crt ]"
}

# config_of PLAN
config_of() {
	local port scheme seek

	{
		echo "probes:"
		probe_line fine http "$fine_interval_ms"
		for scheme in http https tls grpc grpcs; do probe_line "$scheme--" "${scheme/grpcs/grpc}" "$interval_ms"; done
		for scheme in http https; do probe_line "$scheme-needle" "$scheme" "$interval_ms" needle; done
		echo "settings:"
		while IFS=$'\t' read -r port scheme _ seek _; do settings_row "$port" "$scheme" "$seek"; done <"$1"
		echo "  - { name: fine, protocol: http, port: 80, probe: fine }"
		echo "pools:"
		echo "  - { name: all, backends: [ { address: $server } ] }"
		echo "  - { name: fine, backends: [ { address: $fine_server } ] }"
		echo "services:"
		while IFS=$'\t' read -r port _; do echo "  - { name: at-$port, pool: all, settings: at-$port }"; done <"$1"
		echo "  - { name: fine, pool: fine, settings: fine }"
	} | config "$both_interfaces"
}

# probed N: so many probes have ended.
probed() {
	sluice status --json >"$work/status.json" && jq -e --argjson n "$1" '.engine.finished >= $n' "$work/status.json"
}

high_water_kb() {
	awk '$1 == "VmHWM:" { print $2 }' "/proc/$daemon_pid/status"
}

# The services that say something else than the table, by name. What the others say is kept in $work/said.json.
odd_ones() {
	sluice health --json | jq '[.pools[].services[] | { name } + .endpoints[0]]' >"$work/health.json" &&
		jq -c --slurpfile expected "$work/expected.json" '[.[] | select(.id != $expected[0][.name]) | { name, id, message }]' \
			"$work/health.json" >"$work/odd" &&
		jq --slurpfile expected "$work/expected.json" --slurpfile before "$work/said.json" '
			$before[0] + ([.[] | select(.id == $expected[0][.name]) | { key: .name, value: . }] | from_entries)' \
			"$work/health.json" >"$work/said_now.json" &&
		mv "$work/said_now.json" "$work/said.json"
}

# A bystander that does nothing but sleep, and writes down by how much it woke too late, in seconds: then it was the machine.
watch_machine() {
	local before now

	: >"$work/standstills"
	while kill -0 $$ 2>/dev/null; do
		before=$EPOCHREALTIME
		sleep 0.1
		now=$EPOCHREALTIME
		awk -v a="$before" -v b="$now" 'BEGIN { if (b - a > 0.6) print b - a - 0.1 }' >>"$work/standstills"
	done
}

# What it writes may not keep $work from being removed.
on_exit() {
	kill "$bystander" 2>/dev/null
}

# Altogether.
stood_still_s() {
	awk '{ sum += $1 } END { print sum + 0 }' "$work/standstills"
}

# Nobody says anything else; for want of time the prober may have no opinion for a while, and the good
# server always has its own, unless it was the machine.
nobody_is_wronged() {
	odd_ones && jq -e --argjson still "$(stood_still_s)" \
		'all(.[]; .id == "prober_overloaded" and (.name != "fine" or $still > 0))' "$work/odd"
}

say_nothing_yet() {
	echo '{}' >"$work/said.json"
}

# Everybody has said it since. Not all at once: whenever the machine stands still, somebody is without an opinion.
all_have_said_so() {
	odd_ones && jq -e --slurpfile said "$work/said.json" 'keys - ($said[0] | keys) == []' "$work/expected.json"
}

in_the_end_all_say_so() {
	say_nothing_yet
	eventually all_have_said_so || { cat "$work/odd" && return 1; }
}

# watch_daemon PLAN: until everybody was probed so many times. No opinion is an exception.
watch_daemon() {
	local deadline=$((SECONDS + 120))

	until probed $((rounds * $(wc -l <"$1"))); do
		((SECONDS < deadline)) || return 1
		nobody_is_wronged || { cat "$work/odd" && return 1; }
		sleep 0.2
	done
	jq -e --argjson percent "$doubts_percent" '.engine.overloaded * 100 <= .engine.finished * $percent' "$work/status.json"
}

# When the healthy server was asked since the watch began: never much later than it was due.
fine_is_punctual() {
	awk -v since="$watch_since" -v interval="$fine_interval_ms" -v now="$EPOCHREALTIME" -v still="$(stood_still_s)" '
		$1 >= since { n++; gap = $1 - (last ? last : since); if (gap > longest) longest = gap; last = $1 }
		END {
			wanted = int(1000 * (now - since - still) / interval)
			print n " of " wanted " probes, the longest gap " longest " s; the machine stood still for " still " s"
			exit !(n >= 0.8 * wanted && longest <= 3 * interval / 1000 + still)
		}' "$work/fine/access.log"
}

# --- judging ------------------------------------------------------------------------------------

# expected PLAN: what every service must say, by name.
expected() {
	cut -f 1,5 "$1" | jq -Rn '[inputs / "\t" | { key: "at-\(.[0])", value: .[1] }] | from_entries | .fine = "ok"'
}

# judge WHAT ID SAYS JSON TOTAL: TOTAL is where in JSON the microseconds are that it took.
judge() {
	local what=$1 id=$2 says=$3 json=$4 total=$5

	check "$what: $id" jq -e --arg id "$id" --arg says "$says" --argjson ms $((timeout_ms + timeout_ms / 4)) '.id == $id and
		.health == (if $id == "ok" then "Healthy" elif $id == "unknown_crl_unreachable" then "Unknown" else "Unhealthy" end) and
		(.message | test($says)) and '"$total"' <= 1000 * $ms' <<<"$json"
}

judge_probes() {
	local port scheme role seek id says

	while IFS=$'\t' read -r port scheme role seek id says; do
		judge "probe: $scheme, $role, $seek" "$id" "$says" "$(<"$probes/$port.json")" .timing_us.total
		check "probe: $scheme, $role, $seek: in time" test "$(<"$probes/$port.ms")" -le $((timeout_ms + start_ms))
	done <"$plan"
}

# judge_daemon PLAN
judge_daemon() {
	local port scheme role seek id says said
	declare -A daemon_says

	while IFS=$'\t' read -r port said; do daemon_says[${port#at-}]=$said; done < \
		<(jq -r 'to_entries[] | "\(.key)\t\(.value | tojson)"' "$work/said.json")
	while IFS=$'\t' read -r port scheme role seek id says; do
		judge "daemon: $scheme, $role, $seek" "$id" "$says" "${daemon_says[$port]}" .probe.timing_us.total
	done <"$1"
}

# daemon_against WHOM PLAN ROUNDS MEMORY_KB
daemon_against() {
	local whom=$1 plan=$2 rounds=$3 memory_kb=$4 more_kb

	expected "$plan" >"$work/expected.json"
	config_of "$plan"
	daemon_start
	check "$whom: every server gets its message" in_the_end_all_say_so
	watch_since=$EPOCHREALTIME
	check "$whom: and keeps it, $rounds times over" watch_daemon "$plan"
	check "$whom: a healthy server beside them is probed on time" fine_is_punctual
	check "$whom: every server has its message in the end" in_the_end_all_say_so
	more_kb=$(($(high_water_kb) - usual_kb))
	check "$whom: memory: $more_kb kB more than for the good ones alone" test "$more_kb" -le "$memory_kb"
	judge_daemon "$plan"
	check "$whom: orderly stop" daemon_stop TERM
}

# --- the story ----------------------------------------------------------------------------------

net_up 2
watch_machine &
bystander=$!
disown
mkdir -p "$probes"
table | number_rows 4 "$first_port" >"$plan"
hostile_start
fine_start

# First without the daemon: its gate refuses whatever is addressed to a port that it found bad.
probe_all
judge_probes

# What it needs for those who mean well.
awk -F '\t' '$3 == "fine"' "$plan" >"$work/fine.tsv"
config_of "$work/fine.tsv"
daemon_start
eventually probed 10 || fail "the good servers are probed"
usual_kb=$(high_water_kb)
daemon_stop TERM

awk -F '\t' '$2 != "crl"' "$plan" >"$work/servers.tsv"
awk -F '\t' '$2 == "crl"' "$plan" >"$work/lists.tsv"
daemon_against "servers" "$work/servers.tsv" "$rounds" "$memory_kb"
daemon_against "revocation lists" "$work/lists.tsv" 2 "$lists_kb"
