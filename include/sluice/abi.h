/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * abi - every type that crosses the kernel boundary, and nothing else.
 *
 * Addresses are always 16 bytes; IPv4 is stored v4-mapped (::ffff:a.b.c.d), so there is one key
 * type and one lookup. Every integer, ports included, is in host order, so that bpftool prints
 * what a person expects; states are enums and names char arrays for the same reason. Padding is
 * named and must be zero: the kernel hashes it as part of the key.
 *
 * Included by BPF programs and by userspace; it needs the fixed-width types of <linux/types.h>
 * and nothing more. Whatever here is pinned may be met by another version of the program, which compares
 * names, places and sizes of all members with its own: what changes its meaning changes its name.
 */
#ifndef SLUICE_ABI_H
#define SLUICE_ABI_H

#include <linux/types.h>

/*
 * Version of the pin directory, its last component: "v1". Raised where programs and maps of before are not to be
 * found by a daemon of before any more; one of after takes over what fits.
 */
#define SL_LAYOUT 1

/* SO_MARK of the daemon's probe sockets ("SL" in ASCII). The gate lets such packets through. */
#define SL_PROBE_MARK 0x534c0001u

/* skb->mark of a reply that the egress program hands back to the local stack. */
#define SL_REPLY_MARK 0x534c0002u

#define SL_ADDR_LEN 16
#define SL_NAME_LEN 64 /* a pool, service, probe or settings name with its NUL */
#define SL_TEXT_LEN 48 /* "[ffff:...:ffff]:65535" with its NUL */

#define SL_ID_NONE 0xffffffffu /* no endpoint, no service */

/* One-byte enums: they keep the words small, and bpftool still prints their names. */
#define SL_BYTE_ENUM __attribute__((packed))

enum SL_BYTE_ENUM sl_proto { SL_TCP = 6, SL_UDP = 17 };

enum SL_BYTE_ENUM sl_health { SL_UNKNOWN = 0, SL_HEALTHY = 1, SL_UNHEALTHY = 2 };

enum SL_BYTE_ENUM sl_admin { SL_ENABLED = 0, SL_DRAINING = 1, SL_DISABLED = 2 };

/*
 * What becomes of a new flow to an endpoint whose gate is closed, or to a service of which no
 * endpoint may be used. REDIRECT is for endpoints only: to another endpoint of the same pool.
 */
enum SL_BYTE_ENUM sl_action {
	SL_ACTION_PASS = 0,
	SL_ACTION_REJECT = 1,
	SL_ACTION_DROP = 2,
	SL_ACTION_REDIRECT = 3
};

enum SL_BYTE_ENUM sl_mode { SL_MODE_ENFORCE = 0, SL_MODE_OBSERVE = 1 };

enum SL_BYTE_ENUM sl_loss { SL_LOSS_HOLD = 0, SL_LOSS_OPEN = 1 };

/* targets: key. */
struct sl_target_key {
	__u8 addr[SL_ADDR_LEN];
	__u16 port;
	enum sl_proto proto;
	__u8 zero;
} __attribute__((aligned(4))); /* the port and what follows are read at once */
_Static_assert(sizeof(struct sl_target_key) == 20, "abi: sl_target_key");

enum sl_target_kind { SL_TARGET_NONE = 0, SL_TARGET_ENDPOINT = 1, SL_TARGET_SERVICE = 2 };

/*
 * targets: value. id of an endpoint indexes endpoint_words, endpoint_names and endpoint_stats; of a
 * service, services, service_names and service_stats.
 */
struct sl_target {
	enum sl_target_kind kind;
	__u32 id;
};
_Static_assert(sizeof(struct sl_target) == 8, "abi: sl_target");

/* Bits of sl_word.flags. */
#define SL_WORD_FORCED 0x01 /* unhealthy, but kept open by min_servers */
#define SL_WORD_RESET 0x02 /* established: reset */
#define SL_WORD_LEAVING 0x04 /* drains because the configuration has it no more; for the daemon */
#define SL_WORD_SUSPECT 0x10 /* clients fail to connect; probes are asked: for people */
#define SL_WORD_ORDERED 0x08 /* admin was ordered by the operator: for a daemon that adopts it */

/*
 * endpoint_words: one endpoint's health in eight bytes. Written whole, with one store, by the
 * daemon; read whole, with one load, by the programs. All zero: unknown, enabled, passes.
 */
struct sl_word {
	enum sl_health health;
	enum sl_admin admin;
	enum sl_action action;
	__u8 flags; /* SL_WORD_* */
	__u32 deadline_s; /* draining: CLOCK_MONOTONIC seconds after which open flows are reset; 0: never */
} __attribute__((aligned(8)));
_Static_assert(sizeof(struct sl_word) == 8, "abi: sl_word");

/*
 * endpoint_names: who an id is, for people with bpftool and for a daemon that adopts the maps. Behind
 * the NULs of pool and settings there may be a number each, for that daemon: dataplane/tail.h.
 */
struct sl_endpoint_name {
	struct sl_target_key key; /* port 0: the id is free */
	__u32 generation; /* tells apart those that have had this id: flows name it, too */
	__u32 service; /* that a closed gate redirects new flows to; SL_ID_NONE: to none */
	__u8 source[SL_ADDR_LEN]; /* this host's address towards it; all zero: not known */
	char text[SL_TEXT_LEN]; /* "10.0.0.5:443" or "[fd00::5]:443" */
	char pool[SL_NAME_LEN];
	char settings[SL_NAME_LEN];
};
_Static_assert(sizeof(struct sl_endpoint_name) == 220, "abi: sl_endpoint_name");

/*
 * endpoint_stats (per CPU): packets addressed to the endpoint. In observe mode rejected, dropped
 * and reset count what would have happened.
 */
struct sl_endpoint_stats {
	__u64 packets;
	__u64 bytes; /* of whole frames */
	__u64 syn; /* TCP SYN without ACK, retransmissions included */
	__u64 rejected; /* answered with RST or ICMP port unreachable */
	__u64 dropped;
	__u64 reset; /* packets of established flows answered with RST */
	__u64 limited; /* should have been answered, but the reply budget was spent: dropped */
	__u64 icmp_errors; /* ICMP errors about packets sent to the endpoint, probes excepted */
	/*
	 * Packets from the endpoint that pass here, but for those to probes. Exact of what is translated back; of
	 * the rest one in SL_REPLY_SAMPLE is seen, and counts for so many.
	 */
	__u64 replies;
	__u64 reply_bytes; /* of whole frames */
};
_Static_assert(sizeof(struct sl_endpoint_stats) == 80, "abi: sl_endpoint_stats");

#define SL_REPLY_SAMPLE 64

/*
 * The only list of packet decisions: X(NAME, name, text). The counters, the API, the CLI and the
 * man page derive from it. Every packet is counted under exactly one.
 */
#define SL_DECISIONS(X)                                                                          \
	X(PASS_NOT_IP, pass_not_ip, "not IP, for example ARP")                                   \
	X(PASS_UNPARSED, pass_unparsed, "truncated, malformed or nested too deep to judge")      \
	X(PASS_FRAGMENT, pass_fragment, "later fragment of what is not forwarded: has no ports") \
	X(PASS_NOT_OURS, pass_not_ours, "addressed to nothing that is guarded")                  \
	X(PASS_ICMP_ERROR, pass_icmp_error, "ICMP error about a packet sent to an endpoint")     \
	X(PASS_PROBE, pass_probe, "one of the daemon's own probes")                              \
	X(PASS_HEALTHY, pass_healthy, "endpoint is healthy")                                     \
	X(PASS_UNKNOWN, pass_unknown, "endpoint's health is unknown: the gate closes on proof")  \
	X(PASS_FORCED, pass_forced, "endpoint is unhealthy, but kept open by min_servers")       \
	X(PASS_ESTABLISHED, pass_established, "flow was open before the gate closed")            \
	X(PASS_POLICY, pass_policy, "gate is closed, and on_unhealthy is pass")                  \
	X(PASS_DAEMON_LOST, pass_daemon_lost, "gate is closed, but the daemon has been silent")  \
	X(REJECT_TCP, reject_tcp, "gate is closed: answered with RST")                           \
	X(REJECT_UDP, reject_udp, "gate is closed: answered with ICMP port unreachable")         \
	X(RESET, reset, "gate is closed: established flow answered with RST")                    \
	X(DROP_CLOSED, drop_closed, "gate is closed, and on_unhealthy is drop")                  \
	X(DROP_LIMITED, drop_limited, "gate is closed: dropped, the reply budget was spent")     \
	X(DROP_NO_REPLY, drop_no_reply, "gate is closed: dropped, no reply may or can be sent")  \
	X(FORWARD_NAT, forward_nat, "to an endpoint of a service, addresses translated")         \
	X(FORWARD_DSR, forward_dsr, "to an endpoint of a service, as it is")                     \
	X(FORWARD_IPIP, forward_ipip, "to an endpoint of a service, in a tunnel")                \
	X(FORWARD_REDIRECT, forward_redirect, "gate is closed: to another endpoint of the pool") \
	X(FORWARD_REPLY, forward_reply, "from an endpoint back to the client of a service")      \
	X(FORWARD_RESET, forward_reset,                                                          \
	  "from an endpoint whose time is over: to the client, as a RST")                        \
	X(FORWARD_ICMP, forward_icmp, "ICMP error about a packet of a service's flow")           \
	X(ANSWER_TOO_BIG, answer_too_big, "too big for the way to the endpoint: ICMP says so")   \
	X(REJECT_NO_FLOW, reject_no_flow, "to a service, of no known flow: answered with RST")   \
	X(PASS_SERVICE, pass_service, "no endpoint may be used, and on_none_healthy is pass")    \
	X(DROP_SERVICE, drop_service, "no endpoint may be used, and on_none_healthy is drop")    \
	X(DROP_NO_ROUTE, drop_no_route, "no route or no neighbour on the way to the next hop")   \
	X(DROP_NO_PORT, drop_no_port, "no free port to translate a new flow's source to")        \
	X(DROP_NO_STATE, drop_no_state, "the table of flows refused a new one")                  \
	X(DROP_TTL, drop_ttl, "to a service, with a TTL that is spent")

#define SL_DECISION_ENUM_(NAME, name, text) SL_##NAME,
enum sl_decision { SL_DECISIONS(SL_DECISION_ENUM_) SL_DECISION_MAX };

/* decisions (per CPU): one counter per decision, named, so that bpftool shows them by name. */
#define SL_DECISION_FIELD_(NAME, name, text) __u64 name;
struct sl_decision_counts {
	SL_DECISIONS(SL_DECISION_FIELD_)
};
_Static_assert(sizeof(struct sl_decision_counts) == SL_DECISION_MAX * sizeof(__u64),
	       "abi: one counter per decision");

/* Bits of sl_meta.code. */
#define SL_CODE_SERVICES 0x01
#define SL_CODE_SOURCE_NAT 0x02
#define SL_CODE_PLAIN_NAT 0x04
#define SL_CODE_REDIRECT 0x08 /* XDP replies by redirecting, as virtual devices need it */

/*
 * meta: one entry that describes the pinned set and steers the programs. Times are
 * CLOCK_MONOTONIC nanoseconds. The daemon stores the heartbeat through mmap.
 */
struct sl_meta {
	__u32 layout; /* SL_LAYOUT */
	enum sl_mode mode;
	enum sl_loss on_daemon_loss;
	__u8 code; /* SL_CODE_*: what the programs in force can do, for a daemon that adopts them */
	__u8 zero;
	__u64 daemon_loss_after_ns;
	__u64 heartbeat_ns;
	__u64 reply_window_ns; /* reply_budget replies per CPU in each window of this length */
	__u64 reply_budget;
	__u32 daemon_pid;
	__u32 endpoints; /* ids in use */
	char version[32]; /* of the daemon that wrote this */
	__u32 services; /* that packets are forwarded for */
	__u32 now_s; /* CLOCK_MONOTONIC, a second's worth of resolution: daemon and programs set it */
	__u32 route_epoch; /* routes that were found in another epoch are looked up again */
	__u16 port_low, port_high; /* source ports that flows are translated to, both included */
	__u32 half_open_s; /* a flow that the endpoint has not answered is forgotten after, */
	__u32 idle_tcp_s; /* ... and one without packets after */
	__u32 idle_udp_s;
	__u32 closed_s; /* ... and one that both ends have closed after */
};
_Static_assert(sizeof(struct sl_meta) == 112, "abi: sl_meta");

/* types: one entry. What the entries of each map are, as one number; user/dataplane/types.h. Never to be changed. */
#define SL_TYPES_MAX 64
struct sl_map_type {
	char map[16]; /* its name, with NULs behind it; "": the row is free */
	__u64 hash;
};
struct sl_types {
	struct sl_map_type of[SL_TYPES_MAX];
};
_Static_assert(sizeof(struct sl_types) == 1536, "abi: sl_types");

/*
 * reply_budget (per CPU): a window's replies are spent without looking at the clock; only when none
 * is left is the clock read, and the budget refilled if the window is over.
 */
struct sl_reply_budget {
	__u64 left;
	__u64 window_start_ns;
};
_Static_assert(sizeof(struct sl_reply_budget) == 16, "abi: sl_reply_budget");

/* --- services ---------------------------------------------------------------------------------- */

/* How packets of a service reach an endpoint. */
enum SL_BYTE_ENUM sl_method { SL_METHOD_NAT = 0, SL_METHOD_DSR = 1, SL_METHOD_IPIP = 2 };

/* Bits of sl_service.flags. */
#define SL_SERVICE_SOURCE_NAT 0x01 /* nat: endpoints see this host's address, not the client's */
#define SL_SERVICE_AFFINITY 0x02 /* flows of one client address go to one endpoint */
#define SL_SERVICE_ANY 0x04 /* on_none_healthy: last, and none is: words are not asked */

/* A service's part of the selection map, published with one store. */
struct sl_slice {
	__u32 start; /* even */
	__u32 size; /* a power of two, at least 2; 0: no endpoint may be used */
} __attribute__((aligned(8)));

/* selection: two slots to an entry, because the kernel rounds entries up to eight bytes. */
struct sl_slots {
	__u32 endpoint[2]; /* ids, or SL_ID_NONE */
};

/* services: one address that clients connect to, or one pool that a gate redirects in. */
struct sl_service {
	struct sl_target_key key; /* port 0: no address, or the id is free; names tell */
	enum sl_method method;
	enum sl_action none; /* what becomes of new flows when no endpoint may be used */
	__u8 flags; /* SL_SERVICE_* */
	__u8 zero;
	struct sl_slice slice;
};
_Static_assert(sizeof(struct sl_service) == 32, "abi: sl_service");

/* service_names: for people with bpftool, and for a daemon that adopts the maps. */
struct sl_service_name {
	char name[SL_NAME_LEN]; /* "": the id is free */
	char text[SL_TEXT_LEN]; /* "192.0.2.10:443", or "" */
	char pool[SL_NAME_LEN];
	char settings[SL_NAME_LEN];
};

/* service_stats (per CPU). */
struct sl_service_stats {
	__u64 packets; /* from clients */
	__u64 bytes; /* of whole frames */
	__u64 flows; /* new ones, for which an endpoint was chosen */
	__u64 none; /* new flows for which no endpoint could be used */
	__u64 failed; /* packets dropped for want of a route, a port or room in the table of flows */
	__u64 replies; /* packets back to clients, where they pass here */
	__u64 reply_bytes;
	__u64 moved; /* new flows whose first choice was not eligible: another endpoint was taken */
};
_Static_assert(sizeof(struct sl_service_stats) == 64, "abi: sl_service_stats");

/* flows, half_open: key. As the packets of one direction have it on the wire. */
struct sl_tuple {
	__u8 saddr[SL_ADDR_LEN] __attribute__((aligned(8))); /* read as whole words */
	__u8 daddr[SL_ADDR_LEN];
	__u16 sport;
	__u16 dport;
	enum sl_proto proto;
	__u8 zero[3];
};
_Static_assert(sizeof(struct sl_tuple) == 40, "abi: sl_tuple");

enum SL_BYTE_ENUM sl_flow_kind { SL_FLOW_TO_ENDPOINT = 0, SL_FLOW_TO_CLIENT = 1 };

/* Bits of sl_flow.state. */
#define SL_FLOW_ANSWERED 0x01 /* half open: the endpoint has sent its SYN-ACK */
#define SL_FLOW_FIN_CLIENT 0x02
#define SL_FLOW_FIN_ENDPOINT 0x04
#define SL_FLOW_RESET 0x08 /* by either side */

/*
 * flows, half_open: one direction of one flow. A flow that is translated has an entry for each
 * direction; one that is not has one, for the client's packets.
 */
struct sl_flow {
	__u32 endpoint; /* id */
	__u32 service; /* id */
	__u32 generation; /* of the endpoint */
	__u32 seen_s; /* meta.now_s at its last packet */
	enum sl_flow_kind kind;
	__u8 state; /* SL_FLOW_* */
	__u16 port; /* source port towards the endpoint; of TO_CLIENT: the client's */
	/*
	 * Half open: sequence number that the client has to acknowledge. Of TO_CLIENT, if the service
	 * has no address: id of the endpoint that the client believes to talk to.
	 */
	__u32 answer;
	__u8 addr
		[SL_ADDR_LEN]; /* source address towards the endpoint; of TO_CLIENT: the client's */
};
_Static_assert(sizeof(struct sl_flow) == 40, "abi: sl_flow");

/*
 * handshakes: which endpoint a SYN was sent to that left no flow. Packets are sent there as long as the
 * next SYN to fall into the slot has not taken it.
 */
struct sl_handshake {
	__u32 endpoint; /* id */
	__u16 generation; /* of the endpoint: its low bits */
	__u16 tag; /* which flow's, see sl_handshake_tag(); 0: the slot is empty */
} __attribute__((aligned(8))); /* stored and loaded at once */
_Static_assert(sizeof(struct sl_handshake) == 8, "abi: sl_handshake");

/* --- attempts ---------------------------------------------------------------------------------- */

/* Bits of sl_attempt_head.state: what has been seen of an attempt to connect. None: the slot is empty. */
#define SL_ATTEMPT_SENT 0x01 /* its SYN was let through */
#define SL_ATTEMPT_ANSWERED 0x02 /* by SYN-ACK; of what bypasses this host: the client went on */
#define SL_ATTEMPT_REPEATED 0x04 /* the SYN-ACK came again: the client has not acknowledged it */
#define SL_ATTEMPT_COMPLETED 0x08 /* counted as completed */
#define SL_ATTEMPT_FAILED 0x10 /* refused, unreachable, unanswered or abandoned, and counted so */
#define SL_ATTEMPT_FIN_CLIENT 0x20
#define SL_ATTEMPT_FIN_ENDPOINT 0x40
#define SL_ATTEMPT_RESET 0x80 /* after it was answered, by either side */

/* What changes of an attempt: always as a whole, by compare-and-exchange. */
struct sl_attempt_head {
	__u32 tag; /* which attempt's, see sl_attempt_tag() */
	__u16 since; /* CLOCK_MONOTONIC at its first SYN, in units of 2^SL_ATTEMPT_TICK_SHIFT ns; wraps */
	__u8 state; /* SL_ATTEMPT_* */
	__u8 zero;
} __attribute__((aligned(8)));
_Static_assert(sizeof(struct sl_attempt_head) == 8, "abi: sl_attempt_head");

#define SL_ATTEMPT_TICK_SHIFT 26 /* 67 ms: a wrap takes more than an hour */

/*
 * attempts: what came of one attempt to connect to an endpoint. A new one takes the slot of any other,
 * which is lost sight of if nothing was known yet of what came of it.
 */
struct sl_attempt {
	struct sl_attempt_head head;
	__u64 sent_ns; /* CLOCK_MONOTONIC at its first SYN */
	__u32 endpoint; /* id */
	__u32 isn; /* the client's initial sequence number */
};
_Static_assert(sizeof(struct sl_attempt) == 24, "abi: sl_attempt");

/* Times of handshakes: bucket i counts those below 2^(i + SL_TIME_SHIFT) ns; the last, all others. */
#define SL_TIME_BUCKETS 20
#define SL_TIME_SHIFT 14

/*
 * attempt_stats (per CPU): attempts to connect to the endpoint that were let through, and what is known
 * by packets of what came of them; sl_evidence has the rest. sent = answered + refused + unreachable + unsampled
 * + sl_evidence.unanswered + those that nothing is known of yet.
 */
struct sl_attempt_stats {
	__u64 sent; /* SYNs, but for those that were sent again */
	__u64 retransmitted; /* SYNs that were sent again */
	__u64 unsampled; /* attempts that were lost sight of before anything came of them */
	__u64 answered; /* with SYN-ACK; where replies bypass this host: gone on with */
	__u64 refused; /* with RST */
	__u64 unreachable; /* ended by an ICMP error */
	__u64 completed; /* their end showed it; where replies bypass this host: the same as answered */
	__u64 abandoned; /* answered, and then reset by a client that knew nothing of it */
	__u64 fin_client;
	__u64 fin_endpoint;
	__u64 reset_client; /* after they were answered */
	__u64 reset_endpoint;
	/* ICMP errors about packets to the endpoint, by what they say; probes excepted. */
	__u64 icmp_net;
	__u64 icmp_host;
	__u64 icmp_port;
	__u64 icmp_prohibited;
	__u64 icmp_too_big;
	__u64 icmp_other;
	__u64 times_ns; /* from the first SYN to the answer: the sum, and ... */
	__u64 times[SL_TIME_BUCKETS]; /* ... how many took how long */
};
_Static_assert(sizeof(struct sl_attempt_stats) == (19 + SL_TIME_BUCKETS) * sizeof(__u64),
	       "abi: sl_attempt_stats");

/*
 * evidence: what speaks against an endpoint, as it happens, for the daemon to see without a
 * system call; and what only time tells of attempts, which the daemon counts.
 */
struct sl_evidence {
	__u32 refused; /* these three: atomically, by the programs; they wrap */
	__u32 unreachable;
	__u32 retransmitted;
	__u32 seen; /* not 0: its answers pass this host, or its clients go on; else silence says nothing */
	__u64 unanswered; /* these three: by the daemon */
	__u64 completed; /* answered, and not answered again: see SL_ATTEMPT_REPEATED */
	__u64 abandoned; /* answered again and again */
};
_Static_assert(sizeof(struct sl_evidence) == 40, "abi: sl_evidence");

/* --- fragments --------------------------------------------------------------------------------- */

/* fragments: key. What the fragments of a datagram have in common, as they come. */
struct sl_fragment_key {
	__u8 saddr[SL_ADDR_LEN] __attribute__((aligned(8)));
	__u8 daddr[SL_ADDR_LEN];
	__u32 id; /* the IP header's identification, or the fragment header's */
	enum sl_proto proto;
	__u8 zero[3];
};
_Static_assert(sizeof(struct sl_fragment_key) == 40, "abi: sl_fragment_key");

/* fragments: what became of the first one. */
struct sl_fragment {
	__u8 saddr[SL_ADDR_LEN]
		__attribute__((aligned(8))); /* on its way on; of the tunnel, if in one */
	__u8 daddr[SL_ADDR_LEN]; /* what it was routed by */
	__u32 endpoint; /* id */
	__u32 service; /* id */
	__u32 seen_s; /* meta.now_s when it came */
	__u8 decision; /* enum sl_decision */
	__u8 rewrite; /* of the program: whether addresses are translated, or it is put into a tunnel */
	__u8 zero[2];
};
_Static_assert(sizeof(struct sl_fragment) == 48, "abi: sl_fragment");

/* Datagrams whose fragments are under way at a time, and for how long they are waited for. */
#define SL_FRAGMENTED_MAX 4096
#define SL_FRAGMENTED_S 30

/* routes (per CPU): where to send what goes to an address; a cache of what the FIB said. */
struct sl_route {
	__u8 addr[SL_ADDR_LEN]; /* all zero: the slot is empty */
	__u32 epoch; /* meta.route_epoch when it was asked */
	__u32 ifindex;
	__u16 mtu;
	__u8 dst_mac[6]; /* as in a frame, which is written from here in words */
	__u8 src_mac[6];
	__u16 uses; /* asked again after SL_ROUTE_USES */
	__u16 vlan; /* tag control, host order; ... */
	__u16 vlan_proto; /* 0: untagged; 0x8100, 0x88a8 */
};
_Static_assert(sizeof(struct sl_route) == 44, "abi: sl_route");

#define SL_ROUTE_SLOTS 4096
#define SL_ROUTE_USES 256

/* devices: what a VLAN device stands for. Devices that are no VLAN's are not listed. */
struct sl_device {
	__u32 ifindex; /* of the device that carries it */
	__u16 vlan, vlan_proto; /* as in sl_route */
};
_Static_assert(sizeof(struct sl_device) == 8, "abi: sl_device");

/* --- verdicts ---------------------------------------------------------------------------------- */

/*
 * Verdicts of a probe: X(NAME, code, id, passed, ours). The numbers and ids are what users and
 * scripts see. passed: the endpoint is healthy. ours: the verdict says nothing about the endpoint
 * (the prober's own trouble, or something between), is shown as Unknown and never moves health.
 * Texts are in user/probe/catalogue.c.
 */
#define SL_MESSAGES(X)                                                                           \
	X(OK, 0, "ok", true, false)                                                              \
	X(BACKEND_TIMEOUT, 1, "backend_timeout", false, false)                                   \
	X(DNS_RESOLUTION_FAILED, 2, "dns_resolution_failed", false, false)                       \
	X(TCP_CONNECT_FAILED, 3, "tcp_connect_failed", false, false)                             \
	X(HTTP_STATUS_MISMATCH, 4, "http_status_mismatch", false, false)                         \
	X(HTTP_BODY_MISMATCH, 5, "http_body_mismatch", false, false)                             \
	X(CERT_NAME_MISMATCH, 6, "cert_name_mismatch", false, false)                             \
	X(CERT_DATE_INVALID, 7, "cert_date_invalid", false, false)                               \
	X(CERT_INTERMEDIATE_MISSING, 8, "cert_intermediate_missing", false, false)               \
	X(CERT_LEAF_MISSING, 9, "cert_leaf_missing", false, false)                               \
	X(CERT_SERVER_NOT_WELL_KNOWN_CA, 10, "cert_server_not_well_known_ca", false, false)      \
	X(CERT_INTERMEDIATE_NOT_WELL_KNOWN_CA, 11, "cert_intermediate_not_well_known_ca", false, \
	  false)                                                                                 \
	X(CERT_ROOT_MISMATCH_ROOT_ABSENT, 12, "cert_root_mismatch_root_absent", false, false)    \
	X(CERT_ROOT_MISMATCH_ROOT_PRESENT, 13, "cert_root_mismatch_root_present", false, false)  \
	X(CERT_LEAF_NOT_TOPMOST, 14, "cert_leaf_not_topmost", false, false)                      \
	X(CERT_VERIFY_FAILED, 15, "cert_verify_failed", false, false)                            \
	X(CERT_NOT_ALLOW_LISTED, 16, "cert_not_allow_listed", false, false)                      \
	X(UNKNOWN_DNS_CACHE_FLUSHED, 17, "unknown_dns_cache_flushed", false, true)               \
	X(UNKNOWN_CONTROL_BLOCKED, 18, "unknown_control_blocked", false, true)                   \
	X(UNKNOWN_CRL_UNREACHABLE, 19, "unknown_crl_unreachable", false, true)                   \
	X(UNKNOWN_GATEWAY_UNHEALTHY, 20, "unknown_gateway_unhealthy", false, true)               \
	X(TLS_HANDSHAKE_FAILED, 100, "tls_handshake_failed", false, false)                       \
	X(HTTP_MALFORMED, 101, "http_malformed", false, false)                                   \
	X(CONN_CLOSED_EARLY, 102, "conn_closed_early", false, false)                             \
	X(PROBER_OVERLOADED, 103, "prober_overloaded", false, true)                              \
	X(LOCAL_RESOURCE, 104, "local_resource", false, true)                                    \
	X(PROBE_PENDING, 105, "probe_pending", false, true)                                      \
	X(GRPC_NOT_SERVING, 106, "grpc_not_serving", false, false)                               \
	X(UDP_UNREACHABLE, 107, "udp_unreachable", false, false)                                 \
	X(UDP_ANSWER_MISMATCH, 108, "udp_answer_mismatch", false, false)

#define SL_MESSAGE_ENUM_(NAME, code, id, passed, ours) SL_MSG_##NAME = code,
enum sl_message { SL_MESSAGES(SL_MESSAGE_ENUM_) };

/*
 * What a verdict of any kind may mention beside it: X(NAME, bit, id). It changes nothing about the
 * endpoint's health.
 */
#define SL_WARNINGS(X)                                   \
	X(CHAIN_ORDER, 0, "chain_order")                 \
	X(CERT_EXPIRES_SOON, 1, "cert_expires_soon")     \
	X(ROOT_SENT_UNNEEDED, 2, "root_sent_unneeded")   \
	X(OCSP_STAPLE_MISSING, 3, "ocsp_staple_missing") \
	X(OCSP_STAPLE_BAD, 4, "ocsp_staple_bad")

#define SL_WARNING_ENUM_(NAME, bit, id) SL_WARN_##NAME = 1u << (bit),
enum sl_warning { SL_WARNINGS(SL_WARNING_ENUM_) };

#endif
