// SPDX-License-Identifier: GPL-2.0-or-later
/* plan_listen - frontends: one for each listen address, and which service gets which request. */
#include <errno.h>
#include <string.h>

#include "l7/plan_work.h"
#include "model/listeners.h"

#define NOBODY "no-service"
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define CLIENT_TIMEOUT_MIN_MS 60000

/* Rules of one address: [begin, end). */
struct group {
	const struct listener_rule *rules;
	uint32_t begin, end;
};

/* A name that HAProxy takes: without brackets, and with the port last. */
static void put_listen_name(struct making *m, const struct service *service)
{
	for (const char *c = service->listen.text; *c; c++)
		if (*c != '[' && *c != ']')
			fputc(*c, m->out);
}

/* Longer than any answer may take: a client that waits is not to blame. */
static uint32_t client_timeout_ms(const struct making *m, const struct group *group)
{
	uint32_t longest = CLIENT_TIMEOUT_MIN_MS;

	for (uint32_t i = group->begin; i < group->end; i++)
		longest = MAX(longest, m->model->settings[group->rules[i].service->settings]
					       .l7.request_timeout_ms);
	return longest;
}

static int write_bind(struct making *m, const struct service *service, struct err *err)
{
	bool http = plan_is_http(m->model, service);
	char list[64], origin[ORIGIN_LEN];
	int r;

	if (service->l7.n_certificates) {
		r = making_certificates(m, service, list, err);
		if (r < 0)
			return r;
		making_begin(m, origin_service(origin, service, "tls.certificates"));
		fprintf(m->out, "bind %s ssl crt-list %s", service->listen.text, list);
		if (http)
			fprintf(m->out, " alpn %s", service->l7.http2 ? "h2,http/1.1" : "http/1.1");
	} else {
		making_begin(m, origin_service(origin, service, "listen"));
		fprintf(m->out, "bind %s%s", service->listen.text, http ? " proto h1" : "");
	}
	making_end(m);
	return 0;
}

static void write_headers(struct making *m, const struct service *service)
{
	making_line(m, NULL, "option forwardfor");
	making_line(m, NULL, "http-request set-header X-Forwarded-Proto %s",
		    service->l7.n_certificates ? "https" : "http");
	making_line(m, NULL, "http-request set-header X-Forwarded-Host %%[req.fhdr(host,1)]");
}

static void put_condition(struct making *m, const struct listener_rule *rule)
{
	size_t len = strlen(rule->path);
	bool prefix = len && rule->path[len - 1] == '*';
	CLEANUP(free_p) char *path = strndup(rule->path, prefix ? len - 1 : len);

	if (*rule->host) {
		fputs(" { var(txn.host) -m str -- ", m->out);
		quote_word(m->out, rule->host);
		fputs(" }", m->out);
	}
	if (!path)
		m->oom = true;
	else if (*rule->path) {
		fprintf(m->out, " { path -m %s -- ", prefix ? "beg" : "str");
		quote_word(m->out, path);
		fputs(" }", m->out);
	}
}

static void write_rule(struct making *m, const struct listener_rule *rule)
{
	char origin[ORIGIN_LEN], name[BACKEND_NAME_LEN];
	bool all = !*rule->host && !*rule->path;

	making_begin(m, origin_service(origin, rule->service,
				       *rule->path   ? "path_rule"
				       : *rule->host ? "hosts"
						     : "listen"));
	fprintf(m->out, "%s %s%s", all ? "default_backend" : "use_backend",
		backend_name(name, m->model, rule->service), all ? "" : " if");
	put_condition(m, rule);
	making_end(m);
}

static void write_rules(struct making *m, const struct group *group)
{
	const struct listener_rule *last = &group->rules[group->end - 1];

	if (*group->rules[group->begin].host)
		making_line(
			m, NULL,
			"http-request set-var(txn.host) req.hdr(host),host_only,lower,rtrim(.)");
	making_comment(
		m, "\t",
		"the first that fits: hosts, and among their rules exact paths, then the longest prefix");
	for (uint32_t i = group->begin; i < group->end; i++)
		write_rule(m, &group->rules[i]);
	if (*last->host || *last->path)
		making_line(m, NULL, "default_backend " NOBODY);
}

static int write_frontend(struct making *m, const struct group *group, struct err *err)
{
	const struct service *service = group->rules[group->begin].service;
	bool http = plan_is_http(m->model, service);
	int r;

	fputs("\nfrontend ", m->out);
	put_listen_name(m, service);
	m->line++;
	making_end(m);
	r = write_bind(m, service, err);
	if (r < 0)
		return r;
	making_line(m, NULL, "mode %s", http ? "http" : "tcp");
	if (m->model->gateway.l7.access_log[0])
		making_line(m, NULL, "option %s", http ? "httplog" : "tcplog");
	making_line(m, NULL, "timeout client %ums",
		    http ? client_timeout_ms(m, group)
			 : m->model->settings[service->settings].l7.request_timeout_ms);
	if (http)
		write_headers(m, service);
	write_rules(m, group);
	return 0;
}

/* Whom no rule fits. */
static void write_nobody(struct making *m)
{
	fputs("\nbackend " NOBODY, m->out);
	m->line++;
	making_end(m);
	making_line(
		m, NULL,
		"http-request return status 404 content-type text/plain string \"404 Not Found: "
		"no service has this host and path\\n\"");
}

int plan_listeners(struct making *m, struct err *err)
{
	CLEANUP(free_p) struct listener_rule *rules = NULL;
	uint32_t n = 0;
	int r = listeners_list(&rules, &n, m->model);

	for (uint32_t i = 0; i < n && r == 0;) {
		struct group group = { rules, i, i + 1 };

		while (group.end < n && listeners_share(rules[i].service, rules[group.end].service))
			group.end++;
		r = write_frontend(m, &group, err);
		i = group.end;
	}
	if (r == 0)
		write_nobody(m);
	return r;
}
