// SPDX-License-Identifier: GPL-2.0-or-later
/* ask - the commands that show what the daemon answers. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "cli/azure.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/scan.h"
#include "cli/text.h"
#include "diagnose/json.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/number.h"

#define HTTP_FORBIDDEN 403
#define HTTP_UNAVAILABLE 503
#define AGAIN_MS 20
#define AGAIN_MAX 50
#define FLOWS_LIMIT_MAX 100000 /* as the daemon allows */

struct view command_view(const struct cli *cli)
{
	return (struct view){ .out = cli->out, .color = cli->color, .now_ms = clock_wall_ms() };
}

enum cli_status command_print_failed(const struct cli *cli, int code)
{
	return cli_fail(cli, STATUS_REFUSED, "output", "cannot print: %s", strerror(-code));
}

static enum cli_status say_error(const struct cli *cli, json_t *json, enum cli_status status)
{
	const json_t *error = json_object_get(json, "error");

	if (cli->json)
		text_dump(cli->out, json_incref(json));
	else
		fprintf(cli->err, "sluice: %s\n", text_get(error, "message"));
	return status;
}

/* "No results." is for who may not even read, as documented; it is no answer to who may not change something. */
static enum cli_status say_forbidden(const struct cli *cli, json_t *json)
{
	const json_t *error = json_object_get(json, "error");
	const char *code = text_get(error, "code");

	if (!strcmp(code, "read_only"))
		return say_error(cli, json, STATUS_NOT_PERMITTED);
	return cli_fail(cli, STATUS_NOT_PERMITTED, code, "%s", text_get(error, "message"));
}

/* What a question or an order came to: r as client_get() returns it, with *json. */
static enum cli_status answered(json_t **ret, const struct cli *cli, int r, json_t **json,
				const struct err *err)
{
	switch (r) {
	case 0:
		*ret = take_ptr(*json);
		return STATUS_DONE;
	case -EACCES:
		return cli_fail(cli, STATUS_NOT_PERMITTED, "not_permitted", "not permitted: %s",
				err->text);
	case -ENOTCONN:
		return cli_fail(cli, STATUS_NO_DAEMON, "daemon_unreachable", "%s", err->text);
	case -ENOMEM:
		return cli_fail(cli, STATUS_REFUSED, "out_of_memory", "out of memory");
	default:
		if (r == HTTP_FORBIDDEN)
			return say_forbidden(cli, *json);
		if (r > 0)
			return say_error(cli, *json, STATUS_REFUSED);
		return cli_fail(cli, STATUS_REFUSED, "bad_answer", "%s", err->text);
	}
}

enum cli_status command_ask(json_t **ret, const struct cli *cli, const char *path)
{
	CLEANUP(json_p) json_t *json = NULL;
	struct err err = { "" };
	int r = path ? client_get(&json, cli->socket, path, &err) : -ENOMEM;

	return answered(ret, cli, r, &json, &err);
}

static const char *error_code(const json_t *json)
{
	return text_get(json_object_get(json, "error"), "code");
}

/*
 * As client_post(). An order that met a reload was not begun, and is given again: who connects next waits until the
 * reload is over, or finds that the daemon has stopped.
 */
static int post(json_t **ret, const struct cli *cli, const char *path, const json_t *body,
		struct err *err)
{
	const struct timespec pause = { .tv_nsec = AGAIN_MS * NS_PER_MS };
	int r = client_post(ret, cli->socket, path, body, err);

	for (int i = 0; i < AGAIN_MAX && r == HTTP_UNAVAILABLE; i++) {
		if (strcmp(error_code(*ret), "stopping") != 0)
			break;
		json_decref(take_ptr(*ret));
		nanosleep(&pause, NULL);
		r = client_post(ret, cli->socket, path, body, err);
	}
	return r;
}

enum cli_status command_post(json_t **ret, const struct cli *cli, const char *path, json_t *body)
{
	CLEANUP(json_p) json_t *owned = body;
	CLEANUP(json_p) json_t *json = NULL;
	struct err err = { "" };
	int r = owned ? post(&json, cli, path, owned, &err) : -ENOMEM;

	return answered(ret, cli, r, &json, &err);
}

/* With --json: the document as the daemon wrote it, whatever it says, but to who may not read. */
static enum cli_status pass_on(const struct cli *cli, const char *path, struct scan *scan)
{
	CLEANUP(free_p) char *text = NULL;
	CLEANUP(json_p) json_t *refusal = NULL;
	json_t *none = NULL;
	struct err err = { "" };
	int r = path ? client_get_text(&text, scan, cli->socket, path, &err) : -ENOMEM;

	if (r == HTTP_FORBIDDEN)
		refusal = json_loads(text, 0, NULL);
	if (r < 0 || refusal)
		return answered(&none, cli, r, &refusal, &err);
	fputs(text, cli->out);
	if (!strlen(text) || text[strlen(text) - 1] != '\n')
		fputc('\n', cli->out);
	return r ? STATUS_REFUSED : STATUS_DONE;
}

/* Ask, and print the document or its view. Takes over path. */
static enum cli_status show(json_t **ret, const struct cli *cli, char *path, view_fn *print)
{
	CLEANUP(free_p) char *owned = path;
	CLEANUP(json_p) json_t *json = NULL;
	struct view view = command_view(cli);
	struct scan scan = { .key = NULL };
	enum cli_status status;
	int r;

	if (cli->json)
		return pass_on(cli, owned, &scan);
	status = command_ask(&json, cli, owned);
	if (status != STATUS_DONE)
		return status;
	r = print(&view, json);
	if (r < 0)
		return command_print_failed(cli, r);
	if (ret)
		*ret = take_ptr(json);
	return STATUS_DONE;
}

/* "path", with the first argument as the pool if there is one. */
static char *pool_query(const struct cli *cli, const char *path)
{
	const char *const pairs[] = { "pool", cli->n_args ? cli->args[0] : NULL, NULL };

	return client_query(path, pairs);
}

enum cli_status command_status(struct cli *cli)
{
	return show(NULL, cli, strdup("/v1/status"), view_status);
}

/* The same with --json and without: that report is a document for programs. */
static enum cli_status show_azure(const struct cli *cli)
{
	CLEANUP(free_p) char *path = pool_query(cli, "/v1/health");
	CLEANUP(json_p) json_t *json = NULL;
	enum cli_status status;
	json_t *report;

	status = command_ask(&json, cli, path);
	if (status != STATUS_DONE)
		return status;
	report = azure_report(json);
	if (!report)
		return cli_fail(cli, STATUS_REFUSED, "out_of_memory", "out of memory");
	text_dump(cli->out, report);
	return view_all_healthy(json) ? STATUS_DONE : STATUS_REFUSED;
}

/* Of all that the answer holds, only endpoints have a health. */
static enum cli_status pass_on_health(const struct cli *cli)
{
	CLEANUP(free_p) char *path = pool_query(cli, "/v1/health");
	struct scan scan = { .key = "health", .expected = "Healthy" };
	enum cli_status status = pass_on(cli, path, &scan);

	return status == STATUS_DONE && scan.n_others ? STATUS_REFUSED : status;
}

enum cli_status command_health(struct cli *cli)
{
	CLEANUP(json_p) json_t *json = NULL;
	enum cli_status status;

	if (cli->options[OPT_WATCH] && cli->options[OPT_AZURE])
		return cli_fail(cli, STATUS_USAGE, "usage",
				"--watch and --azure exclude each other: the report is one "
				"document");
	if (cli->options[OPT_AZURE])
		return show_azure(cli);
	if (cli->options[OPT_WATCH]) {
		CLEANUP(free_p) char *path = pool_query(cli, "/v1/health");

		if (cli->json)
			return cli_fail(cli, STATUS_USAGE, "usage",
					"--watch and --json exclude each other: a JSON answer is "
					"one document");
		return watch_health(cli, path);
	}

	if (cli->json)
		return pass_on_health(cli);
	status = show(&json, cli, pool_query(cli, "/v1/health"), view_health);
	if (status != STATUS_DONE)
		return status;
	return view_all_healthy(json) ? STATUS_DONE : STATUS_REFUSED;
}

enum cli_status command_pool_list(struct cli *cli)
{
	return show(NULL, cli, strdup("/v1/pools"), view_pools);
}

enum cli_status command_pool_show(struct cli *cli)
{
	return show(NULL, cli, client_path("/v1/pools", cli->args[0]), view_pool);
}

enum cli_status command_why(struct cli *cli)
{
	const char *const pairs[] = { "pool", cli->args[0], "address", cli->args[1], NULL };

	return show(NULL, cli, client_query("/v1/why", pairs), view_why);
}

enum cli_status command_stats(struct cli *cli)
{
	return show(NULL, cli, pool_query(cli, "/v1/stats"), view_stats);
}

enum cli_status command_flows(struct cli *cli)
{
	const char *limit = cli->options[OPT_LIMIT];
	const char *const pairs[] = { "pool",    cli->n_args ? cli->args[0] : NULL,
				      "address", cli->n_args > 1 ? cli->args[1] : NULL,
				      "limit",   limit,
				      NULL };
	uint64_t n;

	if (limit && number_parse(&n, limit, 0, FLOWS_LIMIT_MAX) < 0)
		return cli_fail(cli, STATUS_USAGE, "usage",
				"--limit '%s' is not a whole number from 0 to %d", limit,
				FLOWS_LIMIT_MAX);
	return show(NULL, cli, client_query("/v1/flows", pairs), view_flows);
}

enum cli_status command_decide(struct cli *cli)
{
	const char *const pairs[] = { "from",      cli->args[0],
				      "to",        cli->args[1],
				      "proto",     cli->options[OPT_PROTO],
				      "flags",     cli->options[OPT_FLAGS],
				      "interface", cli->options[OPT_INTERFACE],
				      NULL };

	return show(NULL, cli, client_query("/v1/decide", pairs), view_decide);
}

enum cli_status command_maps(struct cli *cli)
{
	return show(NULL, cli, strdup("/v1/maps"), view_maps);
}

enum cli_status command_l7_status(struct cli *cli)
{
	return show(NULL, cli, strdup("/v1/l7"), view_l7);
}

enum cli_status command_l7_show(struct cli *cli)
{
	return show(NULL, cli, strdup("/v1/l7/configuration"), view_l7_configuration);
}
