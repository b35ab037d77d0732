#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Random changes of a live gateway, drawn from SEED: after each, what bpftool reads in the maps is what a model of the
# configuration says, and connections through services that nobody touches carry on, with the backend they had.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

what=${WHAT:-changes} changes=${CHANGES:-300} seed=${SEED:-$RANDOM}

net_up 2
for b in 1 2; do
	for host in {3..13}; do on "b$b" ip addr add "10.2.$b.$host/24" dev eth0; done
	for host in {3..9}; do on "b$b" ip addr add "fd02:$b::$host/64" dev eth0 nodad; done
	on "b$b" ip addr add 192.0.2.2/32 dev lo
	on "b$b" ip addr add 2001:db8::2/128 dev lo nodad
done
mkdir "$work/state"
mount -t tmpfs -o size=32m tmpfs "$work/state"
on_exit() { # before the daemon has gone
	umount -l "$work/state"
}

# What it prints are comments of this test.
random_changes() {
	NS_ID=$ns_id STATE_DIR=$work/state CONFIG=$work/sluice.yaml LOG=$work/sluiced.log KILLER=$work/killer \
		python3 -B "$(dirname "${BASH_SOURCE[0]}")/property" "$what" "$changes" "$seed" "$build"
}

if random_changes; then
	pass "$changes $what, seed $seed: the maps are what the model says"
else
	tail -n 300 "$work/sluiced.log" >"$work/end.log" && mv "$work/end.log" "$work/sluiced.log"
	fail "the maps are what the model says: make property WHAT=$what CHANGES=$changes SEED=$seed"
fi
