# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
#
# lib.sh - a network for one test: a client, a gateway and backends, each in a namespace.
#
#   client 10.1.0.2 ---- gc  gateway  gbI ---- 10.2.I.2  backend I
#          fd01::2                              fd02:I::2
#
# A test sources this file, calls net_up N, and tells a story with pass and fail. Names come from
# the PID, so that tests can run side by side; everything is undone on exit, however it comes.
set -u

: "${SLUICE_BUILD:=build}"
patience=${SLUICE_PATIENCE:-1} # how many times as long as usual things may take on a slow machine
printf -v poll_s '%d.%02d' $((patience * 5 / 100)) $((patience * 5 % 100)) # where asking takes long, ask less often
build=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && cd "$SLUICE_BUILD" && pwd)
often=$((100 * patience))ms # an interval: probes are work, too
ns_id=sl$$
ns_hosts=()
tap_n=0
daemon_pid=

work=$(mktemp -d /tmp/sluice-test.XXXXXX)
export SLUICE_SOCKET=$work/api.sock
export SLUICE_BPFFS=$work/bpf/sluice
export SLUICE_STATE_DIR=$work/state

pass() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $*"
}

# The rest of a story that has gone wrong proves nothing, so the first failure ends it.
fail() {
	tap_n=$((tap_n + 1))
	echo "not ok $tap_n - $*"
	# To stderr, which is shown without asking for the whole story.
	{
		echo "# $0: not ok $tap_n - $*"
		if [ -s "$work/sluiced.log" ]; then sed 's/^/# /' "$work/sluiced.log"; fi
		for out in "$work/out" "$work/check.out"; do
			if [ -s "$out" ]; then sed 's/^/# out: /' "$out"; fi
		done
	} >&2
	exit 1
}

# check WHAT COMMAND...: one test point. It may read $work/out, what check_status saw last.
check() {
	local what=$1
	shift
	if "$@" >"$work/check.out" 2>&1; then pass "$what"; else fail "$what (status $?: $*)"; fi
}

# refute WHAT COMMAND...: one test point; the command must fail.
refute() {
	local what=$1
	shift
	if "$@" >"$work/check.out" 2>&1; then fail "$what ($* succeeded)"; else pass "$what"; fi
}

# check_status WHAT STATUS COMMAND...: one test point; the command must exit with STATUS.
check_status() {
	local what=$1 wanted=$2 status=0
	shift 2
	"$@" >"$work/out" 2>&1 || status=$?
	if ((status == wanted)); then pass "$what"; else fail "$what (status $status, not $wanted: $*)"; fi
}

# eventually COMMAND...: within ten seconds, unless the test says otherwise.
patience_s=10
eventually() {
	local deadline=$((SECONDS + patience_s * patience))

	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) || return 1
		sleep "$poll_s"
	done
}

# Not `ip netns exec`: it remounts /sys, and the pinned maps would be out of sight.
on() {
	local host=$1
	shift
	nsenter --net="/run/netns/$ns_id-$host" "$@"
}

# In the background, without the TAP stream, so that prove does not wait for it. Not through on():
# $! would be the shell that runs the function.
bg() {
	local host=$1
	shift
	nsenter --net="/run/netns/$ns_id-$host" "$@" >/dev/null 2>&1 </dev/null &
	disown
}

add_host() {
	ip netns add "$ns_id-$1"
	ns_hosts+=("$1")
	on "$1" ip link set lo up
}

# add_link HOST GATEWAY_DEVICE NET4 NET6: the host is .2, the gateway .1.
add_link() {
	local host=$1 device=$2 net4=$3 net6=$4

	ip link add "$device" netns "$ns_id-gateway" type veth peer name eth0 netns "$ns_id-$host"
	on gateway ip addr add "$net4.1/24" dev "$device"
	on gateway ip addr add "${net6}::1/64" dev "$device" nodad
	on gateway ip link set "$device" up
	on "$host" ip addr add "$net4.2/24" dev eth0
	on "$host" ip addr add "${net6}::2/64" dev eth0 nodad
	on "$host" ip link set eth0 up
	on "$host" ip route add default via "$net4.1"
	on "$host" ip -6 route add default via "${net6}::1"
}

# net_begin HOST...: hosts without links, besides the gateway.
net_begin() {
	local host

	trap net_down EXIT
	trap 'exit 130' INT TERM
	mkdir -p "$work/bpf"
	mount -t bpf bpf "$work/bpf"
	for host in gateway "$@"; do add_host "$host"; done
	on gateway sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

net_up() {
	local backends=$1 i

	net_begin client
	add_link client gc 10.1.0 fd01
	for ((i = 1; i <= backends; i++)); do
		add_host "b$i"
		add_link "b$i" "gb$i" "10.2.$i" "fd02:$i"
	done
}

# What native XDP needs of veth: full checksums from whoever sends to it, NAPI at whoever it sends to; of
# backends only where packets are forwarded to them.
net_prepare_native() {
	local host

	for host in client "$@"; do on "$host" ethtool -K eth0 tx off gro on >/dev/null; done
}

net_down() {
	local status=$? host

	trap - EXIT
	if declare -F on_exit >/dev/null; then on_exit; fi
	if [ -n "$daemon_pid" ]; then kill -KILL "$daemon_pid" && wait "$daemon_pid"; fi 2>/dev/null
	for host in "${ns_hosts[@]}"; do
		ip netns pids "$ns_id-$host" 2>/dev/null | xargs -r kill -KILL 2>/dev/null
		ip netns del "$ns_id-$host" 2>/dev/null
	done
	umount "$work/bpf" 2>/dev/null
	rm -rf "$work"
	((status != 0 || tap_n == 0)) || echo "1..$tap_n"
	exit "$status"
}

# A real nginx on backend I, port 80. /healthz answers 503 while $work/bI.sick exists.
backend_start() {
	local host=$1 dir=$work/$1

	mkdir -p "$dir/html"
	echo "hello from $host" >"$dir/html/index.html"
	truncate -s 4M "$dir/html/big"
	truncate -s 64M "$dir/html/huge" # more than all the buffers on the way hold
	cat >"$dir/nginx.conf" <<-EOF
		daemon off;
		worker_processes 1;
		pid $dir/nginx.pid;
		error_log $dir/error.log;
		events { worker_connections 512; }
		http {
			access_log $dir/access.log;
			client_body_temp_path $dir/tmp1; proxy_temp_path $dir/tmp2;
			fastcgi_temp_path $dir/tmp3; uwsgi_temp_path $dir/tmp4; scgi_temp_path $dir/tmp5;
			server {
				listen 80;
				listen [::]:80;
				root $dir/html;
				location = /healthz {
					if (-f $work/$host.sick) { return 503; }
					return 200 "ready\n";
				}
				location = /up { # answers when it has all of the body, with how much that was
					client_max_body_size 200m;
					proxy_pass http://127.0.0.1/healthz;
					proxy_method GET;
					proxy_pass_request_body off;
					proxy_set_header Content-Length "";
					add_header X-Got \$content_length;
				}
				location = /slow { # a long transfer, at its pace
					alias $dir/html/huge;
					limit_rate 200k;
					add_header X-Served-By $host;
				}
			}
		}
	EOF
	chmod -R a+rX "$work"
	bg "$host" nginx -c "$dir/nginx.conf" -p "$dir"
	eventually on "$host" curl -s -o /dev/null http://127.0.0.1/ || fail "nginx on $host starts"
}

# backend_decapsulates HOST: its end of a tunnel: the kernel's own, where it has one.
backend_decapsulates() {
	if on "$1" ip link set tunl0 up 2>/dev/null; then
		on "$1" ip link set ip6tnl0 up
		on "$1" ip -6 tunnel change ip6tnl0 mode any
	else
		on "$1" tc qdisc add dev eth0 clsact
		on "$1" tc filter add dev eth0 ingress bpf direct-action object-file "$build/bpf/decap.bpf.o" section tc
	fi
}

backend_stop() {
	local pid
	pid=$(cat "$work/$1/nginx.pid")
	kill -QUIT "$pid"
	eventually process_gone "$pid"
}

process_gone() {
	! kill -0 "$1" 2>/dev/null
}

# nsd_config DIR ADDRESS: for a real name server of DIR/test.zone.
nsd_config() {
	cat >"$1/nsd.conf" <<-EOF
		server:
			ip-address: $2
			username: ""
			chroot: ""
			zonesdir: "$1"
			database: ""
			pidfile: "$1/nsd.pid"
			xfrdfile: "$1/xfrd.state"
			zonelistfile: "$1/zone.list"
			xfrdir: "$1"
			logfile: "$1/nsd.log"
			server-count: 1
			rrl-ratelimit: 0
		remote-control:
			control-enable: no
		zone:
			name: test
			zonefile: test.zone
	EOF
}

# config [GATEWAY_LINE...]: the head of a configuration; the rest comes on standard input.
config() {
	{
		echo "gateway:"
		echo "  api_socket: $SLUICE_SOCKET"
		echo "  bpffs: $SLUICE_BPFFS"
		echo "  state_dir: $work/state"
		printf '  %s\n' "$@"
		cat
	} >"$work/sluice.yaml"
}

# web_config GATEWAY_LINE... -- SETTINGS_LINE...: backends 1..3 on port 80 behind a quick probe.
web_config() {
	local gateway=() i

	while (($#)) && [ "$1" != -- ]; do
		gateway+=("$1")
		shift
	done
	(($#)) && shift
	{
		echo "probes:"
		echo "  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 2 }"
		echo "settings:"
		echo "  - name: web"
		echo "    protocol: http"
		echo "    port: 80"
		echo "    probe: quick"
		(($# == 0)) || printf '    %s\n' "$@"
		echo "pools:"
		echo "  - name: web-pool"
		echo "    backends:"
		for i in "${web_backends[@]}"; do echo "      - address: $i"; done
		echo "services:"
		echo "  - { name: web, pool: web-pool, settings: web }"
	} | config "${gateway[@]}"
}
web_backends=(10.2.1.2 fd02:1::2)

both_interfaces='interfaces: [ { name: gc }, { name: gb1 } ]'

daemon_start() {
	nsenter --net="/run/netns/$ns_id-gateway" "$build/sluiced" --foreground \
		--config "$work/sluice.yaml" >>"$work/sluiced.log" 2>&1 </dev/null &
	daemon_pid=$!
	eventually daemon_is_up || fail "sluiced starts"
}

daemon_is_up() {
	kill -0 "$daemon_pid" && sluice status
}

# daemon_stop SIGNAL: and wait for its end; its exit status.
daemon_stop() {
	local status=0
	kill "-$1" "$daemon_pid"
	wait "$daemon_pid" || status=$?
	daemon_pid=
	return "$status"
}

sluice() {
	on gateway "$build/sluice" "$@"
}

# health_is ADDRESS HEALTH: what the daemon says of the endpoint.
health_is() {
	[ "$(health_of "$1" .health)" = "$2" ]
}

all_healthy() {
	sluice health --json | jq -e 'all(.pools[].services[].endpoints[]; .health == "Healthy")'
}

# said WORDS: in how many lines the daemon has said this.
said() {
	grep -c "$1" "$work/sluiced.log"
}

has_said_more() {
	[ "$(said "$2")" -gt "$1" ]
}

# reload WORDS: have the daemon read its configuration, and wait until it says so.
reload() {
	local before
	before=$(said "$1")
	kill -HUP "$daemon_pid"
	eventually has_said_more "$before" "$1"
}

health_of() {
	sluice health --json | jq -r --arg a "$1" "first(.pools[].services[].endpoints[] | select(.address == \$a)) | $2"
}

# number_rows N PORT: of a table, each row behind a port of its own, counted from PORT on, by tabs: N
# words, and what follows them as one column, where "-" stands for nothing.
number_rows() {
	awk -v OFS='\t' -v n="$1" -v port="$2" 'NF {
		rest = $0
		line = ++port
		for (i = 1; i <= n; i++) {
			line = line OFS $i
			sub(/^[ \t]*[^ \t]+/, "", rest)
		}
		gsub(/^[ \t]+|[ \t]+$/, "", rest)
		print line, rest == "-" ? "" : rest
	}'
}

# fetch URL: what the client gets, within two seconds.
fetch() {
	on client curl -sS --max-time $((2 * patience)) "$@"
}

# fetches N URL: what the client gets over N connections, one after the other; "failed" for each that fails.
fetches() {
	fetch -H 'Connection: close' -w '%{onerror}failed\n' "$2?[1-$1]"
}

# carries down|up URL: a lot, several times, so that all backends have their turn.
transfer_mib=100 transfer_s=30
carries() {
	local i bytes=$((transfer_mib * 1048576))

	for i in "$work"/b*/html; do truncate -s "$bytes" "$i/lot"; done
	for ((i = 0; i < 4; i++)); do
		if [ "$1" = down ]; then
			[ "$(fetch --max-time $((transfer_s * patience)) -o /dev/null -w '%{size_download}' "$2/lot")" = $bytes ] || return 1
		else
			fetch --max-time $((transfer_s * patience)) -o /dev/null -D - -T "$work/b1/html/lot" "$2/up" | grep -q "X-Got: $bytes" || return 1
		fi
	done
}

# refused_at_once [HOST] URL: curl could not connect, and knew within half a second.
refused_at_once() {
	local host=client seconds status=0

	if (($# == 2)); then
		host=$1
		shift
	fi
	seconds=$(on "$host" curl -s --max-time $((2 * patience)) -o /dev/null -w '%{time_total}' "$1") || status=$?
	((status == 7)) && awk -v s="$seconds" 'BEGIN { exit !(s < 0.5) }'
}
