// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/number.h"

#define DIGITS_MAX 10 /* of an unsigned int */

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

static const uint8_t *v4_bytes(const struct addr *addr)
{
	return addr->bytes + sizeof(v4_prefix);
}

bool addr_is_v4(const struct addr *addr)
{
	return !memcmp(addr->bytes, v4_prefix, sizeof(v4_prefix));
}

int addr_parse(struct addr *ret_addr, const char *text)
{
	char bare[INET6_ADDRSTRLEN];
	size_t len = strlen(text);
	struct addr addr = { 0 };

	if (inet_pton(AF_INET, text, addr.bytes + sizeof(v4_prefix)) == 1) {
		memcpy(addr.bytes, v4_prefix, sizeof(v4_prefix));
		*ret_addr = addr;
		return 0;
	}

	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len >= sizeof(bare))
		return -EINVAL;
	memcpy(bare, text, len);
	bare[len] = '\0';
	if (inet_pton(AF_INET6, bare, addr.bytes) != 1)
		return -EINVAL;

	*ret_addr = addr;
	return 0;
}

int addr_port_parse(struct addr *ret_addr, uint16_t *ret_port, const char *text)
{
	const char *colon = strrchr(text, ':');
	char host[SL_TEXT_LEN];
	struct addr addr;
	uint64_t port;
	size_t len;
	int r;

	if (!colon)
		return -EINVAL;
	len = (size_t)(colon - text);
	if (!len || len >= sizeof(host))
		return -EINVAL;
	/* Without brackets the last group of an IPv6 address would pass for a port. */
	if (memchr(text, ':', len) && text[0] != '[')
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';

	r = addr_parse(&addr, host);
	if (r < 0)
		return r;
	if (number_parse(&port, colon + 1, 1, UINT16_MAX) < 0)
		return -EINVAL;

	*ret_addr = addr;
	*ret_port = (uint16_t)port;
	return 0;
}

static const char *v4_unusable(const uint8_t *b)
{
	if (b[0] == 0)
		return "is in 0.0.0.0/8, which names no host";
	if (b[0] == 255 && b[1] == 255 && b[2] == 255 && b[3] == 255)
		return "is the broadcast address";
	if ((b[0] & 0xf0) == 0xe0)
		return "is a multicast address";
	return NULL;
}

const char *addr_unusable(const struct addr *addr)
{
	struct in6_addr in6;

	if (addr_is_v4(addr))
		return v4_unusable(v4_bytes(addr));
	/* The macros read whole words, and bytes need not be aligned for that. */
	memcpy(&in6, addr->bytes, sizeof(in6));
	if (IN6_IS_ADDR_UNSPECIFIED(&in6))
		return "is the unspecified address";
	if (IN6_IS_ADDR_MULTICAST(&in6))
		return "is a multicast address";
	if (IN6_IS_ADDR_LINKLOCAL(&in6))
		return "is link-local: it names a host on one interface only";
	return NULL;
}

/* Endpoints are named by the ten thousand, and printf takes its time over each number. Where the text goes on. */
static char *put_number(char *text, unsigned int number)
{
	char digits[DIGITS_MAX];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (n)
		*text++ = digits[--n];
	*text = '\0';
	return text;
}

const char *addr_format(char buf[SL_TEXT_LEN], const struct addr *addr)
{
	const uint8_t *bytes = v4_bytes(addr);
	char *text = buf;

	if (!addr_is_v4(addr))
		return inet_ntop(AF_INET6, addr->bytes, buf, SL_TEXT_LEN);
	for (size_t i = 0; i < 4; i++) {
		if (i)
			*text++ = '.';
		text = put_number(text, bytes[i]);
	}
	return buf;
}

/* The longest IPv6 text has 39 characters, so there is room for the rest. */
const char *addr_port_format(char buf[SL_TEXT_LEN], const struct addr *addr, uint16_t port)
{
	char *text = buf;

	if (addr_is_v4(addr)) {
		addr_format(text, addr);
		text += strlen(text);
	} else {
		*text++ = '[';
		inet_ntop(AF_INET6, addr->bytes, text, INET6_ADDRSTRLEN);
		text += strlen(text);
		*text++ = ']';
	}
	*text++ = ':';
	put_number(text, port);
	return buf;
}

socklen_t addr_to_sockaddr(struct sockaddr_storage *ret_ss, const struct addr *addr, uint16_t port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ret_ss;

	memset(ret_ss, 0, sizeof(*ret_ss));
	if (addr_is_v4(addr)) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, v4_bytes(addr), sizeof(in->sin_addr));
		return sizeof(*in);
	}

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, addr->bytes, sizeof(in6->sin6_addr));
	return sizeof(*in6);
}

int addr_from_sockaddr(struct addr *ret_addr, const struct sockaddr_storage *ss)
{
	static const uint8_t mapped[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	switch (ss->ss_family) {
	case AF_INET:
		memcpy(ret_addr->bytes, mapped, sizeof(mapped));
		memcpy(ret_addr->bytes + sizeof(mapped),
		       &((const struct sockaddr_in *)ss)->sin_addr, sizeof(struct in_addr));
		return 0;
	case AF_INET6:
		memcpy(ret_addr->bytes, &((const struct sockaddr_in6 *)ss)->sin6_addr,
		       sizeof(ret_addr->bytes));
		return 0;
	default:
		return -EAFNOSUPPORT;
	}
}
