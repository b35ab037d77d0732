// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/save_view.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/config_file.h"
#include "cli/save_rows.h"
#include "cli/text.h"
#include "diagnose/json.h"
#include "util/cleanup.h"
#include "util/printable.h"

#define COMMENT_LEN 160 /* of one that is shown; longer ones are cut */

/* --- for people ------------------------------------------------------------------------------- */

static const char *comment_text(char buf[COMMENT_LEN], const struct save_report *report,
				const struct amend_comment *comment)
{
	snprintf(buf, COMMENT_LEN, "%.*s", (int)(comment->end - comment->start),
		 report->file->text + comment->start);
	return printable_clean(buf);
}

/* An interface that stays detached by a change alone, since it is the last. */
static bool is_left(const struct save_report *report, const json_t *row)
{
	const struct overlay *left = report->amendment ? &report->amendment->left : NULL;
	const char *name = text_get(row, "interface");

	for (uint32_t i = 0; left && *name && i < left->n; i++)
		if (!strcmp(left->rows[i].interface, name))
			return true;
	return false;
}

static bool is_saved(const struct save_report *report, const json_t *row)
{
	return save_rows_is_savable(row) && !is_left(report, row);
}

static size_t count_saved(const struct save_report *report)
{
	const json_t *row;
	size_t i, n = 0;

	json_array_foreach(report->changes, i, row) n += is_saved(report, row);
	return n;
}

/* What is not in the file afterwards, though somebody may think so. */
static void print_notes(const struct cli *cli, const struct save_report *report)
{
	const json_t *row;
	size_t i;

	json_array_foreach(report->changes, i, row) if (is_left(report, row))
		fprintf(cli->err,
			"sluice: stays a runtime change, since a file names one interface at "
			"least: %s %s\n",
			text_get(row, "interface"), text_get(row, "change"));
	json_array_foreach(report->changes, i, row) if (*text_get(row, "admin")) fprintf(
		cli->err,
		"sluice: stays a runtime change, for which the file has no words: %s %s: %s\n",
		text_get(row, "pool"), text_get(row, "address"), text_get(row, "admin"));
	for (uint32_t j = 0; report->amendment && j < report->amendment->n_comments; j++) {
		const struct amend_comment *comment = &report->amendment->comments[j];
		char text[COMMENT_LEN];

		fprintf(cli->err,
			"sluice: taken out with what it stood beside: line %" PRIu32 ": %s\n",
			comment->line, comment_text(text, report, comment));
	}
}

static int print_text(const struct cli *cli, const struct save_report *report)
{
	size_t n = count_saved(report);

	if (!report->amendment || !report->amendment->patch.n) {
		fprintf(cli->out, "nothing to save: %s says what is in force\n", report->name);
	} else if (!report->is_rehearsal) {
		fprintf(cli->out, "saved to %s: %zu change%s\n", report->name, n,
			n == 1 ? "" : "s");
	} else {
		int r = patch_print(cli->out, &report->amendment->patch, report->file->text,
				    report->file->len, report->name);

		if (r < 0)
			return r;
	}
	print_notes(cli, report);
	return 0;
}

/* --- as JSON ---------------------------------------------------------------------------------- */

/* The rows that a file can say, or the others, without what those are about. */
static json_t *pick_rows(const struct save_report *report, bool others)
{
	json_t *rows = json_array(), *row;
	size_t i;

	json_array_foreach(report->changes, i, row)
	{
		json_t *copy;

		if (others ? !*text_get(row, "admin") && !is_left(report, row)
			   : !is_saved(report, row))
			continue;
		copy = json_copy(row);
		if (copy && others && *text_get(row, "admin"))
			json_object_del(copy, "change"), json_object_del(copy, "weight");
		else if (copy)
			json_object_del(copy, "admin"); /* of those that are saved */
		json_push(&rows, copy);
	}
	return rows;
}

static json_t *render_comments(const struct save_report *report)
{
	json_t *comments = json_array();

	for (uint32_t i = 0; report->amendment && i < report->amendment->n_comments; i++) {
		const struct amend_comment *comment = &report->amendment->comments[i];
		json_t *json = json_object();
		char text[COMMENT_LEN];

		json_put_uint(&json, "line", comment->line);
		json_put_text(&json, "text", comment_text(text, report, comment));
		json_push(&comments, json);
	}
	return comments;
}

/* NULL: out of memory. */
static char *difference_of(const struct save_report *report)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int r;

	if (!out)
		return NULL;
	r = report->amendment ? patch_print(out, &report->amendment->patch, report->file->text,
					    report->file->len, report->name)
			      : 0;
	if (fclose(out) == 0 && r == 0)
		return text;
	free(text);
	return NULL;
}

static int print_json(const struct cli *cli, const struct save_report *report)
{
	CLEANUP(free_p) char *difference = difference_of(report);
	json_t *json = json_object();

	if (!difference)
		return -ENOMEM;
	json_put_text(&json, "file", report->name);
	json_put_bool(&json, "dry_run", report->is_rehearsal);
	json_put_bool(&json, "loaded", report->is_loaded);
	json_put(&json, "saved", pick_rows(report, false));
	json_put(&json, "not_saved", pick_rows(report, true));
	json_put(&json, "comments_removed", render_comments(report));
	json_put_text(&json, "difference", difference);
	if (!json)
		return -ENOMEM;
	text_dump(cli->out, json);
	return 0;
}

int save_print(const struct cli *cli, const struct save_report *report)
{
	return cli->json ? print_json(cli, report) : print_text(cli, report);
}
