#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Bad input and faults: one clear sentence, a non-zero exit, and nothing left half attached.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

net_up 1
backend_start b1

# run: the daemon, which is expected to refuse; its words in $work/out.
run() {
	on gateway timeout 10 "$build/sluiced" --foreground --config "$work/sluice.yaml"
}

# refused WHAT WORDS: the daemon exits 1, says WORDS, and nothing is attached or pinned.
refused() {
	check_status "$1: refused" 1 run
	check "$1: says why" grep -qE "$2" "$work/out"
	# Whatever else is said: a host may lack the groups.
	check "$1: in one line" test "$(grep -cv "the groups 'sluice'" "$work/out")" = 1
	check "$1: nothing is attached" nothing_attached
}

nothing_attached() {
	! on gateway ip link show | grep -q xdp && [ -z "$(ls -A "$SLUICE_BPFFS" 2>/dev/null)" ]
}

web_config 'interfaces: [ { name: gc }, { name: nosuch0 } ]'
refused "missing interface" "interface 'nosuch0'"

on gateway ip tuntap add dev tun7 mode tun || fail "tun device is made"
web_config 'interfaces: [ { name: gc }, { name: tun7 } ]'
refused "interface without Ethernet" "interface 'tun7'.*Ethernet"
on gateway ip link del tun7

web_config "$both_interfaces" -- "colour: blue"
refused "unknown key" 'sluice.yaml:[0-9]+:[0-9]+: .*colour'

web_config "max_endpoints: 1" "$both_interfaces"
refused "more endpoints than max_endpoints" "max_endpoints"

web_config "$both_interfaces"
check_status "unprivileged: refused" 1 on gateway setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
	"$build/sluiced" --foreground --config "$work/sluice.yaml"
check "unprivileged: says why" grep -qiE 'privilege|permission|root' "$work/out"

socat UNIX-LISTEN:"$SLUICE_SOCKET",fork EXEC:cat &
squatter=$!
eventually test -S "$SLUICE_SOCKET"
refused "socket that somebody answers on" "$SLUICE_SOCKET"
kill "$squatter"
wait "$squatter" 2>/dev/null
rm -f "$SLUICE_SOCKET"
echo precious >"$SLUICE_SOCKET"
refused "socket path that is a file" "$SLUICE_SOCKET"
check "the file is untouched" grep -q precious "$SLUICE_SOCKET"
rm "$SLUICE_SOCKET"

cat >"$work/other.c" <<-'EOF'
	__attribute__((section("xdp"), used)) int someone_elses(void *ctx) { return 2; }
	char terms[] __attribute__((section("license"), used)) = "GPL";
EOF
clang -O2 -target bpf -c "$work/other.c" -o "$work/other.o" || fail "other program compiles"
bpftool prog load "$work/other.o" "$work/bpf/other" type xdp || fail "other program is loaded"
on gateway bpftool net attach xdpgeneric pinned "$work/bpf/other" dev gb1 || fail "other program is attached"
foreign=$(bpftool -j prog show pinned "$work/bpf/other" | jq .id)
for xdp in auto native generic; do
	web_config "interfaces: [ { name: gc }, { name: gb1, xdp: $xdp } ]"
	check_status "foreign XDP program, $xdp: refused" 1 run
	check "foreign XDP program, $xdp: named" grep -q "bpftool prog show id $foreign" "$work/out"
	check "foreign XDP program, $xdp: left alone" test -n "$(on gateway ip link show gb1 | grep -o 'prog/xdp')"
	check "foreign XDP program, $xdp: nothing is pinned" test -z "$(ls -A "$SLUICE_BPFFS" 2>/dev/null)"
done
web_config "interfaces: [ { name: gc }, { name: gb1, xdp: off } ]"
daemon_start
check "foreign XDP program, off: tcx works beside it" eventually health_is 10.2.1.2 Healthy
check "foreign XDP program, off: a client is served through both" fetch http://10.2.1.2/
daemon_stop TERM
sluice detach --all >/dev/null
on gateway bpftool net detach xdpgeneric dev gb1

web_config "$both_interfaces"
daemon_start
eventually health_is 10.2.1.2 Healthy || fail "backend is healthy"
check_status "second daemon: refused" 1 run
check "second daemon: says why" grep -qE 'already|answers|another daemon' "$work/out"
sed -i "s,^  api_socket:.*,  api_socket: $work/other.sock," "$work/sluice.yaml"
check_status "second daemon with metrics at the same address: refused" 1 run
check "second daemon with metrics at the same address: says why" grep -q "gateway.listen: cannot listen at 127.0.0.1:9477: another process" "$work/out"
check "second daemon with metrics at the same address: leaves no socket" test ! -e "$work/other.sock"
sed -i "s,^  api_socket:.*,&\n  listen: none," "$work/sluice.yaml"
check_status "second daemon on another socket: refused" 1 run
check "second daemon on another socket: says why" grep -qE 'already|answers|another daemon' "$work/out"
check "the first one goes on" sluice status
check "and so does its gate" fetch http://10.2.1.2/
check_status "usage: exit 2" 2 "$build/sluiced" --no-such-option

# A device takes its gate with it; the one that comes under its name later is guarded again (more in test_attach.sh).
removed() {
	sluice status --json | jq -e --arg name "$1" '.interfaces[] | select(.name == $name).present | not'
}

refute "interface in place: status says so" removed gc
on gateway ip link del gc
check "interface removed: status says so" eventually removed gc
check "interface removed: and the log, by name" eventually grep -q "interface 'gc' is not guarded: there is no such interface" "$work/sluiced.log"
refute "interface removed: of that one only" removed gb1
add_link client gc 10.1.0 fd01
check "interface removed: the new one is guarded" eventually grep -q "interface 'gc' is guarded again" "$work/sluiced.log"
backend_stop b1
check "interface removed: by refusing what goes through it" eventually refused_at_once http://10.2.1.2/
daemon_stop TERM
