// SPDX-License-Identifier: GPL-2.0-or-later
/* What is under settings. */
#include "config/keys_rows.h"
#include "config/trust_keys.h"

static const struct choice settings_protocols[] = {
	NOW("http", PROTO_HTTP), NOW("https", PROTO_HTTPS), NOW("tcp", PROTO_TCP),
	NOW("tls", PROTO_TLS),   NOW("udp", PROTO_UDP),     END,
};

static const struct choice unhealthy_actions[] = {
	NOW("reject", SL_ACTION_REJECT),
	NOW("drop", SL_ACTION_DROP),
	NOW("pass", SL_ACTION_PASS),
	NOW("redirect", SL_ACTION_REDIRECT),
	END,
};

static const struct choice none_healthy_actions[] = {
	NOW("reject", NONE_HEALTHY_REJECT),
	NOW("drop", NONE_HEALTHY_DROP),
	NOW("pass", NONE_HEALTHY_PASS),
	NOW("last", NONE_HEALTHY_LAST),
	END,
};

static const struct choice established_choices[] = { NOW("keep", false), NOW("reset", true), END };
static const struct key settings_keys[] = {
	{
		.name = "name",
		.type = TYPE_NAME,
		NAMES,
		.required = true,
		.help = "name of the settings",
		KEPT(settings, name),
	},
	{
		.name = "protocol",
		.type = TYPE_CHOICE,
		.choices = settings_protocols,
		.required = true,
		.help = "what the backends speak",
		KEPT(settings, protocol),
	},
	{
		.name = "port",
		.type = TYPE_NUMBER,
		PORTS,
		.required = true,
		.help = "port of the backends",
		KEPT(settings, port),
	},
	{
		.name = "probe",
		.type = TYPE_REFERENCE,
		.section = SECTION_PROBE,
		NAMES,
		.words = "the default probe",
		.help = "custom probe in use",
		KEPT(settings, probe),
	},
	{
		.name = "trusted_roots",
		.type = TYPE_LIST,
		.item = TYPE_FILE,
		.min = 1,
		.max = PATH_MAX - 1,
		.words = "the system's well-known authorities",
		.help = "certificates of the authorities that backends are trusted by",
		.keep_item = keep_trusted_root,
	},
	{
		.name = "allow_listed",
		.type = TYPE_LIST,
		.item = TYPE_FILE,
		.min = 1,
		.max = PATH_MAX - 1,
		.words = "none",
		.help = "the exact certificates that backends may show",
		.keep_item = keep_allow_listed,
	},
	{
		.name = "validate_chain_and_expiry",
		.type = TYPE_BOOL,
		.value = "true",
		.help = "whether a backend's certificate chain and its dates are checked",
		KEPT(settings, validate_chain),
	},
	{
		.name = "validate_sni",
		.type = TYPE_BOOL,
		.value = "true",
		.help = "whether the name in a backend's certificate is checked",
		KEPT(settings, validate_name),
	},
	{
		.name = "full_handshake_every",
		.type = TYPE_NUMBER,
		.min = 1,
		.max = LIMIT_FULL_HANDSHAKE_EVERY,
		.value = "10",
		.help = "probes of an endpoint of which one makes a full TLS handshake",
		KEPT(settings, full_handshake_every),
	},
	{
		.name = "sni_name",
		.type = TYPE_HOST,
		.min = 1,
		.max = LIMIT_HOST_BYTES,
		.words = "the host that is asked for",
		.help = "server name that is sent to backends in the TLS handshake",
		KEPT(settings, sni_name),
	},
	{
		.name = "host_name",
		.type = TYPE_HOST,
		.min = 1,
		.max = LIMIT_HOST_BYTES,
		.words = "none",
		.help = "host that backends are asked for",
		KEPT(settings, host_name),
	},
	{
		.name = "host_name_from_backend",
		.type = TYPE_BOOL,
		.value = "false",
		.help = "whether a backend's own name is the host that it is asked for",
		KEPT(settings, host_name_from_backend),
	},
	{
		.name = "crl",
		.type = TYPE_LIST,
		.item = TYPE_CRL,
		.min = 1,
		.max = PATH_MAX - 1,
		.words = "none",
		.help = "files or URLs of certificate revocation lists",
		.keep_item = keep_crl,
	},
	{
		.name = "request_timeout",
		.type = TYPE_DURATION,
		.min = SECONDS(1),
		.max = DAY,
		.value = "20s",
		.layer7 = true,
		.help = "time that a backend has to answer a client's request",
		KEPT(settings, l7.request_timeout_ms),
	},
	{
		.name = "draining",
		.type = TYPE_RECORD,
		.section = SECTION_DRAINING,
		.words = "off",
		.help = "what becomes of the flows of a backend that is removed",
	},
	{
		.name = "cookie_affinity",
		.type = TYPE_RECORD,
		.section = SECTION_AFFINITY,
		.words = "off",
		.help = "keeping a client on its backend with a cookie",
	},
	{
		.name = "path_override",
		.type = TYPE_URL_PATH,
		.min = 1,
		.max = LIMIT_PATH_BYTES,
		.words = "none",
		.layer7 = true,
		.help = "path that replaces the matched part of a request's path",
		KEPT(settings, l7.path_override),
	},
	{
		.name = "dedicated_connection",
		.type = TYPE_BOOL,
		.value = "false",
		.layer7 = true,
		.help = "whether every client connection has a backend connection of its own",
		KEPT(settings, l7.dedicated),
	},
	{
		.name = "send_proxy_protocol",
		.type = TYPE_CHOICE,
		.choices = proxy_versions,
		.value = "false",
		.layer7 = true,
		.help = "the PROXY protocol header that connections to backends start with",
		KEPT(settings, l7.send_proxy),
	},
	{
		.name = "on_unhealthy",
		.type = TYPE_CHOICE,
		.choices = unhealthy_actions,
		.value = "reject",
		.help = "what becomes of new flows to an unhealthy endpoint",
		KEPT(settings, on_unhealthy),
	},
	{
		.name = "on_none_healthy",
		.type = TYPE_CHOICE,
		.choices = none_healthy_actions,
		.value = "reject",
		.help = "what becomes of new flows to a service without a healthy endpoint",
		KEPT(settings, on_none_healthy),
	},
	{
		.name = "established",
		.type = TYPE_CHOICE,
		.choices = established_choices,
		.value = "keep",
		.help = "what becomes of flows that are open when their endpoint turns unhealthy",
		KEPT(settings, reset_established),
	},
	{
		.name = "slow_start",
		.type = TYPE_DURATION,
		.max = SLOW_START_MAX_MS,
		.value = "0s",
		.help = "time after recovery until a backend has its whole share of new flows",
		KEPT(settings, slow_start_ms),
	},
	{
		.name = "passive",
		.type = TYPE_RECORD,
		.section = SECTION_PASSIVE,
		.words = "on",
		.help = "probing an endpoint at once when clients' connections to it fail",
	},
};

static const struct key draining_keys[] = {
	{
		.name = "enabled",
		.type = TYPE_BOOL,
		.value = "false",
		.help = "whether the time that flows get is the timeout here, instead of 30s",
		KEPT(settings, drains),
	},
	{
		.name = "timeout",
		.type = TYPE_DURATION,
		.min = LIMIT_DRAIN_MIN_MS,
		.max = LIMIT_DRAIN_MAX_MS,
		.value = "60s",
		.help = "how long flows may stay open to a backend that is removed or drained",
		KEPT(settings, drain_ms),
	},
};

#define COOKIE_NAME "ApplicationGatewayAffinity"

static const struct key affinity_keys[] = {
	{
		.name = "enabled",
		.type = TYPE_BOOL,
		.value = "false",
		.layer7 = true,
		.help = "whether clients get an affinity cookie",
		KEPT(settings, l7.affinity),
	},
	{
		.name = "name",
		.type = TYPE_NAME,
		NAMES,
		.value = COOKIE_NAME,
		.layer7 = true,
		.help = "name of the cookie",
		KEPT(settings, l7.cookie),
	},
};

static const struct key passive_keys[] = {
	{
		.name = "enabled",
		.type = TYPE_BOOL,
		.value = "true",
		.help = "whether failing connections of clients start a probe",
		KEPT(settings, passive),
	},
	{
		.name = "failures",
		.type = TYPE_NUMBER,
		.min = 1,
		.max = 1000000,
		.value = "5",
		.help = "failed connections that start it",
		KEPT(settings, passive_failures),
	},
	{
		.name = "window",
		.type = TYPE_DURATION,
		.min = 100,
		.max = SECONDS(3600),
		.value = "1s",
		.help = "time in which they must fail",
		KEPT(settings, passive_window_ms),
	},
	{
		.name = "connect_timeout",
		.type = TYPE_DURATION,
		.min = 50,
		.max = LIMIT_TIMEOUT_MAX_MS,
		.value = "250ms",
		.help = "least time that such a probe gives the TCP handshake; four times its usual time, if "
			"that is more",
		KEPT(settings, passive_connect_ms),
	},
	{
		.name = "stretch",
		.type = TYPE_NUMBER,
		.min = 1,
		.max = 10,
		.value = "1",
		.help = "how many times as long the probe's interval is while clients connect and none "
			"fails",
		KEPT(settings, passive_stretch),
	},
};

const struct section_info section_settings = LIST_OF(settings, "name", "settings[]", settings_keys);
const struct section_info section_draining = MAPPING("settings[].draining", draining_keys);
const struct section_info section_affinity = MAPPING("settings[].cookie_affinity", affinity_keys);
const struct section_info section_passive = MAPPING("settings[].passive", passive_keys);
