/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli_run - the command line program as a function, for tests of it; included by one .c of each.
 */
#ifndef SLUICE_TESTS_CLI_RUN_H
#define SLUICE_TESTS_CLI_RUN_H

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "util/cleanup.h"

#define ARGV_MAX 16

struct result {
	int status;
	char *out, *err;
};

static void result_done(struct result *result)
{
	free(result->out);
	free(result->err);
}

#define RESULT CLEANUP(result_done) struct result

/* Run "sluice WORD WORD…". */
static struct result run(const char *line)
{
	static char words[2048];
	char *argv[ARGV_MAX + 1] = { words };
	struct result result = { 0 };
	size_t out_len, err_len;
	FILE *out = open_memstream(&result.out, &out_len);
	FILE *err = open_memstream(&result.err, &err_len);
	int argc = 0;

	snprintf(words, sizeof(words), "sluice %s", line);
	for (char *word = strtok(words, " "); word && argc < ARGV_MAX; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	result.status = cli_main(argc, argv, out, err);
	fclose(out);
	fclose(err);
	return result;
}

#endif
