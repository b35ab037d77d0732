#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Services that HAProxy carries: each key of layer 7 does what it says, and the verdicts of Sluice's probes are the
# only ones that HAProxy has.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/lib_l7.sh
. "$(dirname "$0")/lib_l7.sh"

net_up 3
vip_up
for b in b1 b2 b3; do teller_start $b; done

# write_config SETTINGS_KEYS SERVICE_KEYS [BACKENDS]
write_config() {
	config "interfaces: [ { name: gc }, { name: gb1 }, { name: gb2 }, { name: gb3 } ]" <<-EOF
		probes:
		  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 1 }
		settings:
		  - { name: web, protocol: http, port: 80, probe: quick$1 }
		pools:
		  - { name: p, backends: [ ${3-"{ address: 10.2.1.2 }, { address: 10.2.2.2 }, { address: \"fd02:3::2\" }"} ] }
		services:
		  - { name: shop, listen: "$vip:80", forward: l7, pool: p, settings: web$2 }
		  - { name: shop6, listen: "[$vip6]:80", forward: l7, pool: p, settings: web$2 }
	EOF
}

# with SETTINGS_KEYS SERVICE_KEYS [BACKENDS]: and HAProxy serves it.
with() {
	write_config "$@"
	reload "reloaded:" || fail "the configuration is loaded"
	eventually serves_current || fail "HAProxy serves the configuration"
	eventually all_healthy || fail "backends are healthy"
}

write_config "" ""
daemon_start
check "backends are healthy" eventually all_healthy
check "HAProxy serves" eventually serves_current
check "all backends get requests, of both families" eventually spread_is "b1 b2 b3" 30 "http://$vip/"
check "and by IPv6" spread_is "b1 b2 b3" 30 "http://[$vip6]/"
check "the client's host is kept" says shop.test .host -H 'Host: shop.test' "http://$vip/a?b=c"
check "and the path with its query" says "/a?b=c" .path "http://$vip/a?b=c"
header() { ask "[.headers[] | select(.[0] == \"$1\") | .[1]] | join(\" \")" "${@:2}"; }
is_header() { [ "$(header "$1" "${@:3}")" = "$2" ]; }
check "what a client says of itself comes before it" is_header x-forwarded-for "1.2.3.4 10.1.0.2" -H "X-Forwarded-For: 1.2.3.4" "http://$vip/"
check "the client's address is told" is_header x-forwarded-for 10.1.0.2 "http://$vip/"
check "and the scheme, whatever the client says" is_header x-forwarded-proto http -H "X-Forwarded-Proto: https" "http://$vip/"
check "and the host" is_header x-forwarded-host shop.test -H 'Host: shop.test' "http://$vip/"

# --- health -------------------------------------------------------------------------------------
touch "$work/b2.sick"
check "an unhealthy backend is down in HAProxy" eventually server_is 10.2.2.2 DOWN
check "and gets no request" spread_is "b1 b3" 20 "http://$vip/"
# Whatever HAProxy believes, the gate is before its new connections.
kill -KILL "${b2_pid:?}"
wait "$b2_pid" 2>/dev/null
teller_start b2
for s in shop shop6; do echo "set server $s:p/10.2.2.2 health up"; done |
	while read -r order; do echo "$order" | socat - "UNIX-CONNECT:$(echo "$l7"/worker-*.sock)" >/dev/null; done
check "a HAProxy that does not know goes on to it" eventually server_is 10.2.2.2 "no check"
check "is refused by the gate at once, and asks another" spread_is "b1 b3" 20 "http://$vip/"
redispatched() { sluice stats --json | jq -e '[.pools[].services[].endpoints[] | select(.address == "10.2.2.2") | .l7.redispatches] | add > 0'; }
check "as its counters say" eventually redispatched
rm "$work/b2.sick"
check "a healthy one gets them again" eventually spread_is "b1 b2 b3" 30 "http://$vip/"
sluice backend disable p 10.2.2.2 >/dev/null
check "a disabled one gets none" eventually spread_is "b1 b3" 20 "http://$vip/"
sluice backend enable p 10.2.2.2 >/dev/null
check "an enabled one does" eventually spread_is "b1 b2 b3" 30 "http://$vip/"
sluice backend weight p 10.2.2.2 0 >/dev/null
check "weight 0 means none" eventually spread_is "b1 b3" 20 "http://$vip/"
sluice backend weight p 10.2.2.2 200 >/dev/null
share() { fetch -H 'Connection: close' "http://$vip/?[1-201]" | jq -r .name | grep -c "$1"; }
in_range() { local n; n=$("${@:3}"); ((n >= $1 && n <= $2)); }
check "weights are heeded" in_range 190 201 share b2
sluice backend weight p 10.2.2.2 1 >/dev/null
touch "$work/b1.sick" "$work/b2.sick" "$work/b3.sick"
check "with nobody healthy, clients are told 502" eventually status_is 502 "http://$vip/"
check "in a few words" grep -qx "502 Bad Gateway: no backend is able to answer" <(fetch "http://$vip/")
rm "$work"/b?.sick
check "they are back" eventually status_is 200 "http://$vip/"
check "HAProxy was neither started again nor reloaded for any of that" \
	test "$(sluice l7 status --json | jq -c '[.starts, .reloads]')" = "[1,0]"

# --- path_override ------------------------------------------------------------------------------
row() { # REQUEST FORWARDED
	check "$1 becomes $2" says "$2" .path "http://$vip$1"
}
with ", path_override: /override/" ""
row /home/ /override/home/
row /home/secondhome/ /override/home/secondhome/
with ", path_override: /override/" ", path_rule: /pathrule*"
row /pathrule/home/ /override/home/
row /pathrule/home/secondhome/ /override/home/secondhome/
check "what no rule has is nobody's" status_is 404 "http://$vip/home/"
# Paths that the rule does not match come to a service only where something else brings them: the same configuration,
# with the service as everybody's.
sed -e "s/default_backend no-service/default_backend shop:p/; s/bind $vip:80/bind 127.0.0.1:8099/; s/bind \[.*\]:80/bind [::1]:8099/" \
	-e '/stats socket/d' "$l7/haproxy.cfg" >"$l7/everybodys.cfg"
bg gateway haproxy -f "$l7/everybodys.cfg"
eventually listens gateway 8099
everybodys() { [ "$(on gateway curl -s "http://127.0.0.1:8099$1" | jq -r .path)" = "$2" ]; }
for path in /home/ /home/secondhome/; do
	check "$path, which the rule does not match, becomes /override$path" everybodys $path "/override$path"
done
with ", path_override: /override/" ", path_rule: /pathrule/home*"
row /pathrule/home/ /override/
row /pathrule/home/secondhome/ /override/secondhome/
with ", path_override: /override/" ", path_rule: /pathrule/"
row /pathrule/ /override/
check "the query stays" says "/override/?a=/b" .path "http://$vip/pathrule/?a=/b"
with ", path_override: \"/o%[src]';\$x/\"" ""
check "an override is text, whatever it looks like" says "/o%[src]';\$x/a" .path "http://$vip/a"

# --- names --------------------------------------------------------------------------------------
with ", host_name: inner.test" ""
check "host_name takes the client's place" says inner.test .host -H 'Host: shop.test' "http://$vip/"

# --- request_timeout ----------------------------------------------------------------------------
with ", request_timeout: 1s" "" "{ address: 10.2.1.2 }, { address: 10.2.2.2 }"
slow_requests() { fetch -s "http://$vip/" "http://$vip/" "http://$vip/" "http://$vip/" -H 'Connection: close' | jq -s '[group_by(.name)[] | max_by(.slow).slow] | add'; }
before=$(slow_requests)
check "who answers too late is not waited for" status_is 504 --max-time 10 "http://$vip/slow-5"
after=$(slow_requests)
check "after one more try at another" test $((after - before)) = 2
check "with what may not be repeated" status_is 504 --max-time 10 -X POST -d x "http://$vip/slow-5"
check "there is none" test $(($(slow_requests) - after)) = 1

# --- affinity -----------------------------------------------------------------------------------
with ", cookie_affinity: { enabled: true, name: Gw }, draining: { enabled: true, timeout: 20s }" ""
cookies() { fetch -D - -o /dev/null "$@" "http://$vip/" | tr -d '\r' | sed -n 's/^set-cookie: //p'; }
cookies >"$work/cookies"
value=$(sed -n 's/^Gw=\([0-9a-f]*\); path=\/$/\1/p' "$work/cookies")
check "a cookie is given, of 128 bits" test ${#value} = 32
check "and its twin for other sites" grep -qx "GwCORS=$value; Path=/; SameSite=None; Secure" "$work/cookies"
pinned=$(ask .name -H "Cookie: Gw=$value" "http://$vip/")
check "who shows it stays where it is" spread_is "$pinned" 20 "http://$vip/" -H "Cookie: a=b; Gw=$value"
check "the twin alone is as good" spread_is "$pinned" 20 "http://$vip/" -H "Cookie: GwCORS=$value"
check "the cookie counts where both come" spread_is "$pinned" 20 "http://$vip/" -H "Cookie: GwCORS=x; Gw=$value"
check "who shows it gets no other" test -z "$(cookies -H "Cookie: Gw=$value")"
check "a value is never more than one" test -z "$(header x-evil -H 'Cookie: GwCORS=a%0d%0aX-Evil: 1' "http://$vip/")"
check "nobody's value is a request like others" spread_is "b1 b2 b3" 30 "http://$vip/" -H "Cookie: Gw=$(printf '0%.0s' {1..32})"
address=$(case $pinned in b3) echo fd02:3::2 ;; *) echo "10.2.${pinned#b}.2" ;; esac)
sluice backend drain p "$address" >/dev/null
check "a draining backend is so in HAProxy" eventually server_is "$address" DRAIN
others=$(printf '%s\n' b1 b2 b3 | grep -v "$pinned" | paste -sd' ')
check "it gets nobody new" spread_is "$others" 20 "http://$vip/"
check "but who is pinned to it" spread_is "$pinned" 10 "http://$vip/" -H "Cookie: Gw=$value"
sluice backend enable p "$address" >/dev/null
check "it is back" eventually server_is "$address" "no check"
daemon_stop TERM
cp "$l7/affinity.key" "$work/affinity.key"
on gateway ip netns pids "$ns_id-gateway" >/dev/null 2>&1
daemon_start
check "values outlive the daemon" eventually spread_is "$pinned" 10 "http://$vip/" -H "Cookie: Gw=$value"

# --- dedicated_connection -----------------------------------------------------------------------
two_steps() { fetch -o /dev/null -o /dev/null -w '%{http_code} ' "http://$vip/knock" "http://$vip/in"; }
with "" ""
with ", dedicated_connection: true" ""
check "an authentication of two steps works" test "$(two_steps)" = "200 200 "
with "" "" "{ address: 10.2.1.2 }, { address: 10.2.2.2 }"
check "without a dedicated connection it does not" test "$(two_steps)" = "200 401 "

# --- source_affinity, empty pools -----------------------------------------------------------------
with "" ", source_affinity: true"
mine=$(spread 1 "http://$vip/")
check "source_affinity keeps a client at a backend" spread_is "$mine" 20 "http://$vip/"
with "" "" ""
check "an empty pool is a 502" eventually status_is 502 "http://$vip/"
with ", request_timeout: 9s" ""

# --- errors -------------------------------------------------------------------------------------
wrong() { # WHAT KEYS KEYS WORDS
	write_config "$2" "$3"
	reload "reload refused" || fail "$1: the reload is refused"
	check "$1" grep -q "$4" "$work/sluiced.log"
	check "  and what was in force is" status_is 200 "http://$vip/"
}
on gateway ip addr del $vip6/128 dev lo
wrong "an address that is not this host's" "" "" "service 'shop6': listen: \[$vip6\]:80: Cannot assign requested address"

# --- what is counted ----------------------------------------------------------------------------
on gateway ip -6 addr add $vip6/128 dev lo nodad
with "" "" "{ address: 10.2.1.2 }"
l7_of() { sluice stats --json | jq "first(.pools[].services[].endpoints[] | select(.address == \"10.2.1.2\")) | .l7$1"; }
before=$(l7_of '.status["4xx"]')
for i in 1 2 3; do status_is 418 "http://$vip/status-418" || fail "a backend's own answer comes through"; done
counts() { [ "$(l7_of '.status["4xx"]')" = $((before + 3)) ]; }
check "answers are counted by class of status" eventually counts
check "and stay counted over a reload" eval "with ', request_timeout: 7s' '' '{ address: 10.2.1.2 }'; sleep 1.2; counts"
check "and are metrics" grep -qE '^sluice_l7_responses_total\{.*endpoint="10.2.1.2:80".*class="4xx"\} '$((before + 3))'$' \
	<(on gateway curl -s 'http://127.0.0.1:9477/metrics?collect[]=l7' -g)
bucket() { l7_of ".response_times[] | select(.le_ms == $1) | .responses"; }
fast=$(bucket 500) all=$(bucket null)
for i in 1 2; do status_is 200 --max-time 10 "http://$vip/slow-1" || fail "a slow answer"; done
slower() { [ "$(($(bucket null) - all)) $(($(bucket 500) - fast))" = "$1" ]; }
check "answers are counted by the time that they take" eventually slower "2 0"
check "which stays counted over a reload, too" eval "with ', request_timeout: 8s' '' '{ address: 10.2.1.2 }'; sleep 1.2; slower '2 0'"
check "and is a metric" grep -qE '^sluice_l7_response_duration_seconds_bucket\{.*endpoint="10.2.1.2:80".*le="\+Inf"\} '$((all + 2))'$' \
	<(on gateway curl -s 'http://127.0.0.1:9477/metrics?collect[]=l7' -g)
check "in text, too" grep -qE "REQUESTS +2XX" <(sluice stats)
check "why has them" test "$(sluice why p 10.2.1.2 --json | jq '.endpoints[0].l7.status["4xx"]')" = $((before + 3))
check "HAProxy is up, as the metrics say" grep -qx "sluice_l7_up 1" <(on gateway curl -s 'http://127.0.0.1:9477/metrics')
check "its configuration is shown" grep -q "backend shop:p" <(sluice l7 show)
