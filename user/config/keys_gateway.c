// SPDX-License-Identifier: GPL-2.0-or-later
/* The top of the file, and what is under gateway. */
#include "config/keys_rows.h"

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
		.name = "max_services",
		.type = TYPE_AUTO,
		.min = 1,
		.max = LIMIT_SERVICES,
		.value = "auto",
		.help = "services that the kernel's maps have room for",
		KEPT(gateway, max_services),
	},
	{
		.name = "max_flows",
		.type = TYPE_AUTO,
		.min = 1024,
		.max = LIMIT_FLOWS,
		.value = "auto",
		.help = "open flows that the kernel remembers; each that is translated counts twice",
		KEPT(gateway, max_flows),
	},
	{
		.name = "max_half_open",
		.type = TYPE_AUTO,
		.min = 1024,
		.max = LIMIT_FLOWS,
		.value = "auto",
		.help = "flows that the kernel remembers before their client has confirmed them",
		KEPT(gateway, max_half_open),
	},
	{
		.name = "watch",
		.type = TYPE_BOOL,
		.value = "true",
		.help = "whether the kernel watches what comes of attempts to connect",
		KEPT(gateway, watch),
	},
	{
		.name = "max_attempts",
		.type = TYPE_AUTO,
		.min = 1024,
		.max = LIMIT_ATTEMPTS,
		.value = "auto",
		.help = "attempts to connect that are watched at the same time",
		KEPT(gateway, max_attempts),
	},
	{
		.name = "nat_ports",
		.type = TYPE_PORTS,
		.value = "16384-32767",
		.help = "source ports that translated flows get",
		KEPT(gateway, nat_ports),
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
		.help = "directory of the state database, which events are kept in",
		KEPT(gateway, state_dir),
	},
	{
		.name = "events_max",
		.type = TYPE_NUMBER,
		.min = LIMIT_EVENTS_MIN,
		.max = LIMIT_EVENTS_MAX,
		.value = "100000",
		.help = "events that are kept; older ones are removed",
		KEPT(gateway, events_max),
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
		.name = "resolv_conf",
		.type = TYPE_FILE,
		.min = 1,
		.max = PATH_MAX - 1,
		.value = "/etc/resolv.conf",
		.help = "file that names the DNS servers",
		KEPT(gateway, resolv_conf),
	},
	{
		.name = "listen",
		.type = TYPE_LISTEN_OR_NONE,
		.value = "127.0.0.1:9477",
		.help = "address and port of the metrics and of the page",
		KEPT(gateway, listen),
	},
	{
		.name = "l7",
		.type = TYPE_RECORD,
		.section = SECTION_L7,
		.words = "the defaults of its keys",
		.help = "how HAProxy runs, which carries services with forward: l7",
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

const struct section_info section_root = MAPPING("", root_keys);
const struct section_info section_gateway = MAPPING("gateway", gateway_keys);
const struct section_info section_interface =
	LIST_OF(interface, "name", "gateway.interfaces[]", interface_keys);

/* The gateway is a member of the model, so that its keys are kept at offsets from there. */
_Static_assert(offsetof(struct model, gateway) == 0, "gateway keys are offsets in the model");
