// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/rules.h"

#include <stdio.h>
#include <string.h>

#include "config/note.h"
#include "config/reader.h"
#include "config/rules_l7.h"
#include "config/tree.h"
#include "model/plan.h"

/* Keys of which one record may set only one. The first of a pair is blamed. */
static const struct exclusion {
	enum section section;
	const char *key, *other;
} exclusions[] = {
	{ SECTION_PROBE, "host_from_settings", "host" },
	{ SECTION_SETTINGS, "host_name_from_backend", "host_name" },
	{ SECTION_SETTINGS, "allow_listed", "trusted_roots" },
};

static void check_exclusions(struct reader *reader, struct record *record)
{
	for (size_t i = 0; i < sizeof(exclusions) / sizeof(exclusions[0]); i++) {
		const struct exclusion *e = &exclusions[i];

		if (e->section != record->section)
			continue;
		if (record_active(record, e->key) && record_active(record, e->other))
			note_key(reader, record, e->key, record_value(record, e->key),
				 "conflicts with %s on line %u; allowed: one of the two", e->other,
				 record_value(record, e->other)->line);
	}
}

/* A switch that is off asks for nothing. */
static bool is_false(const struct reader *reader, const struct node *node)
{
	return node->kind == NODE_TEXT && !strcmp(tree_text(reader->tree, node), "false");
}

#define BIT(protocol) (1u << (protocol))
#define HTTP_LIKE (BIT(PROTO_HTTP) | BIT(PROTO_HTTPS))
#define NAMED (HTTP_LIKE | BIT(PROTO_TLS) | BIT(PROTO_GRPC)) /* that ask for a host */
#define STREAMS (NAMED | BIT(PROTO_TCP))

#define PROTOCOLS_LEN 64

/* "http, https, grpc" */
static const char *list_protocols(char buf[PROTOCOLS_LEN], unsigned int protocols)
{
	size_t len = 0;

	buf[0] = '\0';
	for (enum protocol p = PROTO_HTTP; p <= PROTO_GRPC && len < PROTOCOLS_LEN; p++)
		if (protocols & BIT(p))
			len += (size_t)snprintf(buf + len, PROTOCOLS_LEN - len, "%s%s",
						len ? ", " : "", protocol_name(p));
	return buf;
}

/* Keys of a probe that only some protocols have a use for. */
static const struct use {
	enum section section;
	const char *key;
	unsigned int protocols;
} uses[] = {
	{ SECTION_PROBE, "host", NAMED },
	{ SECTION_PROBE, "host_from_settings", NAMED },
	{ SECTION_PROBE, "path", HTTP_LIKE | BIT(PROTO_GRPC) },
	{ SECTION_PROBE, "match", HTTP_LIKE | BIT(PROTO_UDP) },
	{ SECTION_PROBE, "proxy_protocol", STREAMS },
	{ SECTION_PROBE, "send", BIT(PROTO_UDP) },
	{ SECTION_MATCH, "status", HTTP_LIKE },
};

/* A probe, or the match inside of one, whose protocol has been read by then. */
static void check_uses(struct reader *reader, struct record *record)
{
	const struct probe_def *probe = record->base;
	char protocols[PROTOCOLS_LEN];

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		const struct node *node;

		if (uses[i].section != record->section || uses[i].protocols & BIT(probe->protocol))
			continue;
		node = record_value(record, uses[i].key);
		if (node && !is_false(reader, node))
			note_key(reader, record, uses[i].key, node,
				 "is for probes of protocol %s; this one's is %s",
				 list_protocols(protocols, uses[i].protocols),
				 protocol_name(probe->protocol));
	}
}

/*
 * Which probes may judge settings of a protocol. Layer 7 is asked in its own protocol, or in
 * gRPC's, which runs over it. Layer 4 may be judged by whatever tells that the server is well, on
 * any port, but datagrams say nothing of a service of streams.
 */
static const unsigned int fitting[] = {
	[PROTO_HTTP] = BIT(PROTO_HTTP) | BIT(PROTO_GRPC),
	[PROTO_HTTPS] = BIT(PROTO_HTTPS) | BIT(PROTO_GRPC),
	[PROTO_TCP] = STREAMS,
	[PROTO_TLS] = STREAMS,
	[PROTO_UDP] = STREAMS | BIT(PROTO_UDP),
};

/* More than what the probe speaks (model/plan.c): keys of TLS settings are clients' affair as well. */
static bool concerns_tls(const struct settings *settings, const struct probe_def *probe)
{
	return settings->protocol == PROTO_HTTPS || settings->protocol == PROTO_TLS ||
	       probe->protocol == PROTO_HTTPS || probe->protocol == PROTO_TLS;
}

static void check_tls_keys(struct reader *reader, struct record *record,
			   const struct probe_def *probe)
{
	static const char *const keys[] = { "trusted_roots",
					    "allow_listed",
					    "crl",
					    "validate_chain_and_expiry",
					    "validate_sni",
					    "sni_name",
					    "full_handshake_every" };
	const struct settings *settings = record->base;

	if (concerns_tls(settings, probe))
		return;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (record_active(record, keys[i]))
			note_key(reader, record, keys[i], record_value(record, keys[i]),
				 "is for TLS, which neither these settings (protocol %s) nor their "
				 "probe (%s) speak",
				 protocol_name(settings->protocol), protocol_name(probe->protocol));
}

static void check_custom_probe(struct reader *reader, struct record *record,
			       const struct probe_def *probe)
{
	const struct settings *settings = record->base;
	const struct node *node = record_value(record, "probe");
	char protocols[PROTOCOLS_LEN];

	if (!(fitting[settings->protocol] & BIT(probe->protocol)))
		note_key(reader, record, "probe", node,
			 "is a probe of protocol %s; allowed for settings of protocol %s: "
			 "a probe of protocol %s, or none",
			 protocol_name(probe->protocol), protocol_name(settings->protocol),
			 list_protocols(protocols, fitting[settings->protocol]));
	if (probe->host_from_settings && !settings->host_name && !settings->host_name_from_backend)
		note_key(reader, record, "probe", node,
			 "takes its host from the settings (host_from_settings), but these "
			 "have neither host_name nor host_name_from_backend");
}

/* The entry of a clean record that a key refers to, or NULL. */
static const struct index_entry *find_clean(struct reader *reader, const struct record *record,
					    const char *key, enum section section)
{
	const struct node *node = record_value(record, key);
	const struct index_entry *entry = NULL;
	const char *name;

	if (node) {
		name = tree_text(reader->tree, node);
		entry = index_find(&reader->names[section], name, strlen(name));
	}
	return entry && entry->clean ? entry : NULL;
}

static void check_settings(struct reader *reader, struct record *record)
{
	const struct settings *settings = record->base;
	const struct probe_def *probe = probe_default(settings->protocol);
	const struct index_entry *entry;

	if (!record->clean)
		return;
	rules_l7_settings(reader, record);
	if (record_value(record, "probe")) {
		entry = find_clean(reader, record, "probe", SECTION_PROBE);
		if (!entry)
			return;
		probe = &reader->model->probes[entry->position];
		check_custom_probe(reader, record, probe);
	}
	check_tls_keys(reader, record, probe);
}

/* Settings that ask for a backend's own name need backends that have one. */
static void check_host_names(struct reader *reader, struct record *record,
			     const struct settings *settings, const struct pool *pool)
{
	if (!settings->host_name_from_backend)
		return;
	for (uint32_t i = 0; i < pool->n_backends; i++) {
		if (pool->backends[i].name)
			continue;
		note_key(reader, record, "settings", record_value(record, "settings"),
			 "take the host from the backend's name (host_name_from_backend), but "
			 "backend %s of pool '%s' is an IP address; allowed: host names in the "
			 "pool, or host_name in the settings",
			 pool->backends[i].text, pool->name);
		return;
	}
}

/* What a service without a listen address, or with another way to forward, has no use for. */
static void check_forward(struct reader *reader, struct record *record)
{
	static const char *const keys[] = { "forward", "source_nat", "source_affinity",
					    "table_size" };
	const struct service *service = record->base;

	if (service_is_l7(service))
		return;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!service->listen.key.port && record_value(record, keys[i]))
			note_key(reader, record, keys[i], record_value(record, keys[i]),
				 "is for services with a listen address");
	if (service->listen.key.port && service->forward != FORWARD_NAT &&
	    record_value(record, "source_nat"))
		note_key(reader, record, "source_nat", record_value(record, "source_nat"),
			 "is for forward: nat; with %s, backends see the client's address",
			 forward_name(service->forward));
}

/* Only translation changes ports, and nothing changes the transport. */
static void check_listen(struct reader *reader, struct record *record,
			 const struct settings *settings)
{
	const struct service *service = record->base;
	const struct node *node = record_value(record, "listen");
	enum sl_proto proto = protocol_transport(settings->protocol);

	if (service->listen.key.proto != proto)
		note_key(reader, record, "listen", node,
			 "is for %s, but the settings' protocol %s runs over %s",
			 service->listen.key.proto == SL_TCP ? "TCP" : "UDP",
			 protocol_name(settings->protocol), proto == SL_TCP ? "TCP" : "UDP");
	if (service->forward != FORWARD_NAT && !service_is_l7(service) &&
	    service->listen.key.port != settings->port)
		note_key(reader, record, "listen", node,
			 "has another port than the settings (%u), and %s changes no port; "
			 "allowed: the same port, or forward: nat",
			 (unsigned int)settings->port, forward_name(service->forward));
}

static void check_families(struct reader *reader, struct record *record, const struct pool *pool)
{
	const struct service *service = record->base;

	for (uint32_t i = 0; i < pool->n_backends; i++) {
		if (pool->backends[i].name || service_takes(service, &pool->backends[i].addr))
			continue;
		note_key(reader, record, "listen", record_value(record, "listen"),
			 "backend %s of pool '%s' is of the other address family, which %s does "
			 "not reach; allowed: backends of the listen address's family%s",
			 pool->backends[i].text, pool->name, forward_name(service->forward),
			 service->forward == FORWARD_IPIP ? ", or IPv6 backends for IPv4" : "");
		return;
	}
}

static void check_service(struct reader *reader, struct record *record)
{
	const struct service *service = record->base;
	const struct index_entry *settings_entry, *pool_entry;
	const struct settings *settings;
	const struct pool *pool;

	/* What is wrong already would only be repeated in other words. */
	if (!record->clean)
		return;
	check_forward(reader, record);
	settings_entry = find_clean(reader, record, "settings", SECTION_SETTINGS);
	pool_entry = find_clean(reader, record, "pool", SECTION_POOL);
	if (!settings_entry || !pool_entry)
		return;
	settings = &reader->model->settings[settings_entry->position];
	pool = &reader->model->pools[pool_entry->position];
	check_host_names(reader, record, settings, pool);
	if (service->listen.key.port) {
		check_listen(reader, record, settings);
		check_families(reader, record, pool);
	}
	rules_l7_service(reader, record, settings, pool);
}

/* What may have a match has a use for all of it, but for datagrams. */
static bool is_datagram_match(const struct record *record)
{
	return record->section == SECTION_MATCH &&
	       ((const struct probe_def *)record->base)->protocol == PROTO_UDP;
}

void rules_check(struct reader *reader, struct record *record)
{
	check_exclusions(reader, record);
	if (record->section == SECTION_PROBE || is_datagram_match(record))
		check_uses(reader, record);
	if (record->section == SECTION_SETTINGS)
		check_settings(reader, record);
	if (record->section == SECTION_L7)
		rules_l7_gateway(record);
	if (record->section == SECTION_AFFINITY)
		rules_l7_affinity(reader, record);
	if (record->section == SECTION_SERVICE)
		check_service(reader, record);
}
