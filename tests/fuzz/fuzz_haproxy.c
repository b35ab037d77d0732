// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_haproxy - any text as what HAProxy says: of its servers' numbers, of the times of their answers, of a
 * configuration that it refuses.
 *
 * What is read is of servers that there are, and what is told of a complaint is one printable line.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "l7/program.h"
#include "l7/stats.h"
#include "util/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two backends, the first with two servers; one name is the beginning of the other. */
static char names[][16] = { "s:p/10.0.0.1", "s:p/::2", "s:pq/a.test" };
#define N (sizeof(names) / sizeof(names[0]))

static struct l7_line lines[N];
static char key[] = "service 's': listen", link_name[] = "x.pem", target[] = "/etc/x.pem";
static char dir[] = "/var/lib/l7";
static struct l7_origin origin = { 7, key };
static struct l7_file file = { .name = link_name, .target = target, .key = key };
static const struct l7_plan plan = {
	.dir = dir,
	.lines = lines,
	.n_lines = N,
	.origins = &origin,
	.n_origins = 1,
	.files = &file,
	.n_files = 1,
};

static char *copy(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* Of numbers that are there for every line, and not for one more. */
static void read_stats(char *text)
{
	struct l7_numbers *numbers = calloc(N, sizeof(*numbers));
	int found;

	assert(numbers);
	found = stats_parse(numbers, &plan, text);
	assert(found >= -22);
	free(numbers);
}

static void read_times(char *text)
{
	struct l7_numbers *numbers = calloc(N, sizeof(*numbers));
	uint32_t at = 0;

	assert(numbers);
	assert(stats_parse_times(numbers, &plan, &at, text) >= 0);
	assert(at < N);
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j <= L7_TIMES; j++)
			assert(l7_numbers_within(&numbers[i], j) <= numbers[i].slower[0]);
	free(numbers);
}

static void read_complaint(char *text)
{
	char line[160];

	memset(line, 'x', sizeof(line));
	l7_program_blame(line, sizeof(line), &plan, text);
	assert(memchr(line, '\0', sizeof(line)));
	for (const char *c = line; *c; c++)
		assert((unsigned char)*c >= 0x20 && *c != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(char *text) = { read_stats, read_times, read_complaint };

	for (size_t i = 0; i < N; i++) {
		lines[i].name = names[i];
		lines[i].server = strchr(names[i], '/') + 1;
	}
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		char *text = copy(data, size);

		readers[i](text);
		free(text);
	}
	return 0;
}
