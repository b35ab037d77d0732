// SPDX-License-Identifier: GPL-2.0-or-later
#include "l7/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <string.h>

#include "l7/plan_work.h"
#include "util/clock.h"

/* Two for each connection, as far as the limits of the system go. */
#define AUTO_DESCRIPTORS 100000

/* Of each listening socket, as far as the system's limit goes; else it would be the limit of connections, and stay that
 * over reloads. */
#define BACKLOG 65535

#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* --- lines ------------------------------------------------------------------------------------ */

/* Room for one more in an array. */
static bool grow(struct making *m, void *array, uint32_t *room, uint32_t n, size_t size)
{
	uint32_t more = *room ? 2 * *room : 64;
	void *grown;

	if (n < *room)
		return true;
	grown = reallocarray(*(void **)array, more, size);
	if (!grown) {
		m->oom = true;
		return false;
	}
	*(void **)array = grown;
	*room = more;
	return true;
}

static void note_origin(struct making *m, const char *key)
{
	struct l7_plan *plan = m->plan;
	char *copy;

	if (!key ||
	    !grow(m, &plan->origins, &m->room_origins, plan->n_origins, sizeof(*plan->origins)))
		return;
	copy = strdup(key);
	if (copy)
		plan->origins[plan->n_origins++] = (struct l7_origin){ m->line, copy };
	else
		m->oom = true;
}

void making_begin(struct making *m, const char *key)
{
	note_origin(m, key);
	fputc('\t', m->out);
}

void making_end(struct making *m)
{
	fputc('\n', m->out);
	m->line++;
}

void making_line(struct making *m, const char *key, const char *fmt, ...)
{
	va_list ap;

	making_begin(m, key);
	va_start(ap, fmt);
	vfprintf(m->out, fmt, ap);
	va_end(ap);
	making_end(m);
}

void making_comment(struct making *m, const char *indent, const char *fmt, ...)
{
	CLEANUP(free_p) char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		text = NULL;
		m->oom = true;
		return;
	}
	fprintf(m->out, "%s# ", indent);
	quote_comment(m->out, text);
	making_end(m);
}

static void section(struct making *m, const char *name)
{
	fprintf(m->out, "%s", name);
	making_end(m);
}

void making_server(struct making *m, const struct l7_line *line)
{
	struct l7_plan *plan = m->plan;
	struct l7_line copy = *line;

	if (!copy.name || !copy.rest || fflush(m->out) != 0 ||
	    !grow(m, &plan->lines, &m->room_lines, plan->n_lines, sizeof(*plan->lines))) {
		free(copy.name);
		free(copy.rest);
		m->oom = true;
		return;
	}
	copy.before = plan->len;
	copy.next = plan->of_endpoint[copy.endpoint];
	plan->of_endpoint[copy.endpoint] = plan->n_lines;
	copy.server = strchr(copy.name, '/') + 1;
	plan->lines[plan->n_lines++] = copy;
	m->line++;
}

const char *origin_service(char buf[ORIGIN_LEN], const struct service *service, const char *key)
{
	snprintf(buf, ORIGIN_LEN, "service '%s': %s", service->name, key);
	return buf;
}

const char *origin_settings(char buf[ORIGIN_LEN], const struct settings *settings, const char *key)
{
	snprintf(buf, ORIGIN_LEN, "settings '%s': %s", settings->name, key);
	return buf;
}

const char *backend_name(char buf[BACKEND_NAME_LEN], const struct model *model,
			 const struct service *service)
{
	snprintf(buf, BACKEND_NAME_LEN, "%s:%s", service->name, model->pools[service->pool].name);
	return buf;
}

bool plan_is_http(const struct model *model, const struct service *service)
{
	enum protocol protocol = model->settings[service->settings].protocol;

	return protocol == PROTO_HTTP || protocol == PROTO_HTTPS;
}

/* --- what holds for all ----------------------------------------------------------------------- */

/* As long as the longest of them lets connections go on that a change has made old. */
static uint32_t longest_drain_ms(const struct model *model)
{
	uint32_t longest = 0;

	for (uint32_t i = 0; i < model->n_services; i++)
		if (service_is_l7(&model->services[i]))
			longest = MAX(
				longest,
				settings_drain_ms(&model->settings[model->services[i].settings]));
	return longest;
}

static void write_global(struct making *m)
{
	const struct l7_gateway *l7 = &m->model->gateway.l7;

	section(m, "global");
	making_begin(m, "gateway.l7.user");
	fputs("user ", m->out);
	quote_word(m->out, l7->user);
	making_end(m);
	making_begin(m, "gateway.l7.user");
	fputs("group ", m->out);
	quote_word(m->out, l7->user);
	making_end(m);
	if (l7->max_connections)
		making_line(m, "gateway.l7.max_connections", "maxconn %u", l7->max_connections);
	else
		making_line(m, "gateway.l7.max_connections", "fd-hard-limit %u", AUTO_DESCRIPTORS);
	if (l7->threads)
		making_line(m, "gateway.l7.threads", "nbthread %u", l7->threads);
	if (l7->access_log[0]) {
		making_begin(m, "gateway.l7.access_log");
		fputs("log ", m->out);
		quote_word(m->out, l7->access_log);
		fputs(" len 4096 local0", m->out);
		making_end(m);
	}
	/* Part of the digest: another program is another plan. */
	making_comment(m, "\t", L7_RUN_BY "%s", l7->program);
	making_comment(m, "\t", "files are beside this one");
	making_line(m, NULL, "default-path config");
	making_comment(
		m, "\t",
		"connections that are open when the configuration changes: settings[].draining");
	making_line(m, NULL, "hard-stop-after %ums", longest_drain_ms(m->model));
	making_line(m, NULL, "ssl-default-server-options ssl-min-ver TLSv1.2");
	making_line(m, NULL, "ssl-default-bind-options ssl-min-ver TLSv1.2");
}

static void write_answer(struct making *m, int status, const char *file)
{
	making_line(m, NULL, "errorfile %d %s", status, file);
}

static void write_defaults(struct making *m)
{
	section(m, "");
	section(m, "defaults");
	making_line(m, NULL, "mode http");
	if (m->model->gateway.l7.access_log[0]) {
		making_line(m, NULL, "log global");
		making_line(m, NULL, "option dontlognull");
	}
	making_comment(
		m, "\t",
		"after a reload, who asks on an open connection is answered, and told to come anew");
	making_line(m, NULL, "option idle-close-on-response");
	making_comment(
		m, "\t",
		"who comes beyond the limit of connections waits: as many as net.core.somaxconn says");
	making_line(m, NULL, "backlog %u", BACKLOG);
	making_line(m, NULL, "timeout connect 5s");
	making_line(m, NULL, "timeout queue 5s");
	making_line(m, NULL, "timeout http-request 15s");
	making_line(m, NULL, "timeout http-keep-alive 60s");
	making_line(m, NULL, "timeout client 60s");
	making_line(m, NULL, "timeout server 20s");
	making_line(m, NULL, "timeout tunnel 1h");
	making_comment(
		m, "\t",
		"once more, on another member: refused connections, and requests that may be repeated");
	making_line(m, NULL, "retries 1");
	making_line(m, NULL, "option redispatch 1");
	making_comment(m, "\t", "HAProxy says 503 where nobody can answer; clients are told 502");
	write_answer(m, 503, "502.http");
	write_answer(m, 504, "504.http");
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Of the configuration and all files: what HAProxy would notice. */
static int digest(struct l7_plan *plan)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t hash[EVP_MAX_MD_SIZE];
	CLEANUP(free_p) char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bool ok = ctx && out && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);

	if (out) {
		l7_plan_write(out, plan, NULL);
		ok = fclose(out) == 0 && ok;
	}
	ok = ok && EVP_DigestUpdate(ctx, text, len);
	for (uint32_t i = 0; i < plan->n_files && ok; i++)
		ok = EVP_DigestUpdate(ctx, plan->files[i].name, strlen(plan->files[i].name) + 1) &&
		     EVP_DigestUpdate(ctx, plan->files[i].bytes ? plan->files[i].bytes : "",
				      plan->files[i].len);
	ok = ok && EVP_DigestFinal_ex(ctx, hash, NULL);
	EVP_MD_CTX_free(ctx);
	for (size_t i = 0; ok && i < (sizeof(plan->digest) - 1) / 2; i++)
		snprintf(plan->digest + 2 * i, 3, "%02x", hash[i]);
	return ok ? 0 : -ENOMEM;
}

static int write_all(struct making *m, struct err *err)
{
	int r;

	m->line = 1;
	write_global(m);
	write_defaults(m);
	r = making_answers(m);
	if (r == 0)
		r = plan_listeners(m, err);
	if (r == 0)
		r = plan_backends(m);
	return r;
}

static bool note_listens(struct l7_plan *plan, const struct model *model)
{
	bool ok = true;

	plan->max_connections = model->gateway.l7.max_connections;
	plan->listens = calloc(model->n_services + 1, sizeof(*plan->listens));
	for (uint32_t i = 0; plan->listens && i < model->n_services; i++) {
		const struct service *service = &model->services[i];
		struct l7_listen *listen = &plan->listens[plan->n_listens];

		if (!service_is_l7(service))
			continue;
		plan->n_listens++;
		listen->text = strdup(service->listen.text);
		listen->service = strdup(service->name);
		memcpy(listen->addr.bytes, service->listen.key.addr, sizeof(listen->addr.bytes));
		listen->port = service->listen.key.port;
		ok = ok && listen->text && listen->service;
	}
	return plan->listens && ok;
}

int l7_plan_new(struct l7_plan **ret, const struct model *model, const char *dir,
		const struct l7_key *key, struct err *err)
{
	CLEANUP(l7_plan_free_p) struct l7_plan *plan = calloc(1, sizeof(*plan));
	struct making m = { .plan = plan, .model = model, .key = key };
	int r;

	err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	if (!plan)
		return -ENOMEM;
	plan->n_services = model->n_services;
	plan->n_endpoints = model->n_endpoints;
	plan->first = calloc(model->n_services + 1, sizeof(*plan->first));
	plan->of_endpoint = calloc(model->n_endpoints + 1, sizeof(*plan->of_endpoint));
	m.out = open_memstream(&plan->text, &plan->len);
	plan->dir = strdup(dir);
	m.oom = !note_listens(plan, model);
	for (uint32_t i = 0; plan->of_endpoint && i < model->n_endpoints; i++)
		plan->of_endpoint[i] = INDEX_NONE;
	if (!plan->first || !plan->of_endpoint || !plan->dir || !m.out) {
		if (m.out)
			fclose(m.out);
		return -ENOMEM;
	}
	r = write_all(&m, err);
	if (fclose(m.out) != 0 || m.oom)
		return -ENOMEM;
	if (r == 0)
		r = digest(plan);
	if (r < 0)
		return r;
	*ret = take_ptr(plan);
	return 0;
}

void l7_plan_free(struct l7_plan *plan)
{
	if (!plan)
		return;
	for (uint32_t i = 0; i < plan->n_lines; i++) {
		free(plan->lines[i].name);
		free(plan->lines[i].rest);
	}
	for (uint32_t i = 0; i < plan->n_origins; i++)
		free(plan->origins[i].key);
	for (uint32_t i = 0; i < plan->n_files; i++) {
		free(plan->files[i].name);
		free(plan->files[i].bytes);
		free(plan->files[i].target);
		free(plan->files[i].key);
	}
	for (uint32_t i = 0; i < plan->n_listens; i++) {
		free(plan->listens[i].text);
		free(plan->listens[i].service);
	}
	free(plan->listens);
	free(plan->lines);
	free(plan->origins);
	free(plan->files);
	free(plan->first);
	free(plan->of_endpoint);
	free(plan->dir);
	free(plan->text);
	free(plan);
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Lines before those of plan->text: l7_plan_key() knows their number. */
#define HEAD_LINES 4

static void write_server(FILE *out, const struct l7_line *line, const struct l7_server *server)
{
	static const struct addr none;
	struct addr addr = server ? server->addr : line->addr;
	bool absent = !memcmp(&addr, &none, sizeof(none));
	char text[SL_TEXT_LEN];

	/* An address of zeros would be the one that the client has connected to. */
	if (absent)
		addr_parse(&addr, "127.0.0.1");
	fprintf(out, "\tserver %s %s", line->server, addr_port_format(text, &addr, line->port));
	if (!server || server->standing == L7_READY)
		fprintf(out, " weight %u", server ? server->weight : line->weight);
	else
		fputs(" weight 0", out);
	if (absent || (server && server->standing != L7_READY && server->standing != L7_DRAINING))
		fputs(" disabled", out);
	fprintf(out, "%s\n", line->rest);
}

void l7_plan_write(FILE *out, const struct l7_plan *plan, const struct l7_server *servers)
{
	size_t at = 0;

	fprintf(out,
		"# Made by sluiced from its configuration: changes here are lost. Comments name its keys.\n"
		"# Servers are as they were when this was written; what they are now is told to HAProxy\n"
		"# through its runtime socket, by the verdicts of Sluice's probes.\n"
		"# digest %s\n",
		plan->digest);
	for (uint32_t i = 0; i < plan->n_lines; i++) {
		fwrite(plan->text + at, 1, plan->lines[i].before - at, out);
		at = plan->lines[i].before;
		write_server(out, &plan->lines[i], servers ? &servers[i] : NULL);
	}
	fwrite(plan->text + at, 1, plan->len - at, out);
	if (!servers)
		return;
	fputs("\nglobal\n\tstats socket ", out);
	quote_word(out, plan->dir);
	fprintf(out, "/" L7_WORKER_SOCKET " mode 600 level admin expose-fd listeners\n",
		plan->number);
}

const char *l7_plan_key(const struct l7_plan *plan, uint32_t line)
{
	const char *key = NULL;

	for (uint32_t i = 0; i < plan->n_origins; i++)
		if (plan->origins[i].line + HEAD_LINES == line)
			key = plan->origins[i].key;
	return key;
}
