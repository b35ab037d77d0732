// SPDX-License-Identifier: GPL-2.0-or-later
/* job - what the daemon does while nobody can ask it: it is told, and asked afterwards what came of it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/text.h"
#include "diagnose/json.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/number.h"

#define WAIT_MS 60000 /* more than the largest configuration takes */
#define ASK_EVERY_MS 20

static void rest(void)
{
	const struct timespec pause = { .tv_nsec = ASK_EVERY_MS * NS_PER_MS };

	nanosleep(&pause, NULL);
}

/* The document of the job when it has ended. */
static enum cli_status await(json_t **ret, const struct cli *cli, uint64_t number)
{
	uint64_t until_ms = clock_mono_ms() + WAIT_MS;
	char path[48];

	snprintf(path, sizeof(path), "/v1/jobs/%" PRIu64, number);
	while (clock_mono_ms() < until_ms) {
		CLEANUP(json_p) json_t *job = NULL;
		enum cli_status status = command_ask(&job, cli, path);

		if (status != STATUS_DONE)
			return status;
		if (json_object_get(job, "refused")) {
			*ret = take_ptr(job);
			return STATUS_DONE;
		}
		rest();
	}
	return cli_fail(cli, STATUS_REFUSED, "timeout",
			"the daemon has been asked, but has not finished within %d s; its log and "
			"'sluice events' tell more",
			WAIT_MS / 1000);
}

static void print_lines(FILE *out, const json_t *lines)
{
	const json_t *line;
	size_t i;

	json_array_foreach(lines, i, line) fprintf(out, "sluice: %s\n", json_string_value(line));
}

/* Whether it was done; said, unless done says it. */
static enum cli_status tell(const struct cli *cli, json_t *job, job_done_fn *done)
{
	bool refused = json_is_true(json_object_get(job, "refused"));

	if (cli->json) {
		text_dump(cli->out, json_incref(job));
		return refused ? STATUS_REFUSED : STATUS_DONE;
	}
	print_lines(cli->err, json_object_get(job, refused ? "errors" : "notes"));
	if (refused) {
		fprintf(cli->err, "sluice: %s refused, nothing has changed\n",
			text_get(job, "action"));
		return STATUS_REFUSED;
	}
	return done(cli, job);
}

static enum cli_status rehearse(const struct cli *cli, const char *path, json_t *body)
{
	CLEANUP(json_p) json_t *json = NULL;
	struct view view = command_view(cli);
	enum cli_status status = command_post(&json, cli, path, body);
	int r;

	if (status != STATUS_DONE)
		return status;
	if (cli->json) {
		text_dump(cli->out, json_incref(json));
		return STATUS_DONE;
	}
	r = view_difference(&view, json);
	return r < 0 ? command_print_failed(cli, r) : STATUS_DONE;
}

static bool put(json_t *body, const char *key, json_t *value)
{
	return json_object_set_new(body, key, value) == 0;
}

enum cli_status command_options_of_change(const struct cli *cli, json_t **body)
{
	const char *version = cli->options[OPT_IF_VERSION];
	uint64_t number = 0;
	bool kept = *body != NULL;

	if (version && number_parse(&number, version, 0, INT64_MAX) < 0)
		return cli_fail(
			cli, STATUS_USAGE, "usage",
			"--if-version '%s' is not a whole number, as 'sluice diff' shows it",
			version);
	if (kept && version)
		kept = put(*body, "if_version", json_integer((json_int_t)number));
	if (kept && cli->options[OPT_DRY_RUN])
		kept = put(*body, "dry_run", json_true());
	if (!kept) {
		json_decref(*body);
		*body = NULL;
	}
	return STATUS_DONE;
}

enum cli_status command_run_job(json_t **ret, const struct cli *cli, const char *path, json_t *body)
{
	CLEANUP(json_p) json_t *ticket = NULL;
	enum cli_status status = command_post(&ticket, cli, path, body);

	return status == STATUS_DONE ? await(ret, cli, text_get_uint(ticket, "number")) : status;
}

enum cli_status command_job(const struct cli *cli, const char *path, json_t *body,
			    job_done_fn *done)
{
	CLEANUP(json_p) json_t *job = NULL;
	enum cli_status status = command_options_of_change(cli, &body);

	if (status != STATUS_DONE) {
		json_decref(body);
		return status;
	}
	if (cli->options[OPT_DRY_RUN])
		return rehearse(cli, path, body);
	status = command_run_job(&job, cli, path, body);
	return status == STATUS_DONE ? tell(cli, job, done) : status;
}
