# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# page.sh - gateways to look at with a browser. Sourced; needs tests/netns/lib.sh.

vip=192.0.2.10
hostile="<img src=x onerror=\"document.title='owned'\">"

# A server that shows a certificate whose name is a piece of a page; and one that expires in ten days.
hostile_start() {
	local name

	for name in hostile soon; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -keyout "$work/$name.key" -out "$work/$name.crt" \
			-subj "/CN=$([ $name = soon ] && echo soon.test || echo "${hostile//\//\\/}")" -addext "subjectAltName=DNS:$name.test" 2>/dev/null
	done
	bg b1 openssl s_server -quiet -www -accept 8443 -cert "$work/hostile.crt" -key "$work/hostile.key"
	bg b1 openssl s_server -quiet -www -accept 8444 -cert "$work/soon.crt" -key "$work/soon.key"
}

# Two backends behind a service, one of them also over IPv6 and with certificates; an address where nobody is.
small_gateway() {
	net_up 2
	on client ip route add 192.0.2.0/24 via 10.1.0.1
	backend_start b1
	backend_start b2
	for b in b1 b2; do on $b ethtool -K eth0 tx off gro on >/dev/null; done
	net_prepare_native
	hostile_start
	config "interfaces: [ { name: gc, xdp: native }, { name: gb1, xdp: native }, { name: gb2, xdp: native } ]" <<-EOF
		probes:
		  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 2 }
		  - { name: secure, protocol: https, path: /, interval: 500ms, timeout: 1s }
		settings:
		  - { name: web, protocol: http, port: 80, probe: quick }
		  - { name: direct, protocol: http, port: 81, probe: quick }
		  - { name: signed, protocol: https, port: 8443, probe: secure, host_name: hostile.test }
		  - { name: ending, protocol: https, port: 8444, probe: secure, host_name: soon.test, allow_listed: [ $work/soon.crt ] }
		pools:
		  - { name: web-pool, backends: [ { address: 10.2.1.2 }, { address: 10.2.2.2 } ] }
		  - { name: api-pool, backends: [ { address: "fd02:1::2" }, { address: "fd02:2::2" } ] }
		  - { name: tls-pool, backends: [ { address: 10.2.1.2 } ] }
		services:
		  - { name: shop, listen: "$vip:80", pool: web-pool, settings: web }
		  - { name: api, pool: api-pool, settings: web }
		  - { name: spare, pool: api-pool, settings: direct }
		  - { name: signed, pool: tls-pool, settings: signed }
		  - { name: ending, pool: tls-pool, settings: ending }
	EOF
	daemon_start
	eventually health_is 10.2.2.2 Healthy || fail "the backends are well"
}

# Ten thousand endpoints in twenty pools, of one host that has all the addresses.
large_gateway() {
	local pool i

	net_up 1
	backend_start b1
	on b1 ip route add local 10.9.0.0/16 dev lo
	on gateway ip route add 10.9.0.0/16 via 10.2.1.2
	{
		echo "probes: [ { name: calm, protocol: tcp, interval: 30s, timeout: 2s } ]"
		echo "settings: [ { name: web, protocol: tcp, port: 80, probe: calm } ]"
		echo "pools:"
		for ((pool = 1; pool <= 20; pool++)); do
			echo "  - name: pool-$pool"
			echo "    backends:"
			for ((i = 0; i < 500; i++)); do echo "      - address: 10.9.$((pool * 2 + i / 250)).$((i % 250 + 1))"; done
		done
		echo "services:"
		for ((pool = 1; pool <= 20; pool++)); do echo "  - { name: web-$pool, pool: pool-$pool, settings: web }"; done
	} | config "$both_interfaces"
	daemon_start
	patience_s=60 eventually all_healthy || fail "ten thousand endpoints are well"
}

# browse SCRIPT ARGUMENTS...: with a browser on the gateway.
browse() {
	SLUICE=$build/sluice WORK=$work on gateway /usr/bin/python3 "$@"
}
