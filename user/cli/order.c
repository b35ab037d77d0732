// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/cert_file.h"
#include "config/escape.h"
#include "config/syntax.h"
#include "util/duration.h"
#include "util/err.h"

#define PLAIN(protocol) (1u << (protocol))
#define OVER_TLS(protocol) (1u << (TLS_SHIFT + (protocol)))
#define TLS_SHIFT 8

#define WEB (PLAIN(PROTO_HTTP) | OVER_TLS(PROTO_HTTPS))
#define GRPC (PLAIN(PROTO_GRPC) | OVER_TLS(PROTO_GRPC))
#define TLS (OVER_TLS(PROTO_HTTPS) | OVER_TLS(PROTO_TLS) | OVER_TLS(PROTO_GRPC))

#define WEB_WORDS "http:// and https://"
#define TLS_WORDS "https://, tls:// and grpcs://"

/* Options that only some targets have a use for. */
static const struct use {
	enum cli_option option;
	unsigned int targets;
	const char *words;
} uses[] = {
	{ OPT_HOST, WEB | GRPC | TLS, "http://, https://, tls://, grpc:// and grpcs://" },
	{ OPT_SNI, TLS, TLS_WORDS },
	{ OPT_CA, TLS, TLS_WORDS },
	{ OPT_ALLOW_LISTED, TLS, TLS_WORDS },
	{ OPT_CRL, TLS, TLS_WORDS },
	{ OPT_NO_VALIDATE_CHAIN, TLS, TLS_WORDS },
	{ OPT_NO_VALIDATE_SNI, TLS, TLS_WORDS },
	{ OPT_SHOW_CERTS, TLS, TLS_WORDS },
	{ OPT_STATUS, WEB, WEB_WORDS },
	{ OPT_BODY, WEB | PLAIN(PROTO_UDP), "http://, https:// and udp://" },
	{ OPT_SEND, PLAIN(PROTO_UDP), "udp://" },
	{ OPT_PROXY_PROTOCOL, ~PLAIN(PROTO_UDP), "all but udp://" },
};

static int check_uses(struct order *order, const struct cli *cli, struct err *err)
{
	const struct target *target = &order->target;
	unsigned int bit = target->tls ? OVER_TLS(target->protocol) : PLAIN(target->protocol);

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		if (cli->options[uses[i].option] && !(uses[i].targets & bit))
			return err_set(err, -EINVAL, "%s is for %s targets",
				       cli_options[uses[i].option].name, uses[i].words);
	if (cli->options[OPT_CA] && cli->options[OPT_ALLOW_LISTED])
		return err_set(err, -EINVAL,
			       "--ca and --allow-listed exclude each other: either roots are "
			       "trusted or exact certificates");
	return 0;
}

static int parse_match(struct order *order, const struct cli *cli, struct err *err)
{
	const char *status = cli->options[OPT_STATUS];
	const char *body = cli->options[OPT_BODY];
	const char *wrong;

	order->match = probe_default(PROTO_HTTP)->match;
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

static int parse_send(struct order *order, const struct cli *cli, struct err *err)
{
	const char *text = cli->options[OPT_SEND];
	int len;

	if (!text)
		return 0;
	len = escape_resolve((uint8_t *)order->send, sizeof(order->send), text);
	if (len == -ENOSPC)
		return err_set(err, len, "--send takes at most %d bytes", LIMIT_SEND_BYTES);
	if (len < 0)
		return err_set(err, len,
			       "--send '%s' has a backslash that begins none of \\n \\r \\t \\\\ "
			       "\\xHH",
			       text);
	order->send_len = (uint32_t)len;
	return 0;
}

static int parse_host(const char **ret_host, const char *option, const char *host, struct err *err)
{
	const char *wrong;

	wrong = strlen(host) > LIMIT_HOST_BYTES ? "is too long" : syntax_host(host);
	if (!*host)
		wrong = "is empty";
	if (wrong)
		return err_set(err, -EINVAL, "%s '%s' %s", option, host, wrong);
	*ret_host = host;
	return 0;
}

static int parse_names(struct order *order, const struct cli *cli, struct err *err)
{
	int r;

	order->host = order->target.host;
	if (cli->options[OPT_HOST]) {
		r = parse_host(&order->host, "--host", cli->options[OPT_HOST], err);
		if (r < 0)
			return r;
	}
	if (!cli->options[OPT_SNI])
		return 0;
	return parse_host(&order->sni, "--sni", cli->options[OPT_SNI], err);
}

static int parse_timeout(struct order *order, const struct cli *cli, struct err *err)
{
	const char *timeout = cli->options[OPT_TIMEOUT];

	order->timeout_ms = probe_default(order->target.protocol)->timeout_ms;
	if (timeout &&
	    (duration_parse(&order->timeout_ms, timeout) < 0 ||
	     order->timeout_ms < LIMIT_TIMEOUT_MIN_MS || order->timeout_ms > LIMIT_TIMEOUT_MAX_MS))
		return err_set(err, -EINVAL, "--timeout '%s' is not a duration from %dms to %ds",
			       timeout, LIMIT_TIMEOUT_MIN_MS, LIMIT_TIMEOUT_MAX_MS / 1000);
	return 0;
}

static int parse_proxy(struct order *order, const struct cli *cli, struct err *err)
{
	const char *version = cli->options[OPT_PROXY_PROTOCOL];

	if (!version)
		return 0;
	for (enum proxy_version v = PROXY_V1; v <= PROXY_V2; v++) {
		if (*version && strcmp(version, proxy_version_name(v)))
			continue;
		order->proxy_protocol = v;
		return 0;
	}
	return err_set(err, -EINVAL, "--proxy-protocol '%s' is no version; allowed: v1, v2",
		       version);
}

static int add_crl(struct trust_spec *spec, const char *text, struct err *err)
{
	const char *wrong = syntax_crl(text);
	char **crls;

	if (wrong)
		return err_set(err, -EINVAL, "--crl '%s' %s", text, wrong);
	crls = reallocarray(spec->crls, spec->n_crls + 1, sizeof(*crls));
	if (!crls)
		return -ENOMEM;
	spec->crls = crls;
	crls[spec->n_crls] = strdup(text);
	if (!crls[spec->n_crls])
		return -ENOMEM;
	spec->n_crls++;
	return 0;
}

static int add_certs(struct trust_spec *spec, const struct cli_repeat *repeat, struct err *err)
{
	const char *option = cli_options[repeat->option].name;
	int r;

	spec->mode = repeat->option == OPT_CA ? TRUST_UPLOADED : TRUST_ALLOW_LIST;
	r = cert_file_load(spec, repeat->value, err);
	if (r == -ENOMEM)
		return r;
	return r < 0 ? err_in(err, -EINVAL, "%s ", option) : 0;
}

static int parse_trust(struct order *order, const struct cli *cli, struct err *err)
{
	int r;

	order->check_chain = !cli->options[OPT_NO_VALIDATE_CHAIN];
	order->check_name = !cli->options[OPT_NO_VALIDATE_SNI];
	for (int i = 0; i < cli->n_repeats; i++) {
		const struct cli_repeat *repeat = &cli->repeats[i];

		if (repeat->option == OPT_CRL)
			r = add_crl(&order->trust, repeat->value, err);
		else
			r = add_certs(&order->trust, repeat, err);
		if (r < 0)
			return r;
	}
	return 0;
}

typedef int parse_fn(struct order *order, const struct cli *cli, struct err *err);

int order_parse(struct order *ret_order, const struct cli *cli, struct err *err)
{
	static parse_fn *const steps[] = { check_uses,    parse_match, parse_send, parse_names,
					   parse_timeout, parse_proxy, parse_trust };
	int r;

	memset(ret_order, 0, sizeof(*ret_order));
	r = target_parse(&ret_order->target, cli->args[0], cli->options[OPT_CONNECT], err);
	for (size_t i = 0; r >= 0 && i < sizeof(steps) / sizeof(steps[0]); i++)
		r = steps[i](ret_order, cli, err);
	if (r < 0) {
		order_done(ret_order);
		return r;
	}
	ret_order->show_certs = cli->options[OPT_SHOW_CERTS] != NULL;
	return 0;
}

void order_done(struct order *order)
{
	trust_spec_done(&order->trust);
	order->trust = (struct trust_spec){ .mode = TRUST_WELL_KNOWN };
}

static struct plan_tls tls_of(const struct order *order)
{
	const char *name = order->sni ? order->sni : order->host;
	struct addr addr;

	return (struct plan_tls){
		.enabled = true,
		/* RFC 6066: an address is no server name. */
		.sni = addr_parse(&addr, name) < 0 ? name : NULL,
		.name = name,
		.name_configured = true,
		.check_chain = order->check_chain,
		.check_name = order->check_name,
		.full_every = 1,
	};
}

struct plan order_plan(const struct order *order)
{
	const struct probe_def *def = probe_default(order->target.protocol);
	struct plan plan = {
		.protocol = order->target.protocol,
		.backend = order->target.is_name ? order->target.host : NULL,
		.addr = order->target.addr,
		.port = order->target.port,
		.host = order->host,
		.path = order->target.path,
		.send = order->send_len ? order->send : NULL,
		.send_len = order->send_len,
		.proxy_protocol = order->proxy_protocol,
		.match = &order->match,
		.interval_ms = def->interval_ms,
		.timeout_ms = (uint32_t)order->timeout_ms,
		.unhealthy_threshold = 1,
		.healthy_threshold = 1,
	};

	if (order->target.tls)
		plan.tls = tls_of(order);
	return plan;
}
