/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands - what each row of the command table runs. */
#ifndef SLUICE_CLI_COMMANDS_H
#define SLUICE_CLI_COMMANDS_H

#include "cli/cli.h"
#include "cli/view.h"

typedef enum cli_status command_fn(struct cli *cli);

command_fn command_status, command_health, command_pool_list, command_pool_show, command_why;
command_fn command_stats, command_l7_status, command_l7_show, command_maps, command_check,
	command_explain, command_probe;
command_fn command_troubleshoot;
command_fn command_pool_add, command_pool_remove, command_backend_add, command_backend_remove;
command_fn command_diff, command_save, command_top;
command_fn command_decide, command_flows, command_attach, command_detach, command_drain,
	command_enable, command_disable, command_weight, command_reload, command_events,
	command_import_azure;

/*
 * Ask the daemon. STATUS_DONE and the document (the caller releases it), or the exit status after
 * the reason was said.
 */
enum cli_status command_ask(json_t **ret, const struct cli *cli, const char *path);

/* The same for what changes something. Takes over body, which may be NULL: out of memory. */
enum cli_status command_post(json_t **ret, const struct cli *cli, const char *path, json_t *body);

/* Print that a job was done. */
typedef enum cli_status job_done_fn(const struct cli *cli, const json_t *job);

/*
 * Have a change made that is done by a job, with the options that every change takes, wait for its end, and say
 * what came of it; with --dry-run what it would come to. Takes over body, which may be NULL: out of memory.
 */
enum cli_status command_job(const struct cli *cli, const char *path, json_t *body,
			    job_done_fn *done);

/*
 * Have a job done and wait for its end: STATUS_DONE and its document, also if the daemon refused what was asked
 * for. Takes over body, which may be NULL: out of memory.
 */
enum cli_status command_run_job(json_t **ret, const struct cli *cli, const char *path,
				json_t *body);

/*
 * Put --dry-run and --if-version into the body; *body is NULL afterwards if memory runs out. Other than
 * STATUS_DONE: an option is wrong, and that was said.
 */
enum cli_status command_options_of_change(const struct cli *cli, json_t **body);

/* Show health again and again, on a terminal each second, else when it changes, until SIGINT. */
enum cli_status watch_health(const struct cli *cli, const char *path);

/* A view that prints now. */
struct view command_view(const struct cli *cli);

/* Say that printing failed. */
enum cli_status command_print_failed(const struct cli *cli, int code);

#endif
