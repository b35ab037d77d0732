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
interval_ms=1000
fine_interval_ms=500
rounds=10

# What the command takes beside the probe itself: to start, trust and all, and to print, on a busy machine.
start_ms=1500

# --- the table ----------------------------------------------------------------------------------

# SCHEME    of the probe
# ROLE      of the server: tests/netns/hostile.c
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
		https  tickets          -       tls_handshake_failed  more than 64       -
		https  key-updates      -       tls_handshake_failed  more than 64       -

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

# PORT and the rest, by tabs.
resolve() {
	table | awk -v OFS='\t' -v port="$first_port" 'NF {
		says = $0
		for (i = 1; i <= 4; i++) sub(/^[ \t]*[^ \t]+/, "", says)
		gsub(/^[ \t]+|[ \t]+$/, "", says)
		print ++port, $1, $2, $3, $4, says == "-" ? "" : says
	}'
}

# --- servers ------------------------------------------------------------------------------------

hostile_start() {
	local port scheme role arguments=()

	mkdir -p "$servers"
	# What a decompressor would find at once, and then 64 MiB of nothing.
	{ echo needle && head -c 64M /dev/zero; } | gzip >"$servers/bomb.gz"
	while IFS=$'\t' read -r port scheme role _; do
		case $scheme in
		https | tls | grpcs) role=tls:$role ;;
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
	https | tls | grpcs) args+=(--ca "$servers/root.crt" --host a.probe.test) ;;
	esac
	[ "$seek" = - ] || args+=(--body "$seek")
	start=$(now_ms)
	sluice probe --json "$scheme://$server:$port" --timeout "${timeout_ms}ms" "${args[@]}" >"$probes/$port.json" 2>&1
	echo $(($(now_ms) - start)) >"$probes/$port.ms"
}

probe_all() {
	local port scheme seek jobs=()

	# A few at a time.
	while IFS=$'\t' read -r port scheme _ seek _; do
		probe_row "$port" "$scheme" "$seek" </dev/null &
		jobs+=($!)
		((${#jobs[@]} % 4)) || wait "${jobs[@]}"
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
	https | grpcs) protocol=https ;;
	tls) protocol=tls ;;
	esac
	echo "  - name: at-$port"
	printf '    %s\n' "protocol: $protocol" "port: $port" "probe: $scheme-$seek"
	[ "$protocol" = http ] || printf '    %s\n' "host_name: a.probe.test" "trusted_roots: [ $servers/root.crt ]"
}

all_settings() {
	local port scheme seek

	echo "probes:"
	for scheme in http https tls grpc grpcs; do probe_line "$scheme--" "${scheme/grpcs/grpc}" "$interval_ms"; done
	for scheme in http https; do probe_line "$scheme-needle" "$scheme" "$interval_ms" needle; done
	probe_line fine http "$fine_interval_ms"
	echo "settings:"
	while IFS=$'\t' read -r port scheme _ seek _; do settings_row "$port" "$scheme" "$seek"; done <"$plan"
	echo "  - { name: fine, protocol: http, port: 80, probe: fine }"
	echo "pools:"
	echo "  - { name: all, backends: [ { address: $server } ] }"
	echo "  - { name: fine, backends: [ { address: $fine_server } ] }"
	echo "services:"
	while IFS=$'\t' read -r port _; do echo "  - { name: at-$port, pool: all, settings: at-$port }"; done <"$plan"
	echo "  - { name: fine, pool: fine, settings: fine }"
}

# What every service must say, by name.
expected() {
	cut -f 1,5 "$plan" | jq -Rn '[inputs / "\t" | { key: "at-\(.[0])", value: .[1] }] | from_entries | .fine = "ok"'
}

# The services that say something else.
strangers() {
	sluice health --json >"$work/health.json"
	jq -c --slurpfile expected "$work/expected.json" '[.pools[].services[] |
		select(.endpoints[0].id != $expected[0][.name]) | { name, id: .endpoints[0].id, message: .endpoints[0].message }]' "$work/health.json"
}

judged() {
	[ "$(strangers)" = "[]" ]
}

memory_kb() {
	awk -v field="$1:" '$1 == field { print $2 }' "/proc/$daemon_pid/status"
}

# Until everybody was probed so many times.
watch_daemon() {
	local n target deadline=$((SECONDS + 120)) finished

	n=$(wc -l <"$plan")
	target=$((n * rounds))
	while ((SECONDS < deadline)); do
		finished=$(sluice status --json | jq .engine.finished)
		echo "$SECONDS finished $finished HWM $(memory_kb VmHWM) RSS $(memory_kb VmRSS) threads $(awk '/Threads/{print $2}' /proc/$daemon_pid/status) cpu $(awk '{print $14+$15}' /proc/$daemon_pid/stat) lag $(sluice status --json | jq -c .engine) $(strangers)" >&2
		((finished < target)) || return
		sleep 1
	done
}

judge_daemon() {
	sort -n "$work/fine/access.log" | awk 'NR > 1 { gap = $1 - last; if (gap > max) max = gap } { last = $1 } END { print NR, max }' >&2
	:
}

# --- judging ------------------------------------------------------------------------------------

# judge WHAT ID SAYS JSON
judge() {
	local what=$1 id=$2 says=$3 json=$4

	check "$what: $id" jq -e --arg id "$id" --arg says "$says" --argjson ms $((timeout_ms + 200)) '.id == $id and
		.health == (if $id == "ok" then "Healthy" else "Unhealthy" end) and
		(.message | test($says))' <<<"$json"
}

judge_probes() {
	local port scheme role seek id says ms

	while IFS=$'\t' read -r port scheme role seek id says; do
		judge "probe: $scheme, $role, $seek" "$id" "$says" "$(<"$probes/$port.json")"
		ms=$(<"$probes/$port.ms")
		check "probe: $scheme, $role, $seek: in time" test "$ms" -le $((timeout_ms + start_ms))
	done <"$plan"
}

# --- the story ----------------------------------------------------------------------------------

net_up 2
mkdir -p "$probes"
resolve >"$plan"
hostile_start
fine_start

# First without the daemon: its gate refuses whatever is addressed to a port that it found bad.
if [ -z "${SKIP_PROBES-}" ]; then
probe_all
judge_probes
fi

expected >"$work/expected.json"
all_settings | config "$both_interfaces"
: >"$work/fine/access.log"
daemon_start
eventually judged; strangers >&2; sluice status --json | jq -c .engine >&2
watch_daemon
judge_daemon
check "orderly stop" daemon_stop TERM
