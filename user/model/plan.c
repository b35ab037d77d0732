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

/* The three names of a probe; see docs/ARCHITECTURE.md for where the precedence comes from. */
struct names {
	const char *host; /* Host header */
	const char *sni; /* NULL: none is sent, as RFC 6066 wants it for addresses */
	const char *verified; /* what the certificate must be for */
	bool configured; /* that somebody chose */
};

/* A host in brackets is an IPv6 address; what is compared with a certificate has none. */
static bool is_address(const char *host)
{
	struct addr addr;

	return host[0] == '[' || addr_parse(&addr, host) == 0;
}

static const char *configured_host(const struct probe_def *probe, const struct settings *settings,
				   const char *backend)
{
	if (probe->host)
		return probe->host;
	if (settings->host_name)
		return settings->host_name;
	return settings->host_name_from_backend ? backend : NULL;
}

static struct names names_of(const struct probe_def *probe, const struct settings *settings,
			     const char *backend)
{
	const char *host = configured_host(probe, settings, backend);
	struct names names = { .host = host ? host : DEFAULT_HOST };

	/* Without a host, a backend's own name is better than the address that nobody has. */
	names.verified = host ? host : backend ? backend : DEFAULT_HOST;
	if (settings->sni_name)
		names.verified = settings->sni_name;
	names.configured = host || backend || settings->sni_name;
	names.sni = is_address(names.verified) ? NULL : names.verified;
	return names;
}

static bool speaks_tls(const struct probe_def *probe, const struct settings *settings)
{
	switch (probe->protocol) {
	case PROTO_HTTPS:
	case PROTO_TLS:
		return true;
	case PROTO_GRPC:
		return settings->protocol == PROTO_HTTPS || settings->protocol == PROTO_TLS;
	default:
		return false;
	}
}

struct plan plan_endpoint(const struct model *model, const struct endpoint *endpoint)
{
	const struct settings *settings = &model->settings[endpoint->settings];
	const struct probe_def *probe = plan_probe(model, settings);
	const struct names names = names_of(probe, settings, endpoint->name);
	struct plan plan = {
		.protocol = probe->protocol,
		.idle = endpoint->name != NULL,
		.backend = endpoint->name,
		.port = probe->port ? probe->port : settings->port,
		.host = names.host,
		.path = probe->path ? probe->path : DEFAULT_PATH,
		.send = probe->send,
		.send_len = probe->send_len,
		.proxy_protocol = probe->proxy_protocol,
		.match = &probe->match,
		.interval_ms = probe->interval_ms,
		.timeout_ms = probe->timeout_ms,
		.unhealthy_threshold = probe->unhealthy_threshold,
		.healthy_threshold = probe->healthy_threshold,
		.fail_fast = probe->fail_fast,
		.mark = SL_PROBE_MARK,
	};

	if (speaks_tls(probe, settings))
		plan.tls = (struct plan_tls){
			.enabled = true,
			.sni = names.sni,
			.name = names.verified,
			.name_configured = names.configured,
			.check_chain = settings->validate_chain,
			.check_name = settings->validate_name,
			.full_every = settings->full_handshake_every,
		};
	memcpy(plan.addr.bytes, endpoint->key.addr, sizeof(plan.addr.bytes));
	return plan;
}
