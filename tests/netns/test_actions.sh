#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the settings say about an unhealthy endpoint: reject, drop, pass; keep or reset what is open;
# observe; min_servers.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

net_up 2
backend_start b1
backend_start b2

# begin SETTINGS_LINE...: a gate over b1 that is healthy first.
begin() {
	rm -f "$work"/*.sick
	daemon_start
	eventually health_is 10.2.1.2 Healthy || fail "backend is healthy first"
}

finish() {
	daemon_stop TERM || fail "orderly stop"
	sluice detach --all >/dev/null || fail "detach --all"
}

sicken() {
	touch "$work/b1.sick"
	eventually health_is 10.2.1.2 Unhealthy || fail "backend becomes unhealthy"
}

web_config "$both_interfaces" -- "on_unhealthy: drop"
begin
sicken
check_status "drop: the client hangs" 28 fetch http://10.2.1.2/
check "drop: counted" jq -e '.kernel.dropped >= 1 and .kernel.rejected == 0' <(health_of 10.2.1.2 .)
finish

web_config "$both_interfaces" -- "on_unhealthy: pass"
begin
sicken
check "pass: the client is served all the same" fetch http://10.2.1.2/
check "pass: counted" jq -e '.decisions.pass_policy >= 1' <(sluice status --json)
finish

web_config "mode: observe" "$both_interfaces"
begin
sicken
check "observe: the client is served" fetch http://10.2.1.2/
check "observe: what would have happened is counted" jq -e '.kernel.rejected >= 1' <(health_of 10.2.1.2 .)
finish

# download: a transfer that is still running when the gate closes.
download() {
	rm -f "$work/huge"
	on client curl -sS --max-time 20 --limit-rate 20M -o "$work/huge" http://10.2.1.2/huge &
	download_pid=$!
	eventually test -s "$work/huge" || fail "download starts"
}

web_config "$both_interfaces" -- "established: keep"
begin
download
sicken
check_status "keep: new flows are refused" 7 fetch http://10.2.1.2/
check "keep: the open flow ends well" wait "$download_pid"
finish

web_config "$both_interfaces" -- "established: reset"
begin
download
sicken
check_status "reset: the open flow is reset" 56 wait "$download_pid"
check "reset: counted" jq -e '.kernel.reset >= 1' <(health_of 10.2.1.2 .)
finish

web_backends=(10.2.1.2 10.2.2.2)
web_config 'interfaces: [ { name: gc } ]'
sed -i 's/unhealthy_threshold: 2/unhealthy_threshold: 2, min_servers: 1/' "$work/sluice.yaml"
begin
eventually health_is 10.2.2.2 Healthy || fail "second backend is healthy"
sicken
check_status "min_servers: one of two may close" 7 fetch http://10.2.1.2/
touch "$work/b2.sick"
check "min_servers: the second is unhealthy" eventually health_is 10.2.2.2 Unhealthy
check "min_servers: but the most recently healthy one is kept open" fetch http://10.2.2.2/
check "min_servers: and health says so" jq -e '.forced' <(health_of 10.2.2.2 .)
check_status "min_servers: the other stays closed" 7 fetch http://10.2.1.2/
rm "$work/b1.sick"
check "min_servers: the first recovers" eventually health_is 10.2.1.2 Healthy
check_status "min_servers: the second is closed then" 7 fetch http://10.2.2.2/
finish
