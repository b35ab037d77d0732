#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# In the clean Debian: a client and a backend with an nginx, each in a network namespace, and a configuration.
set -eu

for host in client backend; do
	ip netns add $host
	ip link add "to-$host" type veth peer name eth0 netns $host
	ip link set "to-$host" up
	ip -n $host link set lo up
	ip -n $host link set eth0 up
done
ip addr add 10.1.0.1/24 dev to-client
ip addr add 10.2.1.1/24 dev to-backend
ip -n client addr add 10.1.0.2/24 dev eth0
ip -n client route add default via 10.1.0.1
ip -n backend addr add 10.2.1.2/24 dev eth0
ip -n backend route add default via 10.2.1.1
echo 1 >/proc/sys/net/ipv4/ip_forward

cat >/etc/sluice/sluice.yaml <<-END
	gateway:
	  interfaces: [ { name: to-client }, { name: to-backend } ]
	probes:
	  - { name: quick, protocol: http, path: /, interval: 200ms, timeout: 1s }
	settings:
	  - { name: web, protocol: http, port: 80, probe: quick }
	pools:
	  - { name: web-pool, backends: [ { address: 10.2.1.2 } ] }
	services:
	  - { name: web, listen: "192.0.2.10:80", pool: web-pool, settings: web, forward: nat }
END
exec ip netns exec backend nginx
