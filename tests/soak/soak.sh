#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# soak.sh MINUTES [SEED]: the network for a soak, and the soak in it. story.py says what happens.
#
#   client 10.1.0.2 ---- gc  gateway  gb1..gb4 ---- 10.2.I.2  b1..b4, nginx
#   other  10.3.0.2 ---- go
#
# Packets of the one client and to half of the backends are taken by tc programs, the others by XDP.
# What is left of it, besides the verdict: $SOAK_DIR, or soak in the build directory.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/../netns/lib.sh"

minutes=${1:?soak.sh MINUTES [SEED]} seed=${2:-$RANDOM}
machines=(b1 b2 b3 b4)
here=$(cd "$(dirname "$0")" && pwd)
export SOAK_DIR=${SOAK_DIR:-$build/soak}
cgroup=/sys/fs/cgroup/memory/$ns_id

# What the daemon costs, with all that the kernel keeps for it; where the machine can say.
[ -d /sys/fs/cgroup/memory ] || cgroup=/sys/fs/cgroup/$ns_id
mkdir "$cgroup" 2>/dev/null || cgroup=

on_exit() {
	umount -l "$work/state" 2>/dev/null
	# Whoever was in it has been killed by now, or is gone in a moment.
	if [ -n "$cgroup" ]; then eventually rmdir "$cgroup"; fi
}

# A CA, and what it says of the backends.
certificates() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=Soak CA" \
		-addext "keyUsage=critical,keyCertSign,cRLSign" -keyout "$work/ca.key" -out "$work/ca.crt" &&
		openssl req -x509 -CA "$work/ca.crt" -CAkey "$work/ca.key" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 20 \
			-subj "/CN=soak.test" -addext "subjectAltName=DNS:soak.test" -addext "basicConstraints=critical,CA:FALSE" \
			-keyout "$work/leaf.key" -out "$work/leaf.crt"
}

# nginx_config HOST: everything that is served there. story.py starts it, kills it and starts it again.
nginx_config() {
	local dir=$work/$1

	mkdir -p "$dir/html"
	echo "hello from $1" >"$dir/html/index.html"
	cp "$work/big" "$dir/html/big"
	cat >"$dir/nginx.conf" <<-EOF
		daemon off;
		worker_processes 1;
		pid $dir/nginx.pid;
		error_log $dir/error.log crit;
		events { worker_connections 4096; }
		http {
			access_log off;
			keepalive_requests 1000000000;
			keepalive_timeout 1d;
			keepalive_time 1d;
			client_body_temp_path $dir/tmp1; proxy_temp_path $dir/tmp2;
			fastcgi_temp_path $dir/tmp3; uwsgi_temp_path $dir/tmp4; scgi_temp_path $dir/tmp5;
			ssl_certificate $work/leaf.crt;
			ssl_certificate_key $work/leaf.key;
			add_header X-Served-By $1;
			server {
				$(for port in 80 8081 8082 8083 8084; do echo "listen $port; listen [::]:$port;"; done)
				$(for port in 443 8443; do echo "listen $port ssl; listen [::]:$port ssl;"; done)
				root $dir/html;
				location = /healthz {
					if (-f $dir/sick) { return 503; }
					return 200 "ready\n";
				}
				location = /big { limit_rate 400k; }
			}
		}
	EOF
}

# vips HOST ADDRESS...: what is sent on unchanged, or in a tunnel, must be the backend's own.
vips() {
	local host=$1 address
	shift

	for address in "$@"; do on "$host" ip addr add "$address" dev lo; done
}

net_up ${#machines[@]}
add_host other
add_link other go 10.3.0 fd03
net_prepare_native other "${machines[@]}"
for host in client other; do
	# Many short connections leave no port idle for a minute.
	on $host sysctl -qw net.ipv4.ip_local_port_range="1024 65535" net.ipv4.tcp_tw_reuse=1
done
certificates >"$work/out" 2>&1 || fail "certificates are made"
head -c 4000000 /dev/urandom >"$work/big"
for host in "${machines[@]}"; do
	nginx_config "$host"
	backend_decapsulates "$host"
	vips "$host" 192.0.2.20/32 192.0.2.30/32
	on "$host" ip addr add 2001:db8::20/128 dev lo nodad
	on "$host" ip addr add 2001:db8::30/128 dev lo nodad
done
chmod -R a+rX "$work"
# Small enough to be filled.
mkdir "$work/state"
mount -t tmpfs -o size=24m tmpfs "$work/state"

rm -rf "$SOAK_DIR"
mkdir -p "$SOAK_DIR"
SOAK_NS=/run/netns/$ns_id- SOAK_WORK=$work SOAK_BUILD=$build SOAK_CGROUP=$cgroup \
	/usr/bin/python3 "$here/story.py" "$minutes" "$seed"
