// SPDX-License-Identifier: GPL-2.0-or-later
/* metrics_l7 - what HAProxy counts of the endpoints of services that it carries, and its process. */
#include <stdio.h>

#include "control/metrics_rows.h"
#include "l7/supervisor.h"
#include "util/clock.h"

static bool read_numbers(const struct metrics_row *row, struct l7_numbers *ret)
{
	return row->context->supervisor &&
	       supervisor_numbers(row->context->supervisor, row->index, ret);
}

static void render_number(const struct metrics_row *row, const struct family *family)
{
	struct l7_numbers numbers;

	if (read_numbers(row, &numbers))
		exposition_sample(
			row->out, &family->metric, NULL, NULL,
			WHOLE(*(const uint64_t *)((const char *)&numbers + family->offset)));
}

static void render_responses(const struct metrics_row *row, const struct family *family)
{
	static const char *const classes[L7_STATUS_CLASSES] = { "1xx", "2xx", "3xx",
								"4xx", "5xx", "other" };
	struct l7_numbers numbers;

	if (!read_numbers(row, &numbers))
		return;
	for (size_t i = 0; i < L7_STATUS_CLASSES; i++)
		exposition_sample(row->out, &family->metric, "class", classes[i],
				  WHOLE(numbers.by_status[i]));
}

static void render_response_time(const struct metrics_row *row, const struct family *family)
{
	struct l7_numbers numbers;

	if (read_numbers(row, &numbers))
		exposition_sample(row->out, &family->metric, NULL, NULL,
				  MILLI(numbers.response_ms));
}

static void render_times(const struct metrics_row *row, const struct family *family)
{
	struct l7_numbers numbers;
	char le[16];

	if (!read_numbers(row, &numbers))
		return;
	for (size_t i = 0; i < L7_TIMES; i++) {
		snprintf(le, sizeof(le), "%g", l7_times_ms[i] / 1000.0);
		exposition_bucket(row->out, &family->metric, le, l7_numbers_within(&numbers, i));
	}
	exposition_bucket(row->out, &family->metric, "+Inf", l7_numbers_within(&numbers, L7_TIMES));
}

static void render_running(const struct metrics_row *row, const struct family *family)
{
	struct supervisor_status status;

	if (!row->context->supervisor)
		return;
	supervisor_status(row->context->supervisor, &status);
	exposition_sample(row->out, &family->metric, NULL, NULL,
			  WHOLE(status.running && status.current));
}

static void render_starts(const struct metrics_row *row, const struct family *family)
{
	struct supervisor_status status;

	if (!row->context->supervisor)
		return;
	supervisor_status(row->context->supervisor, &status);
	exposition_sample(row->out, &family->metric, NULL, NULL, WHOLE(status.starts));
}

static void render_clients(const struct metrics_row *row, const struct family *family)
{
	struct supervisor_status status;

	if (!row->context->supervisor)
		return;
	supervisor_status(row->context->supervisor, &status);
	exposition_sample(row->out, &family->metric, NULL, NULL,
			  WHOLE(*(uint64_t *)((char *)&status.clients + family->offset)));
}

#define CLIENTS(field, name, help)                                                      \
	{                                                                               \
		{ "sluice_l7_" name, METRIC_GAUGE, NULL, help }, PART_L7, OVER_GATEWAY, \
			render_clients, offsetof(struct l7_clients, field), false       \
	}
#define NUMBER(type, field, unit, name, help)                                                    \
	{                                                                                        \
		{ "sluice_l7_" name, type, unit, help }, PART_L7, OVER_ENDPOINTS, render_number, \
			offsetof(struct l7_numbers, field), false                                \
	}
#define COUNTER(field, name, help) NUMBER(METRIC_COUNTER, field, NULL, name, help)

static const struct family families[] = {
	{ { "sluice_l7_up", METRIC_GAUGE, NULL,
	    "Whether HAProxy serves the configuration in force" },
	  PART_L7,
	  OVER_GATEWAY,
	  render_running,
	  0,
	  false },
	{ { "sluice_l7_starts", METRIC_COUNTER, NULL, "How often the daemon has started HAProxy" },
	  PART_L7,
	  OVER_GATEWAY,
	  render_starts,
	  0,
	  false },
	CLIENTS(connected, "clients", "Connections of clients that HAProxy has now"),
	CLIENTS(allowed, "clients_max", "Connections of clients that HAProxy may have at a time"),
	CLIENTS(waiting, "clients_waiting", "Connections of clients that wait to be accepted now"),
	COUNTER(requests, "requests",
		"Requests, or connections of layer 4, that the endpoint was given"),
	{ { "sluice_l7_responses", METRIC_COUNTER, NULL,
	    "Answers of the endpoint to requests, by class of status" },
	  PART_L7,
	  OVER_ENDPOINTS,
	  render_responses,
	  0,
	  false },
	{ { "sluice_l7_response_time_seconds", METRIC_GAUGE, "seconds",
	    "Mean time until the first byte of an answer, of the last 1024 requests" },
	  PART_L7,
	  OVER_ENDPOINTS,
	  render_response_time,
	  0,
	  false },
	{ { "sluice_l7_response_duration_seconds", METRIC_HISTOGRAM, "seconds",
	    "Time from a request until the first byte of its answer, in HTTP" },
	  PART_L7,
	  OVER_ENDPOINTS,
	  render_times,
	  0,
	  false },
	COUNTER(retries, "retries", "Connections to the endpoint that were tried again"),
	COUNTER(redispatches, "redispatches", "Requests that another endpoint got instead"),
	COUNTER(connect_errors, "connect_errors", "Connections to the endpoint that failed"),
	COUNTER(response_errors, "response_errors",
		"Answers of the endpoint that were cut off or none"),
	NUMBER(METRIC_GAUGE, queued, NULL, "queued_requests",
	       "Requests that wait for the endpoint now"),
	NUMBER(METRIC_GAUGE, sessions, NULL, "sessions",
	       "Requests and connections that the endpoint has now"),
	NUMBER(METRIC_COUNTER, bytes_in, "bytes", "in_bytes",
	       "Bytes from clients for the endpoint"),
	NUMBER(METRIC_COUNTER, bytes_out, "bytes", "out_bytes",
	       "Bytes from the endpoint for clients"),
};

const struct family_list metrics_l7 = FAMILY_LIST(families);
