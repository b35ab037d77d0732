// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/plan.h"

#include <string.h>

#define DEFAULT_HOST "127.0.0.1" /* the documented host of the default probe */
#define DEFAULT_PATH "/"

/* Interval, timeout, threshold and status range of the default probe, as documented. */
#define DEFAULT_PROBE(proto)                                                                       \
	{                                                                                          \
		.name = "default", .protocol = (proto), .interval_ms = 30000, .timeout_ms = 30000, \
		.unhealthy_threshold = 3, .healthy_threshold = 1,                                  \
		.match = { .status = { { 200, 399 } }, .n_status = 1 },                            \
	}

const struct probe_def *probe_default(enum protocol protocol)
{
	static const struct probe_def defaults[] = {
		[PROTO_HTTP] = DEFAULT_PROBE(PROTO_HTTP),
		[PROTO_HTTPS] = DEFAULT_PROBE(PROTO_HTTPS),
		[PROTO_TCP] = DEFAULT_PROBE(PROTO_TCP),
		[PROTO_TLS] = DEFAULT_PROBE(PROTO_TLS),
		[PROTO_UDP] = DEFAULT_PROBE(PROTO_UDP),
		[PROTO_GRPC] = DEFAULT_PROBE(PROTO_GRPC),
	};

	return &defaults[protocol];
}

const struct probe_def *plan_probe(const struct model *model, const struct settings *settings)
{
	if (settings->probe == INDEX_NONE)
		return probe_default(settings->protocol);
	return &model->probes[settings->probe];
}

static const char *host_of(const struct probe_def *probe, const struct settings *settings)
{
	if (probe->host)
		return probe->host;
	if (settings->host_name)
		return settings->host_name;
	return DEFAULT_HOST;
}

struct plan plan_endpoint(const struct model *model, const struct endpoint *endpoint)
{
	const struct settings *settings = &model->settings[endpoint->settings];
	const struct probe_def *probe = plan_probe(model, settings);
	struct plan plan = {
		.protocol = probe->protocol,
		.port = probe->port ? probe->port : settings->port,
		.host = host_of(probe, settings),
		.path = probe->path ? probe->path : DEFAULT_PATH,
		.match = &probe->match,
		.interval_ms = probe->interval_ms,
		.timeout_ms = probe->timeout_ms,
		.unhealthy_threshold = probe->unhealthy_threshold,
		.healthy_threshold = probe->healthy_threshold,
		.fail_fast = probe->fail_fast,
		.mark = SL_PROBE_MARK,
	};

	memcpy(plan.addr.bytes, endpoint->key.addr, sizeof(plan.addr.bytes));
	return plan;
}
