// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Changes written into any file that is a configuration: the result is one that says the same as both together, or
 * there is none.
 *
 * The first bytes say what becomes of interfaces, pools and backends, as far as the file has such.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/amend.h"
#include "config/config.h"
#include "config/report.h"
#include "model/compose.h"
#include "model/model.h"
#include "util/err.h"

#define CHOICES 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Most bytes are no configuration at all: these begin one. */
static const char start[] = "gateway: { interfaces: [ { name: eth0 } ] }\n";

struct choices {
	const uint8_t *bytes;
	size_t at;
};

static unsigned int choose(struct choices *choices)
{
	return choices->bytes[choices->at++ % CHOICES];
}

static void put(struct overlay *overlay, const char *pool, const char *address,
		enum overlay_presence presence, int weight)
{
	struct overlay_row row = { .presence = presence,
				   .has_weight = weight >= 0,
				   .weight = weight < 0 ? 0 : (uint32_t)weight };

	snprintf(row.pool, sizeof(row.pool), "%s", pool);
	snprintf(row.address, sizeof(row.address), "%s", address);
	if (overlay_set(overlay, &row) < 0)
		abort();
}

static void put_interface(struct overlay *overlay, const char *name, enum overlay_presence presence,
			  unsigned int choice)
{
	struct overlay_row row = { .presence = presence,
				   .has_options = presence != OVERLAY_REMOVED };

	snprintf(row.interface, sizeof(row.interface), "%s", name);
	row.xdp = row.has_options ? (enum xdp_mode)(choice % (XDP_OFF + 1)) : XDP_AUTO;
	row.egress = row.has_options && choice & 64;
	if (overlay_set(overlay, &row) < 0)
		abort();
}

static void change_interfaces(struct overlay *overlay, const struct gateway *gateway,
			      struct choices *choices)
{
	for (uint32_t i = 0; i < gateway->n_interfaces; i++) {
		unsigned int choice = choose(choices);

		if (choice % 4 == 1)
			put_interface(overlay, gateway->interfaces[i].name, OVERLAY_REMOVED, 0);
		else if (choice % 4 == 2)
			put_interface(overlay, gateway->interfaces[i].name, OVERLAY_AS_FILE,
				      choice / 4);
	}
	if (choose(choices) % 2)
		put_interface(overlay, "new-7.3", OVERLAY_ADDED, choose(choices));
}

static bool is_used(const struct model *model, uint32_t pool)
{
	for (uint32_t i = 0; i < model->n_services; i++)
		if (model->services[i].pool == pool)
			return true;
	return false;
}

static void change_pool(struct overlay *overlay, const struct pool *pool, struct choices *choices)
{
	for (uint32_t i = 0; i < pool->n_backends; i++) {
		const char *address = backend_text(&pool->backends[i]);
		unsigned int choice = choose(choices);

		if (choice % 4 == 1)
			put(overlay, pool->name, address, OVERLAY_REMOVED, -1);
		else if (choice % 4 == 2)
			put(overlay, pool->name, address, OVERLAY_AS_FILE, (int)choice);
	}
	if (choose(choices) % 2)
		put(overlay, pool->name, "fd00::17", OVERLAY_ADDED, 1);
	if (choose(choices) % 2)
		put(overlay, pool->name, "new.test", OVERLAY_ADDED, 200);
}

static void change(struct overlay *overlay, const struct model *file, struct choices *choices)
{
	change_interfaces(overlay, &file->gateway, choices);
	for (uint32_t i = 0; i < file->n_pools; i++)
		if (choose(choices) % 4 == 1 && !is_used(file, i))
			put(overlay, file->pools[i].name, "", OVERLAY_REMOVED, -1);
		else
			change_pool(overlay, &file->pools[i], choices);
	if (choose(choices) % 2) {
		put(overlay, "new-pool", "", OVERLAY_ADDED, -1);
		put(overlay, "new-pool", "10.9.9.9", OVERLAY_ADDED, 3);
	}
}

/* Independent of what amend() looks at itself. */
static void check_result(const struct amendment *amendment, const struct model *before,
			 const struct overlay *overlay)
{
	struct model *after = NULL;
	struct report report;

	if (strlen(amendment->text) != amendment->len)
		abort();
	if (config_parse(&after, amendment->text, amendment->len, "dir/fuzz.yaml", &report) < 0)
		abort();
	if (after->n_pools != before->n_pools || after->n_endpoints != before->n_endpoints ||
	    after->n_probes != before->n_probes || after->n_services != before->n_services)
		abort();
	/* What is left is that nothing is guarded, of which no file can say anything. */
	if (before->gateway.n_interfaces &&
	    (amendment->left.n || after->gateway.n_interfaces != before->gateway.n_interfaces))
		abort();
	for (uint32_t i = 0; i < before->gateway.n_interfaces; i++) {
		const struct interface *is = &before->gateway.interfaces[i];
		const struct interface *kept = model_find_interface(after, is->name);

		if (!kept || kept->xdp != is->xdp || kept->egress != is->egress)
			abort();
	}
	if (!overlay->n && amendment->patch.n)
		abort();
	model_free(after);
}

static void check(const struct model *file, const char *text, size_t len, const uint8_t *bytes)
{
	struct choices choices = { bytes, 0 };
	struct overlay overlay = { .n = 0 };
	struct amendment amendment = { .len = 0 };
	struct model *before = NULL;
	struct err err = { "" };
	int r;

	change(&overlay, file, &choices);
	if (compose_prune(&overlay, file, NULL, NULL) < 0)
		abort();
	r = compose_model(&before, file, &overlay, &err);
	if (r == 0) {
		r = amend(&amendment, file, text, len, "dir/fuzz.yaml", &overlay, &err);
		if (r == 0)
			check_result(&amendment, before, &overlay);
		else if (r != -ENOTSUP || !err.text[0])
			abort();
	}
	amendment_done(&amendment);
	overlay_done(&overlay);
	model_free(before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model *file = NULL;
	struct report report;
	size_t len;
	char *text;

	if (size < CHOICES)
		return 0;
	len = sizeof(start) - 1 + size - CHOICES;
	text = malloc(len);
	if (!text)
		abort();
	memcpy(text, start, sizeof(start) - 1);
	memcpy(text + sizeof(start) - 1, data + CHOICES, size - CHOICES);
	if (config_parse(&file, text, len, "dir/fuzz.yaml", &report) == 0)
		check(file, text, len, data);
	model_free(file);
	free(text);
	return 0;
}
