/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * troubleshoot - from what was seen of the way to a target to the one cause that explains it.
 *
 * Evidence in, cause and sentence out: no I/O, no clock. What was not looked at is all zero, and
 * decides nothing. The evidence is borrowed for the call.
 */
#ifndef SLUICE_DIAGNOSE_TROUBLESHOOT_H
#define SLUICE_DIAGNOSE_TROUBLESHOOT_H

#include "diagnose/cause.h"
#include "model/traffic.h"
#include "model/verdict.h"
#include "probe/message.h"
#include "probe/resolve.h"
#include "survey/attempt.h"
#include "survey/echo.h"
#include "survey/filter.h"
#include "survey/halfopen.h"
#include "survey/listeners.h"
#include "survey/neighbour.h"
#include "survey/route.h"
#include "survey/talk.h"
#include "survey/walk.h"
#include "survey/way.h"

#define TROUBLE_TEXT_LEN 768
#define TROUBLE_TRIES_MAX 8

/* What the gate in front of the target does with such a packet. */
struct trouble_gate {
	bool looked; /* the daemon was asked, or the pinned maps */
	bool refuses;
	bool is_endpoint; /* the target is an endpoint: what follows is known */
	char health[16], admin[16];
	char reason[MESSAGE_LEN]; /* in words */
	char pool[64];
};

/* What the gateway's counters say of clients that connect to the target. */
struct trouble_clients {
	bool known;
	struct traffic lately;
	uint64_t window_ms; /* within which it came */
};

/* One full probe, as `sluice probe` does it. */
struct trouble_probe {
	bool done, passed;
	uint16_t port;
	bool udp;
	enum sl_message code;
	enum stage stage;
	char message[MESSAGE_LEN];
};

/* Which sizes of packets come through. */
struct trouble_sizes {
	bool asked;
	bool small, large; /* answered: echo of the smallest size and of the way's MTU */
	bool told; /* somebody said that packets were too large, as they should */
	uint32_t mtu, best; /* the way's, and the largest that was answered, in bytes */
};

/* On the target itself. */
struct trouble_local {
	bool looked;
	struct listeners listeners;
	bool has_overflows;
	uint64_t overflows; /* connections that queues had no room for, while we looked */
	uint32_t n_tries, n_left_out;
	struct trouble_try {
		struct addr to;
		struct attempt_tally attempts;
	} tries[TROUBLE_TRIES_MAX]; /* loopback and this host's own addresses */
	bool has_name, name_is_ours; /* this host's name stands for an address of its own */
	char name[64];
	struct filter_report filters; /* of what comes in to the port */
};

struct trouble_evidence {
	struct way way; /* to the target, by the traffic's port and protocol */
	const struct resolve_answer *dns; /* NULL: the target is an address */
	struct route route;
	struct neighbour neighbour; /* of the next hop, or of the target on the link */
	struct echo echo;
	struct attempt_tally
		attempts; /* as traffic: whatever stands before the target judges them */
	struct attempt_tally behind; /* past our own gate; sent == 0: not tried */
	enum halfopen halfopen;
	struct walk walk, other_walk;
	struct talk small, large; /* a short request, and one of more than a packet */
	struct trouble_sizes sizes;
	struct filter_report filters; /* of this host: what it sends, and the answers */
	struct filter_report forward; /* what it forwards */
	struct trouble_gate gate;
	struct trouble_clients clients;
	struct trouble_probe traffic; /* the port and protocol of the traffic */
	struct trouble_probe probe; /* those of the endpoint's probe, where they differ */
	struct trouble_local local;
};

struct trouble_finding {
	enum cause cause;
	char text[TROUBLE_TEXT_LEN]; /* what was seen that says so */
	bool has_behind; /* behind a closed gate there is a cause of its own */
	enum cause behind;
	char behind_text[TROUBLE_TEXT_LEN];
};

void troubleshoot(struct trouble_finding *ret_finding, const struct trouble_evidence *evidence);

/* The part of it about a host that is looked at from within; way.to may be all zero: any. */
void troubleshoot_local(struct trouble_finding *finding, const struct trouble_evidence *evidence);

/* "ICMP type 3 code 13 (administratively prohibited)"; returns buf. */
#define TROUBLE_ICMP_LEN 96
const char *trouble_icmp(char buf[TROUBLE_ICMP_LEN], const struct icmp_error *icmp);

/* The rule in words: "inet filter output: tcp dport 80 drop (handle 4)"; returns buf. */
#define TROUBLE_RULE_LEN 400
const char *trouble_rule(char buf[TROUBLE_RULE_LEN], const struct filter_match *match);

/* "Reachable", "Unreachable"; and Unknown, Reachable, Unstable, NoConnection, Timeout. */
const char *trouble_connection_status(const struct trouble_evidence *evidence);
const char *trouble_port_status(const struct trouble_evidence *evidence);

#endif
