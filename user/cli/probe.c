// SPDX-License-Identifier: GPL-2.0-or-later
/* probe - one probe now, from here, without a daemon. */
#include "probe/probe.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/target.h"
#include "cli/text.h"
#include "config/syntax.h"
#include "diagnose/advice.h"
#include "model/health.h"
#include "probe/message.h"
#include "util/duration.h"
#include "util/err.h"

#define EXPECTED_LEN (LIMIT_STATUS_RANGES * sizeof("200-399,"))

/* The command's options, checked. */
struct order {
	struct target target;
	struct probe_match match;
	char body[LIMIT_MATCH_BODY_BYTES + 1];
	const char *host;
	uint64_t timeout_ms;
};

static int parse_match(struct order *order, const struct cli *cli, struct err *err)
{
	const char *status = cli->options[OPT_STATUS];
	const char *body = cli->options[OPT_BODY];
	const char *wrong;

	order->match = probe_default(PROTO_HTTP)->match;
	if ((status || body || cli->options[OPT_HOST]) && order->target.protocol != PROTO_HTTP)
		return err_set(err, -EINVAL, "--host, --status and --body are for http:// targets");
	if (status) {
		wrong = syntax_status(order->match.status, &order->match.n_status, status);
		if (wrong)
			return err_set(err, -EINVAL, "--status '%s' %s", status, wrong);
	}
	if (body) {
		if (!*body || strlen(body) > LIMIT_MATCH_BODY_BYTES)
			return err_set(err, -EINVAL, "--body takes 1 to %d bytes",
				       LIMIT_MATCH_BODY_BYTES);
		memcpy(order->body, body, strlen(body) + 1);
		order->match.body = order->body;
	}
	return 0;
}

static int parse_order(struct order *order, const struct cli *cli, struct err *err)
{
	const char *timeout = cli->options[OPT_TIMEOUT];
	const char *wrong;
	int r;

	r = target_parse(&order->target, cli->args[0], cli->options[OPT_CONNECT], err);
	if (r < 0)
		return r;
	r = parse_match(order, cli, err);
	if (r < 0)
		return r;

	order->host = cli->options[OPT_HOST] ? cli->options[OPT_HOST] : order->target.host;
	wrong = strlen(order->host) > LIMIT_HOST_BYTES ? "is too long" : syntax_host(order->host);
	if (wrong)
		return err_set(err, -EINVAL, "--host '%s' %s", order->host, wrong);

	order->timeout_ms = probe_default(order->target.protocol)->timeout_ms;
	if (timeout &&
	    (duration_parse(&order->timeout_ms, timeout) < 0 ||
	     order->timeout_ms < LIMIT_TIMEOUT_MIN_MS || order->timeout_ms > LIMIT_TIMEOUT_MAX_MS))
		return err_set(err, -EINVAL, "--timeout '%s' is not a duration from %dms to %ds",
			       timeout, LIMIT_TIMEOUT_MIN_MS, LIMIT_TIMEOUT_MAX_MS / 1000);
	return 0;
}

static struct plan plan_of(const struct order *order)
{
	const struct probe_def *def = probe_default(order->target.protocol);

	return (struct plan){
		.protocol = order->target.protocol,
		.addr = order->target.addr,
		.port = order->target.port,
		.host = order->host,
		.path = order->target.path,
		.match = &order->match,
		.interval_ms = def->interval_ms,
		.timeout_ms = (uint32_t)order->timeout_ms,
		.unhealthy_threshold = 1,
		.healthy_threshold = 1,
	};
}

static void take_verdict(void *arg, const struct verdict *verdict)
{
	*(struct verdict *)arg = *verdict;
}

static int run_probe(struct verdict *ret_verdict, const struct plan *plan)
{
	uv_loop_t loop;
	int r;

	r = uv_loop_init(&loop);
	if (r < 0)
		return r;
	if (!probe_start(&loop, plan, NULL, take_verdict, ret_verdict)) {
		uv_loop_close(&loop);
		return -ENOMEM;
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	return 0;
}

static const char *format_expected(char buf[EXPECTED_LEN], const struct probe_match *match)
{
	size_t len = 0;

	buf[0] = '\0';
	for (uint32_t i = 0; i < match->n_status && len < EXPECTED_LEN; i++) {
		const struct status_range *range = &match->status[i];
		int n = snprintf(buf + len, EXPECTED_LEN - len,
				 range->low == range->high ? "%s%u" : "%s%u-%u", i ? "," : "",
				 range->low, range->high);

		len += n > 0 ? (size_t)n : 0;
	}
	return buf;
}

static json_t *texts_json(const char *const texts[], size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, json_string(texts[i]));
	return array;
}

static json_t *timing_json(const struct timing *timing)
{
	json_t *json = json_object();

	if (timing->connect_us)
		json_object_set_new(json, "connect", json_integer(timing->connect_us));
	if (timing->first_byte_us)
		json_object_set_new(json, "first_byte", json_integer(timing->first_byte_us));
	json_object_set_new(json, "total", json_integer(timing->total_us));
	return json;
}

static void print_json(const struct cli *cli, const struct plan *plan,
		       const struct verdict *verdict)
{
	struct advice advice = advice_for(verdict);
	char message[MESSAGE_LEN], expected[EXPECTED_LEN];
	json_t *json = json_pack(
		"{s:s,s:s,s:i,s:s,s:s,s:o,s:o,s:s,s:o}", "target", cli->args[0], "health",
		health_name(advice_health(verdict->code)), "code", (int)verdict->code, "id",
		message_id(verdict->code), "message", message_format(message, plan, verdict),
		"causes", texts_json(advice.causes, advice.n_causes), "remedies",
		texts_json(advice.remedies, advice.n_remedies), "stage", stage_name(verdict->stage),
		"timing_us", timing_json(&verdict->timing));

	if (json && verdict->http_status)
		json_object_set_new(json, "http",
				    json_pack("{s:i,s:s}", "status", (int)verdict->http_status,
					      "expected", format_expected(expected, plan->match)));
	text_dump(cli->out, json);
}

/* A stage, what is said when its time is known, and the one in which a probe ends without it. */
static int print_stages(const struct cli *cli, const struct plan *plan,
			const struct verdict *verdict)
{
	static const char *const headings[] = { "STAGE", "TIME", "RESULT" };
	const char *const failed = message_passed(verdict->code) ? "done" : "failed here";
	struct table *table = table_new(3, headings);
	char time[TEXT_TIME_LEN], where[SL_TEXT_LEN];
	const struct timing *timing = &verdict->timing;
	int r;

	if (!table)
		return -ENOMEM;
	table_align_right(table, 1);
	table_cell(table, TABLE_PLAIN, "connect");
	table_cell(table, TABLE_PLAIN, "%s", text_format_us(time, timing->connect_us));
	table_cell(table, TABLE_PLAIN, "%s %s", addr_port_format(where, &plan->addr, plan->port),
		   timing->connect_us ? "connected" : failed);
	if (plan->protocol == PROTO_HTTP && timing->connect_us) {
		table_cell(table, TABLE_PLAIN, "first byte");
		table_cell(table, TABLE_PLAIN, "%s", text_format_us(time, timing->first_byte_us));
		table_cell(table, TABLE_PLAIN, "GET %s (Host: %s) %s", plan->path, plan->host,
			   timing->first_byte_us ? "answered" : failed);
	}
	if (verdict->http_status) {
		table_cell(table, TABLE_PLAIN, "answer");
		table_cell(table, TABLE_PLAIN, "-");
		table_cell(table, TABLE_PLAIN, "HTTP status %u, %s", verdict->http_status, failed);
	}
	table_cell(table, TABLE_PLAIN, "total");
	table_cell(table, TABLE_PLAIN, "%s", text_format_us(time, timing->total_us));
	table_cell(table, TABLE_PLAIN, "ended in stage %s", stage_name(verdict->stage));

	r = table_print(table, cli->out, cli->color);
	table_free(table);
	return r;
}

static void print_list(FILE *out, const char *heading, const char *const texts[], size_t n)
{
	if (n)
		fprintf(out, "\n%s\n", heading);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "  - %s\n", texts[i]);
}

static int print_text(const struct cli *cli, const struct plan *plan, const struct verdict *verdict)
{
	struct advice advice = advice_for(verdict);
	char message[MESSAGE_LEN];
	int r;

	r = print_stages(cli, plan, verdict);
	if (r < 0)
		return r;
	fprintf(cli->out, "\n%s: %s (code %d)\n%s\n", health_name(advice_health(verdict->code)),
		message_id(verdict->code), (int)verdict->code,
		message_format(message, plan, verdict));
	if (message_passed(verdict->code))
		return 0;
	print_list(cli->out, "Usual causes", advice.causes, advice.n_causes);
	print_list(cli->out, "What to do", advice.remedies, advice.n_remedies);
	return 0;
}

enum cli_status command_probe(struct cli *cli)
{
	struct verdict verdict = { .code = SL_MSG_LOCAL_RESOURCE };
	struct order order = { .timeout_ms = 0 };
	struct err err = { "" };
	struct plan plan;
	int r;

	r = parse_order(&order, cli, &err);
	if (r == -EOPNOTSUPP)
		return cli_fail(cli, STATUS_REFUSED, "not_available", "%s", err.text);
	if (r < 0)
		return cli_fail(cli, STATUS_USAGE, "usage", "%s", err.text);

	plan = plan_of(&order);
	r = run_probe(&verdict, &plan);
	if (r < 0)
		return cli_fail(cli, STATUS_REFUSED, "probe_failed", "the probe did not start: %s",
				strerror(-r));
	if (cli->json) {
		print_json(cli, &plan, &verdict);
	} else {
		r = print_text(cli, &plan, &verdict);
		if (r < 0)
			return command_print_failed(cli, r);
	}
	return message_passed(verdict.code) ? STATUS_DONE : STATUS_REFUSED;
}
