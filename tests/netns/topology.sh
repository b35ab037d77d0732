# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
#
# topology.sh - services on gateways of other shapes than client - gateway - backends. A scenario sources this
# file, builds a network, and tells stories in it.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

vip4=192.0.2.10 vip6=2001:db8::10
interfaces= backends4= backends6= # of the configuration; the network's

# cable HOST DEVICE HOST DEVICE. Made where it begins: a name must be free where the command runs, too.
cable() {
	on "$1" ip link add "$2" type veth peer name "$4" netns "$ns_id-$3"
	on "$1" ip link set "$2" up
	on "$3" ip link set "$4" up
}

# plug HOST DEVICE: into the switch.
plug() {
	cable "$1" "$2" switch "s-$1"
	on switch ip link set "s-$1" master br0
}

# vlan HOST DEVICE TAG
vlan() {
	on "$1" ip link add link "$2" name "$2.$3" type vlan id "$3"
	on "$1" ip link set "$2.$3" up
}

# address HOST DEVICE NET HOSTNUMBER: 10.NET.0.N and fd0NET::N.
address() {
	on "$1" ip addr add "10.$3.0.$4/24" dev "$2"
	on "$1" ip addr add "fd0$3::$4/64" dev "$2" nodad
}

# way HOST NET: by the gateway there to everywhere.
way() {
	on "$1" ip route add default via "10.$2.0.1"
	on "$1" ip -6 route add default via "fd0$2::1"
}

make_switch() {
	on switch ip link add br0 type bridge mcast_snooping 0
	on switch ip link set br0 up
}

# service_config XDP FORWARD
service_config() {
	config "interfaces: [ ${interfaces//XDP/$1} ]" <<-EOF
		probes:
		  - { name: quick, protocol: http, path: /healthz, interval: $often, timeout: 1s }
		settings:
		  - { name: web, protocol: http, port: 80, probe: quick }
		pools:
		  - { name: four, backends: [ $backends4 ] }
		  - { name: six, backends: [ $backends6 ] }
		services:
		  - { name: shop, listen: "$vip4:80", pool: four, settings: web, forward: $2 }
		  - { name: shop6, listen: "[$vip6]:80", pool: six, settings: web, forward: $2 }
	EOF
}

# Both backends answer, and nothing fails.
both_serve() {
	fetches 40 "$1/" >"$work/spread"
	! grep -q failed "$work/spread" && [ "$(sort -u "$work/spread" | tr '\n' ' ')" = "hello from b1 hello from b2 " ]
}

# story SHAPE XDP FORWARD
story() {
	local xdp=$2 forward=$3 what="$1 $2 $3" url host

	if [ "$xdp" = native ]; then
		net_prepare_native b1 b2
		# Behind a switch it is the switch's port that gets what the gateway sends.
		if ip netns list | grep -q "^$ns_id-switch\b"; then on switch ethtool -K s-gateway gro on >/dev/null; fi
	fi
	for host in b1 b2; do
		[ "$forward" = nat ] || on $host ip addr replace "$vip4/32" dev lo
		[ "$forward" = nat ] || on $host ip addr replace "$vip6/128" dev lo nodad
	done
	service_config "$xdp" "$forward"
	daemon_start
	check "$what: backends are healthy" eventually all_healthy
	for url in "http://$vip4" "http://[$vip6]"; do
		check "$what: $url: both backends serve" both_serve "$url"
		check "$what: $url: $transfer_mib MiB down" carries down "$url"
		check "$what: $url: $transfer_mib MiB up" carries up "$url"
	done
	check "$what: orderly stop" daemon_stop TERM
	check "$what: detach --all" sluice detach --all
}

# stories SHAPE [STORY...]: in the network that was built, these or all.
stories() {
	local shape=$1 host story stories=("auto nat" "native nat" "auto dsr" "native dsr")

	shift
	(($#)) && stories=("$@")
	for host in b1 b2; do backend_start $host; done
	for story in "${stories[@]}"; do
		# shellcheck disable=SC2086
		story "$shape" $story
	done
}
