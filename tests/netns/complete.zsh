# SPDX-License-Identifier: GPL-2.0-or-later
#
# complete.zsh COMPLETIONS TYPED WANTED: type into a zsh with a terminal, press tab, and wait until WANTED shows.
zmodload zsh/zpty

keys() {
	zpty -n -w shell "$1"
}

await() {
	local got chunk
	integer deadline=$((SECONDS + 10))

	until [[ $got == *"$1"* ]]; do
		if ((SECONDS >= deadline)); then
			print -r -- "no '$1' in: $got"
			exit 1
		fi
		zpty -rt shell chunk && got+=$chunk || sleep 0.05
	done
}

zpty -b shell zsh -f -i
keys "PS1=; autoload -Uz compinit; compinit -u -D; . $1/_sluice; echo rea''dy"$'\n'
await ready
keys "$2"$'\t'
await "$3"
