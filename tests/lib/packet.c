// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/packet.h"

#include <arpa/inet.h>
#include <assert.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#define IPV4_LEN 20u
#define IPV6_LEN 40u
#define TCP_LEN 20
#define UDP_LEN 8
#define ICMP_LEN 8
#define WORD 4
#define TAG_LEN 4
#define IPV4_CHECK 10
#define TCP_CHECK 16
#define UDP_CHECK 6
#define ICMP_CHECK 2
#define LONGEST_EXTENSION 255
#define ICMP_ECHO_ID 0x1234

static void put16(uint8_t *to, unsigned int value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
	put16(to, value >> 16);
	put16(to + 2, value & 0xffff);
}

static unsigned int get16(const uint8_t *from)
{
	return (unsigned int)from[0] << 8 | from[1];
}

static uint32_t add_bytes(uint32_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

uint16_t packet_checksum(const uint8_t *ip, uint8_t proto, const uint8_t *bytes, size_t len)
{
	uint32_t sum = add_bytes(0, bytes, len);

	if (proto) {
		bool v6 = ip[0] >> 4 == 6;

		sum = v6 ? add_bytes(sum, ip + 8, 32) : add_bytes(sum, ip + 12, 8);
		sum += (uint32_t)(len + proto);
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static bool is_v6(const struct packet_desc *desc)
{
	return strchr(desc->dst, ':') != NULL;
}

static uint8_t l4_proto(const struct packet_desc *desc)
{
	if (desc->inner)
		return is_v6(desc->inner) ? IPPROTO_IPV6 : IPPROTO_IPIP;
	if (desc->quoted || desc->icmp_type)
		return is_v6(desc) ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	return desc->proto ? desc->proto : IPPROTO_TCP;
}

static size_t build_tcp(uint8_t *to, const struct packet_desc *desc)
{
	size_t header = TCP_LEN + desc->tcp_options;
	size_t doff = desc->doff ? desc->doff : header / WORD;

	put16(to, desc->sport);
	put16(to + 2, desc->dport);
	put32(to + 4, desc->seq);
	put32(to + 8, desc->ack);
	to[12] = (uint8_t)(doff << 4);
	to[13] = desc->tcp_flags;
	memset(to + TCP_LEN, 1, desc->tcp_options);
	return header;
}

static size_t build_udp(uint8_t *to, const struct packet_desc *desc)
{
	put16(to, desc->sport);
	put16(to + 2, desc->dport);
	put16(to + 4, (unsigned int)(UDP_LEN + (int)desc->payload + desc->udp_len_add));
	return UDP_LEN;
}

static size_t build_ip(uint8_t *to, const struct packet_desc *desc);

static size_t build_icmp(uint8_t *to, const struct packet_desc *desc)
{
	uint8_t quoted[PACKET_MAX] = { 0 };
	size_t quoted_len, keep;

	to[0] = desc->icmp_type;
	to[1] = desc->icmp_code;
	if (!desc->quoted) {
		put16(to + WORD, ICMP_ECHO_ID);
		return ICMP_LEN;
	}
	put16(to + WORD + 2, desc->icmp_mtu);

	quoted_len = build_ip(quoted, desc->quoted);
	keep = is_v6(desc) ? IPV6_LEN + PACKET_EXT_LEN * strlen(desc->quoted->extensions ?: "")
			   : IPV4_LEN + desc->quoted->ip_options;
	keep += desc->quoted_bytes ? desc->quoted_bytes : PACKET_QUOTED;
	if (keep > quoted_len)
		keep = quoted_len;
	memcpy(to + ICMP_LEN, quoted, keep);
	return ICMP_LEN + keep;
}

static size_t build_l4(uint8_t *to, const uint8_t *ip, const struct packet_desc *desc)
{
	uint8_t proto = l4_proto(desc);
	size_t len = 0, check = 0;
	uint16_t sum;

	switch (proto) {
	case IPPROTO_TCP:
		len = build_tcp(to, desc);
		check = TCP_CHECK;
		break;
	case IPPROTO_UDP:
		len = build_udp(to, desc);
		check = UDP_CHECK;
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		len = build_icmp(to, desc);
		check = ICMP_CHECK;
		break;
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
		return build_ip(to, desc->inner);
	}
	if (desc->fill && desc->payload >= sizeof(desc->fill))
		put16(to + len, desc->fill);
	for (size_t i = desc->fill ? sizeof(desc->fill) : 0; i < desc->payload; i++)
		to[len + i] = (uint8_t)i;
	len += desc->payload;

	if (check) {
		sum = packet_checksum(ip, proto == IPPROTO_ICMP ? 0 : proto, to, len);
		if (proto == IPPROTO_UDP)
			sum = desc->udp_unchecked ? 0 : sum ? sum : 0xffff;
		put16(to + check, sum);
	}
	return len;
}

static size_t build_ipv4(uint8_t *to, const struct packet_desc *desc)
{
	size_t header = IPV4_LEN + desc->ip_options, len;

	assert(inet_pton(AF_INET, desc->src, to + 12) == 1);
	assert(inet_pton(AF_INET, desc->dst, to + 16) == 1);
	to[0] = (uint8_t)((desc->version ?: 4) << 4 | (desc->ihl ?: header / WORD));
	to[1] = desc->traffic_class;
	put16(to + 4, desc->ip_id);
	put16(to + 6, desc->frag_off);
	to[8] = desc->ttl ?: 64;
	to[9] = l4_proto(desc);
	memset(to + IPV4_LEN, 1, desc->ip_options);

	len = header + build_l4(to + header, to, desc);
	put16(to + 2, (unsigned int)((int)len + desc->ip_len_add));
	put16(to + IPV4_CHECK, packet_checksum(to, 0, to, header));
	return len;
}

static uint8_t extension_type(char kind, uint8_t l4)
{
	switch (kind) {
	case 'h':
		return IPPROTO_HOPOPTS;
	case 'r':
		return IPPROTO_ROUTING;
	case 'd':
	case 'D':
		return IPPROTO_DSTOPTS;
	case 'a':
		return IPPROTO_AH;
	case 'f':
	case 'l':
	case 'o':
		return IPPROTO_FRAGMENT;
	default:
		return l4;
	}
}

static size_t build_extension(uint8_t *to, const char *kind, uint8_t l4, uint16_t id)
{
	size_t len = *kind == 'D' ? (LONGEST_EXTENSION + 1) * PACKET_EXT_LEN : PACKET_EXT_LEN;

	memset(to, 0, len);
	to[0] = extension_type(kind[1], l4);
	if (*kind == 'D')
		to[1] = LONGEST_EXTENSION;
	else if (*kind == 'f')
		put16(to + 2, 1);
	else if (*kind == 'l')
		put16(to + 2, 0x100);
	if (strchr("flo", *kind))
		put16(to + 6, id);
	return len;
}

static size_t build_ipv6(uint8_t *to, const struct packet_desc *desc)
{
	const char *kind = desc->extensions ?: "";
	size_t len = IPV6_LEN;

	assert(inet_pton(AF_INET6, desc->src, to + 8) == 1);
	assert(inet_pton(AF_INET6, desc->dst, to + 24) == 1);
	to[0] = (uint8_t)((desc->version ?: 6) << 4 | desc->traffic_class >> 4);
	to[1] = (uint8_t)(desc->traffic_class << 4);
	to[6] = extension_type(*kind, l4_proto(desc));
	to[7] = desc->ttl ?: 64;
	for (; *kind; kind++)
		len += build_extension(to + len, kind, l4_proto(desc), desc->ip_id);

	len += build_l4(to + len, to, desc);
	put16(to + 4, (unsigned int)((int)len - IPV6_LEN + desc->ip_len_add));
	return len;
}

static size_t build_ip(uint8_t *to, const struct packet_desc *desc)
{
	return is_v6(desc) ? build_ipv6(to, desc) : build_ipv4(to, desc);
}

size_t packet_build(uint8_t *buf, const struct packet_desc *desc)
{
	static const uint8_t macs[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	size_t len = sizeof(macs);
	unsigned int type = is_v6(desc) ? ETH_P_IPV6 : ETH_P_IP;

	memset(buf, 0, PACKET_MAX);
	memcpy(buf, macs, sizeof(macs));
	if (desc->dst_mac)
		buf[0] = desc->dst_mac;
	if (desc->src_mac)
		buf[ETH_ALEN] = desc->src_mac;
	for (uint8_t left = desc->tags; left; left--) {
		put16(buf + len, left > 1 ? ETH_P_8021AD : ETH_P_8021Q);
		put16(buf + len + 2, 100u + left);
		len += TAG_LEN;
	}
	put16(buf + len, desc->ether_type ? desc->ether_type : type);
	len += 2;
	len += build_ip(buf + len, desc);
	memset(buf + len, 0xee, desc->padding);
	return len + desc->padding;
}

static bool ip_ok(const uint8_t *ip, size_t len);

static bool l4_ok(const uint8_t *ip, uint8_t proto, const uint8_t *l4, size_t len)
{
	if (proto == IPPROTO_IPIP || proto == IPPROTO_IPV6)
		return ip_ok(l4, len);
	if (proto == IPPROTO_UDP && !get16(l4 + UDP_CHECK))
		return true;
	return packet_checksum(ip, proto == IPPROTO_ICMP ? 0 : proto, l4, len) == 0;
}

static bool ip_ok(const uint8_t *ip, size_t len)
{
	if (ip[0] >> 4 == 6)
		return len == IPV6_LEN + get16(ip + 4) &&
		       l4_ok(ip, ip[6], ip + IPV6_LEN, len - IPV6_LEN);
	return len == get16(ip + 2) && packet_checksum(ip, 0, ip, IPV4_LEN) == 0 &&
	       l4_ok(ip, ip[9], ip + IPV4_LEN, len - IPV4_LEN);
}

bool packet_checksums_ok(const uint8_t *frame, size_t len)
{
	const uint8_t *ip = frame + 2 * ETH_ALEN;

	while (get16(ip) == ETH_P_8021Q || get16(ip) == ETH_P_8021AD)
		ip += TAG_LEN;
	ip += 2;
	return ip_ok(ip, len - (size_t)(ip - frame));
}
