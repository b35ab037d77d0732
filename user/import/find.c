// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * find - the gateway in a file: alone, in a list, or among the resources of a template.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "import/work.h"
#include "util/err.h"

#define TYPE "Microsoft.Network/applicationGateways"
#define LISTED_LEN 240 /* of the names that an error lists */

static bool is_gateway(struct prop *prop)
{
	struct prop *type = prop_child(prop, "type");

	if (!prop || !json_is_object(prop->json))
		return false;
	if (type)
		return json_is_string(type->json) &&
		       !strcasecmp(json_string_value(type->json), TYPE);
	return prop_field(prop, "backendAddressPools") != NULL;
}

/* What holds the resources: the template's list, the answer's list, or the document itself. */
static struct prop *find_resources(struct prop *root)
{
	struct prop *resources;

	if (json_is_array(root->json))
		return root;
	resources = prop_child(root, "resources");
	return resources ? resources : prop_child(root, "value");
}

static const char *name_of(struct work *work, struct prop *gateway)
{
	const char *name = work_segment(work, prop_child(gateway, "name"));

	return name ? name : work_segment(work, prop_child(gateway, "id"));
}

/* The gateways found so far. */
struct found {
	struct prop *chosen;
	unsigned int n, n_chosen;
	char names[LISTED_LEN];
};

static void consider(struct work *work, struct found *found, struct prop *prop)
{
	const char *name, *wanted = work->options->gateway;
	size_t len = strlen(found->names);

	if (!is_gateway(prop))
		return;
	name = name_of(work, prop);
	name = name ? name : "(a name that the file does not tell)";
	snprintf(found->names + len, sizeof(found->names) - len, "%s%s", found->n ? ", " : "",
		 name);
	found->n++;
	if (wanted && strcasecmp(wanted, name) != 0)
		return;
	found->n_chosen++;
	found->chosen = prop;
	work->gateway_name = name;
}

int work_find(struct work *work, struct err *err)
{
	struct prop *root = prop_root(&work->tree);
	struct prop *resources = find_resources(root);
	struct found found = { .n = 0 };

	work->names = (struct expr_names){
		.tree = &work->tree,
		.parameters = prop_child(root, "parameters"),
		.variables = prop_child(root, "variables"),
	};
	if (is_gateway(root))
		consider(work, &found, root);
	for (uint32_t i = 0; !is_gateway(root) && resources && i < resources->n_children; i++)
		consider(work, &found, &resources->children[i]);

	if (!found.n)
		return err_set(err, -EINVAL,
			       "has no Application Gateway: neither is it one, nor has it a "
			       "resource of type %s",
			       TYPE);
	if (!found.n_chosen)
		return err_set(err, -EINVAL, "has no Application Gateway '%.60s', but %s",
			       work->options->gateway, found.names);
	if (found.n_chosen > 1)
		return err_set(err, -EINVAL,
			       "has %u Application Gateways (%s); choose one with --name",
			       found.n_chosen, found.names);
	work->gateway = found.chosen;
	prop_tell(&work->tree, prop_child(work->gateway, "name"), OUTCOME_IGNORED,
		  "the gateway's own name");
	return 0;
}
