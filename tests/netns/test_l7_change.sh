#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# HAProxy while its configuration changes: what is only checked leaves alone what is in force, certificates move, another
# program takes over, somebody else reloads it, and what it does not load.
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
with "$work/shop.test.pem"

# --- somebody else reloads ------------------------------------------------------------------------
sluice backend disable p 10.2.2.2 >/dev/null
eventually server_is 10.2.2.2 MAINT || fail "an order is told"
master=$(master_pid)
worker=$(info Pid)
kill -USR2 "$master"
another_worker() { [ "$(info Pid)" != "$worker" ]; }
was_told_anew() { sluice events --json | jq -e '[.events[].text | select(test("reloaded, and not by Sluice"))] | length == 1'; }
check "who is reloaded by somebody else has another worker" eventually another_worker
check "which is told what its servers are" eventually server_is 10.2.2.2 MAINT
check "as an event says, once" eventually was_told_anew
check "it is the same process" test "$(master_pid)" = "$master"
sluice backend enable p 10.2.2.2 >/dev/null

# --- another program ------------------------------------------------------------------------------
cp "$haproxy" "$work/haproxy"
runs() { [ "$(readlink "/proc/$(master_pid)/exe")" = "$1" ]; }
none_failed() { wait $wrk && cat "$work/wrk" && ! grep -qE 'Socket errors|Non-2xx' "$work/wrk"; }
nsenter --net="/run/netns/$ns_id-client" wrk -t1 -c4 -d$((4 * patience))s "https://$vip/" >"$work/wrk" </dev/null &
wrk=$!
sleep 0.5
program=$work/haproxy
with "$work/shop.test.pem"
check "a reload brings another program" runs "$work/haproxy"
check "and the one before ends" eventually process_gone "$master"
check "no request fails meanwhile" none_failed
check "new connections find it" shows shop.test
master=$(master_pid)
daemon_stop TERM
program=$haproxy
write_config "$work/shop.test.pem"
daemon_start
check "a start with another program than the one that runs exchanges it, too" eventually is_another "$master"
check "which is the one that is wanted" runs "$haproxy"
check "and clients are served" shows shop.test

# --- what it does not load ------------------------------------------------------------------------
# It is accepted, and gone before it is loaded.
cat >"$work/fickle" <<-EOF
	#!/bin/sh
	[ "\$1" != -c ] || { haproxy "\$@" && rm -f "$work/fickle.pem"; exit; }
	exec haproxy "\$@"
EOF
chmod +x "$work/fickle"
program=$work/fickle
with "$work/shop.test.pem"
cp "$work/other.test.pem" "$work/fickle.pem"
write_config "$work/fickle.pem"
reload "reloaded:" || fail "the configuration is loaded"
does_not_load() { sluice l7 status --json | jq -e '.error | test("did not load its configuration and goes on with the last one")'; }
check "HAProxy goes on with what it has" eventually does_not_load
blames() { sluice l7 status --json | jq -r .error | grep -F "$1"; }
check "as is said, with the key that is to blame" blames "service 'shop': tls.certificates: HAProxy refuses $work/fickle.pem: "
check "and the client is served as before" shows shop.test
cp "$work/other.test.pem" "$work/fickle.pem"
check "what can be loaded again is" eventually serves_current
check "and in force" shows other.test
