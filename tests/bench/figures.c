// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/figures.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/table.h"

#define LINE_LEN 256
#define JSON_DIGITS 6

DEFINE_CLEANUP(struct table, table_free)

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(const double *samples, size_t n)
{
	double sorted[FIGURE_SAMPLES_MAX];

	assert(n > 0 && n <= FIGURE_SAMPLES_MAX);
	memcpy(sorted, samples, n * sizeof(*samples));
	qsort(sorted, n, sizeof(*sorted), compare);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

struct figure *figures_add(struct figures *figures, const char *name, const char *unit,
			   const double *samples, size_t n)
{
	struct figure *figure = &figures->figure[figures->n];

	assert(figures->n < FIGURES_MAX);
	figures->n++;
	*figure = (struct figure){ .name = name,
				   .unit = unit,
				   .value = median(samples, n),
				   .min = samples[0],
				   .max = samples[0],
				   .runs = (uint32_t)n };
	for (size_t i = 1; i < n; i++) {
		if (samples[i] < figure->min)
			figure->min = samples[i];
		if (samples[i] > figure->max)
			figure->max = samples[i];
	}
	return figure;
}

const struct figure *figures_find(const struct figures *figures, const char *name)
{
	const struct figure *figure = figures->figure;

	while (strcmp(figure->name, name) != 0)
		figure++;
	return figure;
}

bool figure_ok(const struct figure *figure)
{
	double compared = figure->baseline ? figure->ratio : figure->value;

	return figure->target == 0 || compared <= figure->target;
}

bool figures_ok(const struct figures *figures)
{
	for (size_t i = 0; i < figures->n; i++)
		if (!figure_ok(&figures->figure[i]))
			return false;
	return true;
}

static void print_row(struct table *table, const struct figure *figure)
{
	enum table_color color = !figure->target     ? TABLE_PLAIN
				 : figure_ok(figure) ? TABLE_GREEN
						     : TABLE_RED;

	table_cell(table, TABLE_PLAIN, "%s", figure->name);
	table_cell(table, TABLE_PLAIN, "%.1f", figure->value);
	table_cell(table, TABLE_PLAIN, "%s", figure->unit);
	table_cell(table, TABLE_DIM, "%.1f .. %.1f", figure->min, figure->max);
	table_cell(table, TABLE_PLAIN, "%s", figure->baseline ?: "-");
	if (figure->baseline)
		table_cell(table, TABLE_PLAIN, "%.2f", figure->ratio);
	else
		table_cell(table, TABLE_PLAIN, "-");
	if (figure->target)
		table_cell(table, TABLE_PLAIN, "%.10g", figure->target);
	else
		table_cell(table, TABLE_PLAIN, "-");
	table_cell(table, color, "%s", !figure->target ? "" : figure_ok(figure) ? "ok" : "MISSED");
}

static void print_figures(const struct figures *figures)
{
	static const char *const headings[] = { "figure",   "value", "unit",   "min .. max",
						"baseline", "ratio", "target", "" };
	enum { COLUMNS = sizeof(headings) / sizeof(headings[0]) };
	CLEANUP(table_free_p) struct table *table = table_new(COLUMNS, headings);

	if (!table)
		return;
	table_align_right(table, 1);
	table_align_right(table, 5);
	table_align_right(table, 6);
	for (size_t i = 0; i < figures->n; i++)
		print_row(table, &figures->figure[i]);
	table_print(table, stdout, table_wants_color(stdout));
}

static json_t *figure_json(const struct figure *figure)
{
	json_t *json = json_pack("{s:s, s:f, s:s, s:f, s:f, s:I}", "name", figure->name, "value",
				 figure->value, "unit", figure->unit, "min", figure->min, "max",
				 figure->max, "runs", (json_int_t)figure->runs);

	if (figure->baseline) {
		json_object_set_new(json, "baseline", json_string(figure->baseline));
		json_object_set_new(json, "ratio", json_real(figure->ratio));
	}
	if (figure->target) {
		json_object_set_new(json, "target", json_real(figure->target));
		json_object_set_new(json, "ok", json_boolean(figure_ok(figure)));
	}
	return json;
}

/* The first CPU's name, "" where /proc/cpuinfo has none. */
static void cpu_name(char ret_name[LINE_LEN])
{
	CLEANUP(fclose_p) FILE *file = fopen("/proc/cpuinfo", "re");
	char line[LINE_LEN];

	ret_name[0] = '\0';
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "model name : %255[^\n]", ret_name) == 1)
			return;
}

static json_t *machine_json(void)
{
	struct utsname uts = { 0 };
	char cpu[LINE_LEN];

	uname(&uts);
	cpu_name(cpu);
	return json_pack("{s:s, s:s, s:s, s:I}", "kernel", uts.release, "arch", uts.machine, "cpu",
			 cpu, "cpus", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN));
}

static int write_figures(const struct figures *figures, const char *path)
{
	json_t *list = json_array();
	json_t *root;
	int r;

	for (size_t i = 0; i < figures->n; i++)
		json_array_append_new(list, figure_json(&figures->figure[i]));
	root = json_pack("{s:o, s:o}", "machine", machine_json(), "figures", list);
	r = root ? json_dump_file(root, path, JSON_INDENT(2) | JSON_REAL_PRECISION(JSON_DIGITS))
		 : -1;
	json_decref(root);
	return r ? -EIO : 0;
}

const char *figures_path(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE\n", program_invocation_short_name);
		exit(2);
	}
	return argv[1];
}

void figures_measure(struct figures *figures, figures_measure_fn *measure, void *arg, int attempts)
{
	for (int attempt = 1; attempt <= attempts; attempt++) {
		*figures = (struct figures){ .n = 0 };
		measure(arg, figures);
		if (figures_ok(figures))
			break;
		if (attempt < attempts)
			printf("a target was missed: measuring again (%d of %d)\n", attempt + 1,
			       attempts);
	}
}

int figures_finish(const struct figures *figures, const char *path)
{
	int r;

	print_figures(figures);
	r = write_figures(figures, path);
	if (r)
		fprintf(stderr, "%s: write '%s': %s\n", program_invocation_short_name, path,
			strerror(-r));
	return r || !figures_ok(figures) ? EXIT_FAILURE : EXIT_SUCCESS;
}
