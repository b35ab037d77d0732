#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tunnels to backends whose ends of them are the kernel's own devices. The other ways to forward have tests of
# their own here.
set -eu
exec "$(dirname "$0")/../netns/test_balance.sh" "auto ipip" "native ipip"
