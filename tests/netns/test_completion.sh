#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Completion in real shells: what bash and zsh make of a key, with names from a running daemon.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
completions=$here/../../etc/completions

net_up 1
web_config "$both_interfaces" </dev/null
daemon_start

# in_bash LINE: what a tab at its end leaves to choose from.
in_bash() {
	# shellcheck disable=SC2016
	on gateway env PATH="$build:$PATH" bash --norc -c '. "$1/sluice.bash"
		COMP_LINE=$2 COMP_POINT=${#2}
		compopt() { :; } # there is no line to change
		_sluice sluice
		((${#COMPREPLY[@]} == 0)) || printf "%s " "${COMPREPLY[@]}"' - "$completions" "$1"
}

bash_offers() {
	[ "$(in_bash "$1")" = "${2:+$2 }" ]
}

# zsh_shows LINE WANTED: after a tab at its end.
zsh_shows() {
	on gateway env PATH="$build:$PATH" TERM=dumb zsh -f "$here/complete.zsh" "$completions" "$@"
}

check "bash: a command" bash_offers "sluice heal" "health"
check "bash: of two words" bash_offers "sluice pool s" "show"
check "bash: an option" bash_offers "sluice health --w" "--watch"
check "bash: a pool" bash_offers "sluice why " "web-pool"
check "bash: an address with colons" bash_offers "sluice why web-pool fd02:1:" ":2"
check "bash: a value behind =" bash_offers "sluice decide --proto=u" "udp"
check "bash: a scheme" bash_offers "sluice probe https:" "//"
check "bash: a file" bash_offers "sluice check $work/sluice.y" "$work/sluice.yaml"
check "bash: a file behind =" bash_offers "sluice probe --ca=$work/sluice.y" "$work/sluice.yaml"
check "zsh: a command" zsh_shows "sluice heal" "health"
check "zsh: a pool" zsh_shows "sluice why we" "web-pool"
check "zsh: an address with colons" zsh_shows "sluice why web-pool fd02:1" "fd02:1::2"
check "zsh: a file" zsh_shows "sluice check $work/sluice.y" "aml"
check "zsh: a file behind =" zsh_shows "sluice probe --ca=$work/sluice.y" "aml"
check "the daemon goes" daemon_stop TERM
check "without it: nothing" bash_offers "sluice why " ""
