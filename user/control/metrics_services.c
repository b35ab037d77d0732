// SPDX-License-Identifier: GPL-2.0-or-later
/* metrics_services - the endpoints of every service, and what the kernel counts for it. */
#include "control/metrics_rows.h"

static void render_endpoints(const struct metrics_row *row, const struct family *family)
{
	static const enum sl_health states[] = { SL_HEALTHY, SL_UNHEALTHY, SL_UNKNOWN };
	const struct service *service = &row->context->model->services[row->index];
	const struct board *board = row->context->board;
	uint32_t n[] = { [SL_HEALTHY] = 0, [SL_UNHEALTHY] = 0, [SL_UNKNOWN] = 0 };

	for (uint32_t i = 0; i < service->n_endpoints; i++)
		if (board_is_shown(board, service->endpoints[i]))
			n[board_health(board, service->endpoints[i]).shown]++;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		exposition_sample(row->out, &family->metric, "state", metrics_health(states[i]),
				  WHOLE(n[states[i]]));
}

static void render_counter(const struct metrics_row *row, const struct family *family)
{
	struct sl_service_stats stats;

	if (dataplane_service_stats(row->context->dataplane, row->index, &stats) >= 0)
		exposition_sample(
			row->out, &family->metric, NULL, NULL,
			WHOLE(*(const uint64_t *)((const char *)&stats + family->offset)));
}

#define COUNTER(field, unit, name, help)                                                         \
	{                                                                                        \
		{ "sluice_service_" name, METRIC_COUNTER, unit, help }, PART_SERVICES,           \
			OVER_SERVICES, render_counter, offsetof(struct sl_service_stats, field), \
			false                                                                    \
	}

static const struct family families[] = {
	{ { "sluice_service_endpoints", METRIC_GAUGE, NULL,
	    "Endpoints of the service whose health is in that state" },
	  PART_SERVICES,
	  OVER_SERVICES,
	  render_endpoints,
	  0,
	  false },
	COUNTER(packets, NULL, "packets", "Packets from clients of the service"),
	COUNTER(bytes, "bytes", "bytes", "Bytes of the frames from clients of the service"),
	COUNTER(flows, NULL, "new_flows", "New flows for which an endpoint was chosen"),
	COUNTER(moved, NULL, "moved_flows",
		"New flows whose first choice was not eligible, so that another endpoint got them"),
	COUNTER(none, NULL, "unserved_flows", "New flows for which no endpoint could be used"),
	COUNTER(failed, NULL, "failed_packets",
		"Packets that were dropped for want of a route, a port or room in the table of "
		"flows"),
	COUNTER(replies, NULL, "reply_packets", "Packets back to clients that pass here"),
	COUNTER(reply_bytes, "bytes", "reply_bytes",
		"Bytes of the frames back to clients that pass here"),
};

#define N_COUNTERS (sizeof(families) / sizeof(families[0]) - 1)
_Static_assert(sizeof(struct sl_service_stats) == N_COUNTERS * sizeof(uint64_t),
	       "metrics: every counter of a service has a row");

const struct family_list metrics_services = FAMILY_LIST(families);
