// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unmapped - why a property has no counterpart, by its own name or that of what it is part of.
 */
#include <string.h>
#include <strings.h>

#include "import/work.h"

/* Of the resource manager, not of the traffic. */
static const char *const noise[] = { "id",
				     "etag",
				     "type",
				     "provisioningState",
				     "resourceGuid",
				     "resourceGroup",
				     "apiVersion",
				     "$schema",
				     "contentVersion",
				     "operationalState",
				     "dependsOn",
				     "defaultPredefinedSslPolicy",
				     "metadata",
				     "comments",
				     "subscriptionId" };

/* References back to what refers to this: the same is said on the other side. */
static const char *const backward[] = { "requestRoutingRules", "routingRules",   "httpListeners",
					"listeners",           "urlPathMaps",    "pathRules",
					"backendHttpSettings", "backendSettings" };

static const struct reason {
	const char *key, *why;
} reasons[] = {
	{ "sku", "the gateway is this host: it has no size to order" },
	{ "autoscaleConfiguration", "the gateway is this host: it does not scale by itself" },
	{ "zones", "where this host runs is not its own to say" },
	{ "location", "where this host runs is not its own to say" },
	{ "identity", "no vault is asked, so nobody has to be identified" },
	{ "tags", "records have no tags" },
	{ "gatewayIPConfigurations", "the gateway's network is what its interfaces are in" },
	{ "privateLinkConfigurations", "there is no private link" },
	{ "privateLinkConfiguration", "there is no private link" },
	{ "privateEndpointConnections", "there is no private link" },
	{ "webApplicationFirewallConfiguration", "requests are not inspected" },
	{ "firewallPolicy", "requests are not inspected" },
	{ "forceFirewallPolicyAssociation", "requests are not inspected" },
	{ "rewriteRuleSets", "requests are not rewritten" },
	{ "rewriteRuleSet", "requests are not rewritten" },
	{ "loadDistributionPolicies", "new flows are spread by the weights of backends" },
	{ "loadDistributionPolicy", "new flows are spread by the weights of backends" },
	{ "defaultLoadDistributionPolicy", "new flows are spread by the weights of backends" },
	{ "defaultRewriteRuleSet", "requests are not rewritten" },
	{ "redirectConfigurations", "clients are not redirected" },
	{ "redirectConfiguration", "clients are not redirected" },
	{ "defaultRedirectConfiguration", "clients are not redirected" },
	{ "customErrorConfigurations", "a client without a backend is refused, not given a page" },
	{ "sslCertificates", "TLS of clients is not ended here" },
	{ "sslCertificate", "TLS of clients is not ended here" },
	{ "sslProfiles", "TLS of clients is not ended here" },
	{ "sslProfile", "TLS of clients is not ended here" },
	{ "sslPolicy", "TLS of clients is not ended here; probes speak TLS 1.2 and later" },
	{ "trustedClientCertificates", "clients are not asked for certificates" },
	{ "requireServerNameIndication", "TLS of clients is not ended here" },
	{ "enableHttp2", "what clients speak is not looked at" },
	{ "enableFips", "that is a property of this host's OpenSSL" },
	{ "entraJWTValidationConfigs", "requests are not inspected" },
	{ "globalConfiguration", "requests are not buffered" },
	{ "hostName", "requests are not told apart by host" },
	{ "hostNames", "requests are not told apart by host" },
	{ "privateIPAllocationMethod", "the address is the one in listen, for as long as it is" },
	{ "publicIPAddress",
	  "the export does not tell the address; give services one of your own" },
	{ "subnet", "the address is routed to this host, wherever it is" },
	{ "backendIPConfigurations",
	  "a network interface, whose address is not in the export; add that to the pool" },
	{ "timeout", "open flows are not ended for being idle" },
	{ "trustedRootCertificates", "nothing that could be imported refers to it" },
	{ "authenticationCertificates", "nothing that could be imported refers to it" },
	{ "parameters", "nothing that is imported refers to it" },
	{ "variables", "nothing that is imported refers to it" },
};

static bool is_among(const char *key, const char *const list[], size_t n)
{
	for (size_t i = 0; key && i < n; i++)
		if (!strcasecmp(key, list[i]))
			return true;
	return false;
}

/* {"id": …} and no more, where a resource would say more of itself. */
static bool is_reference(const struct prop *leaf)
{
	const struct prop *object = leaf->parent;

	return leaf->key && !strcasecmp(leaf->key, "id") && object && object->parent &&
	       !prop_child(object, "name") && !prop_child(object, "etag") &&
	       !prop_child(object, "properties");
}

static bool is_backward(const struct prop *leaf)
{
	const struct prop *list = leaf->parent ? leaf->parent->parent : NULL;

	return list && json_is_array(list->json) &&
	       is_among(list->key, backward, sizeof(backward) / sizeof(backward[0]));
}

static const char *reason_of(const struct prop *prop)
{
	for (; prop; prop = prop->parent)
		for (size_t i = 0; prop->key && i < sizeof(reasons) / sizeof(reasons[0]); i++)
			if (!strcasecmp(prop->key, reasons[i].key))
				return reasons[i].why;
	return "Sluice has nothing like it";
}

enum outcome unmapped_outcome(const struct prop *leaf, const char **ret_why)
{
	/* An element of a list is what the list is. */
	const char *key = leaf->key || !leaf->parent ? leaf->key : leaf->parent->key;
	bool is_noise = is_among(key, noise, sizeof(noise) / sizeof(noise[0]));

	*ret_why = "";
	if (json_is_null(leaf->json) || !leaf->parent) {
		*ret_why = "not set";
		return OUTCOME_IGNORED;
	}
	if (json_is_object(leaf->json) || json_is_array(leaf->json) ||
	    (json_is_string(leaf->json) && !*json_string_value(leaf->json))) {
		*ret_why = "empty";
		return OUTCOME_IGNORED;
	}
	if (json_is_false(leaf->json)) {
		*ret_why = "off";
		return OUTCOME_IGNORED;
	}
	if (is_reference(leaf) ? is_backward(leaf) : is_noise) {
		*ret_why = is_reference(leaf) ? "said on the other side" : "";
		return OUTCOME_IGNORED;
	}
	*ret_why = reason_of(leaf);
	return OUTCOME_NONE;
}
