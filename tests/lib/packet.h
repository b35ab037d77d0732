/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet - frames for tests: built from a description, and checked byte by byte.
 *
 * A description is a designated initialiser; what it leaves out takes the value that an ordinary
 * packet has. Nothing here shares code with the programs under test.
 */
#ifndef SLUICE_TESTS_PACKET_H
#define SLUICE_TESTS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_MAX 10240
#define PACKET_EXT_LEN 8 /* bytes of an ordinary extension header here */

#define PACKET_FIN 0x01
#define PACKET_SYN 0x02
#define PACKET_RST 0x04
#define PACKET_ACK 0x10

/* Bytes of a quoted packet's payload that an ICMP error carries, unless it says otherwise. */
#define PACKET_QUOTED 8

struct packet_desc {
	const char *src, *dst; /* IP literals of one family */
	uint16_t sport, dport;
	uint8_t proto; /* 0: TCP */

	uint8_t tcp_flags; /* 0: none */
	uint32_t seq, ack;
	uint8_t tcp_options; /* bytes of options that do nothing */
	size_t payload; /* bytes */
	uint16_t fill; /* the first two of them, if not 0 */

	const struct packet_desc *inner; /* this packet is a tunnel's, and carries that one */

	uint8_t icmp_type, icmp_code;
	uint16_t icmp_mtu;
	const struct packet_desc *quoted;
	uint8_t quoted_bytes; /* 0: PACKET_QUOTED */

	uint8_t tags; /* VLAN: 802.1Q, with 802.1ad outside if there are several */
	uint16_t ether_type; /* 0: as the addresses say */
	uint8_t ip_options; /* bytes, IPv4 */
	uint16_t frag_off, ip_id; /* IPv4: the fields; the latter is a fragment header's as well */
	/*
	 * IPv6 extension headers: h(op-by-hop), r(outing), d(estination), a(uthentication), D:
	 * destination options of the greatest length; fragment headers f(irst), l(ater), and o(nly).
	 */
	const char *extensions;
	uint8_t ttl; /* 0: 64 */
	uint8_t traffic_class;
	uint8_t version, ihl, doff; /* 0: right; in words */
	int ip_len_add, udp_len_add; /* lies about lengths */
	bool udp_unchecked; /* UDP checksum 0 */
	uint8_t dst_mac, src_mac; /* first byte of the address */
	size_t padding; /* bytes behind the packet */
};

/* Build the frame; returns its length. buf has PACKET_MAX bytes. */
size_t packet_build(uint8_t *buf, const struct packet_desc *desc);

/*
 * Whether every checksum of this frame (IPv4, TCP, UDP, ICMP) is right, inside a tunnel as well; it
 * has no options.
 */
bool packet_checksums_ok(const uint8_t *frame, size_t len);

/* The Internet checksum over bytes, and over a pseudo header for proto if that is not 0. */
uint16_t packet_checksum(const uint8_t *ip, uint8_t proto, const uint8_t *bytes, size_t len);

#endif
