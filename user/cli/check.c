// SPDX-License-Identifier: GPL-2.0-or-later
/* check - validate a configuration without a daemon. */
#include <jansson.h>

#include "cli/commands.h"
#include "cli/text.h"
#include "config/config.h"
#include "config/report.h"
#include "model/model.h"
#include "util/printable.h"

#define LINE_LEN 1024

static json_t *clean_text(const char *text)
{
	char copy[LINE_LEN];
	json_t *json;

	snprintf(copy, sizeof(copy), "%s", text);
	json = json_string(printable_clean(copy));
	return json ? json : json_string("?");
}

static json_t *item_json(const struct report_item *item)
{
	return json_pack("{s:i,s:i,s:o,s:o,s:o}", "line", (int)item->line, "column",
			 (int)item->column, "key", clean_text(item->key), "value",
			 clean_text(item->value), "message", clean_text(item->message));
}

static void print_json(const struct cli *cli, const struct report *report,
		       const struct model *model)
{
	json_t *errors = json_array();
	json_t *json;

	for (size_t i = 0; i < report->n_items; i++)
		json_array_append_new(errors, item_json(&report->items[i]));
	json = json_pack("{s:o,s:b,s:i,s:o}", "file", clean_text(cli->args[0]), "ok",
			 (int)(model != NULL), "errors_found", (int)report->n_errors, "errors",
			 errors);
	if (json && model) {
		json_object_set_new(json, "pools", json_integer(model->n_pools));
		json_object_set_new(json, "endpoints", json_integer(model_declared(model)));
	}
	text_dump(cli->out, json);
}

static void print_text(const struct cli *cli, const struct report *report)
{
	char line[LINE_LEN];

	for (size_t i = 0; i < report->n_items; i++) {
		report_format(line, sizeof(line), report, i);
		fprintf(cli->err, "%s\n", printable_clean(line));
	}
	if (report->n_errors > report->n_items)
		fprintf(cli->err, "and %zu more errors\n", report->n_errors - report->n_items);
}

enum cli_status command_check(struct cli *cli)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	struct report report = { .n_items = 0 };
	int r = config_load(&model, cli->args[0], &report);

	if (r < 0 && !report.n_items)
		return cli_fail(cli, STATUS_REFUSED, "check_failed", "%s: cannot be checked",
				cli->args[0]);
	if (cli->json) {
		print_json(cli, &report, r < 0 ? NULL : model);
	} else if (r < 0) {
		print_text(cli, &report);
	} else {
		char name[LINE_LEN];

		snprintf(name, sizeof(name), "%s", cli->args[0]);
		fprintf(cli->out, "%s: ok: %u pool%s, %u endpoint%s\n", printable_clean(name),
			model->n_pools, model->n_pools == 1 ? "" : "s", model_declared(model),
			model_declared(model) == 1 ? "" : "s");
	}
	return r < 0 ? STATUS_REFUSED : STATUS_DONE;
}
