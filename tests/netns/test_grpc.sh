#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# gRPC health checks against a real gRPC server, plain and over TLS, by `sluice probe` and by one
# running daemon.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

server=10.2.1.2
first_port=5000
certs=$work/certs
plan=$work/rows.tsv
timeout_ms=2000

# SCHEME    of the probe
# SERVER    a kind of tests/netns/grpc_server.py
# PATH      a slash and the service that is asked for
# ID        of the message
# SAYS      what the message must contain
table() {
	cat <<-'ROWS'
		grpc   health      /           ok                    with SERVING
		grpc   health      /up         ok                    of service 'up' with SERVING
		grpc   health      /flag       ok                    of service 'flag' with SERVING
		grpc   health      /down       grpc_not_serving      the service is NOT_SERVING
		grpc   health      /undecided  grpc_not_serving      the service is UNKNOWN
		grpc   health      /nosuch     grpc_not_serving      NOT_FOUND: no such service
		grpc   health      /secret     grpc_not_serving      PERMISSION_DENIED: not for you
		grpc   health      /slow       backend_timeout       the header of its answer did not arrive
		grpc   bare        /           grpc_not_serving      UNIMPLEMENTED
		grpc   tls-health  /           conn_closed_early     -
		grpcs  tls-health  /           ok                    with SERVING
		grpcs  tls-health  /down       grpc_not_serving      the service is NOT_SERVING
		grpcs  tls-health  /nosuch     grpc_not_serving      NOT_FOUND
		grpcs  tls-health  /slow       backend_timeout       -
		grpcs  tls-bare    /           grpc_not_serving      UNIMPLEMENTED
		grpcs  health      /           tls_handshake_failed  does not speak TLS
		http   health      /           http_malformed        the port speaks HTTP/2 only
	ROWS
}

servers_start() {
	local port kind arguments=()

	mkdir -p "$certs"
	"$build/tests/netns/certs" "$certs" || fail "the certificates are made"
	while IFS=$'\t' read -r port _ kind _; do arguments+=("$kind=$port"); done <"$plan"
	bg b1 /usr/bin/python3 "$(dirname "$0")/grpc_server.py" "$server" "$certs" "${arguments[@]}"
	eventually test -e "$certs/serving" || fail "the gRPC servers start"
}

settings_row() {
	local port=$1 scheme=$2 path=$3 protocol=http

	[ "$scheme" != grpcs ] || protocol=https
	echo "  - name: at-$port"
	printf '    %s\n' "protocol: $protocol" "port: $port" "probe: at-$port"
	[ "$protocol" = http ] || printf '    %s\n' "host_name: a.probe.test" "trusted_roots: [ $certs/root.crt ]"
}

grpc_config() {
	local port scheme path

	{
		echo "probes:"
		while IFS=$'\t' read -r port scheme _ path _; do
			echo "  - { name: at-$port, protocol: ${scheme%s}, path: $path, interval: 500ms," \
				"timeout: ${timeout_ms}ms, unhealthy_threshold: 1 }"
		done <"$plan"
		echo "settings:"
		while IFS=$'\t' read -r port scheme _ path _; do settings_row "$port" "$scheme" "$path"; done <"$plan"
		echo "pools: [ { name: all, backends: [ { address: $server } ] } ]"
		echo "services:"
		while IFS=$'\t' read -r port _; do echo "  - { name: at-$port, pool: all, settings: at-$port }"; done <"$plan"
	} | config "$both_interfaces"
}

# says_so ID SAYS JSON
says_so() {
	jq -e --arg id "$1" --arg says "$2" '.id == $id and (.message | contains($says)) and
		.health == (if $id == "ok" then "Healthy" else "Unhealthy" end)' <<<"$3"
}

# endpoint PORT: what the daemon says of it.
endpoint() {
	sluice health --json | jq -c --arg name "at-$1" '.pools[].services[] | select(.name == $name).endpoints[0]'
}

daemon_says() {
	says_so "$2" "$3" "$(endpoint "$1")"
}

net_up 1
table | number_rows 4 "$first_port" >"$plan"
servers_start

# First without the daemon, whose gate would refuse what it found bad.
while IFS=$'\t' read -r port scheme kind path id says; do
	trust=()
	[ "$scheme" != grpcs ] || trust=(--ca "$certs/root.crt" --host a.probe.test)
	said=$(sluice probe --json "$scheme://$server:$port$path" --timeout "${timeout_ms}ms" "${trust[@]}")
	check "probe: $scheme, $kind, $path: $id" says_so "$id" "$says" "$said"
done <"$plan"

grpc_config
daemon_start
while IFS=$'\t' read -r port scheme kind path id says; do
	check "daemon: $scheme, $kind, $path: $id" eventually daemon_says "$port" "$id" "$says"
done <"$plan"

flag=$(awk -F '\t' '$4 == "/flag" { print $1 }' "$plan")
touch "$certs/sick"
check "a service that goes down is found" eventually daemon_says "$flag" grpc_not_serving NOT_SERVING
rm "$certs/sick"
check "and found again when it is back" eventually daemon_says "$flag" ok SERVING
check "orderly stop" daemon_stop TERM
