#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The page in a browser, on a gateway that runs: see see_page.py.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/../netns/lib.sh"
# shellcheck source=tests/web/page.sh
. "$(dirname "$0")/page.sh"

small_gateway
on client curl -s -o /dev/null --limit-rate 1k "http://$vip/slow" >/dev/null 2>&1 </dev/null &
browse "$(dirname "$0")/see_page.py" "$build/web/node_modules/axe-core/axe.min.js"
