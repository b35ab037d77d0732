// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/target.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "config/syntax.h"
#include "util/err.h"
#include "util/number.h"

#define SCHEME_END "://"
#define HTTP_PORT 80
#define HTTPS_PORT 443

static const struct scheme {
	const char *name;
	enum protocol protocol;
	bool tls, path;
	uint16_t port; /* when none is given; 0: it must be */
} schemes[] = {
	{ "http", PROTO_HTTP, false, true, HTTP_PORT },
	{ "https", PROTO_HTTPS, true, true, HTTPS_PORT },
	{ "tcp", PROTO_TCP, false, false, 0 },
	{ "tls", PROTO_TLS, true, false, 0 },
	{ "udp", PROTO_UDP, false, false, 0 },
	{ "grpc", PROTO_GRPC, false, true, 0 },
	{ "grpcs", PROTO_GRPC, true, true, 0 },
};

static const struct scheme *find_scheme(const char *text, const char *end)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strlen(schemes[i].name) == (size_t)(end - text) &&
		    !strncasecmp(schemes[i].name, text, (size_t)(end - text)))
			return &schemes[i];
	return NULL;
}

/* Where the host ends: at ':' or the end, but behind the brackets of an IPv6 literal. */
static const char *end_of_host(const char *authority)
{
	const char *bracket = *authority == '[' ? strchr(authority, ']') : NULL;

	return bracket ? bracket + 1 : authority + strcspn(authority, ":");
}

static int check_host(const struct target *target, struct err *err)
{
	const char *wrong;

	if (!*target->host)
		return err_set(err, -EINVAL, "the target has no host");
	wrong = syntax_host(target->host);
	if (wrong && *target->host == '[')
		wrong = "is not an IPv6 address";
	return wrong ? err_set(err, -EINVAL, "the target's host '%s' %s", target->host, wrong) : 0;
}

/* Who leaves the brackets out has many colons, and a host that ends anywhere. */
static int check_brackets(const char *authority, const struct scheme *scheme, struct err *err)
{
	const char *end = end_of_host(authority);

	if (*authority != '[' && *end == ':' && strchr(end + 1, ':'))
		return err_set(err, -EINVAL,
			       "the target '%s' has more than one colon: an IPv6 address is "
			       "written in brackets, as in %s://[fd00::5]:443",
			       authority, scheme->name);
	return 0;
}

static int parse_authority(struct target *target, const struct scheme *scheme, const char *text,
			   size_t len, struct err *err)
{
	char authority[sizeof(target->host) + sizeof(":65535")];
	const char *end;
	uint64_t port = scheme->port;
	int r;

	/* Not shown: there may be a password in it. */
	if (memchr(text, '@', len))
		return err_set(err, -EINVAL,
			       "the target has an '@': probes cannot log in, so it names no user");
	if (len >= sizeof(authority))
		return err_set(err, -EINVAL, "the target's host is longer than %d bytes",
			       LIMIT_HOST_BYTES);
	snprintf(authority, sizeof(authority), "%.*s", (int)len, text);
	r = check_brackets(authority, scheme, err);
	if (r < 0)
		return r;
	end = end_of_host(authority);
	if ((size_t)(end - authority) >= sizeof(target->host))
		return err_set(err, -EINVAL, "the target's host is longer than %d bytes",
			       LIMIT_HOST_BYTES);
	snprintf(target->host, sizeof(target->host), "%.*s", (int)(end - authority), authority);

	r = check_host(target, err);
	if (r < 0)
		return r;
	if (*end && (*end != ':' || number_parse(&port, end + 1, 1, UINT16_MAX) < 0))
		return err_set(err, -EINVAL, "the target's port '%s' is not a number from 1 to %d",
			       *end == ':' ? end + 1 : end, UINT16_MAX);
	if (!port)
		return err_set(err, -EINVAL, "%s:// needs a port, as in %s://10.0.0.5:443",
			       scheme->name, scheme->name);
	target->port = (uint16_t)port;
	return 0;
}

static int parse_path(struct target *target, const struct scheme *scheme, const char *text,
		      struct err *err)
{
	const char *wrong;

	if (!scheme->path) {
		if (*text && strcmp(text, "/") != 0)
			return err_set(err, -EINVAL, "a %s:// target has no path", scheme->name);
		return 0;
	}
	if (strlen(text) >= sizeof(target->path))
		return err_set(err, -EINVAL, "the target's path is longer than %d bytes",
			       LIMIT_PATH_BYTES);
	snprintf(target->path, sizeof(target->path), "%s", *text ? text : "/");
	wrong = syntax_url_path(target->path);
	if (wrong)
		return err_set(err, -EINVAL, "the target's path '%s' %s", target->path, wrong);
	return 0;
}

static int choose_address(struct target *target, const char *connect, struct err *err)
{
	const char *wrong;

	if (connect) {
		if (addr_parse(&target->addr, connect) < 0 &&
		    addr_port_parse(&target->addr, &target->port, connect) < 0)
			return err_set(
				err, -EINVAL,
				"--connect '%s' is not an IP address, with or without a port",
				connect);
	} else if (addr_parse(&target->addr, target->host) < 0) {
		target->is_name = true;
		return 0;
	}
	wrong = addr_unusable(&target->addr);
	if (wrong)
		return err_set(err, -EINVAL, "the address '%s' %s",
			       connect ? connect : target->host, wrong);
	return 0;
}

int target_parse(struct target *ret_target, const char *text, const char *connect, struct err *err)
{
	const char *end = strstr(text, SCHEME_END);
	const struct scheme *scheme = end ? find_scheme(text, end) : NULL;
	struct target target = { .port = 0 };
	const char *authority;
	size_t len;
	int r;

	if (!scheme)
		return err_set(
			err, -EINVAL,
			"'%s' is not a target: http[s]://host[:port][/path], tcp://host:port, "
			"tls://host:port, udp://host:port or grpc[s]://host:port[/service]",
			text);

	target.protocol = scheme->protocol;
	target.tls = scheme->tls;
	authority = end + strlen(SCHEME_END);
	len = strcspn(authority, "/?#");
	r = parse_authority(&target, scheme, authority, len, err);
	if (r < 0)
		return r;
	r = parse_path(&target, scheme, authority + len, err);
	if (r < 0)
		return r;
	r = choose_address(&target, connect, err);
	if (r < 0)
		return r;

	*ret_target = target;
	return 0;
}
