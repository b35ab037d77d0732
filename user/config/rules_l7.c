// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/rules_l7.h"

#include <string.h>

#include "config/note.h"
#include "config/reader.h"
#include "config/tree.h"
#include "model/model.h"

/* --- gateway ---------------------------------------------------------------------------------- */

void rules_l7_gateway(struct record *record)
{
	struct gateway *gateway = record->base;

	gateway->l7.configured = !record->absent;
}

/* --- settings --------------------------------------------------------------------------------- */

static bool is_http(enum protocol protocol)
{
	return protocol == PROTO_HTTP || protocol == PROTO_HTTPS;
}

static bool is_tls(enum protocol protocol)
{
	return protocol == PROTO_HTTPS || protocol == PROTO_TLS;
}

/* Keys of settings that only services of layer 7 have a use for, and of which protocols. */
static const struct l7_key {
	const char *key;
	bool of_http, of_streams;
} l7_keys[] = {
	{ "request_timeout", true, true },
	{ "path_override", true, false },
	{ "dedicated_connection", true, false },
	{ "send_proxy_protocol", false, true },
};

/* Who writes the section wants affinity, or says that it is off: the default would be silence. */
void rules_l7_affinity(struct reader *reader, struct record *record)
{
	struct settings *settings = record->base;

	if (record->clean && !record->absent && !record_value(record, "enabled"))
		note_key(
			reader, record, "enabled", NULL,
			"missing, without which the section does nothing; allowed: true, or false to "
			"have no affinity");
	if (record_active(record, "enabled") || record_active(record, "name"))
		settings->l7.key = "cookie_affinity";
}

/* Of a path that stands for the beginning or the whole of one: neither has a query. */
static void check_plain_path(struct reader *reader, struct record *record, const char *key,
			     const char *path)
{
	if (path && strpbrk(path, "?#"))
		note_key(reader, record, key, record_value(record, key),
			 "has a query or a fragment; allowed: a path alone");
}

void rules_l7_settings(struct reader *reader, struct record *record)
{
	struct settings *settings = record->base;
	bool http = is_http(settings->protocol);

	for (size_t i = 0; i < sizeof(l7_keys) / sizeof(l7_keys[0]); i++) {
		const struct l7_key *row = &l7_keys[i];

		if (!record_active(record, row->key))
			continue;
		settings->l7.key = row->key;
		if (settings->protocol == PROTO_UDP || (http ? !row->of_http : !row->of_streams))
			note_key(reader, record, row->key, record_value(record, row->key),
				 "is for settings of protocol %s; this one's is %s",
				 !row->of_streams ? "http, https"
				 : row->of_http   ? "http, https, tcp, tls"
						  : "tcp, tls",
				 protocol_name(settings->protocol));
	}
	if (settings->l7.affinity && !http)
		note_key(reader, record, "cookie_affinity", record_value(record, "cookie_affinity"),
			 "is for settings of protocol http, https; this one's is %s",
			 protocol_name(settings->protocol));
	check_plain_path(reader, record, "path_override", settings->l7.path_override);
}

/* --- what only layer 7 has -------------------------------------------------------------------- */

static void refuse_l7_keys(struct reader *reader, struct record *record,
			   const struct settings *settings)
{
	static const char *const keys[] = { "hosts", "path_rule", "tls" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (record_active(record, keys[i]))
			note_key(reader, record, keys[i], record_value(record, keys[i]),
				 "is for services with forward: l7");
	if (settings->l7.key)
		note_key(reader, record, "settings", record_value(record, "settings"),
			 "have %s, which only services with forward: l7 carry out",
			 settings->l7.key);
}

/* --- what layer 7 has not --------------------------------------------------------------------- */

static void check_own_keys(struct reader *reader, struct record *record)
{
	static const char *const keys[] = { "source_nat", "table_size" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (record_value(record, keys[i]))
			note_key(reader, record, keys[i], record_value(record, keys[i]),
				 "is for packets that the kernel forwards, which those of a "
				 "service with forward: l7 are not");
}

static void check_protocol(struct reader *reader, struct record *record,
			   const struct settings *settings)
{
	const struct service *service = record->base;
	static const char *const keys[] = { "hosts", "path_rule" };
	const char *rule = service->l7.path_rule, *star = rule ? strchr(rule, '*') : NULL;

	if (settings->protocol == PROTO_UDP)
		note_key(reader, record, "forward", record_value(record, "forward"),
			 "is for http, https, tcp and tls; the settings' protocol is udp");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && !is_http(settings->protocol); i++)
		if (record_active(record, keys[i]))
			note_key(reader, record, keys[i], record_value(record, keys[i]),
				 "tells requests apart, which settings of protocol %s have none of",
				 protocol_name(settings->protocol));
	if (star && star[1])
		note_key(reader, record, "path_rule", record_value(record, "path_rule"),
			 "has '*' elsewhere than at its end; allowed: one path, or its beginning "
			 "and '*'");
	check_plain_path(reader, record, "path_rule", rule);
}

static void check_tls(struct reader *reader, struct record *record, const struct settings *settings)
{
	const struct service *service = record->base;
	const struct node *tls = record_value(record, "tls");

	if (!tls)
		return;
	if (!service->l7.n_certificates)
		note_key(reader, record, "tls", tls,
			 "has no certificates; allowed: files in tls.certificates");
	if (settings->l7.dedicated && service->l7.http2)
		note_key(reader, record, "tls", tls,
			 "offers HTTP/2, whose requests share connections, and the settings have "
			 "dedicated_connection; allowed: http2: false");
}

/* What becomes of clients is HAProxy's answer; of its own connections the gate's. */
static void check_actions(struct reader *reader, struct record *record,
			  const struct settings *settings)
{
	const struct node *node = record_value(record, "settings");

	if (settings->on_unhealthy == SL_ACTION_REDIRECT)
		note_key(reader, record, "settings", node,
			 "have on_unhealthy: redirect, which is for packets; with forward: l7, "
			 "HAProxy takes another backend in any case");
	if (settings->on_none_healthy != NONE_HEALTHY_REJECT)
		note_key(reader, record, "settings", node,
			 "have another on_none_healthy than reject; with forward: l7, clients are "
			 "answered with 502, or their connection is closed");
}

static bool is_literal(const char *host)
{
	struct addr addr;

	return host && (host[0] == '[' || addr_parse(&addr, host) == 0);
}

/*
 * HAProxy checks chain and name together, or neither: with any name sent it checks that one. It compares
 * names with names only, and pins no certificates.
 */
static void check_backend_tls(struct reader *reader, struct record *record,
			      const struct settings *settings)
{
	const struct node *node = record_value(record, "settings");

	if (!is_tls(settings->protocol))
		return;
	if (settings->trust.mode == TRUST_ALLOW_LIST)
		note_key(reader, record, "settings", node,
			 "have allow_listed, which HAProxy cannot check; allowed with forward: "
			 "l7: trusted_roots, or the well-known store");
	if (settings->validate_chain != settings->validate_name)
		note_key(reader, record, "settings", node,
			 "have only one of validate_chain_and_expiry and validate_sni, which "
			 "HAProxy cannot check without the other; allowed with forward: l7: both, "
			 "or neither");
	if (settings->validate_name &&
	    is_literal(settings->sni_name ? settings->sni_name : settings->host_name))
		note_key(reader, record, "settings", node,
			 "have an IP address for the name in the certificate, which HAProxy cannot "
			 "check; allowed with forward: l7: sni_name, a host name");
	if (settings->protocol == PROTO_TLS && settings->validate_name && !settings->sni_name &&
	    !settings->host_name && !settings->host_name_from_backend)
		note_key(reader, record, "settings", node,
			 "have no name that the certificate could be checked for; allowed with "
			 "forward: l7: sni_name, host_name or host_name_from_backend");
}

/* HAProxy names the backend in the Host header by the server's name: one for each address of a name. */
#define NAMESAKES_LETTERS 4 /* 2^4 ways to write it are enough for LIMIT_NAME_ADDRESSES */
_Static_assert(1 << NAMESAKES_LETTERS >= LIMIT_NAME_ADDRESSES, "a spelling for each address");

static void check_spellings(struct reader *reader, struct record *record,
			    const struct settings *settings, const struct pool *pool)
{
	for (uint32_t i = 0; settings->host_name_from_backend && i < pool->n_backends; i++) {
		const char *name = pool->backends[i].name;
		uint32_t letters = 0;

		for (const char *c = name; c && *c; c++)
			letters += *c >= 'a' && *c <= 'z';
		if (!name || letters >= NAMESAKES_LETTERS)
			continue;
		note_key(reader, record, "settings", record_value(record, "settings"),
			 "have host_name_from_backend, and backend %s of pool '%s' has fewer than "
			 "%d letters; allowed with forward: l7: longer names, or host_name",
			 name, pool->name, NAMESAKES_LETTERS);
		return;
	}
}

void rules_l7_service(struct reader *reader, struct record *record, const struct settings *settings,
		      const struct pool *pool)
{
	const struct service *service = record->base;

	if (!service_is_l7(service)) {
		refuse_l7_keys(reader, record, settings);
		return;
	}
	if (!service->listen.key.port)
		note_key(reader, record, "forward", record_value(record, "forward"),
			 "is for services with a listen address");
	check_own_keys(reader, record);
	check_protocol(reader, record, settings);
	check_tls(reader, record, settings);
	check_actions(reader, record, settings);
	check_backend_tls(reader, record, settings);
	check_spellings(reader, record, settings, pool);
}
