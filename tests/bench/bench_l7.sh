#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bench_l7 FILE: requests per second, 99th percentile and processor time through a service of layer 7, beside HAProxies
# configured by hand, in turns, all with one thread and nothing logged: "same" has the least configuration that does with
# requests what a service promises, and must be matched; "least" only forwards, which shows what the promises cost.
# Two processes with one configuration differ, by where their memory happens to lie, by up to an eighth in the percentile:
# "same" runs twice, what they differ by is printed as well, and all processes are new ones every few turns.
# All proxies share one processor, in turns, and have it alone; the client and the backend have another. FILE gets the figures.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/../netns/lib.sh" >/dev/null
# shellcheck source=tests/netns/lib_l7.sh
. "$(dirname "$0")/../netns/lib_l7.sh"

rounds=${SLUICE_BENCH_ROUNDS:-42} seconds=1 renewed_every=3
out=$1

net_up 1
vip_up
backend_start b1
sed -i 's/access_log .*/access_log off;/' "$work/b1/nginx.conf"
kill -HUP "$(cat "$work/b1/nginx.pid")"

config "interfaces: [ { name: gc }, { name: gb1 } ]" "l7: { threads: 1 }" <<-EOF
	settings:
	  - { name: web, protocol: http, port: 80 }
	pools:
	  - { name: p, backends: [ { address: 10.2.1.2 } ] }
	services:
	  - { name: shop, listen: "$vip:80", forward: l7, pool: p, settings: web }
EOF
daemon_start
eventually serves_current || fail "HAProxy serves"
eventually all_healthy || fail "the backend is healthy"

# other NAME PORT: a HAProxy by hand; its frontend's and backend's lines on standard input, apart by an empty one.
other() {
	local lines
	lines=$(cat)
	cat >"$work/$1.cfg" <<-EOF
		global
		    nbthread 1
		    fd-hard-limit 100000
		defaults
		    mode http
		    timeout connect 5s
		    timeout client 60s
		    timeout server 20s
		frontend f
		    bind $vip:$2
		    default_backend b
		${lines%%$'\n\n'*}
		backend b
		    server s 10.2.1.2:80
		${lines#*$'\n\n'}
	EOF
	# In a session of its own, as the one that it is compared with: the kernel shares out time by sessions.
	bg gateway setsid haproxy -W -p "$work/$1.pid" -f "$work/$1.cfg"
	eventually status_is 200 "http://$vip:$2/" || fail "the HAProxy by hand ($1) serves"
}

# What a service of layer 7 promises, by hand: X-Forwarded-*, one retry for what may be repeated.
same() {
	other "$@" <<-EOF
		    option forwardfor
		    http-request set-header X-Forwarded-Proto http
		    http-request set-header X-Forwarded-Host %[req.hdr(host)]

		    retries 1
		    option redispatch 1
		    retry-on conn-failure empty-response response-timeout
		    http-request disable-l7-retry unless { method GET HEAD OPTIONS PUT DELETE TRACE }
	EOF
}
same same 81
same same_again 82
# Nothing of that: what the promises cost.
other least 83 <<<$'\n\n'

# The daemon has a copy of the socket as well.
workers() {
	on gateway ss -Hltnp "sport = :$1" | grep -o '"haproxy",pid=[0-9]*' | tail -n 1 | cut -d= -f2
}

# cpu PORT: processor time of whoever listens there, in nanoseconds; one thread has it all.
cpu() {
	awk '{ print $1 }' "/proc/${pid_of[$1]}/schedstat"
}

# once PORT: requests per second, the 99th percentile in microseconds, and processor time in microseconds per request.
once() {
	local before after
	before=$(cpu "$1")
	on client taskset -c "$last_cpu" wrk -t1 -c32 -d"$seconds" --latency "http://$vip:$1/" >"$work/wrk"
	after=$(cpu "$1")
	awk -v ns=$((after - before)) '
		$1 == "99%" { p99 = $2 + 0; if ($2 ~ /ms$/) p99 *= 1000; else if ($2 !~ /us$/) p99 *= 1000000 }
		/requests in/ { n = $1 }
		/^Requests\/sec/ { rps = $2 }
		/Non-2xx|Socket errors/ { bad = 1 }
		END { if (bad || !n) exit 1; print rps, p99, ns / 1000 / n }' "$work/wrk"
}

# renew N: all processes are new ones.
renew() {
	sed -i "s/name: web, .*protocol/name: web, request_timeout: $((30 + $1)), protocol/" "$work/sluice.yaml"
	sluice reload >"$work/renewed" || fail "reload"
	for name in same same_again least; do
		kill -USR2 "$(cat "$work/$name.pid")"
	done
	eventually all_new || fail "the processes are new ones"
	eventually serves_current || fail "HAProxy serves"
}

# Whether others serve than before. They have the first processor from then on.
all_new() {
	local port pid
	for port in "${ports[@]}"; do
		pid=$(workers "$port") || return
		[ "$pid" != "${pid_of[$port]}" ] || return
		# A master that loads has the socket as well, and its worker is yet to come.
		[ "$(ps -o comm= -p "$(ps -o ppid= -p "$pid" | tr -d ' ')")" = haproxy ] || return
		[ "$(on gateway ss -Hltnp "sport = :$port" | grep -o '"haproxy",pid=[0-9]*' | sort -u | wc -l)" = 1 ] || return
		new_pid_of[$port]=$pid
	done
	for port in "${ports[@]}"; do
		pid_of[$port]=${new_pid_of[$port]}
		taskset -apc 0 "${pid_of[$port]}" >/dev/null
	done
}

declare -A pid_of new_pid_of
ports=(80 81 82 83)
last_cpu=$(($(nproc) - 1))
for port in "${ports[@]}"; do
	pid_of[$port]=$(workers "$port")
done
for pid in $(on b1 ss -Hltnp "sport = :80" | grep -o 'pid=[0-9]*' | cut -d= -f2); do
	taskset -apc "$last_cpu" "$pid" >/dev/null
done
for ((i = 0; i < rounds; i++)); do
	((i % renewed_every)) || renew $((i / renewed_every))
	# Nobody comes always first, or behind the same one.
	for ((j = 0; j < 4; j++)); do
		port=${ports[(i + (i / 4 % 2 ? 4 - j : j)) % 4]}
		once $port >>"$work/$port" || fail "requests to port $port"
	done
done

# Rates and processor time: ratios of neighbours, since what else the machine does meets all of them. A percentile of one
# turn is several times another's once somebody else has had the processor, so those are compared by their medians.
paste -d' ' "$work/80" "$work/81" "$work/82" "$work/83" | jq -Rn --argjson runs "$rounds" '
	def median: sort | .[length / 2 | floor];
	[inputs | split(" ") | map(tonumber) | { ours: .[0:3], same: .[3:6], again: .[6:9], least: .[9:12] }
		| .both = [[.same, .again] | transpose[] | add / 2]] as $rows
	# One of the three that a turn measures, of one process or another.
	| def of($who; $i): [$rows[][$who][$i]];
	  def figure($name; $unit; $i; $who):
		of($who; $i) | { name: $name, value: median, unit: $unit, min: min, max: max, runs: $runs };
	  def neighbours($name; $unit; $i; $who; $baseline):
		figure($name; $unit; $i; $who) | .ratio = ([$rows[] | .[$who][$i] / .[$baseline][$i]] | median);
	  def medians($name; $unit; $i; $who; $baseline; $others):
		figure($name; $unit; $i; $who) | .ratio = .value / ([of($others[]; $i)[]] | median);
	  def all_of($suffix; $who; $baseline; $others):
		(neighbours("l7.requests" + $suffix; "1/s"; 0; $who; $baseline),
		 medians("l7.p99" + $suffix; "us"; 1; $who; $baseline; $others),
		 neighbours("l7.cpu" + $suffix; "us"; 2; $who; $baseline)) | .baseline = "haproxy_" + $others[0];
	  def goal: if .name == "l7.requests" then .target = 0.95 | .ok = (.ratio >= .target)
		else .target = 1.05 | .ok = (.ratio <= .target) end;
	  { machine: { }, figures: [(all_of(""; "ours"; "both"; ["same", "again"]) | goal),
		all_of("_least"; "ours"; "least"; ["least"]), all_of("_control"; "again"; "same"; ["same"])] }' >"$out"
jq -r '.figures[] | "\(.name)  \(.value * 100 | round / 100) \(.unit)  \(.ratio * 100 | round / 100) x \(.baseline)  \(if .target then "target \(.target)  \(if .ok then "ok" else "MISSED" end)" else "" end)"' "$out"
tap_n=0
jq -e 'all(.figures[]; .ok != false)' "$out" >/dev/null
