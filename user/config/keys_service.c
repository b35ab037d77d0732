// SPDX-License-Identifier: GPL-2.0-or-later
/* What is under pools and services. */
#include "config/keys_rows.h"
#include "config/l7_keys.h"

static const struct choice forward_methods[] = {
	NOW("nat", FORWARD_NAT),
	NOW("dsr", FORWARD_DSR),
	NOW("ipip", FORWARD_IPIP),
	NOW("l7", FORWARD_L7),
	END,
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
		.help = "IP address or DNS name of the backend",
		KEPT(backend, addr),
	},
	{
		.name = "weight",
		.type = TYPE_NUMBER,
		.max = LIMIT_WEIGHT,
		.value = "1",
		.help = "share of the new flows, relative to the other backends",
		KEPT(backend, weight),
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
		.help = "address and port that clients connect to",
		KEPT(service, listen),
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
		.value = "nat",
		.help = "how packets to the listen address reach a backend",
		KEPT(service, forward),
	},
	{
		.name = "source_nat",
		.type = TYPE_BOOL,
		.value = "true",
		.help = "whether backends see this host's address instead of the client's",
		KEPT(service, source_nat),
	},
	{
		.name = "source_affinity",
		.type = TYPE_BOOL,
		.value = "false",
		.help = "whether all flows of a client's address go to one backend",
		KEPT(service, source_affinity),
	},
	{
		.name = "table_size",
		.type = TYPE_AUTO,
		.min = LIMIT_TABLE_MIN,
		.max = LIMIT_TABLE_MAX,
		.value = "auto",
		.help = "slots of the table that new flows are spread by",
		KEPT(service, table_size),
	},
	{
		.name = "hosts",
		.type = TYPE_LIST,
		.item = TYPE_HOST,
		.min = 1,
		.max = LIMIT_HOST_BYTES,
		.words = "any",
		.layer7 = true,
		.help = "host names that the service answers for",
		.keep_item = keep_host,
	},
	{
		.name = "path_rule",
		.type = TYPE_URL_PATH,
		.min = 1,
		.max = LIMIT_PATH_BYTES,
		.words = "any path",
		.layer7 = true,
		.help = "paths that the service answers for",
		KEPT(service, l7.path_rule),
	},
	{
		.name = "tls",
		.type = TYPE_RECORD,
		.section = SECTION_TLS,
		.words = "none: it speaks none",
		.layer7 = true,
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
		.layer7 = true,
		.help = "files with the certificates of the listener and their keys",
		.keep_item = keep_certificate,
	},
	{
		.name = "http2",
		.type = TYPE_BOOL,
		.value = "true",
		.layer7 = true,
		.help = "whether the listener offers HTTP/2",
		KEPT(service, l7.http2),
	},
};

const struct section_info section_pool = LIST_OF(pool, "name", "pools[]", pool_keys);
const struct section_info section_backend =
	LIST_OF(backend, "address", "pools[].backends[]", backend_keys);
const struct section_info section_service = LIST_OF(service, "name", "services[]", service_keys);
const struct section_info section_tls = MAPPING("services[].tls", tls_keys);
