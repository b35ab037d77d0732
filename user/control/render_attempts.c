// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_attempts - what came of attempts to connect, as part of an endpoint's "kernel".
 */
#include "control/render_attempts.h"

#include "diagnose/json.h"
#include "util/clock.h"

#define PERMILLE 1000

bool render_read_attempts(const struct api_context *context, uint32_t endpoint,
			  struct attempt_report *ret)
{
	const struct model *model = context->model;

	return model->gateway.watch && model->endpoints[endpoint].key.proto == SL_TCP &&
	       dataplane_attempts(context->dataplane, endpoint, ret) >= 0;
}

/* Upper bound of bucket i in ns; the last one has none, and shows the bound below it. */
static double bucket_bound(int i)
{
	return (double)(1ull << (i + SL_TIME_SHIFT));
}

/* The time that so many of a thousand handshakes did not exceed; times within a bucket are taken as evenly spread. */
static uint64_t quantile_us(const struct sl_attempt_stats *stats, uint64_t total, unsigned permille)
{
	double wanted = (double)total * permille / PERMILLE, below = 0;

	for (int i = 0; i < SL_TIME_BUCKETS - 1; i++) {
		double from = i ? bucket_bound(i - 1) : 0, in = (double)stats->times[i];

		if (in > 0 && below + in >= wanted)
			return (uint64_t)(from + (bucket_bound(i) - from) * (wanted - below) / in) /
			       NS_PER_US;
		below += in;
	}
	return (uint64_t)bucket_bound(SL_TIME_BUCKETS - 2) / NS_PER_US;
}

static uint64_t count_times(const struct sl_attempt_stats *stats)
{
	uint64_t total = 0;

	for (int i = 0; i < SL_TIME_BUCKETS; i++)
		total += stats->times[i];
	return total;
}

static json_t *render_times(const struct sl_attempt_stats *stats, uint64_t total)
{
	json_t *json = json_object();

	json_put_uint(&json, "p50", quantile_us(stats, total, 500));
	json_put_uint(&json, "p99", quantile_us(stats, total, 990));
	return json;
}

static json_t *render_icmp(const struct sl_attempt_stats *stats)
{
	json_t *json = json_object();

	json_put_uint(&json, "net", stats->icmp_net);
	json_put_uint(&json, "host", stats->icmp_host);
	json_put_uint(&json, "port", stats->icmp_port);
	json_put_uint(&json, "prohibited", stats->icmp_prohibited);
	json_put_uint(&json, "too_big", stats->icmp_too_big);
	json_put_uint(&json, "other", stats->icmp_other);
	return json;
}

/* Connections that were made and whose end has not been seen: an end may have been missed. */
uint64_t render_open_estimate(const struct attempt_report *report)
{
	const struct sl_attempt_stats *stats = &report->stats;
	uint64_t closed =
		stats->reset_client + stats->reset_endpoint +
		(stats->fin_client > stats->fin_endpoint ? stats->fin_client : stats->fin_endpoint);

	return stats->completed > closed ? stats->completed - closed : 0;
}

void render_attempts(json_t **json, const struct attempt_report *report, bool one_sided)
{
	const struct sl_attempt_stats *stats = &report->stats;
	uint64_t settled = stats->answered + stats->refused + stats->unreachable +
			   stats->unsampled + report->unanswered;
	uint64_t timed = count_times(stats);

	json_put_uint(json, "attempts", stats->sent);
	json_put_uint(json, "retransmits", stats->retransmitted);
	json_put_uint(json, "syn_ack", stats->answered);
	json_put_uint(json, "completed", stats->completed);
	json_put_uint(json, "abandoned", stats->abandoned);
	json_put_uint(json, "refused", stats->refused);
	json_put_uint(json, "unreachable", stats->unreachable);
	json_put_uint(json, "unanswered", report->unanswered);
	json_put_uint(json, "unsampled", stats->unsampled);
	json_put_uint(json, "pending", stats->sent > settled ? stats->sent - settled : 0);
	json_put_uint(json, "fin_client", stats->fin_client);
	json_put_uint(json, "fin_endpoint", stats->fin_endpoint);
	json_put_uint(json, "reset_client", stats->reset_client);
	json_put_uint(json, "reset_endpoint", stats->reset_endpoint);
	json_put_uint(json, "open_estimate", render_open_estimate(report));
	json_put(json, "icmp", render_icmp(stats));
	if (timed)
		json_put(json, "handshake_us", render_times(stats, timed));
	if (one_sided)
		json_put_bool(json, "one_sided", true);
}
