// SPDX-License-Identifier: GPL-2.0-or-later
/* metrics_attempts - what came of clients' attempts to connect to an endpoint: a row for each counter. */
#include <stdio.h>

#include "control/metrics_rows.h"
#include "control/render_attempts.h"
#include "util/clock.h"

static bool read_attempts(const struct metrics_row *row, struct attempt_report *ret)
{
	return render_read_attempts(row->context, row->index, ret);
}

static void render_attempts_counter(const struct metrics_row *row, const struct family *family)
{
	struct attempt_report report;

	if (!read_attempts(row, &report))
		return;
	exposition_sample(row->out, &family->metric, NULL, NULL,
			  WHOLE(*(const uint64_t *)((const char *)&report + family->offset)));
}

static void render_icmp(const struct metrics_row *row, const struct family *family)
{
	struct attempt_report report;

	if (!read_attempts(row, &report))
		return;
#define SAYS(meaning)                                                  \
	exposition_sample(row->out, &family->metric, "says", #meaning, \
			  WHOLE(report.stats.icmp_##meaning))
	SAYS(net);
	SAYS(host);
	SAYS(port);
	SAYS(prohibited);
	SAYS(too_big);
	SAYS(other);
#undef SAYS
}

static void render_open(const struct metrics_row *row, const struct family *family)
{
	struct attempt_report report;

	if (read_attempts(row, &report))
		exposition_sample(row->out, &family->metric, NULL, NULL,
				  WHOLE(render_open_estimate(&report)));
}

#define BOUND_LEN 24

/* Where bucket i ends, in seconds. A power of two in nanoseconds has no zeros at its end. */
static const char *bound(char buf[BOUND_LEN], int i)
{
	uint64_t ns = 1ull << (i + SL_TIME_SHIFT);

	if (i == SL_TIME_BUCKETS - 1)
		return "+Inf";
	snprintf(buf, BOUND_LEN, "%llu.%09llu", ns / NS_PER_SEC, ns % NS_PER_SEC);
	return buf;
}

static void render_handshakes(const struct metrics_row *row, const struct family *family)
{
	struct attempt_report report;
	char text[BOUND_LEN];
	uint64_t n = 0;

	if (!read_attempts(row, &report))
		return;
	for (int i = 0; i < SL_TIME_BUCKETS; i++) {
		n += report.stats.times[i];
		exposition_bucket(row->out, &family->metric, bound(text, i), n);
	}
	exposition_sum(row->out, &family->metric,
		       ((struct number){ (int64_t)report.stats.times_ns, 9 }), n);
}

#define ATTEMPT(field, name, help)                                                    \
	{                                                                             \
		{ "sluice_endpoint_" name, METRIC_COUNTER, NULL, help }, PART_KERNEL, \
			OVER_ENDPOINTS, render_attempts_counter,                      \
			offsetof(struct attempt_report, field), false                 \
	}

static const struct family families[] = {
	ATTEMPT(stats.sent, "attempts", "Attempts to connect that were let through"),
	ATTEMPT(stats.retransmitted, "retransmits", "SYNs that were sent again"),
	ATTEMPT(stats.answered, "syn_acks", "Attempts that the endpoint answered"),
	ATTEMPT(stats.completed, "completed", "Connections that were made"),
	ATTEMPT(stats.abandoned, "abandoned",
		"Attempts that were answered, and given up by the client"),
	ATTEMPT(stats.refused, "refused", "Attempts that the endpoint refused with RST"),
	ATTEMPT(stats.unreachable, "unreachable", "Attempts that an ICMP error ended"),
	ATTEMPT(unanswered, "unanswered", "Attempts that nobody answered"),
	ATTEMPT(stats.unsampled, "unsampled", "Attempts that were lost sight of"),
	ATTEMPT(stats.fin_client, "fin_client", "Connections that the client closed"),
	ATTEMPT(stats.fin_endpoint, "fin_endpoint", "Connections that the endpoint closed"),
	ATTEMPT(stats.reset_client, "reset_client", "Connections that the client reset"),
	ATTEMPT(stats.reset_endpoint, "reset_endpoint", "Connections that the endpoint reset"),
	{ { "sluice_endpoint_icmp_messages", METRIC_COUNTER, NULL,
	    "ICMP errors about packets to the endpoint, by what they say" },
	  PART_KERNEL,
	  OVER_ENDPOINTS,
	  render_icmp,
	  0,
	  false },
	{ { "sluice_endpoint_open_connections", METRIC_GAUGE, NULL,
	    "Connections that are open now, about" },
	  PART_KERNEL,
	  OVER_ENDPOINTS,
	  render_open,
	  0,
	  false },
	{ { "sluice_endpoint_handshake_seconds", METRIC_HISTOGRAM, "seconds",
	    "Time from a client's first SYN to the endpoint's answer" },
	  PART_KERNEL,
	  OVER_ENDPOINTS,
	  render_handshakes,
	  0,
	  false },
};

const struct family_list metrics_attempts = FAMILY_LIST(families);
