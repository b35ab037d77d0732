// SPDX-License-Identifier: GPL-2.0-or-later
/* The configuration checker on any bytes: an answer, and a report that agrees with it. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/report.h"
#include "model/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Most bytes are no configuration at all: half of the inputs continue one that is in order. */
static const char start[] = "gateway: { interfaces: [ { name: eth0 } ] }\n"
			    "probes: [ { name: p, protocol: http } ]\n"
			    "settings: [ { name: w, protocol: http, port: 80, probe: p },\n"
			    "            { name: v, protocol: https, port: 443 } ]\n";

static void check_report(const struct report *report, int r)
{
	char line[1024];

	if ((r == -EINVAL) != (report->n_errors > 0) || report->n_items > REPORT_MAX)
		abort();
	for (size_t i = 0; i < report->n_items; i++) {
		if (!report->items[i].message[0])
			abort();
		if (i && report->items[i].line < report->items[i - 1].line)
			abort();
		report_format(line, sizeof(line), report, i);
	}
}

/* What plans and the data plane take for granted about a model that passed. */
static void check_model(const struct model *model)
{
	if (!model->gateway.n_interfaces)
		abort();
	for (uint32_t i = 0; i < model->n_settings; i++)
		if (model->settings[i].probe != INDEX_NONE &&
		    model->settings[i].probe >= model->n_probes)
			abort();
	for (uint32_t i = 0; i < model->n_endpoints; i++)
		if (!model->endpoints[i].key.port ||
		    model->endpoints[i].settings >= model->n_settings)
			abort();
	for (uint32_t i = 0; i < model->n_probes; i++)
		if (!model->probes[i].interval_ms || !model->probes[i].match.n_status)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model *model = NULL;
	struct report report;
	size_t prefix;
	char *text;
	int r;

	if (!size)
		return 0;
	prefix = data[0] & 1 ? sizeof(start) - 1 : 0;
	text = malloc(prefix + size);
	if (!text)
		abort();
	memcpy(text, start, prefix);
	memcpy(text + prefix, data + 1, size - 1);

	r = config_parse(&model, text, prefix + size - 1, "dir/fuzz.yaml", &report);
	check_report(&report, r);
	if ((r == 0) != (model != NULL))
		abort();
	if (model)
		check_model(model);
	model_free(model);
	free(text);

	return 0;
}
