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

static json_t *row_json(const struct catalogue_row *row)
{
	return json_pack("{s:i,s:s,s:s,s:s,s:o,s:o}", "code", (int)row->code, "id",
			 message_id(row->code), "health", health_name(advice_health(row->code)),
			 "meaning", row->meaning, "causes", list_json(row->causes), "remedies",
			 list_json(row->remedies));
}

static enum cli_status explain_all(const struct cli *cli)
{
	static const char *const headings[] = { "CODE", "ID", "HEALTH", "MEANING" };
	CLEANUP(table_free_p) struct table *table = table_new(4, headings);
	json_t *array = cli->json ? json_array() : NULL;
	size_t n;
	const struct catalogue_row *rows = catalogue_rows(&n);
	int r;

	if (!table)
		return cli_fail(cli, STATUS_REFUSED, "out_of_memory", "out of memory");
	table_align_right(table, 0);
	for (size_t i = 0; i < n; i++) {
		const char *health = health_name(advice_health(rows[i].code));

		if (cli->json) {
			json_array_append_new(array, row_json(&rows[i]));
			continue;
		}
		table_cell(table, TABLE_PLAIN, "%d", (int)rows[i].code);
		table_cell(table, TABLE_PLAIN, "%s", message_id(rows[i].code));
		table_cell(table, view_health_color(health), "%s", health);
		table_cell(table, TABLE_PLAIN, "%s", rows[i].meaning);
	}
	if (cli->json) {
		text_dump(cli->out, json_pack("{s:o}", "messages", array));
		return STATUS_DONE;
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
	const struct catalogue_row *rows = catalogue_rows(&n);

	for (size_t i = 0; i < n; i++)
		suggest_try(&suggest, message_id(rows[i].code), &best);
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
		return explain_all(cli);
	row = catalogue_find_id(cli->args[0]);
	if (!row)
		return unknown_id(cli, cli->args[0]);
	if (cli->json) {
		text_dump(cli->out, row_json(row));
		return STATUS_DONE;
	}

	fprintf(cli->out, "%s (code %d): %s\n\n%s\n", message_id(row->code), (int)row->code,
		health_name(advice_health(row->code)), row->meaning);
	print_list(cli->out, "Usual causes", row->causes);
	print_list(cli->out, "What to do", row->remedies);
	return STATUS_DONE;
}
