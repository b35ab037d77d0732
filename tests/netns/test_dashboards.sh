#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What etc/ has for Prometheus and Grafana, with a real Prometheus that scrapes a gateway: every query of the dashboard
# returns series, alerts fire for what was broken and for nothing else, and each rule fires when it should.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
dashboard=$top/etc/grafana/sluice.json
vip=192.0.2.10
prometheus=127.0.0.1:9090

# --- what needs no gateway ------------------------------------------------------------------------

cp "$top/etc/prometheus/sluice.rules.yml" "$top/tests/prometheus/rules_test.yml" "$work"
check "the rules are rules" promtool check rules "$work/sluice.rules.yml"
check "each fires when it should, and not before" promtool test rules "$work/rules_test.yml"
check "every alert has a test" bash -c "diff <(grep -oP 'alert: \K\w+' $work/sluice.rules.yml | sort) <(grep -oP '\bSluice\w+\b(?!\.)' $work/rules_test.yml | sort -u)"
check "panels of the dashboard have a number of their own" jq -e '[.panels[].id] | length == (unique | length)' "$dashboard"
check "and a place of their own" jq -e '[.panels[].gridPos | [range(.x; .x + .w)] as $x | range(.y; .y + .h) as $y | $x[] | [., $y]] | length == (unique | length)' "$dashboard"
check "all ask the data source that was chosen" jq -e '[.panels[] | select(.targets) | .targets[].datasource.uid] | unique == ["${datasource}"]' "$dashboard"

# --- a gateway ------------------------------------------------------------------------------------

net_up 2
for b in b1 b2; do backend_start $b; done
net_prepare_native b1 b2
mkdir "$work/certs"
"$build/tests/netns/certs" "$work/certs"
bg b1 openssl s_server -quiet -www -accept 8443 -cert "$work/certs/expired.crt" -key "$work/certs/expired.key"
touch "$work/b2.sick"
config "interfaces: [ { name: gc, xdp: native }, { name: gb1, xdp: native }, { name: gb2, xdp: native } ]" <<-EOF
	probes:
	  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s, unhealthy_threshold: 1 }
	  - { name: secure, protocol: https, interval: 500ms, timeout: 1s }
	settings:
	  - { name: web, protocol: http, port: 80, probe: quick }
	  - { name: tls, protocol: https, port: 8443, probe: secure, host_name: a.probe.test }
	pools:
	  - { name: web-pool, backends: [ { address: 10.2.1.2 }, { address: 10.2.2.2 } ] }
	  - { name: direct, backends: [ { address: "fd02:1::2" } ] }
	  - { name: tls-pool, backends: [ { address: 10.2.1.2 } ] }
	services:
	  - { name: shop, listen: "$vip:80", pool: web-pool, settings: web }
	  - { name: direct, pool: direct, settings: web }
	  - { name: tls, pool: tls-pool, settings: tls }
EOF
daemon_start

cat >"$work/prometheus.yml" <<-EOF
	global: { scrape_interval: 1s, evaluation_interval: 1s }
	rule_files: [ $work/sluice.rules.yml ]
	scrape_configs: [ { job_name: sluice, static_configs: [ { targets: [ "127.0.0.1:9477" ] } ] } ]
EOF
chmod a+rX "$work"
bg gateway prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" --web.listen-address=$prometheus
for url in "http://$vip" "http://[fd02:1::2]" http://10.2.2.2; do
	bg client curl -s --rate 5/s --max-time 2 -H 'Connection: close' -o /dev/null "$url/?[1-100000]"
	clients+=($!)
done

# query EXPR: how many series it has.
query() {
	on gateway curl -sS --data-urlencode "query=$1" "http://$prometheus/api/v1/query" >"$work/answer" &&
		jq -e '.status == "success"' "$work/answer" >/dev/null && jq '.data.result | length' "$work/answer"
}

has_series() {
	local n

	n=$(query "$1") && ((n > 0))
}

concrete() {
	# shellcheck disable=SC2016
	sed 's/\$job\|\$instance\|\$pool/.*/g; s/\$__rate_interval/10s/g'
}

eventually has_series 'up == 1' || fail "it is scraped"
while IFS=$'\t' read -r title expr; do
	check "$title: ${expr:0:90}" eventually has_series "$(concrete <<<"$expr")"
done < <(jq -r '.panels[] | select(.targets) | .title as $t | .targets[] | [$t, .expr] | @tsv' "$dashboard")
while IFS= read -r expr; do
	check "a choice: $expr" has_series "$(sed 's/label_values(\(.*\), .*)/\1/' <<<"$expr" | concrete)"
done < <(jq -r '.templating.list[] | select(.type == "query") | .query.query' "$dashboard")
check "reloads are marked" query "$(jq -r '.annotations.list[0].expr' "$dashboard" | concrete)"
kill "${clients[@]}"

# --- alerts ---------------------------------------------------------------------------------------

alerts() {
	query "ALERTS${1:-}" >/dev/null && jq -r '.data.result[].metric | "\(.alertname) \(.endpoint // .service // "")"' "$work/answer" | sort | xargs -d '\n'
}

only_expected() {
	alerts
	[ "$(alerts)" = "SluiceCertificateExpired 10.2.1.2:8443 SluiceEndpointUnhealthy 10.2.1.2:8443 SluiceEndpointUnhealthy 10.2.2.2:80 SluiceServiceDown tls" ]
}

eventually only_expected
check "alerts for what is broken, and no others" only_expected
check "the verdict is named" has_series 'ALERTS{alertname="SluiceEndpointUnhealthy", id="http_status_mismatch"}'
rm "$work/b2.sick"
check "and they end" eventually bash -c "$(declare -f on query alerts); ns_id=$ns_id work=$work prometheus=$prometheus; ! alerts | grep -q 10.2.2.2"
kill -STOP "$daemon_pid"
hangs() {
	alerts '{alertname=~"SluiceHeartbeatOld|SluiceUnreachable"}' | grep -q .
}
patience_s=40
check "a daemon that hangs is noticed" eventually hangs
kill -CONT "$daemon_pid"
check_status "it stops" 0 daemon_stop TERM
