// SPDX-License-Identifier: GPL-2.0-or-later
/* metrics_kernel - what the programs in the kernel count of every endpoint: a row for each counter. */
#include "control/metrics_rows.h"
#include "dataplane/census.h"

static void render_counter(const struct metrics_row *row, const struct family *family)
{
	struct sl_endpoint_stats stats;

	if (dataplane_endpoint_stats(row->context->dataplane, row->index, &stats) >= 0)
		exposition_sample(
			row->out, &family->metric, NULL, NULL,
			WHOLE(*(const uint64_t *)((const char *)&stats + family->offset)));
}

/* Where the gate alone stands before an endpoint, nobody knows its flows. */
static void render_flows(const struct metrics_row *row, const struct family *family)
{
	const struct model *model = row->context->model;
	const struct service *service = &model->services[model->endpoints[row->index].service];
	uint32_t n;

	if (service_forwards(model, service) && census_flows(row->context->census, row->index, &n))
		exposition_sample(row->out, &family->metric, NULL, NULL, WHOLE(n));
}

#define KERNEL(field, unit, name, help)                                                            \
	{                                                                                          \
		{ "sluice_endpoint_" name, METRIC_COUNTER, unit, help }, PART_KERNEL,              \
			OVER_ENDPOINTS, render_counter, offsetof(struct sl_endpoint_stats, field), \
			false                                                                      \
	}

static const struct family families[] = {
	KERNEL(packets, NULL, "packets", "Packets that were addressed to the endpoint"),
	KERNEL(bytes, "bytes", "bytes", "Bytes of the frames that were addressed to the endpoint"),
	KERNEL(syn, NULL, "syns", "TCP SYNs to the endpoint, retransmissions included"),
	KERNEL(rejected, NULL, "rejected_packets",
	       "Packets that were answered with RST or ICMP port unreachable"),
	KERNEL(dropped, NULL, "dropped_packets", "Packets that were dropped"),
	KERNEL(reset, NULL, "reset_packets", "Packets of open flows that were answered with RST"),
	KERNEL(limited, NULL, "limited_packets",
	       "Packets that were dropped because the budget of replies was spent"),
	KERNEL(icmp_errors, NULL, "icmp_errors", "ICMP errors about packets to the endpoint"),
	KERNEL(replies, NULL, "reply_packets",
	       "Packets from the endpoint; where no service translates them, estimated from one in 64"),
	KERNEL(reply_bytes, "bytes", "reply_bytes",
	       "Bytes of the frames from the endpoint, estimated likewise"),
	{ { "sluice_endpoint_flows", METRIC_GAUGE, NULL,
	    "Flows through services that the endpoint has" },
	  PART_KERNEL,
	  OVER_ENDPOINTS,
	  render_flows,
	  0,
	  false },
};

#define N_COUNTERS (sizeof(families) / sizeof(families[0]) - 1)
_Static_assert(SL_REPLY_SAMPLE == 64, "metrics: a text says so");
_Static_assert(sizeof(struct sl_endpoint_stats) == N_COUNTERS * sizeof(uint64_t),
	       "metrics: every counter of an endpoint has a row");

const struct family_list metrics_kernel = FAMILY_LIST(families);
