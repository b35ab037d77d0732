// SPDX-License-Identifier: GPL-2.0-or-later
#include "diagnose/cause.h"

#define GUEST_FIREWALL "GuestFirewall"
#define DNS "DnsResolution"
#define SECURITY_RULE "NetworkSecurityRule"
#define ROUTE "UserDefinedRoute"

static const struct cause_row rows[] = {
	[CAUSE_REACHABLE] = {
		"Nothing was found: the target can be reached from here.",
		{ "if it fails for somebody else, run this from where they are",
		  "if it works from other networks and not from theirs, the device at their edge "
		  "must let requests out and answers in (area D)" },
	},
	[CAUSE_NOT_RUNNING] = {
		"No socket of this host listens on the port.",
		{ "start the server, and look into its log for why it does not run",
		  "compare the port with the one that the server is configured for: ss -lntup" },
	},
	[CAUSE_LOOPBACK_ONLY] = {
		"The server listens on this host's loopback address only: nobody else reaches it.",
		{ "have the server listen on the address that clients use, or on all "
		  "(0.0.0.0 and ::)" },
	},
	[CAUSE_OTHER_ADDRESS] = {
		"The server listens on another address than the one that was asked for.",
		{ "have the server listen on the address that clients use, or on all "
		  "(0.0.0.0 and ::)",
		  "or have clients use the address that it listens on",
		  "a server of IPv4 alone, or of IPv6 alone, needs a second socket for the other" },
	},
	[CAUSE_REFUSED] = {
		"The target is there and refuses the connection at once: nothing listens on that "
		"port of that address, or a firewall of the host says so.",
		{ "on the target, run: sluice troubleshoot --local PORT; it tells a server that "
		  "is not running from one bound to loopback and from a firewall",
		  "compare the port with the one that the server is configured for",
		  "on the target, look for a listening socket: ss -lntup" },
	},
	[CAUSE_ACCEPT_QUEUE_FULL] = {
		"The server listens, but takes no connections from its queue, which is full: it "
		"hangs, or has too few workers.",
		{ "on the target, compare Recv-Q with Send-Q: ss -lnt; and look at what the "
		  "server is doing",
		  "restart a server that hangs; give one that is busy more workers",
		  "raise its backlog and net.core.somaxconn where bursts fill the queue",
		  "if the queue is empty, look for a filter that drops SYNs only" },
	},
	[CAUSE_NO_ANSWER] = {
		"The server accepts the connection and what is sent on it, and does not answer in "
		"time.",
		{ "look at what the server is doing: its log, its load, what it waits for",
		  "check the address that it asks for more: databases, name servers",
		  "repeat with a longer --timeout to tell slow from hung" },
	},
	[CAUSE_APPLICATION_ERROR] = {
		"The server answers, but not as a server that is well.",
		{ "'sluice explain ID' says what the verdict means, and what to do about it",
		  "read the server's log at this time" },
	},
	[CAUSE_PROBE_WRONG] = {
		"The server is fine and the probe is wrong: what clients use works, what is probed "
		"does not.",
		{ "correct port, protocol, path and host of the probe in the configuration",
		  "or have the server answer on the port that is probed, and its firewall let "
		  "probes in" },
	},
	[CAUSE_GREEN_BUT_BROKEN] = {
		"The probe passes, but what clients use does not work: the probe does not test it.",
		{ "let the probe ask for the port and the protocol that clients use",
		  "repair the server or its firewall on the port of the traffic" },
	},
	[CAUSE_HOST_DOWN] = {
		"The target's own network says that nobody has this address: the host is down, or "
		"in another network.",
		{ "start the host, and look at its console",
		  "check its address, prefix and VLAN: ip addr, on the host",
		  "check for a wrong address in the pool" },
		GUEST_FIREWALL,
	},
	[CAUSE_HOST_FIREWALL_DROPS] = {
		"The target is there, and says nothing to this port: its firewall drops the "
		"packets, or the last device before it does.",
		{ "on the target, run: sluice troubleshoot --local PORT; it names the rule",
		  "capture on the target: tcpdump -ni any port PORT; a SYN that is seen is dropped "
		  "by the host (B), one that is not by a device before it (C)",
		  "allow the port from this gateway's address" },
		GUEST_FIREWALL,
	},
	[CAUSE_HOST_FIREWALL_REJECTS] = {
		"The target's own firewall rejects the packets.",
		{ "on the target, run: sluice troubleshoot --local PORT; it names the rule",
		  "allow the port from this gateway's address" },
		GUEST_FIREWALL,
	},
	[CAUSE_CLIENTS_REFUSED] = {
		"The target serves this host, and refuses clients: something judges them by where "
		"they come from.",
		{ "on the target, look for a rule that lets this gateway in and not the clients' "
		  "networks: nft list ruleset",
		  "look for access lists of the server itself, and of devices before it",
		  "capture on the target, to see who refuses: tcpdump -ni any port PORT" },
		GUEST_FIREWALL,
	},
	[CAUSE_NAME_UNKNOWN] = {
		"There is no such name.",
		{ "correct the name, or add the record to its zone",
		  "ask the right servers: those that this host asks are in the evidence" },
		DNS,
	},
	[CAUSE_NAME_WITHOUT_ADDRESS] = {
		"The name exists, but has no usable address.",
		{ "add an A or AAAA record",
		  "check whether its records are of addresses that no backend can have" },
		DNS,
	},
	[CAUSE_NAME_SERVER_FAILED] = {
		"The name servers answer, but cannot or will not resolve the name.",
		{ "ask each by hand: dig NAME @SERVER",
		  "check what they forward to, DNSSEC of the zone, and whether they serve this "
		  "host" },
		DNS,
	},
	[CAUSE_NAME_SERVER_SILENT] = {
		"None of this host's name servers answers.",
		{ "check the servers in /etc/resolv.conf",
		  "allow UDP and TCP port 53 from this host to them",
		  "troubleshoot one: sluice troubleshoot tcp://SERVER:53" },
		DNS,
	},
	[CAUSE_NO_ROUTE] = {
		"This host has no route to the target.",
		{ "add a route, or a default route: ip route get ADDRESS",
		  "for IPv6, check that this host has an address of more than the link" },
		ROUTE,
	},
	[CAUSE_ROUTE_REFUSES] = {
		"A route of this host says that the target must not be reached.",
		{ "find it with: ip route show table all; it is of type unreachable, prohibit or "
		  "blackhole",
		  "delete it, or add a more specific one" },
		ROUTE,
	},
	[CAUSE_NO_SOURCE_ADDRESS] = {
		"The address or the interface to leave by is not there.",
		{ "correct --from: ip addr lists what there is" },
		ROUTE,
	},
	[CAUSE_LINK_DOWN] = {
		"The interface that leads to the target has no carrier.",
		{ "check the cable, the switch port, or the other end of the virtual link" },
		ROUTE,
	},
	[CAUSE_NEXT_HOP_DOWN] = {
		"The next router on the way does not answer on the link.",
		{ "check that router, and its address in: ip route get ADDRESS",
		  "check the link and the VLAN between: ip neigh" },
		ROUTE,
	},
	[CAUSE_OWN_FILTER] = {
		"A rule of this host's own nftables ends the packets, or the answers to them.",
		{ "change the rule that the evidence names: nft -a list ruleset",
		  "or put one that accepts the connection before it" },
		SECURITY_RULE,
	},
	[CAUSE_FORWARD_FILTER] = {
		"The target can be reached from this host, but what it forwards for others is "
		"ended by its own nftables.",
		{ "accept the connection in the chain of the forward hook that the evidence "
		  "names" },
		SECURITY_RULE,
	},
	[CAUSE_GATE_CLOSED] = {
		"The gateway itself refuses the connection: its gate is closed for this endpoint.",
		{ "'sluice why POOL ADDRESS' says why, and what to do about it",
		  "an endpoint that was drained or disabled by order comes back with: sluice "
		  "backend enable" },
		SECURITY_RULE,
	},
	[CAUSE_PATH_UNREACHABLE] = {
		"A router on the way has no route to the target.",
		{ "add the route on the router that the evidence names",
		  "check whether its routing protocol has lost the network" },
		ROUTE,
	},
	[CAUSE_PATH_REJECTS] = {
		"A device on the way rejects the packets.",
		{ "allow the connection on the device that the evidence names",
		  "check security groups and access lists, in both directions" },
		SECURITY_RULE,
	},
	[CAUSE_PATH_DROPS] = {
		"A device on the way drops these packets, while others pass it.",
		{ "allow the connection on the device that the evidence names, or behind it",
		  "check security groups and access lists, in both directions" },
		SECURITY_RULE,
	},
	[CAUSE_PATH_ENDS] = {
		"Nothing comes further than a device on the way: what is behind it is down, has "
		"no way back, or drops everything.",
		{ "check the route of the last device that answers, and the link behind it",
		  "check that the target is up, and that its route leads back here" },
		ROUTE,
	},
	[CAUSE_ROUTING_LOOP] = {
		"Packets go around in circles until their hops are spent.",
		{ "compare the routes of the routers in the evidence: two of them name each "
		  "other" },
		ROUTE,
	},
	[CAUSE_REPLY_LOST] = {
		"The target gets the SYN and answers it, but the answer does not come back.",
		{ "check the target's route back to this host: ip route get, on the target",
		  "look for a firewall on the way that has not seen the SYN, because the two "
		  "directions take different ways, or for rp_filter",
		  "allow answers (established connections) on the devices between" },
		ROUTE,
	},
	[CAUSE_CLIENTS_UNANSWERED] = {
		"The target serves this host, and clients get no answer from it.",
		{ "check the target's route back to the clients' networks: ip route get, on the "
		  "target; and its rp_filter",
		  "look for a rule on the target that drops what is not from this gateway",
		  "on the target, look for an accept queue that overflows under the clients' load: "
		  "nstat TcpExtListenOverflows" },
		ROUTE,
	},
	[CAUSE_PACKET_LOSS] = {
		"Some attempts work and others get no answer: packets are lost on the way, or one "
		"of several servers behind the address is down.",
		{ "repeat with --count 100 to see how many",
		  "look at the error counters of the interfaces: ip -s link",
		  "on the target, look for an accept queue that overflows: nstat "
		  "TcpExtListenOverflows" },
	},
	[CAUSE_MTU_BLACK_HOLE] = {
		"Small packets come through and large ones vanish, without the ICMP message that "
		"would tell the sender to make them smaller.",
		{ "allow ICMP 'fragmentation needed' (v4, type 3 code 4) and 'packet too big' "
		  "(v6, type 2) on the devices between",
		  "or clamp the MSS at the tunnel: nft … tcp option maxseg size set rt mtu",
		  "or lower the MTU of the route: ip route change … mtu N" },
		ROUTE,
	},
	[CAUSE_OWN_TROUBLE] = {
		"This host could not send: the trouble is its own.",
		{ "look at the error in the evidence: descriptors, ports, memory, policy" },
	},
	[CAUSE_EDGE_REJECTS] = {
		"The device at the edge of this network rejects the packets to the internet.",
		{ "let requests out and answers in on the device that the evidence names" },
		SECURITY_RULE,
	},
	[CAUSE_EDGE_DROPS] = {
		"Packets to the internet end at the edge of this network.",
		{ "let requests out and answers in on the device that the evidence names",
		  "check its address translation, and the provider's line" },
		SECURITY_RULE,
	},
};
_Static_assert(sizeof(rows) / sizeof(rows[0]) == CAUSE_MAX, "one row per cause");

static const struct {
	const char *id;
	enum area area;
} names[] = {
#define NAME_ROW(NAME, id, area) [CAUSE_##NAME] = { id, AREA_##area },
	CAUSES(NAME_ROW)
#undef NAME_ROW
};

static const struct {
	const char *letter, *name;
} areas[] = {
	[AREA_NONE] = { "", "nothing found" },
	[AREA_A] = { "A", "application" },
	[AREA_B] = { "B", "the target's host and its firewall" },
	[AREA_C] = { "C", "network" },
	[AREA_D] = { "D", "internet edge device" },
};

const struct cause_row *cause_row(enum cause cause)
{
	return &rows[cause];
}

const char *cause_id(enum cause cause)
{
	return names[cause].id;
}

enum area cause_area(enum cause cause)
{
	return names[cause].area;
}

size_t cause_n_remedies(enum cause cause)
{
	size_t n = 0;

	while (n < CAUSE_REMEDIES_MAX && rows[cause].remedies[n])
		n++;
	return n;
}

const char *area_letter(enum area area)
{
	return areas[area].letter;
}

const char *area_name(enum area area)
{
	return areas[area].name;
}
