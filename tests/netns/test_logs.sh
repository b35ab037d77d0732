#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The log: lines for people, objects for programs, levels, and nothing said again of a state that has not changed.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

net_up 1
backend_start b1
web_config "$both_interfaces"

# logging OPTION...: the daemon for a while in which a backend fails and returns; its log is in $work/log.
logging() {
	: >"$work/log"
	nsenter --net="/run/netns/$ns_id-gateway" "$build/sluiced" --foreground --config "$work/sluice.yaml" "$@" \
		>"$work/log" 2>&1 </dev/null &
	daemon_pid=$!
	eventually daemon_is_up || fail "sluiced starts"
	eventually all_healthy
	touch "$work/b1.sick"
	eventually failed 20 || fail "twenty probes say the same"
	rm "$work/b1.sick"
	eventually all_healthy
	daemon_stop TERM
	cp "$work/log" "$work/out"
}

# So often by now; the log may say so once.
failed() {
	health_of 10.2.1.2 ".probe.consecutive_failures >= $1" | grep -qx true && health_of fd02:1::2 ".probe.consecutive_failures >= $1" | grep -qx true
}

times() {
	[ "$(grep -Ec "$2" "$work/log")" = "$1" ] || {
		grep -E "$2" "$work/log"
		return 1
	}
}

logging
check "a line says when, who and what" grep -Eq '^20[0-9-]+T[0-9:.]+Z sluiced: warning: web-pool 10\.2\.1\.2:80: Healthy -> Unhealthy, ' "$work/log"
check "once, however many probes say the same" times 1 'web-pool 10\.2\.1\.2:80: Healthy -> Unhealthy'
check "and its end once" times 1 'web-pool 10\.2\.1\.2:80: Unhealthy -> Healthy'
check "nothing else is said of it" times 3 '10\.2\.1\.2:80: '

logging --log json
check "every line is an object" jq -e . "$work/log"
says() {
	jq -se "$1" "$work/log"
}
check "with time, level, program and message" says 'all(.[]; (.at | test("^20.*Z$")) and (.level | IN("error", "warning", "info")) and .program == "sluiced" and (.message | length > 0))'
check "and what an event is about, as fields" says '[.[] | select(.event == "health" and .endpoint == "10.2.1.2:80" and .after == "Unhealthy")] | length == 1 and
	(.[0] | .level == "warning" and .pool == "web-pool" and .before == "Healthy" and .reason == "http_status_mismatch" and .numbers.http_status == 503)'

logging --log-level warning
check "a level leaves out what is less grave" times 0 'ready|-> Healthy'
check "and nothing else" times 2 'warning: web-pool .* -> Unhealthy'
check_status "a form that does not exist" 2 "$build/sluiced" --log xml
check "is refused with what is allowed" grep -q "text or json" "$work/out"
