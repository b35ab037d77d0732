// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define V2_SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V2_COMMAND_PROXY 0x21
#define V2_TCP4 0x11
#define V2_TCP6 0x21

/* An IPv4 address is the end of its mapped form. */
#define V4_OFFSET (SL_ADDR_LEN - 4)

static size_t text_header(uint8_t buf[PROXY_HEADER_MAX], const struct proxy_ends *ends)
{
	char source[SL_TEXT_LEN], target[SL_TEXT_LEN];
	int len = snprintf((char *)buf, PROXY_HEADER_MAX, "PROXY %s %s %s %u %u\r\n",
			   addr_is_v4(&ends->target) ? "TCP4" : "TCP6",
			   addr_format(source, &ends->source), addr_format(target, &ends->target),
			   ends->source_port, ends->target_port);

	return (size_t)len;
}

static size_t append(uint8_t *buf, size_t at, const void *data, size_t len)
{
	memcpy(buf + at, data, len);
	return at + len;
}

static size_t binary_header(uint8_t buf[PROXY_HEADER_MAX], const struct proxy_ends *ends)
{
	bool v4 = addr_is_v4(&ends->target);
	size_t skip = v4 ? V4_OFFSET : 0, addr_len = SL_ADDR_LEN - skip, at;
	uint16_t ports[] = { htons(ends->source_port), htons(ends->target_port) };
	uint16_t rest = htons((uint16_t)(2 * addr_len + sizeof(ports)));
	uint8_t kind[] = { V2_COMMAND_PROXY, v4 ? V2_TCP4 : V2_TCP6 };

	at = append(buf, 0, V2_SIGNATURE, sizeof(V2_SIGNATURE) - 1);
	at = append(buf, at, kind, sizeof(kind));
	at = append(buf, at, &rest, sizeof(rest));
	at = append(buf, at, ends->source.bytes + skip, addr_len);
	at = append(buf, at, ends->target.bytes + skip, addr_len);
	return append(buf, at, ports, sizeof(ports));
}

size_t proxy_header(uint8_t buf[PROXY_HEADER_MAX], enum proxy_version version,
		    const struct proxy_ends *ends)
{
	switch (version) {
	case PROXY_V1:
		return text_header(buf, ends);
	case PROXY_V2:
		return binary_header(buf, ends);
	default:
		return 0;
	}
}

int proxy_ends_of(struct proxy_ends *ret_ends, int fd, const struct addr *target,
		  uint16_t target_port)
{
	struct proxy_ends ends = { .target = *target, .target_port = target_port };
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int r;

	if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
		return -errno;
	r = addr_from_sockaddr(&ends.source, &ss);
	if (r < 0)
		return r;
	/* The port stands at the same place in both. */
	ends.source_port = ntohs(((const struct sockaddr_in *)&ss)->sin_port);
	*ret_ends = ends;
	return 0;
}
