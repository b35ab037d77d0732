# SPDX-License-Identifier: GPL-2.0-or-later
#
# Completion of sluice(8) for bash. Names of pools and endpoints come from the daemon, where it runs.

_sluice_pools() {
	sluice pool list 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_sluice_addresses() {
	sluice stats "$1" 2>/dev/null | awk 'NR == 1 { next } NF == 0 { exit } { print $3 }'
}

_sluice_backends() {
	sluice pool show "$1" 2>/dev/null | awk 'NR == 1 { next } NF == 0 { exit } { print $1 }'
}

# Complete from words, whatever characters they hold.
_sluice_reply() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_sluice() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local options='--json --socket --help --version'
	local word words=() i

	COMPREPLY=()
	local valued='--socket --host --sni --connect --ca --allow-listed --crl --status --body --send --timeout --limit --proto --flags --interface --since --pool --local --from --count --weight --if-version --name --certs'
	case $previous in
	--socket | --ca | --allow-listed | --crl)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	--certs)
		mapfile -t COMPREPLY < <(compgen -d -- "$current")
		return
		;;
	--proto)
		_sluice_reply 'tcp udp' "$current"
		return
		;;
	--flags)
		_sluice_reply 'syn ack' "$current"
		return
		;;
	--pool)
		_sluice_reply "$(_sluice_pools)" "$current"
		return
		;;
	--from)
		_sluice_reply "$(ip -o link 2>/dev/null | awk -F': ' '{ sub(/@.*/, "", $2); print $2 }')" "$current"
		return
		;;
	--since | --interface | --local | --count | --name | --host | --sni | --connect | --status | --body | --send | --timeout | --limit | --weight | --if-version)
		return
		;;
	esac

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ " $valued " == *" $word "* ]]; then
			i=$((i + 1))
		elif [[ $word != -* ]]; then
			words+=("$word")
		fi
	done

	if [[ $current == -* ]]; then
		case ${words[0]-} in
		health) options+=' --watch --azure' ;;
		probe)
			options+=' --host --sni --connect --ca --allow-listed --crl --status --body --send --timeout'
			options+=' --no-validate-chain --no-validate-sni --show-certs --proxy-protocol --proxy-protocol=v2'
			;;
		troubleshoot)
			options+=' --local --from --count --timeout --host --sni --ca --allow-listed --crl --status --body --send'
			options+=' --no-validate-chain --no-validate-sni'
			;;
		import) options+=' --name --certs' ;;
		detach) options+=' --all' ;;
		flows) options+=' --limit' ;;
		events) options+=' --since --follow --pool --limit' ;;
		decide) options+=' --proto --flags --interface' ;;
		backend | pool | reload)
			options+=' --dry-run --if-version'
			case "${words[0]} ${words[1]-}" in
			'backend drain') options+=' --timeout' ;;
			'backend add') options+=' --weight' ;;
			reload*) options+=' --discard-runtime' ;;
			esac
			;;
		esac
		_sluice_reply "$options" "$current"
		return
	fi

	case ${#words[@]}:${words[0]-}:${words[1]-} in
	0:*) _sluice_reply 'status health pool backend reload diff why stats flows events decide maps check import explain probe troubleshoot detach' "$current" ;;
	1:pool:) _sluice_reply 'list show add remove' "$current" ;;
	1:backend:) _sluice_reply 'add remove drain enable disable weight' "$current" ;;
	2:backend:* | 2:pool:show | 2:pool:remove | 1:health: | 1:why: | 1:stats: | 1:flows:) _sluice_reply "$(_sluice_pools)" "$current" ;;
	3:backend:*) _sluice_reply "$(_sluice_backends "${words[2]}")" "$current" ;;
	2:why:* | 2:flows:*) _sluice_reply "$(_sluice_addresses "${words[1]}")" "$current" ;;
	1:import:) _sluice_reply 'azure' "$current" ;;
	1:check: | 2:import:*) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
	1:troubleshoot:) _sluice_reply "http:// https:// tcp:// tls:// udp:// $(_sluice_pools)" "$current" ;;
	2:troubleshoot:*) _sluice_reply "$(_sluice_addresses "${words[1]}")" "$current" ;;
	1:probe:) _sluice_reply 'http:// https:// tcp:// tls:// grpc:// grpcs:// udp://' "$current" ;;
	1:explain:)
		_sluice_reply "$(sluice explain 2>/dev/null | awk 'NR > 1 { print $2 }')" "$current"
		;;
	esac
}

complete -o default -F _sluice sluice
