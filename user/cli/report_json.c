// SPDX-License-Identifier: GPL-2.0-or-later
/* report_json - the verdict of `sluice probe` as one document. */
#include "cli/report.h"
#include "cli/text.h"
#include "diagnose/advice.h"
#include "diagnose/verdict_json.h"
#include "model/health.h"

static json_t *render_dns(const struct resolve_answer *answer)
{
	json_t *json = json_object(), *addresses = json_array();
	char text[SL_TEXT_LEN];

	for (uint32_t i = 0; i < answer->n; i++)
		json_push(&addresses, json_text(addr_format(text, &answer->addrs[i])));
	json_put(&json, "addresses", addresses);
	json_put_text(&json, "rcode", rcode_name(answer->rcode));
	json_put_text(&json, "servers", answer->servers);
	if (answer->n)
		json_put_uint(&json, "ttl_s", answer->ttl_s);
	if (answer->why[0])
		json_put_text(&json, "why", answer->why);
	return json;
}

void report_json(const struct cli *cli, const struct probe_report *report)
{
	const struct verdict *verdict = report->verdict;
	struct advice advice = advice_for(verdict);
	json_t *json = json_object();
	char address[SL_TEXT_LEN];

	json_put_text(&json, "target", report->target);
	if (!report->answer || report->answer->n)
		json_put_text(&json, "address",
			      addr_port_format(address, &report->plan->addr, report->plan->port));
	json_put_text(&json, "health", health_name(advice_health(verdict->code)));
	verdict_json_message(&json, report->plan, verdict);
	json_put(&json, "causes", json_texts(advice.causes, advice.n_causes));
	json_put(&json, "remedies", json_texts(advice.remedies, advice.n_remedies));
	verdict_json_facts(&json, report->plan, verdict);
	json_put_text(&json, "stage", stage_name(verdict->stage));
	if (report->answer)
		json_put(&json, "dns", render_dns(report->answer));
	json_put(&json, "timing_us", verdict_json_timing(&verdict->timing));
	json_put(&json, "chain", verdict_json_chain(verdict->tls.certs));
	text_dump(cli->out, json);
}
