/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter - which rule of this host's nftables ends a packet.
 *
 * Rules are read through libnftables and followed as the kernel does: base chains of a hook by
 * priority, jumps, verdict maps, policies. What a rule asks for that is not known here (marks,
 * limits, owners, extensions of iptables) makes its verdict one that may apply, and is said so.
 */
#ifndef SLUICE_SURVEY_FILTER_H
#define SLUICE_SURVEY_FILTER_H

#include <jansson.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/addr.h"

#define FILTER_MATCHES_MAX 8
#define FILTER_NAME_LEN 64
#define FILTER_TEXT_LEN 200

enum filter_action { FILTER_DROP, FILTER_REJECT };

/* One packet, and whether it is the first of its connection. */
struct filter_packet {
	struct addr from, to;
	uint16_t from_port, to_port; /* 0: not known */
	bool udp, is_answer; /* an answer belongs to a connection that is known */
	char in[IF_NAMESIZE], out[IF_NAMESIZE]; /* "": none, or not known */
	bool in_unknown, from_unknown; /* of what is forwarded for others */
};

struct filter_match {
	enum filter_action action;
	bool certain; /* false: the rule asks for something that is not known here */
	bool is_policy; /* the chain's policy, and no rule */
	char family[8], table[FILTER_NAME_LEN], chain[FILTER_NAME_LEN], hook[16];
	uint64_t handle;
	char text[FILTER_TEXT_LEN]; /* the rule as nft writes it; "": not found */
};

enum filter_state { FILTER_UNASKED, FILTER_LOOKED, FILTER_NOT_PERMITTED, FILTER_FAILED };

/* Plain data. */
struct filter_report {
	enum filter_state state;
	uint32_t n;
	struct filter_match of[FILTER_MATCHES_MAX];
};

/* The rules of this network namespace, read once. */
struct filter;

/* The caller frees it. -EPERM: not for this user; -EFBIG: more than is read; -EPROTO, -ENOMEM. */
int filter_read(struct filter **ret);
void filter_free(struct filter *filter);

/*
 * Follow the packet through the hooks ("output", "postrouting"; up to NULL), in that order. Matches
 * are added to those that the report has. filter may be NULL: nothing is added.
 */
void filter_follow(const struct filter *filter, const struct filter_packet *packet,
		   const char *const hooks[], struct filter_report *report);

/* The same for a ruleset in libnftables' JSON, without texts. */
void filter_judge(const json_t *ruleset, const struct filter_packet *packet,
		  const char *const hooks[], struct filter_report *report);

/* Whether tables of the old iptables are in force, which are not looked at. */
bool filter_has_legacy(void);

#endif
