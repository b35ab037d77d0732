// SPDX-License-Identifier: GPL-2.0-or-later
/* What is under probes. */
#include "config/keys_rows.h"

static const struct choice probe_protocols[] = {
	NOW("http", PROTO_HTTP),
	NOW("https", PROTO_HTTPS),
	NOW("tcp", PROTO_TCP),
	NOW("tls", PROTO_TLS),
	NOW("udp", PROTO_UDP),
	NOW("grpc", PROTO_GRPC),
	END,
};

const struct choice proxy_versions[] = {
	NOW("false", PROXY_NONE),
	NOW("true", PROXY_V1),
	NOW("v1", PROXY_V1),
	NOW("v2", PROXY_V2),
	END,
};

static const struct key probe_keys[] = {
	{
		.name = "name",
		.type = TYPE_NAME,
		NAMES,
		.required = true,
		.help = "name of the probe",
		KEPT(probe_def, name),
	},
	{
		.name = "protocol",
		.type = TYPE_CHOICE,
		.choices = probe_protocols,
		.required = true,
		.help = "what the probe speaks",
		KEPT(probe_def, protocol),
	},
	{
		.name = "host",
		.type = TYPE_HOST,
		.min = 1,
		.max = LIMIT_HOST_BYTES,
		.words = "the settings' host_name or the backend's name, else 127.0.0.1",
		.help = "host that the probe asks for",
		KEPT(probe_def, host),
	},
	{
		.name = "host_from_settings",
		.type = TYPE_BOOL,
		.value = "false",
		.help = "whether the settings must say which host the probe asks for",
		KEPT(probe_def, host_from_settings),
	},
	{
		.name = "path",
		.type = TYPE_URL_PATH,
		.min = 1,
		.max = LIMIT_PATH_BYTES,
		.value = "/",
		.help = "path that the probe asks for",
		KEPT(probe_def, path),
	},
	{
		.name = "port",
		.type = TYPE_NUMBER,
		PORTS,
		.words = "the settings' port",
		.help = "port that the probe connects to",
		KEPT(probe_def, port),
	},
	{
		.name = "interval",
		.type = TYPE_DURATION,
		.min = LIMIT_INTERVAL_MIN_MS,
		.max = LIMIT_INTERVAL_MAX_MS,
		.value = "30s",
		.help = "time from one probe to the next",
		KEPT(probe_def, interval_ms),
	},
	{
		.name = "timeout",
		.type = TYPE_DURATION,
		.min = LIMIT_TIMEOUT_MIN_MS,
		.max = LIMIT_TIMEOUT_MAX_MS,
		.value = "30s",
		.help = "time for a whole probe, from connecting to the last byte it needs",
		KEPT(probe_def, timeout_ms),
	},
	{
		.name = "unhealthy_threshold",
		.type = TYPE_NUMBER,
		.min = 1,
		.max = LIMIT_THRESHOLD,
		.value = "3",
		.help = "failures in a row that make a healthy endpoint unhealthy",
		KEPT(probe_def, unhealthy_threshold),
	},
	{
		.name = "healthy_threshold",
		.type = TYPE_NUMBER,
		.min = 1,
		.max = LIMIT_THRESHOLD,
		.value = "1",
		.help = "successes in a row that make an unhealthy endpoint healthy",
		KEPT(probe_def, healthy_threshold),
	},
	{
		.name = "fail_fast",
		.type = TYPE_BOOL,
		.value = "false",
		.help = "whether a failure is followed by the next probe at once",
		KEPT(probe_def, fail_fast),
	},
	{
		.name = "match",
		.type = TYPE_RECORD,
		.section = SECTION_MATCH,
		.words = "status 200-399, any body",
		.help = "which answers count as success",
	},
	{
		.name = "min_servers",
		.type = TYPE_NUMBER,
		.max = LIMIT_BACKENDS_PER_POOL,
		.value = "0",
		.help = "backends of a pool that are kept open even if unhealthy",
		KEPT(probe_def, min_servers),
	},
	{
		.name = "proxy_protocol",
		.type = TYPE_CHOICE,
		.choices = proxy_versions,
		.value = "false",
		.help = "the PROXY protocol header that the probe starts with",
		KEPT(probe_def, proxy_protocol),
	},
	{
		.name = "send",
		.type = TYPE_BYTES,
		.max = LIMIT_SEND_BYTES,
		.words = "an empty datagram",
		.help = "datagram that a probe of protocol udp sends",
		KEPT(probe_def, send),
		COUNTED(probe_def, send_len),
	},
};

static const struct key match_keys[] = {
	{
		.name = "status",
		.type = TYPE_STATUS,
		.min = 1,
		.max = LIMIT_STATUS_RANGES,
		.value = "200-399",
		.help = "status codes and ranges of codes that count as success",
		KEPT(probe_def, match),
	},
	{
		.name = "body",
		.type = TYPE_TEXT,
		.max = LIMIT_MATCH_BODY_BYTES,
		.words = "any body",
		.help = "text that the body of the answer, or the datagram, must contain",
		KEPT(probe_def, match.body),
	},
};

const struct section_info section_probe = LIST_OF(probe_def, "name", "probes[]", probe_keys);
const struct section_info section_match = MAPPING("probes[].match", match_keys);
