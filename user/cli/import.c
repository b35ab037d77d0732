// SPDX-License-Identifier: GPL-2.0-or-later
/* import - a gateway of another product as a configuration, without a daemon. */
#include "import/import.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/import_certs.h"
#include "cli/text.h"
#include "config/config.h"
#include "config/report.h"
#include "model/model.h"
#include "util/err.h"
#include "util/printable.h"

DEFINE_CLEANUP(struct table, table_free)

#define CHUNK 65536
#define LINE_LEN 1024

/* Read the whole file, or standard input for "-"; one byte beyond the limit tells that it is larger. */
static int read_file(char **ret, size_t *ret_len, const char *name)
{
	CLEANUP(fclose_p) FILE *file = strcmp(name, "-") ? fopen(name, "re") : NULL;
	FILE *in = strcmp(name, "-") ? file : stdin;
	CLEANUP(free_p) char *text = NULL;
	size_t len = 0, got;

	if (!in)
		return -errno;
	do {
		char *longer = realloc(text, len + CHUNK);

		if (!longer)
			return -ENOMEM;
		text = longer;
		got = fread(text + len, 1, CHUNK, in);
		len += got;
	} while (got == CHUNK && len <= LIMIT_IMPORT_BYTES);
	if (ferror(in))
		return errno ? -errno : -EIO;
	*ret = take_ptr(text);
	*ret_len = len;
	return 0;
}

static enum cli_status fail(const struct cli *cli, int code, const struct err *err)
{
	return cli_fail(cli, STATUS_REFUSED, "import_failed", "%s: %s", cli->args[0],
			err->text[0] ? err->text : strerror(-code));
}

static size_t count(const struct import *import, enum outcome outcome)
{
	size_t n = 0;

	for (size_t i = 0; i < import->n_rows; i++)
		n += import->rows[i].outcome == outcome;
	return n;
}

static json_t *row_json(const struct import_row *row)
{
	return json_pack("{s:s,s:s,s:s}", "path", row->path, "outcome", outcome_name(row->outcome),
			 "note", row->note);
}

static enum cli_status print_json(const struct cli *cli, const struct import *import)
{
	json_t *rows = json_array();
	json_t *json;

	for (size_t i = 0; i < import->n_rows; i++)
		json_array_append_new(rows, row_json(&import->rows[i]));
	json = json_pack("{s:s,s:s,s:{s:I,s:I,s:I,s:I},s:o}", "gateway", import->name, "yaml",
			 import->yaml, "counts", "carried",
			 (json_int_t)count(import, OUTCOME_CARRIED), "approximated",
			 (json_int_t)count(import, OUTCOME_APPROXIMATED), "no counterpart",
			 (json_int_t)count(import, OUTCOME_NONE), "ignored",
			 (json_int_t)count(import, OUTCOME_IGNORED), "properties", rows);
	if (!json)
		return cli_fail(cli, STATUS_REFUSED, "out_of_memory", "out of memory");
	text_dump(cli->out, json);
	return STATUS_DONE;
}

static enum table_color color_of(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_CARRIED:
		return TABLE_GREEN;
	case OUTCOME_APPROXIMATED:
		return TABLE_YELLOW;
	case OUTCOME_NONE:
		return TABLE_RED;
	default:
		return TABLE_DIM;
	}
}

/* What says nothing about traffic comes last, so that it does not stand between the others. */
static int print_table(const struct cli *cli, const struct import *import)
{
	static const char *const headings[] = { "PROPERTY", "OUTCOME", "NOTE" };
	CLEANUP(table_free_p) struct table *table = table_new(3, headings);

	if (!table)
		return -ENOMEM;
	for (int ignored = 0; ignored <= 1; ignored++) {
		for (size_t i = 0; i < import->n_rows; i++) {
			const struct import_row *row = &import->rows[i];

			if ((row->outcome == OUTCOME_IGNORED) != ignored)
				continue;
			table_cell(table, TABLE_PLAIN, "%s", row->path);
			table_cell(table, color_of(row->outcome), "%s", outcome_name(row->outcome));
			table_cell(table, TABLE_PLAIN, "%s", row->note);
		}
	}
	return table_print(table, cli->err, table_wants_color(cli->err));
}

static enum cli_status print_text(const struct cli *cli, const struct import *import)
{
	int r;

	fputs(import->yaml, cli->out);
	r = print_table(cli, import);
	if (r < 0)
		return command_print_failed(cli, r);
	fprintf(cli->err,
		"\n%zu carried, %zu approximated, %zu without counterpart, %zu ignored\n"
		"gateway.interfaces names a placeholder: the export knows no interface of this "
		"host\n",
		count(import, OUTCOME_CARRIED), count(import, OUTCOME_APPROXIMATED),
		count(import, OUTCOME_NONE), count(import, OUTCOME_IGNORED));
	return STATUS_DONE;
}

/* What sluice check would say to it. */
static enum cli_status check(const struct cli *cli, const struct import *import)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	struct report report = { .n_items = 0 };
	char line[LINE_LEN] = "";

	if (config_parse(&model, import->yaml, strlen(import->yaml), "sluice.yaml", &report) >= 0)
		return STATUS_DONE;
	if (report.n_items)
		report_format(line, sizeof(line), &report, 0);
	return cli_fail(cli, STATUS_REFUSED, "import_failed",
			"%s: what came of it is no configuration: %s", cli->args[0], line);
}

enum cli_status command_import_azure(struct cli *cli)
{
	CLEANUP(free_p) char *text = NULL;
	CLEANUP(free_p) char *directory = NULL;
	CLEANUP(import_free_p) struct import *import = NULL;
	struct import_options options = { .gateway = cli->options[OPT_NAME] };
	struct err err = { "" };
	enum cli_status status;
	size_t len = 0; /* gcc does not know that errno is set where a call has failed */
	int r;

	if (cli->options[OPT_CERTS]) {
		directory = strdup(cli->options[OPT_CERTS]);
		options.keep = import_certs_keep;
		options.arg = directory;
	}
	r = read_file(&text, &len, cli->args[0]);
	if (r >= 0)
		r = import_azure(&import, text, len, &options, &err);
	if (r < 0)
		return fail(cli, r, &err);
	status = check(cli, import);
	if (status != STATUS_DONE)
		return status;
	return cli->json ? print_json(cli, import) : print_text(cli, import);
}
