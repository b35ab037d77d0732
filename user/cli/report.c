// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/report.h"

#include <errno.h>
#include <inttypes.h>

#include "cli/text.h"
#include "diagnose/advice.h"
#include "model/health.h"
#include "probe/message.h"
#include "util/cleanup.h"
#include "util/table.h"

DEFINE_CLEANUP(struct table, table_free)

/* --- stages ----------------------------------------------------------------------------------- */

/* The first two cells of a stage's row; the caller adds the third. */
static void start_row(struct table *table, const char *stage, uint32_t us)
{
	char time[TEXT_TIME_LEN];

	table_cell(table, TABLE_PLAIN, "%s", stage);
	table_cell(table, TABLE_PLAIN, "%s", text_format_us(time, us));
}

static const char *failed_or_done(const struct verdict *verdict)
{
	return message_passed(verdict->code) ? "done" : "failed here";
}

static void add_resolve(struct table *table, const struct probe_report *report)
{
	const struct resolve_answer *answer = report->answer;
	char list[LIMIT_NAME_ADDRESSES * SL_TEXT_LEN] = "", text[SL_TEXT_LEN];
	size_t len = 0;

	start_row(table, "resolve", report->verdict->timing.resolve_us);
	if (!answer->n) {
		table_cell(table, TABLE_PLAIN, "%s: %s, asked %s", report->plan->backend,
			   answer->why[0] ? answer->why : rcode_name(answer->rcode),
			   answer->servers[0] ? answer->servers : "nobody");
		return;
	}
	for (uint32_t i = 1; i < answer->n && len < sizeof(list); i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
					i > 1 ? ", " : "; also ",
					addr_format(text, &answer->addrs[i]));
	table_cell(table, TABLE_PLAIN, "%s is %s%s", report->plan->backend,
		   addr_format(text, &answer->addrs[0]), list);
}

static bool knows_address(const struct probe_report *report)
{
	return !report->answer || report->answer->n;
}

static void add_connect(struct table *table, const struct probe_report *report)
{
	uint32_t us = report->verdict->timing.connect_us;
	char where[SL_TEXT_LEN];

	addr_port_format(where, &report->plan->addr, report->plan->port);
	start_row(table, "connect", us);
	table_cell(table, TABLE_PLAIN, "%s %s", where,
		   us ? "connected" : failed_or_done(report->verdict));
}

static void add_tls(struct table *table, const struct probe_report *report)
{
	const struct verdict *verdict = report->verdict;
	const struct plan_tls *tls = &report->plan->tls;
	const char *version = message_tls_version(&verdict->tls);
	bool refused = verdict->stage == STAGE_CERTIFICATE && !message_passed(verdict->code);

	start_row(table, "tls", verdict->timing.tls_us);
	table_cell(table, TABLE_PLAIN, "SNI %s, %s%s", tls->sni ? tls->sni : "none",
		   version ? version : failed_or_done(verdict),
		   refused ? ", certificate failed here" : "");
}

static void add_exchange(struct table *table, const struct probe_report *report)
{
	const struct verdict *verdict = report->verdict;
	const struct plan *plan = report->plan;
	/* An ICMP error is no answer. */
	uint32_t us = verdict->has_icmp ? 0 : verdict->timing.first_byte_us;
	const char *end = us ? "answered" : failed_or_done(verdict);

	start_row(table, "first byte", us);
	if (plan->protocol == PROTO_UDP)
		table_cell(table, TABLE_PLAIN, "datagram of %" PRIu32 " byte%s %s", plan->send_len,
			   plan->send_len == 1 ? "" : "s", end);
	else if (plan->protocol == PROTO_GRPC)
		table_cell(table, TABLE_PLAIN, "gRPC health check of %s %s",
			   plan->path[1] ? plan->path + 1 : "the whole server", end);
	else
		table_cell(table, TABLE_PLAIN, "GET %s (Host: %s) %s", plan->path, plan->host, end);
}

static bool has_exchange(const struct probe_report *report)
{
	switch (report->plan->protocol) {
	case PROTO_TCP:
	case PROTO_TLS:
		return false;
	case PROTO_UDP:
		return knows_address(report);
	case PROTO_HTTP:
	case PROTO_HTTPS:
	case PROTO_GRPC:
		break;
	}
	return report->verdict->stage > STAGE_CERTIFICATE || report->verdict->timing.first_byte_us;
}

static void add_rows(struct table *table, const struct probe_report *report)
{
	const struct verdict *verdict = report->verdict;

	if (report->answer)
		add_resolve(table, report);
	if (knows_address(report) && report->plan->protocol != PROTO_UDP)
		add_connect(table, report);
	if (report->plan->tls.enabled && verdict->timing.connect_us)
		add_tls(table, report);
	if (has_exchange(report))
		add_exchange(table, report);
	if (verdict->http_status && report->plan->protocol != PROTO_GRPC) {
		start_row(table, "answer", 0);
		table_cell(table, TABLE_PLAIN, "HTTP status %u, %s", verdict->http_status,
			   failed_or_done(verdict));
	}
	start_row(table, "total", verdict->timing.total_us);
	table_cell(table, TABLE_PLAIN, "ended in stage %s", stage_name(verdict->stage));
}

static int print_stages(const struct cli *cli, const struct probe_report *report)
{
	static const char *const headings[] = { "STAGE", "TIME", "RESULT" };
	CLEANUP(table_free_p) struct table *table = table_new(3, headings);

	if (!table)
		return -ENOMEM;
	table_align_right(table, 1);
	add_rows(table, report);
	return table_print(table, cli->out, cli->color);
}

/* --- the verdict ------------------------------------------------------------------------------ */

static void print_list(FILE *out, const char *heading, const char *const texts[], size_t n)
{
	if (n)
		fprintf(out, "\n%s\n", heading);
	for (size_t i = 0; i < n; i++) {
		fputs("  - ", out);
		text_print(out, texts[i]);
		fputc('\n', out);
	}
}

static void print_also(FILE *out, const struct tls_facts *tls)
{
	if (tls->n_also)
		fputs("\nAlso wrong\n", out);
	for (uint8_t i = 0; i < tls->n_also && i < VERDICT_ALSO_MAX; i++) {
		enum sl_message code = (enum sl_message)tls->also[i];
		const struct catalogue_row *row = catalogue_find(code);

		fprintf(out, "  - %s: %s\n", message_id(code) ?: "unknown",
			row ? row->meaning : "");
	}
}

static void print_warnings(FILE *out, const struct probe_report *report)
{
	const struct tls_facts *tls = &report->verdict->tls;
	char text[MESSAGE_WARNING_LEN];

	if (!tls->warnings)
		return;
	fputs("\nWarnings\n", out);
#define PRINT_WARNING(NAME, bit, id)             \
	if (tls->warnings & SL_WARN_##NAME)      \
		fprintf(out, "  - %s: %s\n", id, \
			message_warning(text, SL_WARN_##NAME, tls->not_after, report->now_s));
	SL_WARNINGS(PRINT_WARNING)
#undef PRINT_WARNING
}

int report_text(const struct cli *cli, const struct probe_report *report)
{
	const struct verdict *verdict = report->verdict;
	struct advice advice = advice_for(verdict);
	char message[MESSAGE_LEN];
	int r;

	r = print_stages(cli, report);
	if (r < 0)
		return r;
	fprintf(cli->out, "\n%s: %s (code %d)\n%s\n", health_name(advice_health(verdict->code)),
		message_id(verdict->code) ?: "unknown", (int)verdict->code,
		message_format(message, report->plan, verdict));
	if (verdict->tls.x509_code)
		fprintf(cli->out, "OpenSSL: error %d at depth %d: %s\n", verdict->tls.x509_code,
			verdict->tls.x509_depth, message_x509_text(verdict->tls.x509_code));
	print_also(cli->out, &verdict->tls);
	print_warnings(cli->out, report);
	print_list(cli->out, "Usual causes", advice.causes, advice.n_causes);
	print_list(cli->out, "What to do", advice.remedies, advice.n_remedies);
	if (report->show_certs)
		report_certs(cli->out, verdict->tls.certs, report->now_s);
	return 0;
}
