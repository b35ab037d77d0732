// SPDX-License-Identifier: GPL-2.0-or-later
/* plan_backend - backends: what is done with the requests of a service, and who gets them. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "l7/plan_work.h"
#include "l7/stats.h"

/* The service whose backend is written. */
struct one {
	const struct service *service;
	const struct settings *settings;
	const struct pool *pool;
	bool http;
	char roots[128]; /* file of the trusted roots */
};

/* --- requests --------------------------------------------------------------------------------- */

/* "/pathrule" of "/pathrule*". */
static char *rule_prefix(const struct service *service)
{
	const char *rule = service->l7.path_rule ? service->l7.path_rule : "";

	return strndup(rule, strcspn(rule, "*"));
}

/* What the rule matched is dropped, if it is there, and the override put before the rest. */
static void write_path_override(struct making *m, const struct one *one)
{
	const char *override = one->settings->l7.path_override;
	CLEANUP(free_p) char *prefix = rule_prefix(one->service);
	size_t len = override ? strlen(override) : 0;
	CLEANUP(free_p) char *base = NULL;
	char origin[ORIGIN_LEN];

	if (!override)
		return;
	base = strndup(override, override[len - 1] == '/' ? len - 1 : len);
	if (!prefix || !base) {
		m->oom = true;
		return;
	}
	origin_settings(origin, one->settings, "path_override");
	making_comment(m, "\t", "%s: %s", origin, override);
	making_line(m, origin, "http-request set-var(txn.rest) path");
	if (*prefix) {
		making_begin(m, origin);
		fprintf(m->out,
			"http-request set-var(txn.rest) path,bytes(%zu) if { path -m beg -- ",
			strlen(prefix));
		quote_word(m->out, prefix);
		fputs(" }", m->out);
		making_end(m);
	}
	making_begin(m, origin);
	fputs("http-request set-path ", m->out);
	quote_format(m->out, base);
	fputs("/%[var(txn.rest),ltrim(/)]", m->out);
	making_end(m);
}

static void write_host(struct making *m, const struct one *one)
{
	char origin[ORIGIN_LEN];

	if (one->settings->host_name) {
		making_begin(m, origin_settings(origin, one->settings, "host_name"));
		fputs("http-request set-header Host ", m->out);
		quote_format(m->out, one->settings->host_name);
		making_end(m);
	}
	if (one->settings->host_name_from_backend)
		making_line(m, origin_settings(origin, one->settings, "host_name_from_backend"),
			    "http-send-name-header Host");
}

/* The twin's value counts where it comes alone, and it is set whenever the cookie is. */
static void write_affinity(struct making *m, const struct one *one)
{
	const char *cookie = one->settings->l7.cookie;
	char origin[ORIGIN_LEN], hash[L7_COOKIE_LEN];
	bool named = false;

	if (!one->settings->l7.affinity)
		return;
	for (uint32_t i = 0; i < one->pool->n_backends; i++)
		named = named || one->pool->backends[i].name;
	origin_settings(origin, one->settings, "cookie_affinity");
	making_comment(m, "\t", "%s", origin);
	making_line(m, origin, "cookie %s insert indirect nocache%s", cookie,
		    named ? " dynamic" : "");
	if (named && l7_cookie(hash, m->key, one->pool->name, "names") == 0)
		making_line(m, origin, "dynamic-cookie-key %s", hash);
	making_line(m, origin,
		    "http-request add-header Cookie %s=%%[req.cook(%sCORS)] if !{ req.cook(%s) -m "
		    "found } { req.cook(%sCORS) -m found }",
		    cookie, cookie, cookie, cookie);
	making_line(m, origin,
		    "http-after-response add-header Set-Cookie \"%sCORS=%%[res.cook(%s)]; Path=/; "
		    "SameSite=None; Secure\" if { res.cook(%s) -m found }",
		    cookie, cookie, cookie);
}

/*
 * By server, how many answers took longer than each of these times. Most take less than the first: for
 * them it is one rule. All answers HAProxy counts anyway; an upgraded connection is none.
 */
static void write_times(struct making *m, const struct one *one)
{
	making_comment(m, "\t", "how long answers take: sluice stats, metrics");
	making_line(m, NULL, "stick-table type integer size %u nopurge store gpc(%d)",
		    one->service->n_endpoints + 1, L7_TIMES);
	making_line(m, NULL, "http-request set-var(txn.began) date(0,ms)");
	making_line(
		m, NULL,
		"http-response allow if { date(0,ms),sub(txn.began) -m int le %u } || { status 101 }",
		l7_times_ms[0]);
	making_line(m, NULL, "http-response set-var(txn.took) date(0,ms),sub(txn.began)");
	making_line(m, NULL, "http-response track-sc0 srv_id");
	making_line(m, NULL, "http-response sc-inc-gpc(0,0)");
	for (int i = 1; i < L7_TIMES; i++) {
		making_line(m, NULL, "http-response allow if { var(txn.took) -m int le %u }",
			    l7_times_ms[i]);
		making_line(m, NULL, "http-response sc-inc-gpc(%d,0)", i);
	}
}

static void write_requests(struct making *m, const struct one *one)
{
	char origin[ORIGIN_LEN];

	write_times(m, one);
	making_line(m, NULL, "retry-on conn-failure empty-response response-timeout");
	making_line(m, NULL,
		    "http-request disable-l7-retry unless { method GET HEAD OPTIONS PUT DELETE "
		    "TRACE }");
	if (one->settings->l7.dedicated) {
		origin_settings(origin, one->settings, "dedicated_connection");
		making_line(m, origin, "http-reuse never");
		making_line(m, origin, "option prefer-last-server");
	}
	write_affinity(m, one);
	write_path_override(m, one);
	write_host(m, one);
}

/* --- TLS -------------------------------------------------------------------------------------- */

static bool speaks_tls(const struct settings *settings)
{
	return settings->protocol == PROTO_HTTPS || settings->protocol == PROTO_TLS;
}

static bool is_literal(const char *host)
{
	struct addr addr;

	return host[0] == '[' || addr_parse(&addr, host) == 0;
}

/* The name that the backend is asked for, or NULL: the client's. */
static const char *name_for(const struct one *one, const struct backend *backend)
{
	if (one->settings->sni_name)
		return one->settings->sni_name;
	if (one->settings->host_name)
		return one->settings->host_name;
	return one->settings->host_name_from_backend ? backend->name : NULL;
}

/* Without a name of its own, HAProxy would check none: a request without one is refused. */
static void write_tls_guard(struct making *m, const struct one *one)
{
	const struct settings *s = one->settings;

	if (one->http && speaks_tls(s) && s->validate_name && !s->sni_name && !s->host_name &&
	    !s->host_name_from_backend)
		making_line(m, NULL,
			    "http-request deny deny_status 400 unless { req.hdr(host) -m found }");
}

static void put_tls(FILE *out, const struct one *one, const struct backend *backend)
{
	const char *name = name_for(one, backend);

	if (!speaks_tls(one->settings))
		return;
	fputs(" ssl", out);
	if (one->settings->validate_chain) {
		fputs(" verify required ca-file ", out);
		fputs(one->roots[0] ? one->roots : "@system-ca", out);
	} else {
		fputs(" verify none", out);
	}
	if (name && !is_literal(name)) {
		fprintf(out, " sni str(%s)", name);
		if (one->settings->validate_name)
			fprintf(out, " verifyhost %s", name);
	} else if (!name && one->http) {
		fputs(" sni req.hdr(host),host_only,lower", out);
	}
}

/* --- servers ---------------------------------------------------------------------------------- */

/* A spelling of the name for each of its addresses: server names are told apart by case, hosts are not. */
static void put_spelling(FILE *out, const char *name, uint32_t seat)
{
	uint32_t letter = 0;

	for (; *name; name++) {
		bool upper = islower((unsigned char)*name) && seat >> letter & 1;

		letter += islower((unsigned char)*name) && letter < 31;
		fputc(upper ? toupper((unsigned char)*name) : *name, out);
	}
}

static void put_server_name(FILE *out, const struct one *one, const struct backend *backend,
			    uint32_t seat)
{
	if (!backend->name)
		fputs(backend->text, out);
	else if (one->settings->host_name_from_backend)
		put_spelling(out, backend->name, seat);
	else
		fprintf(out, "%s:%u", backend->name, seat);
}

static char *server_name(struct making *m, const struct one *one, const struct backend *backend,
			 uint32_t seat)
{
	char name[BACKEND_NAME_LEN], *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	fprintf(out, "%s/", backend_name(name, m->model, one->service));
	put_server_name(out, one, backend, seat);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static char *server_rest(struct making *m, const struct one *one, const struct backend *backend)
{
	static const char *const proxies[] = {
		[PROXY_NONE] = "", [PROXY_V1] = " send-proxy", [PROXY_V2] = " send-proxy-v2"
	};
	char cookie[L7_COOKIE_LEN], *text = NULL, place[SL_TEXT_LEN];
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bool ok = out;

	if (!out)
		return NULL;
	/* Of a name, the address makes the cookie, whoever has it: see dynamic-cookie-key. */
	if (one->settings->l7.affinity && !backend->name) {
		addr_port_format(place, &backend->addr, one->settings->port);
		ok = l7_cookie(cookie, m->key, one->pool->name, place) == 0;
		fprintf(out, " cookie %s", cookie);
	}
	put_tls(out, one, backend);
	fputs(proxies[one->settings->l7.send_proxy], out);
	if (one->settings->reset_established)
		fputs(" on-marked-down shutdown-sessions", out);
	ok = fclose(out) == 0 && ok;
	if (ok)
		return text;
	free(text);
	return NULL;
}

static void write_servers(struct making *m, const struct one *one)
{
	const struct service *service = one->service;
	const struct model *model = m->model;
	uint32_t seat = 0;

	for (uint32_t i = 0; i < service->n_endpoints; i++) {
		const struct backend *backend = &one->pool->backends[service->owners[i]];
		struct l7_line line = {
			.addr = backend->name ? (struct addr){ .bytes = { 0 } } : backend->addr,
			.port = one->settings->port,
			.weight = (uint16_t)backend->weight,
			.endpoint = service->endpoints[i],
		};

		seat = model->endpoints[service->endpoints[i]].seat;
		line.name = server_name(m, one, backend, seat);
		line.rest = server_rest(m, one, backend);
		making_server(m, &line);
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

static void write_timeouts(struct making *m, const struct one *one)
{
	char origin[ORIGIN_LEN];

	making_line(m, origin_settings(origin, one->settings, "request_timeout"),
		    "timeout server %ums", one->settings->l7.request_timeout_ms);
	if (!one->http)
		making_line(m, origin, "timeout tunnel %ums", one->settings->l7.request_timeout_ms);
}

static int write_backend(struct making *m, const struct service *service)
{
	struct one one = {
		.service = service,
		.settings = &m->model->settings[service->settings],
		.pool = &m->model->pools[service->pool],
		.http = plan_is_http(m->model, service),
	};
	char name[BACKEND_NAME_LEN], origin[ORIGIN_LEN];
	int r;

	if (one.settings->trust.n_certs) {
		r = making_roots(m, one.settings, one.roots);
		if (r < 0)
			return r;
	}
	fputc('\n', m->out);
	m->line++;
	making_comment(m, "", "service '%s': pool '%s', settings '%s'", service->name,
		       one.pool->name, one.settings->name);
	fprintf(m->out, "backend %s", backend_name(name, m->model, service));
	making_end(m);
	making_line(m, NULL, "mode %s", one.http ? "http" : "tcp");
	origin_service(origin, service, "source_affinity");
	making_line(m, origin, "balance %s", service->source_affinity ? "source" : "roundrobin");
	if (service->source_affinity)
		making_line(m, origin, "hash-type consistent");
	write_timeouts(m, &one);
	if (one.http)
		write_requests(m, &one);
	write_tls_guard(m, &one);
	write_servers(m, &one);
	return 0;
}

int plan_backends(struct making *m)
{
	int r = 0; /* a model without services */

	for (uint32_t i = 0; i < m->model->n_services && r == 0; i++) {
		m->plan->first[i] = m->plan->n_lines;
		if (service_is_l7(&m->model->services[i]))
			r = write_backend(m, &m->model->services[i]);
	}
	m->plan->first[m->model->n_services] = m->plan->n_lines;
	return r;
}
