#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The daemon stands still while probes are under way: whatever they say, no backend is condemned.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

# Longer than probe b1's timeout and what nginx waits for a client.
stopped_s=4

# tls_start HOST: nginx that gives up on silent clients, behind something that takes its time.
tls_start() {
	local host=$1 dir=$work/$1

	mkdir -p "$dir"
	cat >"$dir/nginx.conf" <<-EOF
		daemon off;
		worker_processes 1;
		pid $dir/nginx.pid;
		error_log $dir/error.log;
		events { worker_connections 64; }
		http {
			access_log off;
			client_header_timeout 1s;
			client_body_temp_path $dir/tmp1; proxy_temp_path $dir/tmp2;
			fastcgi_temp_path $dir/tmp3; uwsgi_temp_path $dir/tmp4; scgi_temp_path $dir/tmp5;
			server {
				listen 127.0.0.1:8443 ssl;
				ssl_certificate $work/cert.pem;
				ssl_certificate_key $work/key.pem;
				location / { return 200 "ready\n"; }
			}
		}
	EOF
	bg "$host" nginx -c "$dir/nginx.conf" -p "$dir"
	eventually on "$host" curl -sk -o /dev/null https://127.0.0.1:8443/ || fail "nginx on $host starts"
	bg "$host" socat TCP-LISTEN:443,fork,reuseaddr \
		SYSTEM:"touch $dir/asked; sleep 0.7; exec socat - TCP\:127.0.0.1\:8443"
	eventually on "$host" bash -c 'exec 3<>/dev/tcp/127.0.0.1/443' || fail "socat on $host listens"
}

id_is() {
	[ "$(health_of "$1" .id)" = "$2" ]
}

# stop_while HOST: let the daemon stand still from the middle of a probe of HOST on.
stop_while() {
	rm -f "$work/$1/asked"
	eventually test -e "$work/$1/asked" || fail "$1 is asked"
	kill -STOP "$daemon_pid"
	sleep "$stopped_s"
	kill -CONT "$daemon_pid"
}

# spared HOST ADDRESS POOL: and what is said of it afterwards.
spared() {
	local host=$1 address=$2 pool=$3

	check "$host: it is unknown how it is" eventually health_is "$address" Unknown
	check "$host: the gateway is to blame" id_is "$address" unknown_gateway_unhealthy
	check "$host: why says for how long" grep -qE 'stood still for [3-9][0-9]{3} ms' <(sluice why "$pool" "$address")
	check "$host: its gate stays open" fetch -k -o /dev/null "https://$address/"
	check "$host: the next probe says how it is" eventually health_is "$address" Healthy
}

net_up 2
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=b -days 30 \
	-keyout "$work/key.pem" -out "$work/cert.pem" 2>"$work/out" || fail "certificate is made"
chmod -R a+rX "$work"
tls_start b1
tls_start b2

# One failure condemns here. b1's probe runs out of time; b2 runs out of patience with the daemon.
config "$both_interfaces" <<-'EOF'
	probes:
	  - { name: brief, protocol: https, interval: 8s, timeout: 2s, unhealthy_threshold: 1 }
	  - { name: patient, protocol: https, interval: 8s, timeout: 8s, unhealthy_threshold: 1 }
	settings:
	  - { name: one, protocol: https, port: 443, probe: brief, validate_chain_and_expiry: false, validate_sni: false, full_handshake_every: 1 }
	  - { name: two, protocol: https, port: 443, probe: patient, validate_chain_and_expiry: false, validate_sni: false, full_handshake_every: 1 }
	pools:
	  - name: pool-one
	    backends: [ { address: 10.2.1.2 } ]
	  - name: pool-two
	    backends: [ { address: 10.2.2.2 } ]
	services:
	  - { name: one, pool: pool-one, settings: one }
	  - { name: two, pool: pool-two, settings: two }
EOF
daemon_start
check "slow, but in time: the first is healthy" eventually health_is 10.2.1.2 Healthy
check "slow, but in time: the second is healthy" eventually health_is 10.2.2.2 Healthy

stop_while b1
spared "out of time" 10.2.1.2 pool-one
stop_while b2
spared "given up on" 10.2.2.2 pool-two
refute "neither was ever condemned" grep -qE -- '-> Unhealthy' "$work/sluiced.log"
daemon_stop TERM
