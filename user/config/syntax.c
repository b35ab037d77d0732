// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/syntax.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "util/addr.h"
#include "util/number.h"
#include "util/printable.h"

#define CRL_SCHEME "http://"
#define LABEL_MAX 63 /* RFC 1035, 2.3.4 */
#define STATUS_MIN 100
#define STATUS_MAX 599

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

const char *syntax_name(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!is_word(*c) && *c != '.')
			return "has a character that is not allowed";
	return NULL;
}

const char *syntax_interface(const char *text)
{
	if (!strcmp(text, ".") || !strcmp(text, ".."))
		return "is no name of an interface";
	for (const char *c = text; *c; c++)
		if (printable_is_control(*c) || *c == ' ' || *c == '/' || *c == ':')
			return "has a character that is not allowed";
	return NULL;
}

/* One label of a DNS name. */
static bool is_label(const char *label, size_t len)
{
	if (len == 0 || len > LABEL_MAX || label[0] == '-' || label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_word(label[i]))
			return false;
	return true;
}

static bool is_number(const char *label, size_t len)
{
	return strspn(label, "0123456789") >= len;
}

const char *syntax_host(const char *text)
{
	struct addr addr;

	if (!addr_parse(&addr, text))
		return NULL;
	if (strchr(text, ':'))
		return "is neither a host name nor an IP address (ports are a key of their own)";

	for (const char *label = text;;) {
		size_t len = strcspn(label, ".");

		if (!is_label(label, len))
			return "is neither a host name nor an IP address";
		/* A name whose last label is a number would be taken for an IPv4 address. */
		if (!label[len] || !label[len + 1])
			return is_number(label, len) ? "is not an IP address" : NULL;
		label += len + 1;
	}
}

const char *syntax_url_path(const char *text)
{
	if (text[0] != '/')
		return "does not start with '/'";
	for (const char *c = text; *c; c++) {
		if (printable_is_control(*c) || *c == ' ')
			return "has blanks or control characters";
		if (!isascii((unsigned char)*c))
			return "has characters that must be percent-encoded";
	}
	return NULL;
}

/* The authority's end is known; whether it is a host with or without a port. */
static const char *check_authority(const char *text, size_t len)
{
	char host[LIMIT_HOST_BYTES + sizeof("[]:65535")];
	char *colon;
	uint64_t port;

	if (!len || len >= sizeof(host))
		return "is a URL without a proper host";
	memcpy(host, text, len);
	host[len] = '\0';
	colon = strrchr(host, ':');
	/* In brackets, colons belong to the address. */
	if (colon && !strchr(colon, ']')) {
		if (number_parse(&port, colon + 1, 1, UINT16_MAX) < 0)
			return "is a URL whose port is not a number from 1 to 65535";
		*colon = '\0';
	}
	return syntax_host(host) ? "is a URL without a proper host" : NULL;
}

const char *syntax_url(const char *text)
{
	const char *authority = strstr(text, "://");
	const char *problem;
	size_t len;

	if (!authority)
		return "is not a URL";
	authority += strlen("://");
	len = strcspn(authority, "/?#");
	problem = check_authority(authority, len);
	if (problem || !authority[len])
		return problem;
	if (strchr(authority, '#'))
		return "is a URL with a fragment";
	return syntax_url_path(authority + len);
}

const char *syntax_file(const char *text)
{
	for (const char *c = text; *c; c++)
		if (printable_is_control(*c))
			return "has control characters";
	return NULL;
}

const char *syntax_crl(const char *text)
{
	if (!*text)
		return "is empty";
	if (!strstr(text, "://"))
		return syntax_file(text);
	/* Over TLS, fetching a list could need the very list. */
	if (strncmp(text, CRL_SCHEME, strlen(CRL_SCHEME)) != 0)
		return "is a URL of another scheme than http: revocation lists are signed themselves";
	return syntax_url(text);
}

/* The text without its "/tcp" or "/udp", if it ends so. */
static size_t without_transport(const char *text)
{
	size_t len = strlen(text);

	if (len > 4 && (!strcmp(text + len - 4, "/tcp") || !strcmp(text + len - 4, "/udp")))
		return len - 4;
	return len;
}

/* The address and port before the transport, or all of the text; NULL: fine. */
static const char *listen_parse(struct addr *ret_addr, uint16_t *ret_port, const char *text,
				size_t len)
{
	char bare[SL_TEXT_LEN];
	const char *colon;
	uint64_t number;

	if (len >= sizeof(bare))
		return "is not an address and port";
	memcpy(bare, text, len);
	bare[len] = '\0';

	if (!addr_port_parse(ret_addr, ret_port, bare))
		return NULL;
	colon = strrchr(bare, ':');
	if (colon && number_parse(&number, colon + 1, 1, UINT16_MAX) == -ERANGE)
		return "port is out of range";
	return "is not an address and port";
}

/* 0.0.0.0 or [::], which stand for all addresses of this host. */
static bool is_any(const struct addr *addr)
{
	static const uint8_t zeros[SL_ADDR_LEN];
	size_t prefix = addr_is_v4(addr) ? SL_ADDR_LEN - sizeof(struct in_addr) : 0;

	return !memcmp(addr->bytes + prefix, zeros, SL_ADDR_LEN - prefix);
}

const char *syntax_listen(struct sl_target_key *ret, const char *text)
{
	const char *problem;
	struct addr addr;
	uint16_t port;

	problem = listen_parse(&addr, &port, text, strlen(text));
	if (!problem && !is_any(&addr))
		problem = addr_unusable(&addr);
	if (problem)
		return problem;
	*ret = (struct sl_target_key){ .port = port, .proto = SL_TCP };
	memcpy(ret->addr, addr.bytes, sizeof(ret->addr));
	return NULL;
}

const char *syntax_service(struct sl_target_key *ret, const char *text)
{
	size_t len = without_transport(text);
	const char *problem;
	struct addr addr;
	uint16_t port;

	problem = listen_parse(&addr, &port, text, len);
	if (!problem)
		problem = addr_unusable(&addr);
	if (problem)
		return problem;

	*ret = (struct sl_target_key){
		.port = port,
		.proto = strcmp(text + len, "/udp") ? SL_TCP : SL_UDP,
	};
	memcpy(ret->addr, addr.bytes, sizeof(ret->addr));
	return NULL;
}

const char *syntax_ports(struct port_range *ret, const char *text)
{
	const char *dash = strchr(text, '-');
	uint64_t low, high;
	char first[sizeof("65535")];

	if (!dash || (size_t)(dash - text) >= sizeof(first))
		return "is not a range of ports";
	snprintf(first, sizeof(first), "%.*s", (int)(dash - text), text);
	if (number_parse(&low, first, NAT_PORT_MIN, UINT16_MAX) < 0 ||
	    number_parse(&high, dash + 1, NAT_PORT_MIN, UINT16_MAX) < 0)
		return "is not a range of ports";
	if (high < low + NAT_PORTS_MIN - 1)
		return "has too few ports";

	*ret = (struct port_range){ (uint16_t)low, (uint16_t)high };
	return NULL;
}

static const char *skip_blanks(const char *text)
{
	while (*text == ' ')
		text++;
	return text;
}

/* The number at *text, which moves behind it. False: there is none. */
static bool take_code(uint16_t *ret, const char **text)
{
	const char *start = *text;
	unsigned int code = 0;

	for (; isdigit((unsigned char)**text); (*text)++)
		if (code <= STATUS_MAX)
			code = code * 10 + (unsigned int)(**text - '0');
	*ret = (uint16_t)code;
	return *text != start;
}

static const char *take_range(struct status_range *ret, const char **text)
{
	bool good;

	*text = skip_blanks(*text);
	good = take_code(&ret->low, text);
	ret->high = ret->low;
	*text = skip_blanks(*text);
	if (good && **text == '-') {
		*text = skip_blanks(*text + 1);
		good = take_code(&ret->high, text);
		*text = skip_blanks(*text);
	}
	if (!good || (**text && **text != ','))
		return "is not a list of status codes";
	if (ret->low < STATUS_MIN || ret->low > STATUS_MAX || ret->high < STATUS_MIN ||
	    ret->high > STATUS_MAX)
		return "has a status code out of range";
	if (ret->high < ret->low)
		return "has a range that ends before it starts";
	return NULL;
}

const char *syntax_status(struct status_range ret[LIMIT_STATUS_RANGES], uint32_t *ret_n,
			  const char *text)
{
	for (uint32_t n = 0; n < LIMIT_STATUS_RANGES; text++) {
		const char *problem = take_range(&ret[n++], &text);

		if (problem)
			return problem;
		if (!*text) {
			*ret_n = n;
			return NULL;
		}
	}
	return "has too many ranges";
}
