// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/view.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/text.h"
#include "util/cleanup.h"
#include "util/duration.h"

DEFINE_CLEANUP(struct table, table_free)

static void print_forwarding(const struct view *view, const json_t *endpoint)
{
	char share[VIEW_SHARE_LEN], drain[VIEW_DRAIN_LEN];
	const char *listen = text_get(endpoint, "listen");

	if (*view_drain(drain, endpoint))
		fprintf(view->out, "draining: %s\n", drain);
	if (!*text_get(endpoint, "forward"))
		return;
	fprintf(view->out, "weight %" PRIu64 ", %s of the new flows to %s now, forwarded by %s\n",
		text_get_uint(endpoint, "weight"), view_share(share, endpoint),
		*listen ? listen : "other endpoints", text_get(endpoint, "forward"));
}

static void print_disagreement(const struct view *view, const json_t *disagreement)
{
	if (!disagreement)
		return;
	fprintf(view->out, "%s\n%s\n", text_get(disagreement, "text"),
		text_get(disagreement, "meaning"));
	text_list(view->out, "What to do about that", json_object_get(disagreement, "remedies"));
	fputc('\n', view->out);
}

static void print_head(const struct view *view, const json_t *json, const json_t *endpoint)
{
	char address[VIEW_ADDRESS_LEN], state[VIEW_HEALTH_LEN], age[DURATION_LEN];
	uint64_t since_ms = text_parse_time(text_get(endpoint, "since"));

	fprintf(view->out, "%s/%s  %s", view_address(address, endpoint),
		text_get(endpoint, "proto"), view_state(state, endpoint));
	if (since_ms && view->now_ms > since_ms)
		fprintf(view->out, " for %s", duration_human(age, view->now_ms - since_ms));
	fprintf(view->out, "\npool %s, service %s, settings %s\n\n", text_get(json, "pool"),
		text_get(endpoint, "service"), text_get(endpoint, "settings"));
	print_disagreement(view, json_object_get(endpoint, "disagreement"));
	fprintf(view->out, "%s\n", text_get(endpoint, "finding"));
	print_forwarding(view, endpoint);
}

/* "1 failure", "3 successes in a row" */
static void print_threshold(FILE *out, uint64_t n, const char *what)
{
	const char *end = what[strlen(what) - 1] == 's' ? "es" : "s";

	fprintf(out, "%" PRIu64 " %s%s", n, what, n == 1 ? "" : end);
	if (n != 1)
		fputs(" in a row", out);
}

static void print_tls_plan(const struct view *view, const json_t *tls)
{
	const char *sni = text_get(tls, "sni"), *name = text_get(tls, "verified_name");

	fprintf(view->out, "  SNI %s, name in the certificate: %s, chain and dates: %s\n",
		*sni ? sni : "none", *name ? name : "any",
		text_get_bool(tls, "validate_chain_and_expiry") ? "checked" : "not checked");
}

static void print_plan(const struct view *view, const json_t *plan)
{
	char interval[DURATION_LEN], timeout[DURATION_LEN];
	const char *protocol = text_get(plan, "protocol");
	const json_t *tls = json_object_get(plan, "tls");

	fprintf(view->out, "\nProbe\n  %s://%s%s", protocol, text_get(plan, "target"),
		text_get(plan, "path"));
	if (*text_get(plan, "host"))
		fprintf(view->out, " (Host: %s)", text_get(plan, "host"));
	fprintf(view->out, ", every %s, timeout %s\n  closed by ",
		duration_format(interval, text_get_uint(plan, "interval_ms")),
		duration_format(timeout, text_get_uint(plan, "timeout_ms")));
	print_threshold(view->out, text_get_uint(plan, "unhealthy_threshold"), "failure");
	fputs(", opened by ", view->out);
	print_threshold(view->out, text_get_uint(plan, "healthy_threshold"), "success");
	fputc('\n', view->out);
	if (tls)
		print_tls_plan(view, tls);
}

static enum table_color verdict_color(const char *id)
{
	return strcmp(id, "ok") == 0 ? TABLE_GREEN : TABLE_RED;
}

static int print_recent(const struct view *view, const json_t *recent)
{
	static const char *const headings[] = { "  AGO", "TOOK", "VERDICT", "WHAT HAPPENED" };
	CLEANUP(table_free_p) struct table *table = NULL;
	char ago[DURATION_LEN], took[TEXT_TIME_LEN];
	json_t *verdict;
	size_t i;

	fputs("\nLast probes\n", view->out);
	if (!json_array_size(recent)) {
		fputs("  none yet\n", view->out);
		return 0;
	}
	table = table_new(4, headings);
	if (!table)
		return -ENOMEM;

	json_array_foreach(recent, i, verdict)
	{
		const char *id = text_get(verdict, "id");

		table_cell(table, TABLE_PLAIN, "  %s",
			   duration_human(ago, text_get_uint(verdict, "ms_ago")));
		table_cell(table, TABLE_PLAIN, "%s",
			   text_format_us(took, text_get_uint(json_object_get(verdict, "timing_us"),
							      "total")));
		table_cell(table, verdict_color(id), "%s", id);
		table_cell(table, TABLE_PLAIN, "%s", text_get(verdict, "message"));
	}
	return table_print(table, view->out, view->color);
}

/* What the kernel counted, in the words of a person; in this order. */
static const struct counter {
	const char *key, *text;
} counters[] = {
	{ "packets", "packets addressed to it" },
	{ "bytes", "bytes in them" },
	{ "replies", "packets from it" },
	{ "reply_bytes", "bytes in them" },
	{ "syn", "connection attempts (SYN, repeated ones included)" },
	{ "rejected", "refused by the gate (RST or ICMP port unreachable)" },
	{ "dropped", "dropped by the gate" },
	{ "reset", "packets of open connections answered with RST" },
	{ "limited", "dropped because the reply budget was spent" },
	{ "icmp_errors", "ICMP errors that came back" },
	{ "attempts", "attempts to connect that were let through" },
	{ "retransmits", "SYNs that were sent again" },
	{ "syn_ack", "attempts answered" },
	{ "completed", "connections made" },
	{ "abandoned", "attempts answered, and given up by the client" },
	{ "refused", "attempts refused by the endpoint (RST)" },
	{ "unreachable", "attempts ended by an ICMP error" },
	{ "unanswered", "attempts that nobody answered" },
	{ "pending", "attempts that are under way" },
	{ "unsampled", "attempts that were lost sight of" },
	{ "fin_client", "connections closed by the client" },
	{ "fin_endpoint", "connections closed by the endpoint" },
	{ "reset_client", "connections reset by the client" },
	{ "reset_endpoint", "connections reset by the endpoint" },
	{ "open_estimate", "connections open now, about" },
};

static int print_kernel(const struct view *view, const json_t *kernel)
{
	static const char *const headings[] = { "  COUNT", "WHAT THE KERNEL SAW" };
	CLEANUP(table_free_p) struct table *table = NULL;
	int r;

	if (!kernel)
		return 0;
	table = table_new(2, headings);
	if (!table)
		return -ENOMEM;
	table_align_right(table, 0);
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		const json_t *value = json_object_get(kernel, counters[i].key);

		if (!value)
			continue;
		table_cell(table, TABLE_PLAIN, "  %" PRIu64,
			   text_get_uint(kernel, counters[i].key));
		table_cell(table, TABLE_PLAIN, "%s", counters[i].text);
	}
	fputs("\nTraffic\n", view->out);
	r = table_print(table, view->out, view->color);
	if (json_object_get(kernel, "reply_sample"))
		fprintf(view->out,
			"  What comes from it is estimated from one in %" PRIu64 " packets.\n",
			text_get_uint(kernel, "reply_sample"));
	if (text_get_bool(kernel, "one_sided"))
		fputs("  Its answers bypass this host: attempts are as seen from the clients' side alone.\n",
		      view->out);
	return r;
}

static int print_endpoint(const struct view *view, const json_t *json, const json_t *endpoint)
{
	int r;

	print_head(view, json, endpoint);
	text_list(view->out, "Notes", json_object_get(endpoint, "notes"));
	print_plan(view, json_object_get(endpoint, "plan"));
	r = print_recent(view, json_object_get(endpoint, "recent"));
	if (r < 0)
		return r;
	view_certificates(view, endpoint);
	r = print_kernel(view, json_object_get(endpoint, "kernel"));
	if (r < 0)
		return r;
	text_list(view->out, "Usual causes", json_object_get(endpoint, "causes"));
	text_list(view->out, "What to do", json_object_get(endpoint, "remedies"));
	return 0;
}

int view_why(const struct view *view, const json_t *json)
{
	json_t *endpoint;
	size_t i;
	int r;

	json_array_foreach(json_object_get(json, "endpoints"), i, endpoint)
	{
		if (i)
			fputc('\n', view->out);
		r = print_endpoint(view, json, endpoint);
		if (r < 0)
			return r;
	}
	return 0;
}
