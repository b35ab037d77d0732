#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Metrics of a running daemon: both forms as their own tools read them, the same numbers as the commands
# show, names that want to break out, clients that want to do harm, and the address they are read at.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

here=$(dirname "$0")
vip=192.0.2.10
odd='q"\x'    # an interface's name
cn='a"} 1\\b' # a certificate's, and ...
cn_shown='a"} 1\b'
at=127.0.0.1:9477

# Nothing is probed twice, so that all who are asked tell of the same probes.
metrics_config() {
	local interval=$1
	shift
	config "interfaces: [ { name: gc }, { name: gb1 }, { name: '$odd' } ]" "$@" <<-EOF
		probes:
		  - { name: http, protocol: http, path: /healthz, interval: $interval, timeout: 1s, unhealthy_threshold: 1 }
		  - { name: https, protocol: https, interval: $interval, timeout: 1s, unhealthy_threshold: 1 }
		settings:
		  - { name: web, protocol: http, port: 80, probe: http }
		  - { name: tls, protocol: https, port: 8443, probe: https, host_name: a.test }
		  - { name: closed, protocol: tcp, port: 81 }
		pools:
		  - { name: p, backends: [ { address: 10.2.1.2 } ] }
		  - { name: p6, backends: [ { address: "fd02:1::2" } ] }
		services:
		  - { name: shop, listen: "$vip:80", pool: p, settings: web }
		  - { name: shop6, pool: p6, settings: web }
		  - { name: tls, pool: p, settings: tls }
		  - { name: closed, pool: p6, settings: closed }
	EOF
}

get() {
	on gateway curl -sS -g --max-time $((5 * patience)) "$@"
}

# What is read in both forms; samples of the one that is stricter.
scrape() {
	get -H 'Accept: application/openmetrics-text; version=1.0.0' "http://$at/metrics" >"$work/open" &&
		get "http://$at/metrics" >"$work/plain" &&
		/usr/bin/python3 "$here/metrics_json.py" openmetrics <"$work/open" >"$work/samples"
}

# value NAME [LABEL=VALUE...]: of the only sample that has these labels.
value() {
	local name=$1
	shift
	jq -r --arg name "$name" '($ARGS.positional | map(split("=") | { key: .[0], value: (.[1:] | join("=")) })) as $wanted |
		[.[] | select(.name == $name) | select(.labels as $l | all($wanted[]; $l[.key] == .value)) | .value] |
		if length == 1 then .[0] else "\(length) samples" end' --args "$@" <"$work/samples"
}

is() {
	local wanted=$1
	shift
	[ "$(value "$@")" = "$wanted" ] || {
		echo "$*: $(value "$@"), not $wanted"
		return 1
	}
}

# Every endpoint's line of sluice health, as samples say it.
tells_health() {
	local endpoint health admin id since failures

	sluice health --json >"$work/health"
	while IFS=$'\t' read -r endpoint health admin id since failures; do
		is 1 sluice_endpoint_health "endpoint=$endpoint" "state=$health" &&
			is 1 sluice_endpoint_admin "endpoint=$endpoint" "state=$admin" &&
			is 1 sluice_endpoint_last_verdict_info "endpoint=$endpoint" "id=$id" &&
			is 1 sluice_endpoint_verdicts_total "endpoint=$endpoint" "id=$id" &&
			is "$failures" sluice_endpoint_consecutive_failures "endpoint=$endpoint" &&
			is 1 sluice_endpoint_probe_duration_seconds_count "endpoint=$endpoint" &&
			[ "$(date -d "$since" +%s%3N)" = "$(value sluice_endpoint_health_since_timestamp_seconds "endpoint=$endpoint" |
				awk '{ printf "%.0f", $1 * 1000 }')" ] || return 1
	done < <(jq -r '.pools[].services[].endpoints[] | [(if .address | contains(":") then "[\(.address)]" else .address end) + ":\(.port)",
		(.health | ascii_downcase), .admin, .id, .since, .probe.consecutive_failures] | @tsv' "$work/health")
}

# Every counter of sluice stats. A name that is not listed here is the same in both.
tells_stats() {
	local endpoint service key number name

	sluice stats --json >"$work/stats"
	while IFS=$'\t' read -r endpoint key number; do
		case $key in
		syn) name=syns ;;
		rejected | dropped | reset | limited) name=${key}_packets ;;
		syn_ack) name=syn_acks ;;
		replies) name=reply_packets ;;
		pending | open_estimate | reply_sample) continue ;;
		*) name=$key ;;
		esac
		is "$number" "sluice_endpoint_${name}_total" "endpoint=$endpoint" || return 1
	done < <(jq -r '.pools[].services[].endpoints[] | ((if .address | contains(":") then "[\(.address)]" else .address end) + ":\(.port)") as $e |
		.kernel | to_entries[] | select(.value | type == "number") | [$e, .key, .value] | @tsv' "$work/stats")
	while IFS=$'\t' read -r service key number; do
		case $key in
		flows) name=new_flows ;;
		moved) name=moved_flows ;;
		none) name=unserved_flows ;;
		failed) name=failed_packets ;;
		replies) name=reply_packets ;;
		*) name=$key ;;
		esac
		is "$number" "sluice_service_${name}_total" "service=$service" || return 1
	done < <(jq -r '.pools[].services[] | .name as $s | .kernel // {} | to_entries[] | [$s, .key, .value] | @tsv' "$work/stats")
}

tells_decisions() {
	local key number

	while IFS=$'\t' read -r key number; do
		is "$number" sluice_decisions_total "decision=$key" || return 1
	done < <(jq -r '.decisions | to_entries[] | select(.key | test("^(forward|reject|drop|reset|pass_healthy|pass_probe)")) | [.key, .value] | @tsv' "$work/stats")
}

tells_status() {
	sluice status | grep -qx "metrics        http://$at/metrics" || return 1
	sluice status --json >"$work/status"
	is "$(jq .engine.started "$work/status")" sluice_prober_started_probes_total &&
		is "$(jq .engine.finished "$work/status")" sluice_prober_finished_probes_total &&
		is "$(jq .engine.workers "$work/status")" sluice_prober_workers &&
		is "$(jq .forwarding.flows.max "$work/status")" sluice_map_max_entries map=flows &&
		is 5 sluice_map_entries map=targets && # four endpoints and an address
		is 4 sluice_map_entries map=endpoints &&
		is 1 sluice_map_entries map=services &&
		is 1 sluice_build_info "version=$(jq -r .version "$work/status")"
}

# Flows are counted once a second at most.
tells_flows() {
	scrape && sluice status --json >"$work/status" &&
		is "$(jq .forwarding.flows.entries "$work/status")" sluice_map_entries map=flows &&
		is "$(jq .forwarding.live "$work/status")" sluice_flows &&
		is "$(jq .forwarding.live "$work/status")" sluice_endpoint_flows endpoint=10.2.1.2:80 &&
		jq -e '.forwarding.live >= 1' "$work/status"
}

tells_chain() {
	local depth not_after

	sluice why p 10.2.1.2:8443 --json >"$work/why"
	[ "$(jq '.endpoints[0].chain | length' "$work/why")" = 1 ] || return 1
	while IFS=$'\t' read -r depth not_after; do
		is "$(date -d "$not_after" +%s)" sluice_endpoint_cert_not_after_timestamp_seconds endpoint=10.2.1.2:8443 \
			"depth=$depth" "common_name=$cn_shown" || return 1
	done < <(jq -r '.endpoints[0].chain[] | [.depth, .not_after] | @tsv' "$work/why")
}

ids_are() {
	[ "$(sluice health --json | jq -r '[.pools[].services[].endpoints[].id] | join(" ")')" = "$*" ]
}

all_are_probed() {
	! ids_are_pending
}

ids_are_pending() {
	sluice health --json | jq -e 'any(.pools[].services[].endpoints[]; .id == "probe_pending")'
}

# http_status STATUS CURL_ARGUMENT...
http_status() {
	local wanted=$1
	shift
	[ "$(get -o "$work/body" -w '%{http_code}' "$@")" = "$wanted" ]
}

heartbeat_is_fresh() {
	sluice status --json | jq -e '.heartbeat_ms_ago < 2000'
}

on_exit() {
	kill "${helpers[@]}" 2>/dev/null
}
helpers=()

net_up 1
on gateway ip link add "$odd" type veth peer name odd1
on gateway ip link set "$odd" up
backend_start b1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 20 -subj "/CN=$cn" -addext basicConstraints=CA:FALSE \
	-keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
bg b1 openssl s_server -quiet -accept 8443 -key "$work/key.pem" -cert "$work/cert.pem" -www
metrics_config 1h
daemon_start
check "everything was probed once" eventually all_are_probed
for i in 1 2 3 4 5; do fetch -o /dev/null "http://$vip/"; done
fetch -o /dev/null "http://[fd02:1::2]:81/" 2>/dev/null
fetch -o /dev/null "http://[fd02:1::2]/"

# --- what it says -------------------------------------------------------------------------------

check "both forms are read, one strictly" scrape
check "OpenMetrics ends in # EOF" test "$(tail -n 1 "$work/open")" = "# EOF"
check "promtool has nothing to say against the other" promtool check metrics <"$work/plain"
check "a parser reads that, too" /usr/bin/python3 "$here/metrics_json.py" prometheus <"$work/plain"
check "the same series in both" diff <(grep -v '^#' "$work/open" | sed 's/ [^ ]*$//') <(grep -v '^#' "$work/plain" | sed 's/ [^ ]*$//')
check "health as the command shows it" tells_health
check "counters as the command shows them" tells_stats
check "clients' packets are among them" test "$(value sluice_service_new_flows_total service=shop)" = 5
check "and a client that was refused" test "$(value sluice_endpoint_rejected_packets_total "endpoint=[fd02:1::2]:81")" -ge 1
check "decisions as the command shows them" tells_decisions
check "what the status says" tells_status
bg client curl -s -o /dev/null "http://$vip/slow"
check "how many flows there are" eventually tells_flows
check "the certificate that failed" tells_chain
check "why it did" is 1 sluice_endpoint_last_verdict_info endpoint=10.2.1.2:8443 id=cert_intermediate_missing
check "an interface with an odd name" is 1 sluice_interface_present "interface=$odd"
check "stages by their time" is 1 sluice_endpoint_probe_stage_duration_seconds_count endpoint=10.2.1.2:8443 stage=tls
check "a part alone" http_status 200 "http://$at/metrics?collect[]=services"
check "is only that" sh -c "! grep -q '^[^#]*sluice_endpoint' '$work/body'"

# --- what it refuses ----------------------------------------------------------------------------

check "another path" http_status 404 "http://$at/v1/changes"
check "a change" http_status 405 -X POST -d x "http://$at/metrics"
check "an unknown part" http_status 400 "http://$at/metrics?collect[]=nosuch"
check "a header that is too long" http_status 431 -H "X: $(head -c 60000 /dev/zero | tr '\0' x)" "http://$at/metrics"
refute "clients do not reach it" fetch --max-time 1 http://10.1.0.1:9477/metrics

# --- clients that want to do harm ---------------------------------------------------------------

nsenter --net="/run/netns/$ns_id-gateway" /usr/bin/python3 "$here/slow_clients.py" 127.0.0.1 9477 120 >"$work/slow" 2>&1 </dev/null &
helpers+=($!)
eventually grep -q "all have come" "$work/slow" || fail "slow clients come"
for i in 1 2 3; do check "slow clients in the way: scrape $i" scrape; done
check "the daemon's heart beats" heartbeat_is_fresh
metrics_config 100ms
check "slow clients and a reload" reload "reloaded: "
touch "$work/b1.sick"
check "and health moves" eventually health_is fd02:1::2 Unhealthy
rm "$work/b1.sick"
check "back again" eventually health_is fd02:1::2 Healthy
check "and the scrape says so" scrape
check "with the counts from before" test "$(value sluice_endpoint_verdicts_total "endpoint=[fd02:1::2]:80" id=http_status_mismatch)" -ge 1
kill "${helpers[@]}"
helpers=()

# --- where it listens ---------------------------------------------------------------------------

move() {
	metrics_config 1h "listen: \"$1\""
	reload "$2"
}

check "to an address that others reach" move 10.1.0.1:9477 "reloaded: "
check "the log says what that means" grep -q "http://10.1.0.1:9477/metrics, for whoever reaches that address" "$work/sluiced.log"
check "a client reads it" fetch -o /dev/null -f http://10.1.0.1:9477/metrics
refute "and nobody at the other address" get "http://127.0.0.1:9477/metrics"
check "to all addresses, of which the last is one" move 0.0.0.0:9477 "reloaded: "
check "a client reads it there" fetch -o /dev/null -f http://10.1.0.1:9477/metrics
refute "not over IPv6" fetch --max-time 1 "http://[fd01::1]:9477/metrics"
check "to IPv6" move "[::1]:9477" "reloaded: "
at="[::1]:9477"
check "which is read" scrape
bg gateway /usr/bin/python3 -m http.server --bind 127.0.0.1 9500
check "somebody listens" eventually on gateway curl -s -o /dev/null http://127.0.0.1:9500/
check "an address that is taken: refused" move 127.0.0.1:9500 "reload refused"
check "the log says why" grep -q "gateway.listen: cannot listen at 127.0.0.1:9500: another process listens there" "$work/sluiced.log"
check "and it is read where it was" scrape
check "which is said" is 0 sluice_config_last_reload_successful
check "an address of somebody else: refused" move 198.51.100.1:9477 "reload refused"
check "the log says why" grep -q "cannot listen at 198.51.100.1:9477: this host has no such address" "$work/sluiced.log"
check "to none" move none "reloaded: "
refute "nobody there" get "http://$at/metrics"
check "and back" move 127.0.0.1:9477 "reloaded: "
at=127.0.0.1:9477
check "which is read" scrape
before=$(value sluice_service_new_flows_total service=shop)

daemon_stop KILL
daemon_start
check "after a kill: it listens at once" scrape
check "the kernel's counters go on" is "$before" sluice_service_new_flows_total service=shop
check "orderly stop" daemon_stop TERM
metrics_config 1h "listen: 127.0.0.1:9500"
check_status "an address that is taken: no start" 1 on gateway "$build/sluiced" --foreground --config "$work/sluice.yaml"
check "with the reason" grep -q "cannot listen at 127.0.0.1:9500: another process listens there" "$work/out"
metrics_config 1h "listen: metrics.test:9477"
check_status "an address that is none: no start" 1 on gateway "$build/sluiced" --foreground --config "$work/sluice.yaml"
check "with the place and what is allowed" grep -q "gateway.listen: 'metrics.test:9477': is not an address and port; allowed: none, ADDRESS:PORT" "$work/out"
