#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# One daemon's health in its three forms: for people, as JSON, and as the report of an Azure
# Application Gateway, with its property names and words.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

server=10.2.1.2
unused=10.2.1.9

# Nothing is probed twice, so that all forms tell of the same probes; the silent server keeps its first one.
health_config() {
	config "$both_interfaces" <<-EOF
		probes:
		  - { name: http, protocol: http, interval: 1h, timeout: 5m, unhealthy_threshold: 1 }
		  - { name: https, protocol: https, interval: 1h, timeout: 5m, unhealthy_threshold: 1 }
		settings:
		  - { name: fine, protocol: http, port: 3001, probe: http }
		  - { name: closed, protocol: http, port: 3002, probe: http }
		  - { name: silent, protocol: http, port: 3003, probe: http }
		  - name: doubtful
		    protocol: https
		    port: 3004
		    probe: https
		    host_name: a.probe.test
		    trusted_roots: [ $work/root.crt ]
		    crl: [ $work/nosuch.crl ]
		pools:
		  - { name: web, backends: [ { address: $server } ] }
		  - { name: spare, backends: [ { address: $unused } ] }
		  - { name: empty, backends: [] }
		services:
		  - { name: a, pool: web, settings: fine }
		  - { name: b, pool: web, settings: closed }
		  - { name: c, pool: web, settings: silent }
		  - { name: d, pool: web, settings: doubtful }
		  - { name: e, pool: empty, settings: fine }
	EOF
}

# ids_are ID...: of the endpoints, in the configuration's order.
ids_are() {
	[ "$(sluice health --json | jq -r '[.pools[].services[].endpoints[].id] | join(" ")')" = "$*" ]
}

# Exactly these names, and words that the documents know.
azure_has_the_shape() {
	jq -e 'def has_only($names): keys == ($names | sort);
		has_only(["backendAddressPools"]) and all(.backendAddressPools[];
			has_only(["backendAddressPool", "backendHttpSettingsCollection"]) and
			(.backendAddressPool | has_only(["id"])) and all(.backendHttpSettingsCollection[];
				has_only(["backendHttpSettings", "servers"]) and
				(.backendHttpSettings | has_only(["id", "trustedRootCertificates"])) and
				(.backendHttpSettings.trustedRootCertificates | type == "array") and all(.servers[];
					has_only(["address", "ipConfiguration", "health", "healthProbeLog"]) and
					(.ipConfiguration | has_only(["id"])) and
					(.health | IN("Up", "Down", "Unknown", "Partial", "Draining")))))' "$1"
}

# One line for each endpoint: pool, settings, address, health in the words of that report, reason.
azure_rows() {
	jq -r '.backendAddressPools[] | (.backendAddressPool.id | split("/") | last) as $pool |
		.backendHttpSettingsCollection[] | (.backendHttpSettings.id | split("/") | last) as $settings |
		.servers[] | [$pool, $settings, .address, .health, .healthProbeLog] | @tsv' "$1"
}

json_rows() {
	jq -r '{ Healthy: "Up", Unhealthy: "Down", Unknown: "Unknown" } as $words | .pools[] | .name as $pool |
		.services[] | .settings as $settings | .endpoints[] |
		[$pool, $settings, .address, (if .id == "probe_pending" then "Down" else $words[.health] end), .message] | @tsv' "$1"
}

azure_words_are() {
	[ "$(azure_rows "$work/azure" | cut -f 2,4 | tr '\t\n' '= ')" = "$* " ]
}

# The table has a line for each endpoint, with its health and reason, and the sums below.
table_tells_all() {
	local address port health message

	while IFS=$'\t' read -r address port health message; do
		grep -F "$address:$port " "$work/table" | grep -F " $health " | grep -qF "$message" || return 1
	done < <(jq -r '.pools[].services[].endpoints[] | [.address, .port, .health, .message] | @tsv' "$work/json")
	tail -n 1 "$work/table" | grep -qx "1 healthy, 1 unhealthy, 2 unknown"
}

net_up 1
bg b1 "$build/tests/netns/hostile" "$server" "$work" fine=3001 silent=3003 tls:fine=3004
eventually test -s "$work/root.crt" || fail "the servers start"
health_config
daemon_start
check "up, down, not probed yet, in doubt" eventually ids_are ok tcp_connect_failed probe_pending unknown_crl_unreachable

check_status "table: not all is well" 1 sluice health
cp "$work/out" "$work/table"
check_status "JSON: not all is well" 1 sluice health --json
cp "$work/out" "$work/json"
check "the table tells what JSON does" table_tells_all
check "the table says that nothing uses a pool" grep -q "spare: no service uses it" "$work/table"
check "the table is no JSON" sh -c "! jq . '$work/table'"

check_status "azure: not all is well" 1 sluice health --azure
cp "$work/out" "$work/azure"
check "azure: the documented names and no others" azure_has_the_shape "$work/azure"
check "azure: Up, Down, Unknown; never probed is Down" azure_words_are fine=Up closed=Down silent=Down doubtful=Unknown
check "azure: what JSON says, in those words" diff <(json_rows "$work/json") <(azure_rows "$work/azure")
check "azure: pools without servers are there" jq -e '.backendAddressPools | length == 3' "$work/azure"
check_status "azure: the same with --json" 1 sluice health --azure --json
check "azure: to the letter" cmp "$work/out" "$work/azure"

check_status "azure: one pool" 0 sluice health empty --azure
check "azure: only that" jq -e '[.backendAddressPools[].backendAddressPool.id] == ["/backendAddressPools/empty"] and
	.backendAddressPools[0].backendHttpSettingsCollection[0].servers == []' "$work/out"
check_status "azure: no such pool" 1 sluice health nosuch --azure
check "azure: says so" grep -q "no pool 'nosuch'" "$work/out"
check_status "azure: not while watching" 2 sluice health --azure --watch
check "orderly stop" daemon_stop TERM
check_status "azure: nobody is there" 3 sluice health --azure
