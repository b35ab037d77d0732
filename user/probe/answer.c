// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *rcode_name(int rcode)
{
	static const char *const names[] = {
		"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
		"YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE",
	};

	if (rcode == RCODE_NONE)
		return "no answer";
	if (rcode < 0 || (size_t)rcode >= sizeof(names) / sizeof(names[0]))
		return "unassigned rcode";
	return names[rcode];
}

/* Whether the servers said something about the name, be it that there is nothing. */
static bool is_answer(const struct dns_records *records)
{
	return records->rcode == DNS_NOERROR || records->rcode == DNS_NXDOMAIN;
}

static void explain_nothing(struct resolve_answer *answer, const struct dns_records *records,
			    uint32_t timeout_ms)
{
	char text[SL_TEXT_LEN];

	for (enum family f = 0; f < FAMILIES; f++) {
		if (!records[f].n_unusable)
			continue;
		snprintf(answer->why, sizeof(answer->why), "%s %s, and there is no other",
			 addr_format(text, &records[f].unusable),
			 addr_unusable(&records[f].unusable));
		return;
	}
	switch (answer->rcode) {
	case RCODE_NONE:
		snprintf(answer->why, sizeof(answer->why), "no answer within %" PRIu32 " ms",
			 timeout_ms);
		break;
	case DNS_NOERROR:
		snprintf(answer->why, sizeof(answer->why),
			 "NOERROR, but neither an A nor an AAAA record");
		break;
	case DNS_NXDOMAIN:
		snprintf(answer->why, sizeof(answer->why), "NXDOMAIN: there is no such name");
		break;
	default:
		snprintf(answer->why, sizeof(answer->why), "%s: the servers could not answer",
			 rcode_name(answer->rcode));
	}
}

static void explain_rest(struct resolve_answer *answer, const struct dns_records *records,
			 uint32_t n_more)
{
	char text[SL_TEXT_LEN];

	for (enum family f = 0; f < FAMILIES; f++)
		if (records[f].n_unusable) {
			snprintf(answer->why, sizeof(answer->why), "left out: %s %s",
				 addr_format(text, &records[f].unusable),
				 addr_unusable(&records[f].unusable));
			return;
		}
	if (n_more)
		snprintf(answer->why, sizeof(answer->why),
			 "left out: all but the lowest %d addresses", LIMIT_NAME_ADDRESSES);
	else if (answer->lost_v4 || answer->lost_v6)
		snprintf(answer->why, sizeof(answer->why), "%s records: %s",
			 answer->lost_v4 ? "A" : "AAAA",
			 rcode_name(records[answer->lost_v4 ? FAMILY_V4 : FAMILY_V6].rcode));
}

/* What decides when there is no address: what is said of the name before what went wrong. */
static int rcode_of(const struct dns_records *records)
{
	const int a = records[FAMILY_V4].rcode, b = records[FAMILY_V6].rcode;

	if (a == DNS_NXDOMAIN || b == DNS_NXDOMAIN)
		return DNS_NXDOMAIN;
	if (a == DNS_NOERROR)
		return b;
	return a == RCODE_NONE && b != DNS_NOERROR ? b : a;
}

static void join(struct resolve_answer *answer, const struct dns_records *records)
{
	struct addr_set set = { .n = 0 };

	for (enum family f = 0; f < FAMILIES; f++) {
		for (uint32_t i = 0; i < records[f].set.n; i++)
			addr_set_add(&set, &records[f].set.addrs[i]);
		set.n_more += records[f].set.n_more;
		answer->n_left_out += records[f].n_unusable;
		if (records[f].set.n && (!answer->n || records[f].ttl_s < answer->ttl_s))
			answer->ttl_s = records[f].ttl_s;
		answer->n += records[f].set.n;
	}
	memcpy(answer->addrs, set.addrs, sizeof(answer->addrs));
	answer->n = set.n;
	answer->n_left_out += set.n_more;
}

void answer_make(struct resolve_answer *answer, const struct dns_records *records,
		 const char *servers, uint32_t timeout_ms)
{
	*answer = (struct resolve_answer){
		.lost_v4 = !is_answer(&records[FAMILY_V4]),
		.lost_v6 = !is_answer(&records[FAMILY_V6]),
	};
	snprintf(answer->servers, sizeof(answer->servers), "%s", servers);
	join(answer, records);
	if (answer->n) {
		explain_rest(answer, records, answer->n_left_out);
		return;
	}
	answer->rcode = rcode_of(records);
	explain_nothing(answer, records, timeout_ms);
}
