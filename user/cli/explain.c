// SPDX-License-Identifier: GPL-2.0-or-later
/* explain - the catalogue of verdicts, without a daemon. */
#include <jansson.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/suggest.h"
#include "cli/text.h"
#include "diagnose/advice.h"
#include "model/health.h"
#include "probe/catalogue.h"
#include "util/cleanup.h"

DEFINE_CLEANUP(struct table, table_free)

static json_t *list_json(const char *const texts[CATALOGUE_LIST_MAX])
{
	json_t *array = json_array();

	for (size_t i = 0; i < CATALOGUE_LIST_MAX && texts[i]; i++)
		json_array_append_new(array, json_string(texts[i]));
	return array;
}

static const char *health_of(const struct catalogue_row *row)
{
	return row->is_warning ? "warning" : health_name(advice_health(row->code));
}

/* A warning has no number, and says nothing about health. */
static json_t *row_json(const struct catalogue_row *row)
{
	json_t *json = json_object();

	if (!row->is_warning)
		json_object_set_new(json, "code", json_integer(row->code));
	json_object_set_new(json, "id", json_string(row->id));
	if (!row->is_warning)
		json_object_set_new(json, "health", json_string(health_of(row)));
	json_object_set_new(json, "meaning", json_string(row->meaning));
	json_object_set_new(json, "causes", list_json(row->causes));
	json_object_set_new(json, "remedies", list_json(row->remedies));
	return json;
}

static enum cli_status explain_all_json(const struct cli *cli)
{
	json_t *messages = json_array(), *warnings = json_array();
	size_t n;
	const struct catalogue_row *const *rows = catalogue_rows(&n);

	for (size_t i = 0; i < n; i++)
		json_array_append_new(rows[i]->is_warning ? warnings : messages, row_json(rows[i]));
	text_dump(cli->out, json_pack("{s:o,s:o}", "messages", messages, "warnings", warnings));
	return STATUS_DONE;
}

static enum cli_status explain_all(const struct cli *cli)
{
	static const char *const headings[] = { "CODE", "ID", "HEALTH", "MEANING" };
	CLEANUP(table_free_p) struct table *table = table_new(4, headings);
	size_t n;
	const struct catalogue_row *const *rows = catalogue_rows(&n);
	int r;

	if (!table)
		return cli_fail(cli, STATUS_REFUSED, "out_of_memory", "out of memory");
	table_align_right(table, 0);
	for (size_t i = 0; i < n; i++) {
		const char *health = health_of(rows[i]);

		if (rows[i]->is_warning)
			table_cell(table, TABLE_PLAIN, "-");
		else
			table_cell(table, TABLE_PLAIN, "%d", (int)rows[i]->code);
		table_cell(table, TABLE_PLAIN, "%s", rows[i]->id);
		table_cell(table, view_health_color(health), "%s", health);
		table_cell(table, TABLE_PLAIN, "%s", rows[i]->meaning);
	}
	r = table_print(table, cli->out, cli->color);
	return r < 0 ? command_print_failed(cli, r) : STATUS_DONE;
}

static void print_list(FILE *out, const char *heading, const char *const texts[CATALOGUE_LIST_MAX])
{
	if (texts[0])
		fprintf(out, "\n%s\n", heading);
	for (size_t i = 0; i < CATALOGUE_LIST_MAX && texts[i]; i++)
		fprintf(out, "  - %s\n", texts[i]);
}

static enum cli_status unknown_id(const struct cli *cli, const char *id)
{
	struct suggest suggest = suggest_for(id);
	const char *best = NULL;
	size_t n;
	const struct catalogue_row *const *rows = catalogue_rows(&n);

	for (size_t i = 0; i < n; i++)
		suggest_try(&suggest, rows[i]->id, &best);
	if (best)
		return cli_fail(cli, STATUS_REFUSED, "not_found",
				"there is no verdict '%s'; did you mean '%s'?", id, best);
	return cli_fail(cli, STATUS_REFUSED, "not_found",
			"there is no verdict '%s'; 'sluice explain' lists them", id);
}

enum cli_status command_explain(struct cli *cli)
{
	const struct catalogue_row *row;

	if (!cli->n_args)
		return cli->json ? explain_all_json(cli) : explain_all(cli);
	row = catalogue_find_id(cli->args[0]);
	if (!row)
		return unknown_id(cli, cli->args[0]);
	if (cli->json) {
		text_dump(cli->out, row_json(row));
		return STATUS_DONE;
	}

	if (row->is_warning)
		fprintf(cli->out, "%s: warning\n\n%s\n", row->id, row->meaning);
	else
		fprintf(cli->out, "%s (code %d): %s\n\n%s\n", row->id, (int)row->code,
			health_of(row), row->meaning);
	print_list(cli->out, "Usual causes", row->causes);
	print_list(cli->out, "What to do", row->remedies);
	return STATUS_DONE;
}
