#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The truth table of the certificate diagnosis: every list of certificates is served by a real nginx
# and judged twice through the public interface, by `sluice probe` and by one running daemon.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"

server=10.2.1.2
first_port=2000
certs=$work/certs
plan=$work/rows.tsv
probes=$work/probes

# --- the table ----------------------------------------------------------------------------------

# SENT      certificates in the order of the chain file: tests/netns/certs.c; the first one's key is used
# TRUST     uploaded roots; system: the well-known store; =NAME: exactly this certificate
# HOW       host=, sni=: other names than a.probe.test; no-chain, no-name: the switches; crl=: lists;
#           staple=: an answer of staples(); tls1.2: all that the server speaks; default: no host is configured, for the daemon only
# ID        of the message, without cert_
# ALSO      other messages' ids, likewise
# WARNINGS
# OPENSSL   error@depth behind the verdict
# SAYS      what message and remedies must contain, a regular expression
table() {
	cat <<-'ROWS'
		leaf,int,root           root       -  ok  -  root_sent_unneeded  -
		leaf,int                root       -  ok  -  -  -
		leaf,int                root       tls1.2  ok  -  -  -
		rsa_leaf,rsa_int        rsa_root   -  ok  -  -  -
		rsa_leaf,rsa_int        rsa_root   tls1.2  ok  -  -  -
		leaf_root,root          root       -  ok  -  root_sent_unneeded  -
		leaf_root               root       -  ok  -  -  -
		leaf3,int2,int          root       -  ok  -  -  -
		leaf4,int3,int2,int     root       -  ok  -  -  -
		leaf4,int3,int2,int,root root      -  ok  -  root_sent_unneeded  -
		leaf,int                other,root -  ok  -  -  -

		leaf,root,int           root       -  ok  -  chain_order,root_sent_unneeded  -
		leaf,leaf,int           root       -  ok  -  chain_order  -
		leaf,junk,int           root       -  ok  -  chain_order  -
		leaf,int,junk           root       -  ok  -  chain_order  -

		leaf                    root       -  intermediate_missing  -  -  20@0  'CN=Int' .*http://ca.test/int.crt
		leaf                    root       tls1.2  intermediate_missing  -  -  20@0
		leaf,root               root       -  intermediate_missing  -  -  20@0
		leaf                    other      -  intermediate_missing  -  -  20@0
		leaf,root               other      -  intermediate_missing  -  -  20@0
		rsa_leaf                rsa_root   tls1.2  intermediate_missing  -  -  20@0
		leaf                    leaf       -  intermediate_missing  -  -  20@0  uploaded certificate is the server's own
		self                    other      -  intermediate_missing  -  -  18@0  signed itself
		self_bare               other      -  intermediate_missing  -  -  18@0
		self                    system     -  intermediate_missing  -  -  18@0
		self_bare               system     -  intermediate_missing  -  -  18@0
		self                    self       -  intermediate_missing  -  -  -
		self_bare               self_bare  -  intermediate_missing  -  -  -

		int,leaf,root           root       -  leaf_not_topmost  -  root_sent_unneeded  -  1\. 'CN=Int' \(CA\), 2\. 'CN=Leaf' \(leaf\)
		root,int,leaf           root       -  leaf_not_topmost  -  root_sent_unneeded  -
		int_ds,leaf,root        root       -  leaf_not_topmost  -  root_sent_unneeded  -
		int_ds,leaf,root        root       tls1.2  leaf_not_topmost  -  root_sent_unneeded  -
		self_ca_ds,leaf_root    self_ca_ds,root  -  leaf_not_topmost  -  -  -
		self_ca_ds,leaf         self_ca_ds -  leaf_not_topmost  intermediate_missing  -  -
		int,root                root       -  leaf_missing  -  -  -
		int                     root       -  leaf_missing  -  -  -
		int_ds,root             root       -  leaf_missing  -  -  -
		root                    root       -  leaf_missing  -  -  -

		leaf,int,root           other      -  root_mismatch_root_present  -  -  19@2  'CN=Root' \(SHA-256 .*'CN=Other' \(SHA-256
		leaf,int,root           other      tls1.2  root_mismatch_root_present  -  -  19@2
		leaf_root,root          other      -  root_mismatch_root_present  -  -  19@1
		leaf,int,root           samename   -  root_mismatch_root_present  -  -  19@2  right name but another key
		leaf4,int3,int2,int,root other     -  root_mismatch_root_present  -  -  19@4
		leaf,int                other      -  root_mismatch_root_absent  -  -  20@1  'CN=Root' of 'CN=Int'
		leaf,int                samename   -  root_mismatch_root_absent  -  -  20@1  right name but another key
		leaf4,int3,int2         root       -  root_mismatch_root_absent  -  -  20@2  'CN=Int' of 'CN=Int 2'
		leaf,int                int        -  root_mismatch_root_absent  -  -  2@1   an intermediate was uploaded
		leaf,int                renewed    -  ok  -  -  -
		leaf,int,root           renewed    -  ok  -  -  -

		leaf,int,root           system     -  server_not_well_known_ca  -  -  19@2  'CN=Root'
		leaf,int                system     -  intermediate_not_well_known_ca  -  -  20@1  'CN=Root' of 'CN=Int'
		leaf                    system     -  intermediate_missing  -  -  20@0
		rsa_leaf,rsa_int        system     -  ok  -  -  -
		self_ca_ds              system     -  server_not_well_known_ca  -  -  18@0

		self_ca                 self_ca    -  verify_failed  -  -  26@0  add digitalSignature
		self_ca_ds              self_ca_ds -  ok  -  -  -
		self_ca_ds              other      -  root_mismatch_root_present  -  -  18@0
		self_ca                 other      -  root_mismatch_root_present  verify_failed  -  18@0
		self_ca_ds              self_ca_ds host=b.test  leaf_missing  -  -  -

		expired,int             root       -  date_invalid  -  -  10@0  leaf certificate 'CN=Leaf' .*expired
		expired,int             root       tls1.2  date_invalid  -  -  10@0
		future,int              root       -  date_invalid  -  -  9@0   not valid yet
		of_int_old,int_old      root       -  date_invalid  -  -  10@1  intermediate certificate 'CN=Int old'
		of_root_old,int_of_old  root_old   -  date_invalid  -  -  10@2  root certificate 'CN=Root old'
		of_root_old,int_of_old,root_old root_old -  date_invalid  -  root_sent_unneeded  10@2
		soon,int                root       -  ok  -  cert_expires_soon  -
		expired,int,root        other      -  root_mismatch_root_present  date_invalid  -  19@2
		expired,int             root       host=b.test  name_mismatch  date_invalid  -  62@0
		expired                 root       host=b.test  intermediate_missing  name_mismatch,date_invalid  -  20@0
		int,expired,root        root       -  leaf_not_topmost  date_invalid  root_sent_unneeded  -

		client,int              root       -  verify_failed  -  -  26@0
		of_short,below_short,short root    -  verify_failed  -  -  25@2
		of_limited,limited      root       -  verify_failed  -  -  47@0
		weak,int                root       -  verify_failed  -  -  66@0
		sha1,int                root       -  verify_failed  -  -  68@0
		leaf,int_sha1           root       -  verify_failed  -  -  68@1
		staple,int              root       -  ok  -  ocsp_staple_missing  -

		leaf                    =leaf      -  ok  -  -  -
		leaf,int,root           =leaf      -  ok  -  -  -
		leaf                    =self,=leaf -  ok  -  -  -
		leaf                    =self      -  not_allow_listed  -  -  -  a.probe.test was sent as SNI
		leaf                    =self      host=10.2.1.2  not_allow_listed  name_mismatch  -  -  no SNI was sent
		expired                 =self      host=b.test  not_allow_listed  name_mismatch,date_invalid  -  -
		expired                 =expired   -  date_invalid  -  -  10@0
		leaf                    =leaf      host=b.test  name_mismatch  -  -  62@0
		leaf                    =self      no-chain,no-name  ok  -  -  -

		leaf,int                root       host=b.test  name_mismatch  -  -  62@0  wanted is b.test, the certificate is for DNS:a.probe.test
		leaf,int                root       host=A.Probe.TEST.  ok  -  -  -
		leaf,int                root       host=b.test,sni=a.probe.test  ok  -  -  -
		leaf,int                root       sni=b.test  name_mismatch  -  -  62@0
		ip,int                  root       host=10.2.1.2  ok  -  -  -
		ip,int                  root       host=10.2.1.3  name_mismatch  -  -  64@0
		ip_in_dns,int           root       host=10.2.1.2  name_mismatch  -  -  64@0
		ip_in_cn,int            root       host=10.2.1.2  name_mismatch  -  -  64@0
		cn,int                  root       -  ok  -  -  -
		cn_and_dns,int          root       -  name_mismatch  -  -  62@0
		cn_and_ip,int           root       -  name_mismatch  -  -  62@0
		cn_and_mail,int         root       -  name_mismatch  -  -  62@0
		wild,int                root       -  ok  -  -  -
		wild,int                root       host=a.b.probe.test  name_mismatch  -  -  62@0
		wild,int                root       host=probe.test  name_mismatch  -  -  62@0
		partly_wild,int         root       host=ab.probe.test  name_mismatch  -  -  62@0
		leaf,int                root       default  name_mismatch  -  -  64@0  127\.0\.0\.1.*no host name is configured
		loopback,int            root       default  ok  -  -  -

		expired,int             root       no-chain  ok  -  -  -
		expired                 other      no-chain,host=b.test  name_mismatch  -  -  62@0
		leaf,int                root       no-name,host=b.test  ok  -  -  -
		expired,int             root       no-name,host=b.test  date_invalid  -  -  10@0
		int,root                other      no-chain,no-name  ok  -  -  -

		leaf,int                root       crl=fresh    ok  -  -  -
		leaf,int                root       crl=revoked  verify_failed  -  -  23@0  revoked
		leaf,int                root       crl=foreign  unknown_crl_unreachable  -  -  3@0
		leaf,int                root       crl=stale    unknown_crl_unreachable  -  -  12@0  CRL has expired
		leaf,int                root       crl=early    unknown_crl_unreachable  -  -  11@0
		leaf,int                root       crl=nosuch   unknown_crl_unreachable  -  -  3@0  nosuch\.crl
		expired,int             root       crl=fresh    date_invalid  -  -  10@0

		leaf,int                root       staple=good       ok  -  -  -
		leaf,int                root       staple=good,tls1.2  ok  -  -  -
		leaf,int                root       staple=delegated  ok  -  -  -
		staple,int              root       staple=must       ok  -  -  -
		leaf,int                root       staple=revoked    verify_failed  -  -  23@0  revoked, says the stapled OCSP response
		leaf,int                root       staple=revoked,tls1.2  verify_failed  -  -  23@0
		leaf,int                root       staple=revoked,no-chain  ok  -  -  -
		leaf,int                root       staple=expired    ok  -  ocsp_staple_bad  -
		leaf,int                root       staple=unknown    ok  -  ocsp_staple_bad  -
		leaf,int                root       staple=foreign    ok  -  ocsp_staple_bad  -
		leaf,int                root       staple=colleague  ok  -  ocsp_staple_bad  -
		leaf,int                root       staple=must       ok  -  ocsp_staple_bad  -
		staple,int              root       staple=good       ok  -  ocsp_staple_bad  -
		leaf                    root       staple=good       intermediate_missing  -  -  20@0
	ROWS
}

# The columns with their numbers, and "-" and short ids resolved: PORT and the rest, by tabs.
resolve() {
	table | awk -v OFS='\t' -v port="$first_port" '
		function ids(list, n, part, i, out) {
			n = split(list, part, ",")
			for (i = 1; i <= n; i++)
				out = out (i > 1 ? "," : "") (part[i] ~ /^(ok|unknown_.*)$/ ? part[i] : "cert_" part[i])
			return out
		}
		NF {
			says = $0
			for (i = 1; i <= 7; i++) sub(/^[ \t]*[^ \t]+/, "", says)
			sub(/^[ \t]+/, "", says)
			print ++port, $1, $2, $3, ids($4), $5 == "-" ? "-" : ids($5), $6, $7, says
		}'
}

# --- stapled answers ----------------------------------------------------------------------------

# staple NAME CERT STATUS SIGNER: what OpenSSL's responder has to say of CERT today, in NAME.ocsp.
staple() {
	local index=$work/$1.index serial

	serial=$(openssl x509 -in "$certs/$2.crt" -noout -serial)
	case $3 in
	good) printf 'V\t491231235959Z\t\t%s\tunknown\t/CN=x\n' "${serial#*=}" ;;
	revoked) printf 'R\t491231235959Z\t260101000000Z\t%s\tunknown\t/CN=x\n' "${serial#*=}" ;;
	esac >"$index"
	openssl ocsp -index "$index" -CA "$certs/int.crt" -issuer "$certs/int.crt" -cert "$certs/$2.crt" -ndays 1 \
		-rsigner "$certs/$4.crt" -rkey "$certs/$4.key" -respout "$certs/$1.ocsp" >/dev/null 2>&1 ||
		fail "the responder answers about $1"
}

staples() {
	staple good leaf good int
	staple must staple good int
	staple delegated leaf good responder
	staple revoked leaf revoked int
	staple unknown leaf unknown int
	staple foreign leaf good other
	staple colleague leaf good client
}

# --- servers ------------------------------------------------------------------------------------

# server_of PORT SENT HOW: the block of nginx's configuration.
server_of() {
	local protocols="TLSv1.2 TLSv1.3" staple='' name

	[[ $3 != *tls1.2* ]] || protocols=TLSv1.2
	[[ ! $3 =~ staple=([a-z]+) ]] || staple="ssl_stapling on; ssl_stapling_file $certs/${BASH_REMATCH[1]}.ocsp;"
	for name in ${2//,/ }; do cat "$certs/$name.crt"; done >"$certs/$1.pem"
	cat <<-EOF
		server {
			listen $server:$1 ssl;
			ssl_certificate $certs/$1.pem;
			ssl_certificate_key $certs/${2%%,*}.key;
			ssl_protocols $protocols;
			$staple
			return 200 fine;
		}
	EOF
}

# Servers with which no handshake is completed.
other_servers() {
	cat <<-EOF
		server {
			listen $server:3001 ssl;
			ssl_certificate $certs/leaf.crt;
			ssl_certificate_key $certs/leaf.key;
			ssl_protocols TLSv1.1;
		}
		server { listen $server:3002; }
		server { listen $server:3003 ssl; ssl_reject_handshake on; }
	EOF
}

nginx_start() {
	local dir=$work/nginx port sent how

	mkdir -p "$dir"
	{
		cat <<-EOF
			daemon off;
			worker_processes 1;
			pid $dir/nginx.pid;
			error_log $dir/error.log;
			events { worker_connections 1024; }
			http {
				access_log off;
				client_body_temp_path $dir/tmp1; proxy_temp_path $dir/tmp2;
				fastcgi_temp_path $dir/tmp3; uwsgi_temp_path $dir/tmp4; scgi_temp_path $dir/tmp5;
				# What is weak is for the prober to find.
				ssl_ciphers DEFAULT@SECLEVEL=0;
		EOF
		while IFS=$'\t' read -r port sent _ how _; do server_of "$port" "$sent" "$how"; done <"$plan"
		other_servers
		echo "}"
	} >"$dir/nginx.conf"
	bg b1 nginx -c "$dir/nginx.conf" -p "$dir"
	eventually test -s "$dir/nginx.pid" || fail "nginx starts: $(cat "$dir/error.log")"
}

# --- judges -------------------------------------------------------------------------------------

# Of an endpoint or a probe's document: what the table says, and the words.
facts='[.id, (.also | join(",")), (.warnings | join(",")),
	(.openssl | if . then "\(.code)@\(.depth)" else "" end), .health, .tls.version // "",
	(.message, .remedies[] | gsub("[\t\n]"; " "))] | map(if . == "" then "-" else . end) |
	[.[0:6][], (.[6:] | join(" "))] | @tsv'

# probe_row PORT TRUST HOW: by the command; $probes/PORT, and how it exits in $work/PORT.status.
probe_row() {
	local port=$1 item args=() host=a.probe.test status=0

	for item in ${2//,/ }; do
		case $item in
		system) ;;
		=*) args+=(--allow-listed "$certs/${item#=}.crt") ;;
		*) args+=(--ca "$certs/$item.crt") ;;
		esac
	done
	for item in ${3//,/ }; do
		case $item in
		host=*) host=${item#*=} ;;
		sni=*) args+=(--sni "${item#*=}") ;;
		crl=*) args+=(--crl "$certs/${item#*=}.crl") ;;
		no-chain) args+=(--no-validate-chain) ;;
		no-name) args+=(--no-validate-sni) ;;
		esac
	done
	sluice probe --json "https://$server:$port/" --host "$host" "${args[@]}" >"$probes/$port" 2>&1 || status=$?
	echo "$status" >"$work/$port.status"
}

probe_all() {
	local port trust how jobs=()

	# A few at a time.
	while IFS=$'\t' read -r port _ trust how _; do
		probe_row "$port" "$trust" "$how" </dev/null &
		jobs+=($!)
		((${#jobs[@]} % 4)) || wait "${jobs[@]}"
	done <"$plan"
	wait "${jobs[@]}"
}

# settings_row PORT TRUST HOW: the same for the daemon.
settings_row() {
	local item host=a.probe.test lines=() roots='' listed=''

	for item in ${2//,/ }; do
		case $item in
		system) ;;
		=*) listed+="$certs/${item#=}.crt, " ;;
		*) roots+="$certs/$item.crt, " ;;
		esac
	done
	for item in ${3//,/ }; do
		case $item in
		host=*) host=${item#*=} ;;
		default) host= ;;
		sni=*) lines+=("sni_name: ${item#*=}") ;;
		crl=*) lines+=("crl: [ $certs/${item#*=}.crl ]") ;;
		no-chain) lines+=("validate_chain_and_expiry: false") ;;
		no-name) lines+=("validate_sni: false") ;;
		esac
	done
	[ -z "$host" ] || lines+=("host_name: $host")
	[ -z "$roots" ] || lines+=("trusted_roots: [ ${roots%, } ]")
	[ -z "$listed" ] || lines+=("allow_listed: [ ${listed%, } ]")
	echo "  - name: at-$1"
	printf '    %s\n' "protocol: https" "port: $1" "probe: often" "${lines[@]}"
}

all_settings() {
	local port trust how

	echo "probes: [ { name: often, protocol: https, interval: 1s, timeout: 5s, unhealthy_threshold: 1 } ]"
	echo "settings:"
	while IFS=$'\t' read -r port _ trust how _; do settings_row "$port" "$trust" "$how"; done <"$plan"
	echo "pools: [ { name: all, backends: [ { address: $server } ] } ]"
	echo "services:"
	while IFS=$'\t' read -r port _; do echo "  - { name: at-$port, pool: all, settings: at-$port }"; done <"$plan"
}

everything_is_judged() {
	sluice health --json >"$work/health.json"
	jq -e 'all(.pools[].services[].endpoints[]; .id != "probe_pending")' "$work/health.json"
}

# daemon_all: what the daemon says, in the same form, without an exit status.
daemon_all() {
	jq -r ".pools[].services[] | .name as \$name | .endpoints[] | \$name + \"\t\" + ($facts)" "$work/health.json"
}

# judge WHAT WANTED SAYS GOT: WANTED and GOT end with what was said; SAYS is all that is wanted of it.
judge() {
	local what=$1 wanted=$2 says=$3 got=$4

	if [ "${got%$'\t'*}" != "$wanted" ]; then
		printf '%s\n' "wanted $wanted" "got    $got" >"$work/check.out"
		fail "$what"
	elif [[ -n $says && ! ${got##*$'\t'} =~ $says ]]; then
		printf '%s\n' "wanted $says" "got    ${got##*$'\t'}" >"$work/check.out"
		fail "$what: the words"
	fi
	pass "$what"
}

judge_all() {
	local port sent trust how id also warnings openssl says version status health wanted
	declare -A daemon_says probe_says

	while IFS=$'\t' read -r port wanted; do daemon_says[${port#at-}]=$wanted; done < <(daemon_all)
	while IFS=$'\t' read -r port wanted; do probe_says[${port##*/}]=$wanted; done < \
		<(jq -r "input_filename + \"\t\" + ($facts)" "$probes"/*)
	while IFS=$'\t' read -r port sent trust how id also warnings openssl says; do
		version="TLS 1.3" status=1
		[[ $how != *tls1.2* ]] || version="TLS 1.2"
		case $id in
		ok) health=Healthy status=0 ;;
		unknown_*) health=Unknown ;;
		*) health=Unhealthy ;;
		esac
		wanted=$id$'\t'$also$'\t'$warnings$'\t'$openssl$'\t'$health$'\t'$version
		[[ $how == *default* ]] ||
			judge "probe: $sent, trust $trust, $how: $id" "$status"$'\t'"$wanted" "$says" \
				"$(<"$work/$port.status")"$'\t'"${probe_says[$port]-nothing}"
		judge "daemon: $sent, trust $trust, $how: $id" "$wanted" "$says" "${daemon_says[$port]-nothing}"
	done <"$plan"
}

# --- failed handshakes --------------------------------------------------------------------------

# A real server that insists on a client certificate: nginx completes the handshake and answers 400.
s_server_start() {
	bg b1 openssl s_server -accept "$server:3004" -cert "$certs/leaf.crt" -cert_chain "$certs/int.crt" -key "$certs/leaf.key" \
		-Verify 1 -tls1_3 -quiet
	eventually on b1 sh -c "ss -Hltn 'sport = 3004' | grep -q ." || fail "s_server starts"
}

# handshake PORT SCHEME ALERT WORDS: it fails, and passes for nothing else.
handshake() {
	check_status "handshake, $4: exits with 1" 1 sluice probe --json "$2://$server:$1" --host a.probe.test --ca "$certs/root.crt"
	check "handshake, $4: says so" jq -e --arg alert "$3" --arg words "$4" '.id == "tls_handshake_failed" and
		.health == "Unhealthy" and .also == [] and (.tls.alert // "none" | tostring) == $alert and
		(.message | contains($words))' "$work/out"
}

# --- the story ----------------------------------------------------------------------------------

net_up 1
mkdir -p "$certs" "$probes"
"$build/tests/netns/certs" "$certs" || fail "the certificates are made"
staples
chmod -R a+rX "$work"
# The well-known store of this test, whatever the machine trusts.
export SSL_CERT_FILE=$certs/rsa_root.crt SSL_CERT_DIR=$work/nowhere
resolve >"$plan"
nginx_start

s_server_start
handshake 3001 https 70 protocol_version
handshake 3002 https none "does not speak TLS"
handshake 3002 tls none "does not speak TLS"
handshake 3003 https 112 unrecognized_name
handshake 3004 https 116 "client certificate"
handshake 3004 tls 116 "client certificate"

# First without the daemon: its gate refuses whatever is addressed to a port that it found bad.
probe_all
all_settings | config "$both_interfaces"
daemon_start
check "the daemon has judged every row" eventually everything_is_judged
judge_all

# The rows that `why` and `--show-certs` are tried with: by what was sent and trusted.
port_of() {
	awk -F '\t' -v sent="$1" -v trust="$2" '$2 == sent && $3 == trust { print $1; exit }' "$plan"
}

sluice why all "$server" >"$work/why" || fail "why answers"
sluice why all "$server" --json >"$work/why.json" || fail "why answers in JSON"
why_has() {
	jq -e --argjson n "$2" --arg service "at-$1" --arg words "$3" 'any(.endpoints[]; .service == $service and
		(.chain | length) == $n and (.finding + .message | contains($words)))' "$work/why.json"
}
check "why: the fact and the chain as sent" why_has "$(port_of expired,int root)" 2 "'CN=Leaf' has expired"
check "why: a list in the wrong order" why_has "$(port_of root,int,leaf root)" 3 "1. 'CN=Root' (CA), 2. 'CN=Int' (CA), 3. 'CN=Leaf' (leaf)"
check "why: for people" grep -q "SHA-256 " "$work/why"
check "why: OpenSSL's words too" grep -q "OpenSSL: error 19 at depth 2" "$work/why"
check "orderly stop" daemon_stop TERM
