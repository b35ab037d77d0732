// SPDX-License-Identifier: GPL-2.0-or-later
/* hunt_text - what was found, for people. */
#include <errno.h>

#include "cli/hunt.h"
#include "cli/text.h"
#include "util/table.h"

DEFINE_CLEANUP(struct table, table_free)

static enum table_color color_of(enum hunt_state state)
{
	switch (state) {
	case HUNT_GOOD:
		return TABLE_GREEN;
	case HUNT_BAD:
		return TABLE_RED;
	case HUNT_UNCLEAR:
		return TABLE_YELLOW;
	case HUNT_SKIPPED:
		break;
	}
	return TABLE_DIM;
}

static int print_steps(const struct hunt *hunt)
{
	static const char *const headings[] = { "STEP", "STATE", "TIME", "EVIDENCE" };
	CLEANUP(table_free_p) struct table *table = table_new(4, headings);

	if (!table)
		return -ENOMEM;
	table_align_right(table, 2);
	for (uint32_t i = 0; i < hunt->n_steps; i++) {
		const struct hunt_step *step = &hunt->steps[i];

		table_cell(table, TABLE_PLAIN, "%s", step->name);
		table_cell(table, color_of(step->state), "%s", hunt_state_name(step->state));
		table_cell(table, TABLE_DIM, "%u ms", step->ms);
		table_cell(table, TABLE_PLAIN, "%s", step->text);
	}
	return table_print(table, hunt->cli->out, hunt->cli->color);
}

static void print_cause(FILE *out, enum cause cause, const char *text)
{
	enum area area = cause_area(cause);

	fprintf(out, "%s%s%s: %s\n", area_letter(area), area ? " " : "", area_name(area),
		cause_id(cause));
	fprintf(out, "%s\n", cause_row(cause)->meaning);
	text_print(out, text);
	fputc('\n', out);
}

static void print_remedies(FILE *out, enum cause cause)
{
	fputs(cause == CAUSE_REACHABLE ? "\nIf it does not work for others\n" : "\nWhat to do\n",
	      out);
	for (size_t i = 0; i < cause_n_remedies(cause); i++)
		fprintf(out, "  - %s\n", cause_row(cause)->remedies[i]);
}

int hunt_text(const struct hunt *hunt)
{
	const struct trouble_finding *finding = &hunt->finding;
	FILE *out = hunt->cli->out;
	int r;

	r = print_steps(hunt);
	if (r < 0)
		return r;
	fputc('\n', out);
	print_cause(out, finding->cause, finding->text);
	if (finding->has_behind) {
		fputs("\nBehind the gate: ", out);
		print_cause(out, finding->behind, finding->behind_text);
	}
	print_remedies(out, finding->has_behind && finding->behind != CAUSE_REACHABLE
				    ? finding->behind
				    : finding->cause);
	for (uint32_t i = 0; i < hunt->n_notes; i++)
		fprintf(out, "%s%s\n", i ? "" : "\n", hunt->notes[i]);
	return 0;
}
