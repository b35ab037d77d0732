// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/keys.h"

#include <string.h>

#include "model/limits.h"
#include "model/model.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Where a key is kept in its record. */
#define KEPT(type, member) \
	.offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)

#define PORTS .min = 1, .max = UINT16_MAX
#define NAMES .min = 1, .max = LIMIT_NAME_BYTES

#define SECONDS(n) ((n)*1000ull)
#define DAY SECONDS(86400)

#define COOKIE_NAME "ApplicationGatewayAffinity"

/* Values of choices: built now, or in a later version. */
#define NOW(text, number)                         \
	{                                         \
		.name = (text), .value = (number) \
	}
#define LATER(text, number)                                        \
	{                                                          \
		.name = (text), .value = (number), .not_yet = true \
	}
#define END                  \
	{                    \
		.name = NULL \
	}

static const struct choice xdp_modes[] = {
	NOW("auto", XDP_AUTO),       NOW("offload", XDP_OFFLOAD), NOW("native", XDP_NATIVE),
	NOW("generic", XDP_GENERIC), NOW("off", XDP_OFF),         END,
};
static const struct choice modes[] = {
	NOW("enforce", SL_MODE_ENFORCE),
	NOW("observe", SL_MODE_OBSERVE),
	END,
};
static const struct choice exit_choices[] = { NOW("keep", false), NOW("detach", true), END };
static const struct choice loss_choices[] = {
	NOW("hold", SL_LOSS_HOLD),
	NOW("open", SL_LOSS_OPEN),
	END,
};
static const struct choice probe_protocols[] = {
	NOW("http", PROTO_HTTP),
	NOW("tcp", PROTO_TCP),
	LATER("https", PROTO_HTTPS),
	LATER("tls", PROTO_TLS),
	LATER("udp", PROTO_UDP),
	LATER("grpc", PROTO_GRPC),
	END,
};
static const struct choice settings_protocols[] = {
	NOW("http", PROTO_HTTP), NOW("tcp", PROTO_TCP),       NOW("tls", PROTO_TLS),
	NOW("udp", PROTO_UDP),   LATER("https", PROTO_HTTPS), END,
};
static const struct choice unhealthy_actions[] = {
	NOW("reject", SL_ACTION_REJECT),
	NOW("drop", SL_ACTION_DROP),
	NOW("pass", SL_ACTION_PASS),
	LATER("redirect", SL_ACTION_PASS),
	END,
};
static const struct choice none_healthy_actions[] = {
	NOW("reject", SL_ACTION_REJECT),
	LATER("drop", SL_ACTION_DROP),
	LATER("pass", SL_ACTION_PASS),
	LATER("last", SL_ACTION_PASS),
	END,
};
static const struct choice established_choices[] = { NOW("keep", false), NOW("reset", true), END };
static const struct choice forward_methods[] = {
	NOW("nat", 0), NOW("dsr", 0), NOW("ipip", 0), NOW("l7", 0), END,
};

static const struct key root_keys[] = {
	{
		.name = "gateway",
		.type = TYPE_RECORD,
		.section = SECTION_GATEWAY,
		.required = true,
		.help = "what the gateway guards, and how the daemon runs",
	},
	{
		.name = "probes",
		.type = TYPE_RECORDS,
		.section = SECTION_PROBE,
		.max = LIMIT_PROBES,
		.words = "none",
		.help = "custom probes, which settings refer to by name",
		KEPT(model, probes),
		.count_offset = offsetof(struct model, n_probes),
	},
	{
		.name = "settings",
		.type = TYPE_RECORDS,
		.section = SECTION_SETTINGS,
		.max = LIMIT_SETTINGS,
		.words = "none",
		.help = "how backends are talked to and gated",
		KEPT(model, settings),
		.count_offset = offsetof(struct model, n_settings),
	},
	{
		.name = "pools",
		.type = TYPE_RECORDS,
		.section = SECTION_POOL,
		.max = LIMIT_POOLS,
		.words = "none",
		.help = "named sets of backends",
		KEPT(model, pools),
		.count_offset = offsetof(struct model, n_pools),
	},
	{
		.name = "services",
		.type = TYPE_RECORDS,
		.section = SECTION_SERVICE,
		.max = LIMIT_SERVICES,
		.words = "none",
		.help = "which pool is guarded under which settings",
		KEPT(model, services),
		.count_offset = offsetof(struct model, n_services),
	},
};

static const struct key gateway_keys[] = {
	{
		.name = "interfaces",
		.type = TYPE_RECORDS,
		.section = SECTION_INTERFACE,
		.min = 1,
		.max = LIMIT_INTERFACES,
		.required = true,
		.help = "network interfaces to guard",
		KEPT(gateway, interfaces),
		.count_offset = offsetof(struct gateway, n_interfaces),
	},
	{
		.name = "mode",
		.type = TYPE_CHOICE,
		.choices = modes,
		.value = "enforce",
		.help = "whether decisions are acted on, or only counted",
		KEPT(gateway, mode),
	},
	{
		.name = "on_exit",
		.type = TYPE_CHOICE,
		.choices = exit_choices,
		.value = "keep",
		.help = "what a stopping daemon does with the gate",
		KEPT(gateway, detach_on_exit),
	},
	{
		.name = "on_daemon_loss",
		.type = TYPE_CHOICE,
		.choices = loss_choices,
		.value = "hold",
		.help = "what the kernel does once the daemon has been silent for daemon_loss_after",
		KEPT(gateway, on_daemon_loss),
	},
	{
		.name = "daemon_loss_after",
		.type = TYPE_DURATION,
		.min = SECONDS(1),
		.max = DAY,
		.value = "30s",
		.help = "silence after which the daemon counts as lost",
		KEPT(gateway, daemon_loss_after_ms),
	},
	{
		.name = "probe_workers",
		.type = TYPE_AUTO,
		.min = 1,
		.max = LIMIT_WORKERS,
		.value = "auto",
		.help = "threads that probe",
		KEPT(gateway, probe_workers),
	},
	{
		.name = "probes_in_flight",
		.type = TYPE_AUTO,
		.min = 1,
		.max = LIMIT_PROBES_IN_FLIGHT,
		.value = "auto",
		.help = "probes that may run at the same time",
		KEPT(gateway, probes_in_flight),
	},
	{
		.name = "max_endpoints",
		.type = TYPE_AUTO,
		.min = 1,
		.max = LIMIT_ENDPOINTS,
		.value = "auto",
		.help = "endpoints that the kernel's maps have room for",
		KEPT(gateway, max_endpoints),
	},
	{
		.name = "reply_rate",
		.type = TYPE_NUMBER,
		.min = 1,
		.max = 10000000,
		.value = "10000",
		.help = "RST and ICMP replies per second and CPU",
		KEPT(gateway, reply_rate),
	},
	{
		.name = "api_socket",
		.type = TYPE_FILE,
		.min = 1,
		.max = sizeof(((struct gateway *)0)->api_socket) - 1,
		.value = "/run/sluice/api.sock",
		.help = "Unix socket of the API",
		KEPT(gateway, api_socket),
	},
	{
		.name = "state_dir",
		.type = TYPE_FILE,
		.min = 1,
		.max = PATH_MAX - 1,
		.value = "/var/lib/sluice",
		.availability = ONLY_DEFAULT,
		.help = "directory of the state database",
	},
	{
		.name = "bpffs",
		.type = TYPE_FILE,
		.min = 1,
		.max = PATH_MAX - 1,
		.value = "/sys/fs/bpf/sluice",
		.help = "directory on a BPF file system where maps, programs and links are pinned",
		KEPT(gateway, bpffs),
	},
	{
		.name = "listen",
		.type = TYPE_LISTEN_OR_NONE,
		.value = "none",
		.availability = ONLY_DEFAULT,
		.help = "address and port of the metrics and the dashboard",
	},
};

static const struct key interface_keys[] = {
	{
		.name = "name",
		.type = TYPE_INTERFACE,
		.min = 1,
		.max = IFNAMSIZ - 1,
		.required = true,
		.help = "name of the network interface",
		KEPT(interface, name),
	},
	{
		.name = "xdp",
		.type = TYPE_CHOICE,
		.choices = xdp_modes,
		.value = "auto",
		.help = "how the gate is attached for arriving packets",
		KEPT(interface, xdp),
	},
	{
		.name = "egress",
		.type = TYPE_BOOL,
		.value = "true",
		.help = "whether what this host itself sends is gated and counted",
		KEPT(interface, egress),
	},
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
		.words = "the settings' host_name, else 127.0.0.1",
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
		.type = TYPE_BOOL,
		.value = "false",
		.availability = ONLY_DEFAULT,
		.help = "whether the probe starts with a PROXY protocol header",
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
		.help = "text that the body of the answer must contain",
		KEPT(probe_def, match.body),
	},
};

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
		.words = "none",
		.availability = ONLY_DEFAULT,
		.help = "certificates of the authorities that backends are trusted by",
	},
	{
		.name = "allow_listed",
		.type = TYPE_LIST,
		.item = TYPE_FILE,
		.min = 1,
		.max = PATH_MAX - 1,
		.words = "none",
		.availability = ONLY_DEFAULT,
		.help = "the exact certificates that backends may show",
	},
	{
		.name = "validate_chain_and_expiry",
		.type = TYPE_BOOL,
		.value = "true",
		.availability = ONLY_DEFAULT,
		.help = "whether a backend's certificate chain and its dates are checked",
	},
	{
		.name = "validate_sni",
		.type = TYPE_BOOL,
		.value = "true",
		.availability = ONLY_DEFAULT,
		.help = "whether the name in a backend's certificate is checked",
	},
	{
		.name = "sni_name",
		.type = TYPE_HOST,
		.min = 1,
		.max = LIMIT_HOST_BYTES,
		.words = "none",
		.availability = NOT_YET,
		.help = "server name that is sent to backends in the TLS handshake",
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
		.availability = ONLY_DEFAULT,
		.help = "whether a backend's own name is the host that it is asked for",
	},
	{
		.name = "crl",
		.type = TYPE_LIST,
		.item = TYPE_TEXT,
		.min = 1,
		.max = PATH_MAX - 1,
		.words = "none",
		.availability = ONLY_DEFAULT,
		.help = "files or URLs of certificate revocation lists",
	},
	{
		.name = "request_timeout",
		.type = TYPE_DURATION,
		.min = SECONDS(1),
		.max = DAY,
		.words = "none",
		.availability = NOT_YET,
		.help = "time that a backend has to answer a client's request",
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
		.availability = NOT_YET,
		.help = "path that replaces the matched part of a request's path",
	},
	{
		.name = "dedicated_connection",
		.type = TYPE_BOOL,
		.value = "false",
		.availability = ONLY_DEFAULT,
		.help = "whether every client connection has a backend connection of its own",
	},
	{
		.name = "send_proxy_protocol",
		.type = TYPE_BOOL,
		.value = "false",
		.availability = ONLY_DEFAULT,
		.help = "whether connections to backends start with a PROXY protocol header",
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
		.name = "passive",
		.type = TYPE_RECORD,
		.section = SECTION_PASSIVE,
		.words = "off",
		.help = "probing an endpoint at once when clients' connections to it fail",
	},
};

static const struct key draining_keys[] = {
	{
		.name = "enabled",
		.type = TYPE_BOOL,
		.value = "false",
		.availability = ONLY_DEFAULT,
		.help = "whether a removed backend keeps its open flows for a while",
	},
	{
		.name = "timeout",
		.type = TYPE_DURATION,
		.min = SECONDS(1),
		.max = SECONDS(3600),
		.value = "60s",
		.help = "how long it keeps them",
	},
};

static const struct key affinity_keys[] = {
	{
		.name = "enabled",
		.type = TYPE_BOOL,
		.value = "false",
		.availability = ONLY_DEFAULT,
		.help = "whether clients get an affinity cookie",
	},
	{
		.name = "name",
		.type = TYPE_NAME,
		NAMES,
		.value = COOKIE_NAME,
		.help = "name of the cookie",
	},
};

static const struct key passive_keys[] = {
	{
		.name = "enabled",
		.type = TYPE_BOOL,
		.value = "false",
		.availability = ONLY_DEFAULT,
		.help = "whether failing connections of clients start a probe",
	},
	{
		.name = "failures",
		.type = TYPE_NUMBER,
		.min = 1,
		.max = 1000000,
		.value = "5",
		.help = "failed connections that start it",
	},
	{
		.name = "window",
		.type = TYPE_DURATION,
		.min = 100,
		.max = SECONDS(3600),
		.value = "1s",
		.help = "time in which they must fail",
	},
};

static const struct key pool_keys[] = {
	{
		.name = "name",
		.type = TYPE_NAME,
		NAMES,
		.required = true,
		.help = "name of the pool",
		KEPT(pool, name),
	},
	{
		.name = "backends",
		.type = TYPE_RECORDS,
		.section = SECTION_BACKEND,
		.max = LIMIT_BACKENDS_PER_POOL,
		.words = "none",
		.help = "members of the pool",
		KEPT(pool, backends),
		.count_offset = offsetof(struct pool, n_backends),
	},
};

static const struct key backend_keys[] = {
	{
		.name = "address",
		.type = TYPE_ADDRESS,
		.required = true,
		.help = "IP address of the backend",
		KEPT(backend, addr),
	},
	{
		.name = "weight",
		.type = TYPE_NUMBER,
		.max = 256,
		.value = "1",
		.availability = ONLY_DEFAULT,
		.help = "share of the new flows, relative to the other backends",
	},
};

static const struct key service_keys[] = {
	{
		.name = "name",
		.type = TYPE_NAME,
		NAMES,
		.required = true,
		.help = "name of the service",
		KEPT(service, name),
	},
	{
		.name = "listen",
		.type = TYPE_LISTEN,
		.words = "none: packets to the endpoints themselves are guarded",
		.availability = NOT_YET,
		.help = "address and port that clients connect to",
	},
	{
		.name = "pool",
		.type = TYPE_REFERENCE,
		.section = SECTION_POOL,
		NAMES,
		.required = true,
		.help = "pool that is guarded",
		KEPT(service, pool),
	},
	{
		.name = "settings",
		.type = TYPE_REFERENCE,
		.section = SECTION_SETTINGS,
		NAMES,
		.required = true,
		.help = "settings that its backends are probed and gated under",
		KEPT(service, settings),
	},
	{
		.name = "forward",
		.type = TYPE_CHOICE,
		.choices = forward_methods,
		.words = "none",
		.availability = NOT_YET,
		.help = "how packets to the listen address reach a backend",
	},
	{
		.name = "source_nat",
		.type = TYPE_BOOL,
		.words = "none",
		.availability = NOT_YET,
		.help = "whether backends see this host's address instead of the client's",
	},
	{
		.name = "hosts",
		.type = TYPE_LIST,
		.item = TYPE_HOST,
		.min = 1,
		.max = LIMIT_HOST_BYTES,
		.words = "none",
		.availability = ONLY_DEFAULT,
		.help = "host names that the service answers for",
	},
	{
		.name = "path_rule",
		.type = TYPE_URL_PATH,
		.min = 1,
		.max = LIMIT_PATH_BYTES,
		.words = "none",
		.availability = NOT_YET,
		.help = "paths that the service answers for",
	},
	{
		.name = "tls",
		.type = TYPE_RECORD,
		.section = SECTION_TLS,
		.words = "none",
		.availability = NOT_YET,
		.help = "how the listener speaks TLS",
	},
};

static const struct key tls_keys[] = {
	{
		.name = "certificates",
		.type = TYPE_LIST,
		.item = TYPE_FILE,
		.min = 1,
		.max = PATH_MAX - 1,
		.words = "none",
		.help = "files with the certificates of the listener and their keys",
	},
	{
		.name = "http2",
		.type = TYPE_BOOL,
		.value = "true",
		.help = "whether the listener offers HTTP/2",
	},
};

/* A list of records with a key that is unique in it, and a mapping inside a record. */
#define LIST_OF(type, member, where, array)                                                        \
	{                                                                                          \
		.path = (where), .size = sizeof(struct type), .unique = (member), .keys = (array), \
		.n_keys = ARRAY_SIZE(array)                                                        \
	}
#define MAPPING(where, array)                                                 \
	{                                                                     \
		.path = (where), .keys = (array), .n_keys = ARRAY_SIZE(array) \
	}

const struct section_info sections[SECTION_COUNT] = {
	[SECTION_ROOT] = MAPPING("", root_keys),
	[SECTION_GATEWAY] = MAPPING("gateway", gateway_keys),
	[SECTION_INTERFACE] = LIST_OF(interface, "name", "gateway.interfaces[]", interface_keys),
	[SECTION_PROBE] = LIST_OF(probe_def, "name", "probes[]", probe_keys),
	[SECTION_MATCH] = MAPPING("probes[].match", match_keys),
	[SECTION_SETTINGS] = LIST_OF(settings, "name", "settings[]", settings_keys),
	[SECTION_DRAINING] = MAPPING("settings[].draining", draining_keys),
	[SECTION_AFFINITY] = MAPPING("settings[].cookie_affinity", affinity_keys),
	[SECTION_PASSIVE] = MAPPING("settings[].passive", passive_keys),
	[SECTION_POOL] = LIST_OF(pool, "name", "pools[]", pool_keys),
	[SECTION_BACKEND] = LIST_OF(backend, "address", "pools[].backends[]", backend_keys),
	[SECTION_SERVICE] = LIST_OF(service, "name", "services[]", service_keys),
	[SECTION_TLS] = MAPPING("services[].tls", tls_keys),
};

/* The gateway is a member of the model, so that its keys are kept at offsets from there. */
_Static_assert(offsetof(struct model, gateway) == 0, "gateway keys are offsets in the model");

const struct key *keys_find(enum section section, const char *name)
{
	const struct section_info *info = &sections[section];

	for (size_t i = 0; i < info->n_keys; i++)
		if (!strcmp(info->keys[i].name, name))
			return &info->keys[i];
	return NULL;
}

const char *key_default(const struct key *key)
{
	if (key->required)
		return "required";
	return key->value ? key->value : key->words;
}
