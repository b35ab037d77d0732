// SPDX-License-Identifier: GPL-2.0-or-later
/* write_settings - backend settings of both layers. */
#include <string.h>
#include <strings.h>

#include "import/work.h"

/* What a default probe of such settings would ask for. */
#define NO_HOST "127.0.0.1"

static void write_names(struct work *work, struct item *settings)
{
	struct prop *at = settings->at;
	struct prop *pick = prop_field(at, "pickHostNameFromBackendAddress");
	struct prop *host = prop_field(at, "hostName");
	bool has_host = put_leaf(work, host, SECTION_SETTINGS, "host_name");

	if (!settings->host_from_backend && work_is_on(work, pick))
		put_none(work, pick, "the settings have a host name");
	else if (settings->host_from_backend && settings->no_backend_names)
		put_none(work, pick,
			 work_say(work, "host_name_from_backend cannot be: %s",
				  settings->no_backend_names));
	else
		has_host |= put_leaf(work, pick, SECTION_SETTINGS, "host_name_from_backend") &&
			    settings->host_from_backend;
	if (!has_host && settings->probe && settings->probe->host_from_settings)
		emit_line(&work->emit, 0, "host_name", NO_HOST,
			  "the probe takes its host from here, and nothing else is known");
}

static bool concerns_tls(const struct item *settings)
{
	return protocol_is_tls(settings->protocol) ||
	       (settings->probe && protocol_is_tls(settings->probe->protocol));
}

/* A list of files with certificates; true if there are any. */
static bool write_certs(struct work *work, struct prop *list, enum kind kind, const char *key)
{
	CLEANUP(free_p) char *files = NULL;
	size_t len, n = 0;
	FILE *out = open_memstream(&files, &len);

	if (!out) {
		work->oom = true;
		return false;
	}
	for (uint32_t i = 0; list && i < list->n_children; i++) {
		struct prop *id = prop_child(&list->children[i], "id");
		struct item *cert = work_ref(work, &list->children[i], kind, LAYER_7);
		const char *file = cert ? cert_keep(work, cert) : NULL;
		CLEANUP(free_p) char *scalar = file ? emit_scalar(file) : NULL;

		if (cert && (!file || n == LIMIT_LIST_ITEMS)) {
			emit_comment(&work->emit,
				     "%s: [ %s.pem ]  (without it the system's authorities are "
				     "trusted; %s)",
				     key, cert->name, file ? "it is one too many" : cert->unkept);
			prop_tell(&work->tree, id, OUTCOME_NONE, "%s",
				  file ? "one certificate too many" : cert->unkept);
		} else if (scalar) {
			fprintf(out, "%s%s", n++ ? ", " : "", scalar);
			prop_tell(&work->tree, id, work->off ? OUTCOME_NONE : OUTCOME_CARRIED,
				  "settings[].%s", key);
		}
	}
	if (fclose(out))
		work->oom = true;
	else if (n)
		emit_line(&work->emit, 0, key, work_say(work, "[ %s ]", files), NULL);
	return n > 0;
}

static void write_trust(struct work *work, const struct item *settings)
{
	struct prop *roots = prop_field(settings->at, "trustedRootCertificates");
	struct prop *listed = prop_field(settings->at, "authenticationCertificates");
	static const char *const switches[][2] = {
		{ "validateCertChainAndExpiry", "validate_chain_and_expiry" },
		{ "validateSNI", "validate_sni" },
		{ "sniName", "sni_name" },
	};

	if (!concerns_tls(settings) && !settings->off) {
		static const char *const why = "neither the settings nor their probe speak TLS";

		if (roots && roots->n_children)
			put_none(work, roots, why);
		if (listed && listed->n_children)
			put_none(work, listed, why);
		for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
			prop_tell_rest(&work->tree, prop_field(settings->at, switches[i][0]),
				       OUTCOME_IGNORED, why);
		return;
	}
	if (!write_certs(work, roots, KIND_ROOT_CERT, "trusted_roots"))
		write_certs(work, listed, KIND_LISTED_CERT, "allow_listed");
	else if (listed && listed->n_children)
		put_none(work, listed, "trusted roots and listed certificates exclude each other");
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
		put_leaf(work, prop_field(settings->at, switches[i][0]), SECTION_SETTINGS,
			 switches[i][1]);
}

static void write_draining(struct work *work, const struct item *settings)
{
	struct prop *draining = prop_field(settings->at, "connectionDraining");
	struct prop *enabled = prop_child(draining, "enabled");
	struct prop *timeout = prop_child(draining, "drainTimeoutInSec");

	if (!work_is_on(work, enabled)) {
		put_leaf(work, enabled, SECTION_DRAINING, "enabled");
		prop_tell_rest(&work->tree, timeout, OUTCOME_IGNORED, "draining is off");
		return;
	}
	emit_line(&work->emit, 0, "draining", "", NULL);
	put_text(work, enabled, 1, SECTION_DRAINING, "enabled", "true", NULL);
	put_number(work, timeout, 1, SECTION_DRAINING, "timeout");
}

/* Cookies are for forward: l7, which an import does not choose; a client's address is what it can keep to. */
static void write_affinity(struct work *work, const struct item *settings)
{
	struct prop *affinity = prop_field(settings->at, "cookieBasedAffinity");
	struct prop *name = prop_field(settings->at, "affinityCookieName");

	if (!work_text(work, affinity) || !settings->affinity) {
		prop_tell_rest(&work->tree, affinity, OUTCOME_CARRIED,
			       "settings[].cookie_affinity.enabled");
		prop_tell_rest(&work->tree, name, OUTCOME_IGNORED, "affinity is off");
		return;
	}
	emit_comment(&work->emit,
		     "cookie_affinity: { enabled: true }  (only services with forward: l7 "
		     "have cookies; others have source_affinity instead)");
	prop_tell(&work->tree, affinity, work->off ? OUTCOME_NONE : OUTCOME_APPROXIMATED, "%s",
		  work->off ? work->off
			    : "source_affinity of services with a listen address: all flows of a "
			      "client's address go to one backend");
	if (work_text(work, name))
		put_none(work, name, "there is no cookie");
}

static void write_probe_name(struct work *work, const struct item *settings)
{
	struct prop *reference = prop_field(settings->at, "probe");
	struct prop *enabled = prop_field(settings->at, "probeEnabled");
	struct prop *id = prop_child(reference, "id");

	if (settings->probe)
		put_text(work, id, 0, SECTION_SETTINGS, "probe", settings->probe->name, NULL);
	else if (id && id->note)
		emit_comment(&work->emit, "probe: %s", id->note);
	if (!work_text(work, enabled))
		return;
	if (settings->probe && !work_is_on(work, enabled))
		prop_tell(&work->tree, enabled, OUTCOME_APPROXIMATED, "%s",
			  "the probe that is named is in use");
	else
		prop_tell(&work->tree, enabled, OUTCOME_CARRIED, "%s",
			  "endpoints are always probed");
}

static void write_one(struct work *work, struct item *settings)
{
	struct prop *at = settings->at;

	put_record(work, prop_child(at, "name"), settings->label, settings->name, settings->off);
	put_protocol(work, prop_field(at, "protocol"), SECTION_SETTINGS);
	put_leaf(work, prop_field(at, "port"), SECTION_SETTINGS, "port");
	write_probe_name(work, settings);
	write_names(work, settings);
	write_trust(work, settings);
	put_number(work, prop_field(at, "requestTimeout"), 0, SECTION_SETTINGS, "request_timeout");
	write_draining(work, settings);
	write_affinity(work, settings);
	put_leaf(work, prop_field(at, "path"), SECTION_SETTINGS, "path_override");
	put_leaf(work, prop_field(at, "dedicatedBackendConnection"), SECTION_SETTINGS,
		 "dedicated_connection");
	put_leaf(work, prop_field(at, "enableL4ClientIpPreservation"), SECTION_SETTINGS,
		 "send_proxy_protocol");
	put_rest(work, at);
}

void write_settings(struct work *work)
{
	struct items *settings = &work->items[KIND_SETTINGS];

	if (settings->n)
		emit_section(&work->emit, "settings");
	for (uint32_t i = 0; i < settings->n; i++)
		write_one(work, &settings->list[i]);
}
