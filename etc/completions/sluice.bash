# SPDX-License-Identifier: GPL-2.0-or-later
#
# Completion of sluice(8) for bash. What may stand at the cursor is what the program itself says.

_sluice() {
	local line=${COMP_LINE:0:COMP_POINT} words candidates=() candidate current behind

	# Not COMP_WORDS: bash splits words at ':' and '=', too.
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=('')
	current=${words[${#words[@]} - 1]}
	behind=${current##*[:=]}

	COMPREPLY=()
	mapfile -t candidates < <("$1" --complete "${words[@]:1}" 2>/dev/null)
	for candidate in "${candidates[@]}"; do
		if [[ $candidate == :files ]]; then
			compopt -o filenames
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$behind")
			continue
		fi
		candidate=${candidate%%$'\t'*}
		# More is to come behind "http://" and "--since=".
		[[ $candidate == *[/=] ]] && compopt -o nospace
		# What bash thinks was typed is what stands behind the last ':' or '='.
		COMPREPLY+=("${candidate#"${current%"$behind"}"}")
	done
}

complete -F _sluice sluice
