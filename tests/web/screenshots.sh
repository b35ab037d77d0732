#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# screenshots.sh DIRECTORY: the pictures of the page that the documents show, of a gateway with some trouble.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/../netns/lib.sh"
# shellcheck source=tests/web/page.sh
. "$(dirname "$0")/page.sh"

directory=$(realpath "$1")
hostile='self-signed.test' # this time nothing but a name
small_gateway
on client curl -s -o /dev/null --limit-rate 1k "http://$vip/slow" >/dev/null 2>&1 </dev/null &
touch "$work/b2.sick"
sleep 4
rm "$work/b2.sick"
eventually health_is 10.2.2.2 Healthy
sluice backend drain web-pool 10.2.2.2 --timeout 5m >"$work/out"
on client curl -s -o /dev/null "http://$vip/?[1-40]"
check "the pictures are taken" browse "$(dirname "$0")/take_pictures.py" "$directory"
