/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trouble_run - what evidence for troubleshooting is made of, in tests; included by one .c of each. */
#ifndef SLUICE_TESTS_TROUBLE_RUN_H
#define SLUICE_TESTS_TROUBLE_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/troubleshoot.h"

/* 10.2.1.2:80 on the link of eth0, and what a row makes of it. */
typedef void fill_fn(struct trouble_evidence *e);

static inline struct addr addr(const char *text)
{
	struct addr ret;

	assert_int_equal(addr_parse(&ret, text), 0);
	return ret;
}

static inline void sent(struct attempt_tally *attempts, uint32_t answered, uint32_t silent)
{
	*attempts = (struct attempt_tally){ .sent = 3, .answered = answered, .silent = silent };
}

static inline void unanswered(struct trouble_evidence *e)
{
	sent(&e->attempts, 0, 3);
}

static inline void answered(struct trouble_evidence *e)
{
	sent(&e->attempts, 3, 0);
}

static inline void refused(struct trouble_evidence *e)
{
	e->attempts = (struct attempt_tally){ .sent = 3, .refused = 3 };
}

static inline void far(struct trouble_evidence *e)
{
	e->way.to = addr("10.9.0.2");
	e->route.has_gateway = true;
	e->route.gateway = addr("10.2.1.1");
}

static inline void internet(struct trouble_evidence *e)
{
	far(e);
	e->way.to = addr("198.51.100.2");
}

static inline void icmp(struct trouble_evidence *e, const char *from, uint8_t type, uint8_t code)
{
	e->attempts = (struct attempt_tally){ .sent = 3, .icmp = 3 };
	e->attempts.error = (struct icmp_error){ .type = type, .code = code, .from = addr(from) };
}

static inline void walked(struct walk *walk, uint32_t routers, bool arrived)
{
	*walk = (struct walk){ .done = true, .n = routers + arrived };
	for (uint32_t i = 0; i < routers; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.2.%u.1", i + 1);
		walk->hops[i] = (struct hop){ .kind = HOP_ROUTER, .icmp.from = addr(text) };
	}
	if (arrived)
		walk->hops[routers].kind = HOP_TARGET;
}

static inline void probed(struct trouble_probe *probe, enum sl_message code)
{
	*probe = (struct trouble_probe){ .done = true,
					 .passed = code == SL_MSG_OK,
					 .port = 8080,
					 .code = code,
					 .message = "as it was probed" };
}

static inline void matched(struct filter_report *report, bool certain)
{
	report->n = 1;
	report->of[0] = (struct filter_match){ .certain = certain,
					       .family = "inet",
					       .table = "t",
					       .chain = "c",
					       .hook = "output",
					       .handle = 7,
					       .text = "tcp dport 80 drop" };
}

static inline struct trouble_evidence on_the_link(void)
{
	struct trouble_evidence e = {
		.way = { .port = 80 },
		.route = { .kind = ROUTE_FORWARD,
			   .device = "eth0",
			   .has_source = true,
			   .has_carrier = true,
			   .mtu = 1500 },
	};

	e.way.to = addr("10.2.1.2");
	e.route.source = addr("10.2.1.1");
	return e;
}

struct row {
	fill_fn *fill;
	enum cause cause;
	const char *says, *port_status;
};

/* Each row must lead to its cause; sets ret_reached for every one. */
static inline void run_rows(const struct row *rows, size_t n, bool ret_reached[CAUSE_MAX])
{
	for (size_t i = 0; i < n; i++) {
		const struct row *row = &rows[i];
		struct trouble_evidence e = on_the_link();
		struct trouble_finding finding;

		row->fill(&e);
		troubleshoot(&finding, &e);
		if (finding.cause != row->cause || !strstr(finding.text, row->says))
			fail_msg("row %zu: %s: %s; not %s: %s", i, cause_id(finding.cause),
				 finding.text, cause_id(row->cause), row->says);
		assert_string_equal(trouble_port_status(&e), row->port_status);
		assert_string_equal(trouble_connection_status(&e),
				    e.attempts.answered ? "Reachable" : "Unreachable");
		ret_reached[finding.cause] = true;
	}
}

#endif
