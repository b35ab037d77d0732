// SPDX-License-Identifier: GPL-2.0-or-later
/* troubleshoot_text - ICMP errors and rules in words. */
#include <inttypes.h>
#include <stdio.h>

#include "diagnose/troubleshoot.h"

static const char *const v4_codes[] = {
	[0] = "network unreachable",
	[1] = "host unreachable",
	[2] = "protocol unreachable",
	[3] = "port unreachable",
	[4] = "fragmentation needed",
	[5] = "source route failed",
	[6] = "network unknown",
	[7] = "host unknown",
	[8] = "host isolated",
	[9] = "network administratively prohibited",
	[10] = "host administratively prohibited",
	[11] = "network unreachable for this service",
	[12] = "host unreachable for this service",
	[13] = "administratively prohibited",
	[14] = "host precedence violation",
	[15] = "precedence cutoff",
};

static const char *const v6_codes[] = {
	[0] = "no route",         [1] = "administratively prohibited",
	[2] = "beyond scope",     [3] = "address unreachable",
	[4] = "port unreachable", [5] = "source address failed policy",
	[6] = "route rejects",
};

#define V4_UNREACHABLE 3
#define V4_TIME_EXCEEDED 11
#define V6_UNREACHABLE 1
#define V6_TOO_BIG 2
#define V6_TIME_EXCEEDED 3

static const char *words(const struct icmp_error *icmp)
{
	bool v4 = addr_is_v4(&icmp->from);

	if (icmp->type == (v4 ? V4_TIME_EXCEEDED : V6_TIME_EXCEEDED))
		return "hops spent";
	if (!v4 && icmp->type == V6_TOO_BIG)
		return "packet too big";
	if (icmp->type != (v4 ? V4_UNREACHABLE : V6_UNREACHABLE))
		return "unusual";
	if (v4)
		return icmp->code < sizeof(v4_codes) / sizeof(v4_codes[0]) ? v4_codes[icmp->code]
									   : "unusual";
	return icmp->code < sizeof(v6_codes) / sizeof(v6_codes[0]) ? v6_codes[icmp->code]
								   : "unusual";
}

const char *trouble_icmp(char buf[TROUBLE_ICMP_LEN], const struct icmp_error *icmp)
{
	snprintf(buf, TROUBLE_ICMP_LEN, "ICMP%s type %u code %u (%s)",
		 addr_is_v4(&icmp->from) ? "" : "v6", icmp->type, icmp->code, words(icmp));
	return buf;
}

const char *trouble_rule(char buf[TROUBLE_RULE_LEN], const struct filter_match *match)
{
	if (match->is_policy)
		snprintf(buf, TROUBLE_RULE_LEN, "table %s %s, chain %s (hook %s): policy drop",
			 match->family, match->table, match->chain, match->hook);
	else
		snprintf(buf, TROUBLE_RULE_LEN,
			 "table %s %s, chain %s (hook %s), handle %" PRIu64 ": %s", match->family,
			 match->table, match->chain, match->hook, match->handle,
			 match->text[0]                   ? match->text
			 : match->action == FILTER_REJECT ? "reject"
							  : "drop");
	return buf;
}
