// SPDX-License-Identifier: GPL-2.0-or-later
/* troubleshoot - why a target cannot be reached: the tree, from its root to one cause. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/hunt.h"
#include "util/clock.h"
#include "util/duration.h"
#include "util/err.h"
#include "util/number.h"

#define COUNT_DEFAULT 3
#define TIMEOUT_DEFAULT_MS 15000
#define TIMEOUT_MIN_MS 1000
#define TIMEOUT_MAX_MS 60000
#define SCHEME "://"

static void hunt_done(struct hunt *hunt)
{
	if (hunt->has_probing)
		probing_done(&hunt->probing);
	filter_free(hunt->rules);
}

/* --- what was asked ---------------------------------------------------------------------------- */

static int parse_numbers(struct hunt *hunt, struct err *err)
{
	const char *count = hunt->cli->options[OPT_COUNT];
	const char *timeout = hunt->cli->options[OPT_TIMEOUT];
	uint64_t n = COUNT_DEFAULT;

	if (count && number_parse(&n, count, 1, ATTEMPTS_MAX) < 0)
		return err_set(err, -EINVAL, "--count '%s' is not a whole number from 1 to %d",
			       count, ATTEMPTS_MAX);
	hunt->count = (uint32_t)n;
	hunt->timeout_ms = TIMEOUT_DEFAULT_MS;
	if (timeout && (duration_parse(&hunt->timeout_ms, timeout) < 0 ||
			hunt->timeout_ms < TIMEOUT_MIN_MS || hunt->timeout_ms > TIMEOUT_MAX_MS))
		return err_set(err, -EINVAL, "--timeout '%s' is not a duration from %ds to %ds",
			       timeout, TIMEOUT_MIN_MS / 1000, TIMEOUT_MAX_MS / 1000);
	hunt->start_ns = clock_mono_ns();
	hunt->until_ns = hunt->start_ns + hunt->timeout_ms * NS_PER_MS;
	return 0;
}

static int parse_from(struct hunt *hunt, struct err *err)
{
	const char *from = hunt->cli->options[OPT_FROM];
	struct way *way = &hunt->evidence.way;

	if (!from)
		return 0;
	if (addr_parse(&way->from, from) == 0) {
		way->has_from = true;
		return 0;
	}
	if (!*from || strlen(from) >= sizeof(way->device) || !if_nametoindex(from))
		return err_set(err, -EINVAL,
			       "--from '%s' is neither an IP address nor an interface of this host",
			       from);
	snprintf(way->device, sizeof(way->device), "%s", from);
	return 0;
}

/* "80", "80/tcp", "53/udp" */
static int parse_local(struct hunt *hunt, struct err *err)
{
	const char *text = hunt->cli->options[OPT_LOCAL];
	char digits[8];
	const char *slash;
	uint64_t port;

	if (!text)
		return 0;
	slash = strchr(text, '/');
	snprintf(digits, sizeof(digits), "%.*s", slash ? (int)(slash - text) : 7, text);
	if (number_parse(&port, digits, 1, UINT16_MAX) < 0 ||
	    (slash && strcmp(slash, "/tcp") != 0 && strcmp(slash, "/udp") != 0))
		return err_set(err, -EINVAL,
			       "--local '%s' is not a port from 1 to %d, with or without /tcp or "
			       "/udp",
			       text, UINT16_MAX);
	hunt->local = true;
	hunt->evidence.way.port = (uint16_t)port;
	hunt->evidence.way.udp = slash && !strcmp(slash, "/udp");
	if (hunt->cli->n_args && addr_parse(&hunt->evidence.way.to, hunt->cli->args[0]) < 0)
		return err_set(err, -EINVAL,
			       "'%s' is not an address: --local takes one of this host's, or none",
			       hunt->cli->args[0]);
	return 0;
}

/* A URL as it is; "host:port" is a TCP port; a bare address, what the daemon knows by it. */
static enum cli_status take_target(struct hunt *hunt)
{
	const char *text = hunt->cli->args[0];
	struct addr addr;

	if (hunt->cli->n_args == 2) {
		snprintf(hunt->pool, sizeof(hunt->pool), "%s", text);
		snprintf(hunt->address, sizeof(hunt->address), "%s", hunt->cli->args[1]);
		return hunt_endpoint(hunt);
	}
	if (strlen(text) >= sizeof(hunt->target) - sizeof("tcp" SCHEME))
		return cli_fail(hunt->cli, STATUS_USAGE, "usage", "the target is too long");
	if (addr_parse(&addr, text) == 0) {
		if (hunt_find_endpoint(hunt, text, 0))
			return hunt_endpoint(hunt);
		return cli_fail(hunt->cli, STATUS_USAGE, "usage",
				"'%s' has no port, and no daemon that answers has an endpoint of "
				"that address; write tcp://HOST:PORT",
				text);
	}
	snprintf(hunt->target, sizeof(hunt->target), "%s%s",
		 strstr(text, SCHEME) ? "" : "tcp" SCHEME, text);
	return STATUS_DONE;
}

static enum cli_status prepare_target(struct hunt *hunt)
{
	struct cli cli = *hunt->cli;
	struct err err = { "" };
	int r;

	cli.args[0] = hunt->target;
	cli.n_args = 1;
	cli.options[OPT_TIMEOUT] = NULL;
	r = probing_prepare(&hunt->probing, &cli, &err);
	hunt->has_probing = true;
	if (r == -ENOMEM)
		return cli_fail(hunt->cli, STATUS_REFUSED, "out_of_memory", "out of memory");
	if (r < 0)
		return cli_fail(hunt->cli, STATUS_USAGE, "usage", "%s", err.text);
	hunt->evidence.way.to = hunt->probing.plan.addr;
	hunt->evidence.way.port = hunt->probing.plan.port;
	hunt->evidence.way.udp = hunt->probing.plan.protocol == PROTO_UDP;
	if (hunt->evidence.way.has_from && !hunt->probing.order.target.is_name &&
	    addr_is_v4(&hunt->evidence.way.from) != addr_is_v4(&hunt->evidence.way.to))
		return cli_fail(hunt->cli, STATUS_USAGE, "usage",
				"--from and the target are of different address families");
	return STATUS_DONE;
}

static enum cli_status parse(struct hunt *hunt)
{
	struct err err = { "" };
	enum cli_status status;
	int r;

	r = parse_numbers(hunt, &err);
	if (r == 0)
		r = parse_from(hunt, &err);
	if (r == 0)
		r = parse_local(hunt, &err);
	if (r < 0)
		return cli_fail(hunt->cli, STATUS_USAGE, "usage", "%s", err.text);
	if (hunt->local && hunt->cli->n_args < 2)
		return STATUS_DONE;
	if (hunt->local || !hunt->cli->n_args)
		return cli_fail(hunt->cli, STATUS_USAGE, "usage",
				"usage: sluice troubleshoot TARGET | POOL ADDRESS | --local "
				"PORT[/udp] [ADDRESS]");
	status = take_target(hunt);
	return status == STATUS_DONE ? prepare_target(hunt) : status;
}

/* --- the hunt ---------------------------------------------------------------------------------- */

static void read_rules(struct hunt *hunt)
{
	int r = filter_read(&hunt->rules);

	if (r == -EPERM)
		hunt_note(hunt, "This host's nftables were not looked at: that takes root.");
	else if (r < 0)
		hunt_note(hunt, "This host's nftables were not looked at: %s.",
			  r == -EFBIG ? "there are too many rules to read" : "they cannot be read");
	if (filter_has_legacy())
		hunt_note(hunt, "Rules of the old iptables are in force; they were not looked at: "
				"iptables-legacy-save.");
}

static void look(struct hunt *hunt)
{
	read_rules(hunt);
	if (hunt->local) {
		hunt_local(hunt);
		return;
	}
	hunt_name(hunt);
	if (hunt->evidence.dns && !hunt->evidence.dns->n)
		return;
	hunt_route(hunt);
	hunt_gate(hunt);
	hunt_way(hunt);
	/* A target on this host can be looked at from within as well. */
	if (hunt->evidence.route.kind == ROUTE_LOCAL)
		hunt_local(hunt);
	hunt_filters(hunt);
	hunt_talk(hunt);
}

enum cli_status command_troubleshoot(struct cli *cli)
{
	CLEANUP(hunt_done) struct hunt hunt = { .cli = cli };
	enum cli_status status;
	int r;

	status = parse(&hunt);
	if (status != STATUS_DONE)
		return status;
	hunt.show_progress = isatty(fileno(cli->err)) == 1;
	look(&hunt);
	troubleshoot(&hunt.finding, &hunt.evidence);
	if (cli->json) {
		hunt_json(&hunt);
	} else {
		r = hunt_text(&hunt);
		if (r < 0)
			return command_print_failed(cli, r);
	}
	return hunt.finding.cause == CAUSE_REACHABLE ? STATUS_DONE : STATUS_REFUSED;
}
