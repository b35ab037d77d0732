// SPDX-License-Identifier: GPL-2.0-or-later
/* metrics_attempts - what came of clients' attempts to connect to an endpoint: a row for each counter. */
#include "control/metrics_rows.h"

static void render_attempts_counter(const struct metrics_row *row, const struct family *family)
{
	const struct model *model = row->context->model;
	struct attempt_report report;

	if (!model->gateway.watch || model->endpoints[row->index].key.proto != SL_TCP ||
	    dataplane_attempts(row->context->dataplane, row->index, &report) < 0)
		return;
	exposition_sample(row->out, &family->metric, NULL, NULL,
			  WHOLE(*(const uint64_t *)((const char *)&report + family->offset)));
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
};

const struct family_list metrics_attempts = FAMILY_LIST(families);
