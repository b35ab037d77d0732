#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# HAProxy while its configuration changes: what is only checked leaves alone what is in force, and certificates move.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_l7.sh
. "$(dirname "$0")/lib_l7.sh"

net_up 3
vip_up
for b in b1 b2 b3; do backend_start $b; done
root root
leaf shop.test root
leaf other.test root
haproxy=$(readlink -f "$(command -v haproxy)")
program=$haproxy

# write_config CERTIFICATE [TIMEOUT]
write_config() {
	config "interfaces: [ { name: gc }, { name: gb1 }, { name: gb2 }, { name: gb3 } ]" "l7: { program: $program }" <<-EOF
		probes:
		  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 1 }
		settings:
		  - { name: web, protocol: http, port: 80, probe: quick, request_timeout: ${2:-20} }
		pools:
		  - { name: p, backends: [ { address: 10.2.1.2 }, { address: 10.2.2.2 }, { address: 10.2.3.2 } ] }
		services:
		  - { name: shop, listen: "$vip:443", forward: l7, pool: p, settings: web, tls: { certificates: [ $1 ] } }
	EOF
}

with() {
	write_config "$@"
	reload "reloaded:" || fail "the configuration is loaded"
	eventually serves_current || fail "HAProxy serves the configuration"
}

# shows NAME: the certificate that clients see.
shows() {
	on client openssl s_client -connect $vip:443 -servername "$1" </dev/null 2>/dev/null | openssl x509 -noout -subject | grep -qx "subject=CN = $1"
}

files() { ls -lA --time-style=full-iso "$l7"; }
kill_haproxy() {
	killed=$(master_pid)
	pgrep -P "$killed" | xargs kill -KILL "$killed"
	eventually is_another "$killed"
}
is_another() { [ "$(master_pid)" != "$1" ] && serves_current; }

write_config "$work/shop.test.pem"
daemon_start
eventually all_healthy || fail "the backends are healthy"
check "HAProxy serves" eventually serves_current
check "with its certificate" shows shop.test

# --- what is only checked -------------------------------------------------------------------------
files >"$work/files"
grep -v KEY "$work/shop.test.crt" >"$work/keyless.pem"
write_config "$work/keyless.pem"
check "a certificate without a key is refused" reload "reload refused, nothing has changed: service 'shop': tls.certificates: HAProxy refuses $work/keyless.pem"
check "nothing of it is where HAProxy finds its files" diff "$work/files" <(files)
check "a killed HAProxy is started again" kill_haproxy
check "with what was in force" shows shop.test

# --- a certificate that moves ---------------------------------------------------------------------
# As renewals do it: a link leads to the newest.
mkdir "$work/1"
cp "$work/shop.test.pem" "$work/1/live.pem"
ln -s 1 "$work/newest"
with "$work/newest/live.pem"
check "a certificate behind a link is shown" shows shop.test
mkdir "$work/2"
cp "$work/other.test.pem" "$work/2/live.pem"
ln -sfn 2 "$work/newest"
rm -r "$work/1"
check "HAProxy starts when the link leads elsewhere" kill_haproxy
check "and shows what is there now" shows other.test
