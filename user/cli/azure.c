// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/azure.h"

#include <string.h>

#include "cli/text.h"
#include "diagnose/json.h"

static const char *health_word(const json_t *endpoint)
{
	const char *health = text_get(endpoint, "health");

	if (!strcmp(text_get(endpoint, "admin"), "draining"))
		return "Draining";
	if (!strcmp(health, "Healthy"))
		return "Up";
	/* There, a server is down until its first probe has succeeded. */
	if (!strcmp(text_get(endpoint, "id"), "probe_pending"))
		return "Down";
	return !strcmp(health, "Unhealthy") ? "Down" : "Unknown";
}

/* {"id": "/KIND/NAME"}: ids of that report are paths of resources. */
static json_t *render_id(const char *kind, const char *name)
{
	json_t *json = json_object();
	char id[256];

	snprintf(id, sizeof(id), "/%s/%s", kind, name);
	json_put_text(&json, "id", id);
	return json;
}

static json_t *render_server(const json_t *endpoint)
{
	json_t *json = json_object();

	json_put_text(&json, "address", text_get(endpoint, "address"));
	json_put(&json, "ipConfiguration",
		 render_id("ipConfigurations", text_get(endpoint, "address")));
	json_put_text(&json, "health", health_word(endpoint));
	json_put_text(&json, "healthProbeLog", text_get(endpoint, "message"));
	return json;
}

static json_t *render_settings(const json_t *service)
{
	json_t *json = json_object();
	json_t *settings =
		render_id("backendHttpSettingsCollection", text_get(service, "settings"));
	json_t *servers = json_array();
	json_t *endpoint;
	size_t i;

	json_put(&settings, "trustedRootCertificates", json_array());
	json_array_foreach(json_object_get(service, "endpoints"), i, endpoint)
		json_push(&servers, render_server(endpoint));
	json_put(&json, "backendHttpSettings", settings);
	json_put(&json, "servers", servers);
	return json;
}

static json_t *render_pool(const json_t *pool)
{
	json_t *json = json_object();
	json_t *collection = json_array();
	json_t *service;
	size_t i;

	json_array_foreach(json_object_get(pool, "services"), i, service)
		json_push(&collection, render_settings(service));
	json_put(&json, "backendAddressPool",
		 render_id("backendAddressPools", text_get(pool, "name")));
	json_put(&json, "backendHttpSettingsCollection", collection);
	return json;
}

json_t *azure_report(const json_t *health)
{
	json_t *json = json_object();
	json_t *pools = json_array();
	json_t *pool;
	size_t i;

	json_array_foreach(json_object_get(health, "pools"), i, pool)
		json_push(&pools, render_pool(pool));
	json_put(&json, "backendAddressPools", pools);
	return json;
}
