#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What stands around requests of layer 7: listeners with TLS, several services on one address, HTTPS to backends whose
# certificates are checked, layer 4, WebSockets through a drain, names of backends, the access log; and texts that try to
# break out of their place.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_l7.sh
. "$(dirname "$0")/lib_l7.sh"

net_up 3
vip_up

# --- certificates ---------------------------------------------------------------------------------
root root
root stranger
leaf shop.test root
leaf other.test root
leaf inner.test root
leaf alien.test stranger
leaf expired root -1 inner.test
# A name that is none of HAProxy's words.
odd="$work/odd ] # \"'.pem"
cp "$work/other.test.pem" "$odd"

for b in b1 b2 b3; do teller_start $b; done
for b in b1 b2; do teller_start $b 443 "$work/inner.test.pem"; done
teller_start b3 443 "$work/alien.test.pem"
teller_start b1 8443 "$work/expired.pem"

# write_config SETTINGS SERVICES [POOLS]
write_config() {
	config "interfaces: [ { name: gc }, { name: gb1 }, { name: gb2 }, { name: gb3 } ]" \
		"l7: { access_log: $work/log.sock }" ${resolv:+"resolv_conf: $resolv"} <<-EOF
		probes:
		  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 1 }
		  - { name: tls, protocol: https, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 1, host_from_settings: true }
		settings:
		$(printf '  - %s\n' "${settings[@]}")
		pools:
		${pools-"  - { name: p, backends: [ { address: 10.2.1.2 }, { address: 10.2.2.2 } ] }
		  - { name: one, backends: [ { address: 10.2.1.2 } ] }
		  - { name: two, backends: [ { address: 10.2.2.2 } ] }
		  - { name: three, backends: [ { address: 10.2.3.2 } ] }"}
		services:
		$(printf '  - %s\n' "${services[@]}")
	EOF
}

with() {
	write_config
	reload "reloaded:" || fail "the configuration is loaded"
	eventually serves_current || fail "HAProxy serves the configuration"
}

chmod a+x "$work" # HAProxy is nobody of ours
socat -u "UNIX-RECV:$work/log.sock,mode=666" "CREATE:$work/access.log" &
log_pid=$!
on_exit() { kill "$log_pid" 2>/dev/null; }

# --- services on one address ----------------------------------------------------------------------
on_tls="listen: \"$vip:443\", forward: l7, tls: { certificates: [ $work/shop.test.pem ] }"
settings=("{ name: web, protocol: http, port: 80, probe: quick }")
services=(
	"{ name: first, settings: web, pool: one, $on_tls, hosts: [ shop.test ] }"
	"{ name: second, settings: web, pool: two, listen: \"$vip:443\", forward: l7, tls: { certificates: [ '${odd//\'/\'\'}' ] }, hosts: [ other.test ] }"
	"{ name: deep, settings: web, pool: three, $on_tls, hosts: [ shop.test ], path_rule: /deep/er* }"
	"{ name: exact, settings: web, pool: two, $on_tls, hosts: [ shop.test ], path_rule: /deep/er/exact }"
	"{ name: plain, settings: web, pool: p, listen: \"$vip:80\", forward: l7 }"
)
write_config
daemon_start
eventually all_healthy || fail "backends are healthy"
check "HAProxy serves" eventually serves_current
tls=(--cacert "$work/root.pem" --resolve "shop.test:443:$vip" --resolve "other.test:443:$vip" --resolve "nobody.test:443:$vip")
check "a listener speaks TLS" says b1 .name "${tls[@]}" https://shop.test/
check "each host has its certificate and its service" says b2 .name "${tls[@]}" https://other.test/
check "whatever case it is written in" says b2 .name "${tls[@]}" -H "Host: OTHER.test." https://other.test/
check "the longest beginning has a service" says b3 .name "${tls[@]}" https://shop.test/deep/erst
check "the exact path comes first" says b2 .name "${tls[@]}" https://shop.test/deep/er/exact
check "others are the host's" says b1 .name "${tls[@]}" https://shop.test/deep
check "who has no service is told so" status_is 404 "${tls[@]}" -k https://nobody.test/
check "the scheme is told" test "$(ask '.headers[] | select(.[0] == "x-forwarded-proto") | .[1]' "${tls[@]}" https://shop.test/)" = https
check "HTTP/2 is spoken" test "$(fetch "${tls[@]}" -o /dev/null -w '%{http_version}' https://shop.test/)" = 2
refute "TLS 1.1 is not" fetch "${tls[@]}" --tls-max 1.1 https://shop.test/
check "HTTP/1.1 is, too" test "$(fetch "${tls[@]}" --http1.1 -o /dev/null -w '%{http_version}' https://shop.test/)" = 1.1
check "the log names the client, service and pool, backend and status" \
	eventually grep -qE '10\.1\.0\.2:[0-9]+ .* 192\.0\.2\.10:443~? deep:three/10\.2\.3\.2 [0-9/]+ 200 ' "$work/access.log"

# --- rehearsals -----------------------------------------------------------------------------------
grep -v KEY "$work/shop.test.crt" >"$work/keyless.pem"
sed -i "s|certificates: \[ $work/shop.test.pem \] }, hosts: \[ shop.test \] }|certificates: [ $work/keyless.pem ] }, hosts: [ shop.test ] }|" "$work/sluice.yaml"
grep -q keyless "$work/sluice.yaml" || fail "the configuration has it"
before=$(ls -l --time-style=full-iso "$l7")
refute "what HAProxy would refuse is refused in a rehearsal" rehearse
check "with the key that is to blame" grep -q "service 'first': tls.certificates: HAProxy refuses $work/keyless.pem" "$work/rehearsal"
check "which touches nothing that HAProxy has" test "$(ls -l --time-style=full-iso "$l7")" = "$before"
check "and leaves nothing" test ! -e "$work/state/l7/check"
write_config
sed -i "s/path_rule: \/deep\/er\*/path_rule: \/deeper*/" "$work/sluice.yaml"
check "what it takes is not" rehearse
check "and nothing is left of it, either" test ! -e "$work/state/l7/check"
check "nor in force" says b3 .name "${tls[@]}" https://shop.test/deep/erst

# --- HTTPS to backends ----------------------------------------------------------------------------
services=("{ name: s, settings: web, pool: p, listen: \"$vip:80\", forward: l7 }")
https="name: web, protocol: https, port: 443, probe: tls, trusted_roots: [ $work/root.pem ]"
settings=("{ $https, host_name: inner.test }")
with
eventually all_healthy || fail "backends are healthy"
check "a backend with a good certificate answers" status_is 200 "http://$vip/"
check "it was asked for by its name" grep -q "sni inner.test" "$work/b1.out"
check "and so the request" says inner.test .host "http://$vip/"
# Probes would close the gate; a probe of the port without TLS leaves the judgement to HAProxy.
settings=("{ $https, host_name: wrong.test }" "{ name: spare, protocol: tcp, port: 1 }")
write_config
sed -i 's/probe: tls/probe: quiet/; s|^probes:|probes:\n  - { name: quiet, protocol: grpc, port: 1, interval: 86400s, timeout: 86400s, unhealthy_threshold: 20 }|' "$work/sluice.yaml"
reload "reloaded:" || fail "the configuration is loaded"
eventually serves_current
check "a certificate for another name is refused, by HAProxy itself" status_is 502 "http://$vip/"
sed -i 's/host_name: wrong.test/host_name: inner.test/' "$work/sluice.yaml"
reload "reloaded:" || fail "the configuration is loaded"
eventually serves_current
check "with the right name it is not" eventually status_is 200 "http://$vip/"
sed -i "s|$work/root.pem|$work/stranger.pem|" "$work/sluice.yaml"
reload "reloaded:" || fail "the configuration is loaded"
eventually serves_current
check "one of another authority is refused" status_is 502 "http://$vip/"
sed -i 's/host_name: inner.test/host_name: inner.test, validate_chain_and_expiry: false, validate_sni: false/; s/trusted_roots: \[[^]]*\]/request_timeout: 9s/' "$work/sluice.yaml"
reload "reloaded:" || fail "the configuration is loaded"
eventually serves_current
check "unless nothing is to be checked" eventually status_is 200 "http://$vip/"
sed -i 's/host_name: inner.test, validate_chain_and_expiry: false, validate_sni: false/trusted_roots: [ '"${work//\//\\/}"'\/root.pem ]/' "$work/sluice.yaml"
reload "reloaded:" || fail "the configuration is loaded"
eventually serves_current
check "without a name of its own, the client's is checked" eventually status_is 200 -H 'Host: inner.test' "http://$vip/"
check "and is refused if it is another" status_is 502 -H 'Host: shop.test' "http://$vip/"
check "a request without one is refused" status_is 400 --http1.0 -H 'Host:' "http://$vip/"

# https_with PORT KEYS: HAProxy alone judges certificates, since the probe never has an answer; pool one.
https_with() {
	settings=("{ name: web, protocol: https, port: $1, probe: never, $2 }")
	services=("{ name: s, settings: web, pool: one, listen: \"$vip:80\", forward: l7 }")
	write_config
	sed -i 's|^probes:|probes:\n  - { name: never, protocol: grpc, port: 1, interval: 86400s, timeout: 86400s }|' "$work/sluice.yaml"
}
with_https() {
	https_with "$@"
	reload "reloaded:" || fail "the configuration is loaded"
	eventually serves_current || fail "HAProxy serves the configuration"
}
bg b1 socat -u TCP-LISTEN:1,fork,reuseaddr OPEN:/dev/null
eventually listens b1 1
roots="trusted_roots: [ $work/root.pem ]"
with_https 443 "$roots, host_name: shop.test, sni_name: inner.test"
check "sni_name is what the certificate is for" eventually status_is 200 "http://$vip/"
check "and host_name what the request is" says shop.test .host "http://$vip/"
with_https 443 "$roots, host_name: inner.test, sni_name: shop.test"
check "not the other way round" status_is 502 "http://$vip/"
with_https 8443 "$roots, host_name: inner.test"
check "an expired certificate is refused" status_is 502 "http://$vip/"
with_https 8443 "host_name: inner.test, validate_chain_and_expiry: false, validate_sni: false"
check "unless it is not to be checked" eventually status_is 200 "http://$vip/"
with_https 443 "host_name: inner.test"
check "without roots of its own, a certificate that the host does not know is refused" status_is 502 "http://$vip/"
daemon_stop TERM
ip netns pids "$ns_id-gateway" | xargs -r kill -KILL
mkdir "$work/store"
cp "$work/root.pem" "$work/store/"
openssl rehash "$work/store"
# The well-known store is the host's: this daemon's, and so its HAProxy's, is another one.
# shellcheck disable=SC2016
nsenter --net="/run/netns/$ns_id-gateway" unshare --mount sh -c 'mount --bind "$1" /etc/ssl/certs; exec "$2" --foreground --config "$3"' \
	- "$work/store" "$build/sluiced" "$work/sluice.yaml" >>"$work/sluiced.log" 2>&1 </dev/null &
daemon_pid=$!
check "another store" eventually serves_current
check "has it, and the backend answers" eventually status_is 200 "http://$vip/"
daemon_stop TERM
ip netns pids "$ns_id-gateway" | xargs -r kill -KILL
daemon_start
eventually serves_current

# --- layer 4 --------------------------------------------------------------------------------------
settings=("{ name: web, protocol: tcp, port: 80, probe: quick, send_proxy_protocol: true, request_timeout: 2s }")
services=("{ name: s, settings: web, pool: p, listen: \"$vip:80\", forward: l7 }"
	"{ name: s6, settings: web, pool: p, listen: \"[$vip6]:80\", forward: l7 }"
	"{ name: t, settings: web, pool: p, listen: \"$vip:443\", forward: l7, tls: { certificates: [ $work/shop.test.pem ] } }")
with
eventually all_healthy || fail "backends are healthy"
check "layer 4 carries bytes" status_is 200 "http://$vip/"
# tells_client WORDS URL: the backend knows both ends of the client's connection, as the client does.
tells_client() {
	local answer wanted
	fetch -w "$1 %{local_ip} %{remote_ip} %{local_port} %{remote_port}\n" "$2" | {
		read -r answer && read -r wanted && [ "$(jq -r .proxy <<<"$answer")" = "$wanted" ]
	}
}
check "and tells the backend who the client is" tells_client "PROXY TCP4" "http://$vip/"
check "by IPv6, too" tells_client "PROXY TCP6" "http://[$vip6]/"
sed -i 's/send_proxy_protocol: true/send_proxy_protocol: v2/' "$work/sluice.yaml"
reload "reloaded:" || fail "the configuration is loaded"
eventually serves_current || fail "HAProxy serves the configuration"
check "in the binary header, if that is asked for" eventually tells_client "PROXY2 TCP4" "http://$vip/"
check "which has IPv6, too" tells_client "PROXY2 TCP6" "http://[$vip6]/"
check "behind a listener with TLS, too" says b1 '.name | sub("b2"; "b1")' "${tls[@]}" --http1.1 https://shop.test/
idle() { # seconds until an idle connection is closed
	local t0=${EPOCHREALTIME/./}
	on client timeout 10 socat -u "TCP:$vip:80" - >/dev/null
	echo $(((${EPOCHREALTIME/./} - t0) / 1000000))
}
check "an idle connection is closed after request_timeout" test "$(idle)" = 2

settings=("{ name: web, protocol: tls, port: 443, trusted_roots: [ $work/root.pem ], sni_name: inner.test }")
services=("{ name: s, settings: web, pool: one, listen: \"$vip:80\", forward: l7 }"
	"{ name: t, settings: web, pool: three, listen: \"$vip:81\", forward: l7 }")
with
check "layer 4 with TLS to the backend carries bytes" eventually status_is 200 "http://$vip/"
refute "where the certificate is good" fetch --max-time 3 "http://$vip:81/"

# --- WebSockets -----------------------------------------------------------------------------------
settings=("{ name: web, protocol: http, port: 80, probe: quick, draining: { enabled: true, timeout: 4s }, request_timeout: 1s }")
services=("{ name: s, settings: web, pool: one, listen: \"$vip:80\", forward: l7 }")
with
eventually all_healthy || fail "backends are healthy"
cat >"$work/ws.py" <<'PY'
import os, socket, sys, time
s = socket.create_connection((sys.argv[1], 80))
s.sendall(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
assert s.recv(4096).startswith(b"HTTP/1.1 101")
start, n = time.time(), 0
while time.time() - start < 20:
    try:
        s.sendall(b"\x81\x82" + b"\0\0\0\0" + b"hi")
        if s.recv(4096)[2:] != b"b1:hi":
            break
    except OSError:
        break
    n += 1
    print(n, round(time.time() - start), flush=True)
    time.sleep(0.1)
PY
on client python3 "$work/ws.py" $vip >"$work/ws.out" 2>"$work/ws.err" </dev/null &
ws=$!
# echoed N: so many frames have been, ten in a second.
echoed() { (($(wc -l <"$work/ws.out") >= $1)); }
check "a WebSocket outlives request_timeout" eventually echoed 20
sluice backend drain one 10.2.1.2 >/dev/null
check "a backend that drains gets no new request" eventually status_is 502 "http://$vip/"
check "the WebSocket lives on through the drain" eventually echoed $(($(wc -l <"$work/ws.out") + 10))
wait $ws
lived() { local n s; read -r n s < <(tail -n1 "$work/ws.out"); ((n >= 40 && s >= 5 && s <= 10)); }
check "and ends with it" lived
sluice backend enable one 10.2.1.2 >/dev/null

# --- texts ----------------------------------------------------------------------------------------
refused() { # WHAT SETTINGS SERVICES
	settings=("$2") services=("$3")
	write_config
	refute "$1" "$build/sluice" check "$work/sluice.yaml"
}
evil='{ name: web, protocol: http, port: 80, probe: quick'
one='{ name: s, settings: web, pool: one, listen: "192.0.2.10:80", forward: l7'
refused "a line end in a path" "$evil, path_override: \"/a\\n\\tserver evil 10.2.3.2:80\" }" "$one }"
refused "a line end in a host" "$evil, host_name: \"a\\nb\" }" "$one }"
refused "a blank in a cookie's name" "$evil, cookie_affinity: { enabled: true, name: \"a b\" } }" "$one }"
refused "a line end in a path rule" "$evil }" "$one, path_rule: \"/a\\n\" }"
refused "a line end in a file's name" "$evil }" "$one, tls: { certificates: [ \"a\\nb\" ] } }"
settings=("$evil, path_override: \"/x#\\\"'%[env(HOME)]\${PATH}\\\\,}\" }")
services=("$one }")
write_config
refute "what looks like a fragment" "$build/sluice" check "$work/sluice.yaml"
settings=("$evil, path_override: \"/x\\\"'%[env(HOME)]\${PATH}\\\\,}/\" }")
services=("$one, path_rule: \"/a'}%[src]{\\\\x41*\" }")
with
eventually all_healthy
check "every other character is itself, in rules and overrides" says "/x\"'%[env(HOME)]\${PATH}\\,}/rest" .path -g --path-as-is "http://$vip/a'}%[src]{\\x41rest"

# --- two gateways with one key --------------------------------------------------------------------
settings=("$evil, cookie_affinity: { enabled: true } }")
services=("{ name: s, settings: web, pool: p, listen: \"$vip:80\", forward: l7 }")
head -c 32 /dev/urandom >"$work/shared.key"
values() { "$build/sluice" --socket "$SLUICE_SOCKET" l7 show | grep -o 'cookie [0-9a-f]\{32\}' | paste -sd' '; }
write_config
sed -i "s|l7: { |l7: { affinity_key: $work/shared.key, |" "$work/sluice.yaml"
reload "reloaded:" || fail "the configuration is loaded"
eventually serves_current
values >"$work/values.1"
daemon_stop TERM
ip netns pids "$ns_id-gateway" | xargs -r kill -KILL
rm -rf "$work/state"
daemon_start
eventually serves_current
check "a gateway with the same key gives the same values" test "$(values)" = "$(cat "$work/values.1")"
test -s "$work/values.1" || fail "there are values"
head -c 32 /dev/urandom >"$work/shared.key"
kill -HUP "$daemon_pid"
changed() { [ "$(values)" != "$(cat "$work/values.1")" ]; }
check "another key gives others" eventually changed
