/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layers_run - a file and what is changed over it, in tests; included by one .c of each. */
#ifndef SLUICE_TESTS_LAYERS_RUN_H
#define SLUICE_TESTS_LAYERS_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/report.h"
#include "model/model.h"
#include "model/overlay.h"

static const char layers_yaml[] =
	"gateway: { interfaces: [ { name: lan0 } ] }\n"
	"settings: [ { name: web, protocol: http, port: 80 }, { name: db, protocol: tcp, port: 5432 } ]\n"
	"pools:\n"
	"  - { name: alpha, backends: [ { address: 10.0.0.1 }, { address: 10.0.0.2, weight: 5 },\n"
	"      { address: App.Test. } ] }\n"
	"  - { name: beta, backends: [ { address: 'fd00::1' } ] }\n"
	"  - { name: spare, backends: [ { address: 10.0.9.9 } ] }\n"
	"services:\n"
	"  - { name: shop, pool: alpha, settings: web }\n"
	"  - { name: store, pool: beta, settings: db }\n";

static inline struct model *layers_file(const char *yaml)
{
	struct report report = { .n_items = 0 };
	struct model *model = NULL;
	char line[512];

	if (config_parse(&model, yaml, strlen(yaml), "test.yaml", &report) < 0) {
		for (size_t i = 0; i < report.n_items; i++) {
			report_format(line, sizeof(line), &report, i);
			printf("# %s\n", line);
		}
		fail();
	}
	return model;
}

static inline struct overlay_row row_of(const char *pool, const char *address,
					enum overlay_presence presence)
{
	struct overlay_row row = { .presence = presence };

	snprintf(row.pool, sizeof(row.pool), "%s", pool);
	snprintf(row.address, sizeof(row.address), "%s", address);
	return row;
}

static inline void put(struct overlay *overlay, struct overlay_row row)
{
	assert_int_equal(overlay_set(overlay, &row), 0);
}

static inline void put_weight(struct overlay *overlay, struct overlay_row row, uint32_t weight)
{
	row.has_weight = true;
	row.weight = weight;
	put(overlay, row);
}

static inline struct overlay_row interface_row(const char *name, enum overlay_presence presence)
{
	struct overlay_row row = { .presence = presence };

	snprintf(row.interface, sizeof(row.interface), "%s", name);
	return row;
}

static inline struct overlay_row with_options(struct overlay_row row, enum xdp_mode xdp,
					      bool egress)
{
	row.has_options = true;
	row.xdp = xdp;
	row.egress = egress;
	return row;
}

/* "lan0/auto wan0/native-": the interfaces of a model; '-': without egress. */
static inline const char *interfaces_of(const struct model *model)
{
	static char text[2048];
	size_t len = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < model->gateway.n_interfaces; i++) {
		const struct interface *interface = &model->gateway.interfaces[i];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s/%s%s", i ? " " : "",
					interface->name, xdp_mode_name(interface->xdp),
					interface->egress ? "" : "-");
	}
	return text;
}

/* "alpha[10.0.0.1*1 10.0.0.2*5] beta[…]": the pools of a model. */
static inline const char *pools_of(const struct model *model)
{
	static char text[4096];
	size_t len = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < model->n_pools; i++) {
		const struct pool *pool = &model->pools[i];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s[", i ? " " : "",
					pool->name);
		for (uint32_t j = 0; j < pool->n_backends; j++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s*%u",
						j ? " " : "", backend_text(&pool->backends[j]),
						pool->backends[j].weight);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "]");
	}
	return text;
}

#endif
