#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# PROXY headers of both versions, in front of plain connections and of TLS, against nginx and HAProxy that
# insist on one.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

certs=$work/certs

# PORT SCHEME of servers that answer with what the header said.
servers="81 http
82 http
444 https"

nginx_start() {
	mkdir "$work/nginx"
	cat "$certs/leaf.crt" "$certs/int.crt" >"$certs/chain.crt"
	cat >"$work/nginx.conf" <<-EOF
		daemon off;
		pid $work/nginx/pid;
		error_log $work/nginx/error.log;
		events { }
		http {
			access_log off;
			client_body_temp_path $work/nginx/1; proxy_temp_path $work/nginx/2;
			fastcgi_temp_path $work/nginx/3; uwsgi_temp_path $work/nginx/4; scgi_temp_path $work/nginx/5;
			server {
				listen 81 proxy_protocol;
				listen [::]:81 proxy_protocol;
				listen 444 proxy_protocol ssl;
				listen [::]:444 proxy_protocol ssl;
				ssl_certificate $certs/chain.crt;
				ssl_certificate_key $certs/leaf.key;
				location / {
					return 200 "from \$proxy_protocol_addr to \$proxy_protocol_server_addr:\$proxy_protocol_server_port\n";
				}
			}
		}
	EOF
	chmod -R a+rX "$work"
	bg b1 nginx -c "$work/nginx.conf" -p "$work/nginx"
}

haproxy_start() {
	cat >"$work/haproxy.cfg" <<-'EOF'
		defaults
			mode http
			timeout client 5s
		frontend web
			bind 10.2.1.2:82 accept-proxy
			bind [fd02:1::2]:82 accept-proxy
			http-request return status 200 content-type text/plain lf-string "from %[src] to %[dst]:%[dst_port]\n"
	EOF
	bg b1 haproxy -f "$work/haproxy.cfg"
}

# A server that keeps what the first connection says.
listener_start() {
	bg b1 socat -u TCP6-LISTEN:83,ipv6only=0,reuseaddr "CREATE:$work/heard"
	eventually listens 83 || fail "the listener starts"
}

listens() {
	on b1 ss -Hltn "sport = :$1" | grep -q .
}

probe() {
	sluice probe --timeout 2s "$@"
}

heard() {
	od -An -tx1 -v "$work/heard" | tr -d ' \n' | grep -qxE "$1"
}

tells() {
	[ "$(sluice why p 10.2.1.2:82 --json | jq -r "[.. | .proxy_protocol? | values | tostring][0]")" = "$1" ]
}

fails_at() {
	sluice health --json | jq -e --argjson port "$1" 'all(.pools[].services[].endpoints[] | select(.port == $port); .health == "Unhealthy")'
}

net_up 1
mkdir "$certs"
"$build/tests/netns/certs" "$certs" || fail "the certificates are made"
nginx_start
haproxy_start
for port in 81 82 444; do eventually listens $port || fail "the servers start"; done

for version in v1 v2; do
	while read -r port scheme; do
		trust=()
		[ "$scheme" = http ] || trust=(--sni a.probe.test --ca "$certs/root.crt")
		check "$port: $version: it knows the ends of the connection" \
			probe "$scheme://10.2.1.2:$port/" "${trust[@]}" --proxy-protocol=$version --body "from 10.2.1.1 to 10.2.1.2:$port"
		check "$port: $version: IPv6" \
			probe "$scheme://[fd02:1::2]:$port/" "${trust[@]}" --proxy-protocol=$version --body "from fd02:1::1 to fd02:1::2:$port"
	done <<<"$servers"
done
check_status "without a header nginx has no good answer" 1 probe http://10.2.1.2:81/
check_status "nor has HAProxy" 1 probe http://10.2.1.2:82/

# tcp: the header is all that is said.
listener_start
check "v1 over tcp" probe tcp://10.2.1.2:83 --proxy-protocol
check "is a line" eventually grep -qxE $'PROXY TCP4 10\\.2\\.1\\.1 10\\.2\\.1\\.2 [0-9]+ 83\r' "$work/heard"
listener_start
check "v2 over tcp" probe tcp://10.2.1.2:83 --proxy-protocol=v2
check "is binary" eventually heard "0d0a0d0a000d0a515549540a2111000c0a0201010a020102[0-9a-f]{4}0053"
listener_start
check "v2 over tcp, IPv6" probe "tcp://[fd02:1::2]:83" --proxy-protocol=v2
check "is binary, too" eventually heard \
	"0d0a0d0a000d0a515549540a21210024fd0200010{23}1fd0200010{23}2[0-9a-f]{4}0053"

config "$both_interfaces" <<-EOF
	probes:
	  - { name: v1, protocol: http, proxy_protocol: v1, interval: 200ms, timeout: 1s }
	  - { name: v2, protocol: http, proxy_protocol: v2, interval: 200ms, timeout: 1s, unhealthy_threshold: 1 }
	  - { name: tls, protocol: https, proxy_protocol: v2, interval: 200ms, timeout: 1s, host: a.probe.test }
	settings:
	  - { name: one, protocol: http, port: 81, probe: v1 }
	  - { name: two, protocol: http, port: 82, probe: v2 }
	  - { name: tls, protocol: https, port: 444, probe: tls, trusted_roots: [ $certs/root.crt ] }
	pools:
	  - { name: p, backends: [ { address: 10.2.1.2 }, { address: "fd02:1::2" } ] }
	services:
	  - { name: a, pool: p, settings: one }
	  - { name: b, pool: p, settings: two }
	  - { name: c, pool: p, settings: tls }
EOF
daemon_start
check "the daemon's probes say it as well" eventually all_healthy
check "and it tells which" tells v2
sed -i '/name: v2/s/proxy_protocol: v2/proxy_protocol: false/' "$work/sluice.yaml"
check "a configuration without" reload "reloaded: "
check "of which it tells nothing" tells null
check "whose probes fail" eventually fails_at 82
check "orderly stop" daemon_stop TERM
