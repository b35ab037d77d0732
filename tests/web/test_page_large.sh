#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The page with ten thousand endpoints: see see_large.py.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/../netns/lib.sh"
# shellcheck source=tests/web/page.sh
. "$(dirname "$0")/page.sh"

large_gateway
browse "$(dirname "$0")/see_large.py" "$patience"
