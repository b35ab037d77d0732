// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Awkward packets: the contract of the parser, row by row. The endpoint's gate is closed, so that
 * a packet which is judged is rejected and one that is not passes.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/packet.h"
#include "tests/lib/rig.h"

#define ID 3
#define V4 .src = "192.0.2.1", .dst = "10.0.0.5"
#define V6 .src = "2001:db8::1", .dst = "fd00::5"
#define SYN .sport = 40000, .dport = 443, .tcp_flags = PACKET_SYN
#define DGRAM .proto = IPPROTO_UDP, .sport = 40000, .dport = 53, .payload = 40

#define IPV4_MF 0x2000
#define ETH_LEN 14

struct row {
	const char *name;
	struct packet_desc desc;
	enum sl_decision decision;
};

static const struct row rows[] = {
	{ "plain", { V4, SYN }, SL_REJECT_TCP },
	{ "plain v6", { V6, SYN }, SL_REJECT_TCP },
	{ "plain UDP", { V4, DGRAM }, SL_REJECT_UDP },
	{ "plain UDP v6", { V6, DGRAM }, SL_REJECT_UDP },
	{ "empty datagram", { V4, .proto = IPPROTO_UDP, .dport = 53 }, SL_REJECT_UDP },

	{ "ARP", { V4, SYN, .ether_type = 0x0806 }, SL_PASS_NOT_IP },
	{ "LLDP", { V4, SYN, .ether_type = 0x88cc }, SL_PASS_NOT_IP },
	{ "802.3 length", { V4, SYN, .ether_type = 40 }, SL_PASS_NOT_IP },
	{ "ARP in a VLAN", { V4, SYN, .tags = 1, .ether_type = 0x0806 }, SL_PASS_NOT_IP },

	{ "VLAN", { V4, SYN, .tags = 1 }, SL_REJECT_TCP },
	{ "VLAN v6", { V6, SYN, .tags = 1 }, SL_REJECT_TCP },
	{ "QinQ", { V4, SYN, .tags = 2 }, SL_REJECT_TCP },
	{ "QinQ v6", { V6, DGRAM, .tags = 2 }, SL_REJECT_UDP },
	{ "three tags", { V4, SYN, .tags = 3 }, SL_PASS_UNPARSED },

	{ "IPv4 options", { V4, SYN, .ip_options = 4 }, SL_REJECT_TCP },
	{ "most IPv4 options", { V4, SYN, .ip_options = 40, .tcp_options = 40 }, SL_REJECT_TCP },
	{ "UDP behind IPv4 options", { V4, DGRAM, .ip_options = 40 }, SL_REJECT_UDP },

	{ "hop-by-hop", { V6, SYN, .extensions = "h" }, SL_REJECT_TCP },
	{ "routing", { V6, SYN, .extensions = "r" }, SL_REJECT_TCP },
	{ "destination options", { V6, DGRAM, .extensions = "d" }, SL_REJECT_UDP },
	{ "authentication", { V6, SYN, .extensions = "a" }, SL_REJECT_TCP },
	{ "six extensions", { V6, SYN, .extensions = "hdrdad" }, SL_REJECT_TCP },
	{ "eight extensions", { V6, SYN, .extensions = "hdrdadda" }, SL_REJECT_TCP },
	{ "nine extensions", { V6, SYN, .extensions = "hdrdaddad" }, SL_PASS_UNPARSED },
	{ "a long extension", { V6, SYN, .extensions = "D" }, SL_REJECT_TCP },
	/* Longer than an ICMP error of ours quotes. */
	{ "UDP behind a long extension", { V6, DGRAM, .extensions = "D" }, SL_DROP_NO_REPLY },
	{ "UDP behind 27 extensions' worth",
	  { V6, DGRAM, .extensions = "hdrdadda" },
	  SL_REJECT_UDP },
	{ "no next header", { V6, .proto = IPPROTO_NONE, .payload = 8 }, SL_PASS_NOT_OURS },
	{ "ESP", { V6, .proto = IPPROTO_ESP, .payload = 40 }, SL_PASS_NOT_OURS },
	{ "ESP v4", { V4, .proto = IPPROTO_ESP, .payload = 40 }, SL_PASS_NOT_OURS },
	{ "ICMPv6 in IPv4", { V4, .proto = IPPROTO_ICMPV6, .payload = 40 }, SL_PASS_NOT_OURS },
	{ "ICMP in IPv6", { V6, .proto = IPPROTO_ICMP, .payload = 40 }, SL_PASS_NOT_OURS },
	{ "extensions in IPv4", { V4, .proto = IPPROTO_HOPOPTS, .payload = 40 }, SL_PASS_NOT_OURS },

	{ "first fragment", { V4, SYN, .frag_off = IPV4_MF }, SL_REJECT_TCP },
	{ "first fragment of a datagram",
	  { V4, DGRAM, .frag_off = IPV4_MF, .udp_len_add = 900 },
	  SL_REJECT_UDP },
	{ "first fragment too small",
	  { V4, .proto = IPPROTO_UDP, .dport = 53, .frag_off = IPV4_MF, .ip_len_add = -4 },
	  SL_PASS_UNPARSED },
	{ "don't fragment", { V4, SYN, .frag_off = 0x4000 }, SL_REJECT_TCP },
	{ "middle fragment", { V4, SYN, .frag_off = IPV4_MF | 185 }, SL_PASS_FRAGMENT },
	{ "last fragment", { V4, DGRAM, .frag_off = 185 }, SL_PASS_FRAGMENT },
	{ "fragment at the smallest offset", { V4, SYN, .frag_off = 1 }, SL_PASS_FRAGMENT },
	{ "first fragment v6", { V6, SYN, .extensions = "f" }, SL_REJECT_TCP },
	{ "first fragment of a datagram v6",
	  { V6, DGRAM, .extensions = "hf", .udp_len_add = 900 },
	  SL_REJECT_UDP },
	{ "later fragment v6", { V6, SYN, .extensions = "l" }, SL_PASS_FRAGMENT },
	{ "later fragment behind extensions", { V6, SYN, .extensions = "hrl" }, SL_PASS_FRAGMENT },
	{ "the only fragment v6", { V6, SYN, .extensions = "o" }, SL_REJECT_TCP },
	{ "the only fragment lies about its length",
	  { V6, DGRAM, .extensions = "o", .udp_len_add = 900 },
	  SL_PASS_UNPARSED },

	{ "padding", { V4, SYN, .padding = 6 }, SL_REJECT_TCP },
	{ "padding v6", { V6, SYN, .padding = 30 }, SL_REJECT_TCP },
	{ "IP length beyond the frame", { V4, SYN, .ip_len_add = 1 }, SL_PASS_UNPARSED },
	{ "IP length beyond the frame v6", { V6, SYN, .ip_len_add = 1 }, SL_PASS_UNPARSED },
	{ "IP length beyond, to padding",
	  { V4, SYN, .ip_len_add = 7, .padding = 6 },
	  SL_PASS_UNPARSED },
	{ "IP length beyond, of a stranger",
	  { V4, .dport = 1, .ip_len_add = 1 },
	  SL_PASS_UNPARSED },
	{ "IP length beyond, ICMP", { V4, .icmp_type = 8, .ip_len_add = 9 }, SL_PASS_UNPARSED },
	{ "IP length beyond, later fragment",
	  { V4, SYN, .frag_off = 185, .ip_len_add = 9 },
	  SL_PASS_UNPARSED },
	{ "IP length without room for TCP", { V4, SYN, .ip_len_add = -1 }, SL_PASS_UNPARSED },
	{ "IP length without room for TCP v6", { V6, SYN, .ip_len_add = -1 }, SL_PASS_UNPARSED },
	{ "IP length without room for UDP",
	  { V4, .proto = IPPROTO_UDP, .dport = 53, .ip_len_add = -1 },
	  SL_PASS_UNPARSED },
	{ "IP length less than its header", { V4, SYN, .ip_len_add = -21 }, SL_PASS_UNPARSED },
	{ "IP length zero", { V4, SYN, .ip_len_add = -40 }, SL_PASS_UNPARSED },
	{ "IP length zero v6", { V6, SYN, .ip_len_add = -20 }, SL_PASS_UNPARSED },
	{ "IP length without room for extensions",
	  { V6, SYN, .extensions = "hd", .ip_len_add = -21 },
	  SL_PASS_UNPARSED },
	{ "wrong version", { V4, SYN, .version = 6 }, SL_PASS_UNPARSED },
	{ "wrong version v6", { V6, SYN, .version = 4 }, SL_PASS_UNPARSED },
	{ "IHL too small", { V4, SYN, .ihl = 4 }, SL_PASS_UNPARSED },
	{ "IHL beyond the packet", { V4, SYN, .ihl = 15 }, SL_PASS_UNPARSED },
	{ "TCP header too short", { V4, SYN, .doff = 4 }, SL_PASS_UNPARSED },
	{ "TCP header beyond the packet", { V4, SYN, .doff = 6 }, SL_PASS_UNPARSED },
	{ "TCP header in the padding", { V4, SYN, .doff = 6, .padding = 6 }, SL_PASS_UNPARSED },
	{ "UDP length beyond the packet", { V4, DGRAM, .udp_len_add = 1 }, SL_PASS_UNPARSED },
	{ "UDP length too small", { V4, DGRAM, .udp_len_add = -41 }, SL_PASS_UNPARSED },
	{ "UDP length less than the packet", { V4, DGRAM, .udp_len_add = -4 }, SL_REJECT_UDP },

	{ "TTL 1", { V4, SYN, .ttl = 1 }, SL_REJECT_TCP },
	{ "hop limit 1", { V6, DGRAM, .ttl = 1 }, SL_REJECT_UDP },
	{ "UDP checksum 0", { V4, DGRAM, .udp_unchecked = true }, SL_REJECT_UDP },

	{ "to a group MAC", { V4, SYN, .dst_mac = 0x01 }, SL_DROP_NO_REPLY },
	{ "to the broadcast MAC", { V4, DGRAM, .dst_mac = 0xff }, SL_DROP_NO_REPLY },
	{ "from a group MAC", { V4, SYN, .src_mac = 0x03 }, SL_DROP_NO_REPLY },
	{ "from 0.0.0.0", { .src = "0.0.0.0", .dst = "10.0.0.5", SYN }, SL_DROP_NO_REPLY },
	{ "from loopback", { .src = "127.0.0.1", .dst = "10.0.0.5", DGRAM }, SL_DROP_NO_REPLY },
	{ "from multicast", { .src = "224.0.0.1", .dst = "10.0.0.5", DGRAM }, SL_DROP_NO_REPLY },
	{ "from the last multicast",
	  { .src = "239.255.255.255", .dst = "10.0.0.5", SYN },
	  SL_DROP_NO_REPLY },
	{ "from behind multicast", { .src = "240.0.0.1", .dst = "10.0.0.5", SYN }, SL_REJECT_TCP },
	{ "from broadcast",
	  { .src = "255.255.255.255", .dst = "10.0.0.5", DGRAM },
	  SL_DROP_NO_REPLY },
	{ "from ::", { .src = "::", .dst = "fd00::5", SYN }, SL_DROP_NO_REPLY },
	{ "from ::1", { .src = "::1", .dst = "fd00::5", DGRAM }, SL_DROP_NO_REPLY },
	{ "from ff02::1", { .src = "ff02::1", .dst = "fd00::5", DGRAM }, SL_DROP_NO_REPLY },
	{ "from a mapped address",
	  { .src = "::ffff:192.0.2.1", .dst = "fd00::5", SYN },
	  SL_DROP_NO_REPLY },
	{ "from NAT64", { .src = "64:ff9b::192.0.2.1", .dst = "fd00::5", SYN }, SL_REJECT_TCP },
};

static int setup(void **state)
{
	struct rig *rig = *state = rig_new();

	rig_endpoint(rig, ID, "10.0.0.5", 443, SL_TCP);
	rig_endpoint(rig, ID, "10.0.0.5", 53, SL_UDP);
	rig_endpoint(rig, ID, "fd00::5", 443, SL_TCP);
	rig_endpoint(rig, ID, "fd00::5", 53, SL_UDP);
	rig_word(rig, ID, (struct sl_word){ .health = SL_UNHEALTHY, .action = SL_ACTION_REJECT });
	return 0;
}

static bool is_pass(enum sl_decision decision)
{
	return decision <= SL_PASS_DAEMON_LOST;
}

/* Run one frame through every program; each must come to the same decision. */
static void check(struct rig *rig, const char *name, const uint8_t *frame, size_t len,
		  enum sl_decision decision)
{
	for (enum rig_program p = 0; p < RIG_PROGRAMS; p++) {
		struct rig_result result = rig_run(rig, p, frame, len, (struct rig_skb){ 0 });

		if (result.verdict == RIG_REFUSED)
			continue;
		if (result.decision != (int)decision)
			fail_msg("%s (%zu bytes), %s: %s instead of %s", name, len,
				 rig_program_name(p), rig_decision_name(result.decision),
				 rig_decision_name((int)decision));
		assert_int_equal(result.verdict == RIG_PASS, is_pass(decision));
		if (!is_pass(decision))
			continue;
		assert_int_equal(result.len, len);
		assert_memory_equal(result.frame, frame, len);
		assert_int_equal(result.stats.packets, 0);
	}
}

static void test_rows(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t frame[PACKET_MAX];

		check(rig, rows[i].name, frame, packet_build(frame, &rows[i].desc),
		      rows[i].decision);
	}
}

/*
 * A plain frame and one with a tag are parsed in different ways, which must agree. Only XDP: see
 * the next test.
 */
static void test_rows_with_a_tag(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct packet_desc desc = rows[i].desc;
		uint8_t frame[PACKET_MAX];
		struct rig_result result;
		size_t len;

		if (desc.tags)
			continue;
		desc.tags = 1;
		len = packet_build(frame, &desc);
		result = rig_run(*state, RIG_XDP, frame, len, (struct rig_skb){ 0 });
		if (result.decision != (int)rows[i].decision)
			fail_msg("%s, with a tag: %s instead of %s", rows[i].name,
				 rig_decision_name(result.decision),
				 rig_decision_name((int)rows[i].decision));
	}
}

/*
 * For tc programs the kernel shortens no IP header behind a VLAN tag in the data (a packet's first
 * tag is not there, but in the skb's metadata): they drop without a reply.
 */
static void test_options_behind_tags(void **state)
{
	static const struct packet_desc desc = { V4, SYN, .tags = 2, .ip_options = 40 };
	static const enum sl_decision decisions[RIG_PROGRAMS] = { SL_REJECT_TCP, SL_DROP_NO_REPLY,
								  SL_DROP_NO_REPLY };
	uint8_t frame[PACKET_MAX];
	size_t len = packet_build(frame, &desc);

	for (enum rig_program p = 0; p < RIG_PROGRAMS; p++)
		assert_int_equal(rig_run(*state, p, frame, len, (struct rig_skb){ 0 }).decision,
				 decisions[p]);
}

/* Every shorter frame passes, and is never taken for the packet whose beginning it is. */
static void test_truncation(void **state)
{
	static const struct row whole[] = {
		{ "cut SYN", { V4, SYN, .tcp_options = 20 }, 0 },
		{ "cut SYN v6", { V6, SYN, .tcp_options = 20, .tags = 1 }, 0 },
		{ "cut datagram", { V4, DGRAM, .tags = 2 }, 0 },
		{ "cut datagram v6", { V6, DGRAM }, 0 },
		{ "cut IPv4 options", { V4, SYN, .ip_options = 12 }, 0 },
		{ "cut extensions", { V6, SYN, .extensions = "hdf" }, 0 },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		uint8_t frame[PACKET_MAX];
		size_t len = packet_build(frame, &whole[i].desc);

		/* The kernel itself makes no frame of less than an Ethernet header. */
		for (size_t cut = ETH_LEN; cut < len; cut++)
			check(rig, whole[i].name, frame, cut, SL_PASS_UNPARSED);
	}
}

static const struct packet_desc quoted_tcp4 = { .src = "192.0.2.1", .dst = "10.0.0.5", SYN };
static const struct packet_desc quoted_udp4 = { .src = "192.0.2.1", .dst = "10.0.0.5", DGRAM };
static const struct packet_desc quoted_tcp6 = { .src = "2001:db8::1", .dst = "fd00::5", SYN };
static const struct packet_desc quoted_udp6 = { .src = "2001:db8::1", .dst = "fd00::5", DGRAM };
static const struct packet_desc quoted_options = {
	.src = "192.0.2.1", .dst = "10.0.0.5", SYN, .ip_options = 40
};
static const struct packet_desc quoted_chain = {
	.src = "2001:db8::1", .dst = "fd00::5", SYN, .extensions = "hdrdad"
};
static const struct packet_desc quoted_later = {
	.src = "192.0.2.1", .dst = "10.0.0.5", DGRAM, .frag_off = 185
};
static const struct packet_desc quoted_other = { .src = "192.0.2.1", .dst = "10.0.0.6", SYN };
static const struct packet_desc quoted_reply = {
	.src = "10.0.0.5", .dst = "192.0.2.1", .sport = 443, .dport = 40000
};
static const struct packet_desc quoted_icmp = { .src = "192.0.2.1",
						.dst = "10.0.0.5",
						.icmp_type = 8 };
static const struct packet_desc quoted_version = {
	.src = "192.0.2.1", .dst = "10.0.0.5", SYN, .version = 5
};

#define FROM4 .src = "198.51.100.1", .dst = "192.0.2.1"
#define FROM6 .src = "2001:db8:f::1", .dst = "2001:db8::1"

static const struct row icmp_rows[] = {
	{ "unreachable", { FROM4, .icmp_type = 3, .quoted = &quoted_tcp4 }, SL_PASS_ICMP_ERROR },
	{ "time exceeded", { FROM4, .icmp_type = 11, .quoted = &quoted_udp4 }, SL_PASS_ICMP_ERROR },
	{ "parameter problem",
	  { FROM4, .icmp_type = 12, .quoted = &quoted_tcp4 },
	  SL_PASS_ICMP_ERROR },
	{ "source quench", { FROM4, .icmp_type = 4, .quoted = &quoted_tcp4 }, SL_PASS_NOT_OURS },
	{ "redirect", { FROM4, .icmp_type = 5, .quoted = &quoted_tcp4 }, SL_PASS_NOT_OURS },
	{ "unreachable v6", { FROM6, .icmp_type = 1, .quoted = &quoted_tcp6 }, SL_PASS_ICMP_ERROR },
	{ "too big", { FROM6, .icmp_type = 2, .quoted = &quoted_udp6 }, SL_PASS_ICMP_ERROR },
	{ "time exceeded v6",
	  { FROM6, .icmp_type = 3, .quoted = &quoted_tcp6 },
	  SL_PASS_ICMP_ERROR },
	{ "parameter problem v6",
	  { FROM6, .icmp_type = 4, .quoted = &quoted_tcp6 },
	  SL_PASS_ICMP_ERROR },
	{ "neighbour advertisement", { FROM6, .icmp_type = 136, .payload = 24 }, SL_PASS_NOT_OURS },
	{ "in a VLAN",
	  { FROM4, .icmp_type = 3, .quoted = &quoted_tcp4, .tags = 2 },
	  SL_PASS_ICMP_ERROR },
	{ "behind IPv4 options",
	  { FROM4, .icmp_type = 3, .quoted = &quoted_tcp4, .ip_options = 8 },
	  SL_PASS_ICMP_ERROR },
	{ "behind extensions",
	  { FROM6, .icmp_type = 1, .quoted = &quoted_tcp6, .extensions = "hd" },
	  SL_PASS_ICMP_ERROR },
	{ "quotes IPv4 options",
	  { FROM4, .icmp_type = 3, .quoted = &quoted_options },
	  SL_PASS_ICMP_ERROR },
	{ "quotes extensions",
	  { FROM6, .icmp_type = 1, .quoted = &quoted_chain },
	  SL_PASS_ICMP_ERROR },
	{ "quotes more than it must",
	  { FROM4, .icmp_type = 3, .quoted = &quoted_udp4, .quoted_bytes = 40 },
	  SL_PASS_ICMP_ERROR },
	{ "quotes less than it must",
	  { FROM4, .icmp_type = 3, .quoted = &quoted_tcp4, .quoted_bytes = 7 },
	  SL_PASS_UNPARSED },
	{ "quotes garbage",
	  { FROM4, .icmp_type = 3, .quoted = &quoted_version },
	  SL_PASS_UNPARSED },
	{ "quotes the other family",
	  { FROM4, .icmp_type = 3, .quoted = &quoted_tcp6 },
	  SL_PASS_UNPARSED },
	{ "quotes a later fragment",
	  { FROM4, .icmp_type = 3, .quoted = &quoted_later },
	  SL_PASS_FRAGMENT },
	{ "about another endpoint",
	  { FROM4, .icmp_type = 3, .quoted = &quoted_other },
	  SL_PASS_NOT_OURS },
	{ "about what the endpoint sent",
	  { FROM4, .icmp_type = 3, .quoted = &quoted_reply },
	  SL_PASS_NOT_OURS },
	{ "about a ping", { FROM4, .icmp_type = 3, .quoted = &quoted_icmp }, SL_PASS_NOT_OURS },
	{ "longer than the frame",
	  { FROM4, .icmp_type = 3, .quoted = &quoted_tcp4, .ip_len_add = 1 },
	  SL_PASS_UNPARSED },
};

/* ICMP errors pass; those about packets to an endpoint are counted for it. */
static void test_icmp_errors(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(icmp_rows) / sizeof(icmp_rows[0]); i++) {
		const struct row *row = &icmp_rows[i];
		uint8_t frame[PACKET_MAX];
		size_t len = packet_build(frame, &row->desc);

		check(rig, row->name, frame, len, row->decision);
		for (enum rig_program p = 0; p < RIG_PROGRAMS; p++) {
			struct rig_result result =
				rig_run(rig, p, frame, len, (struct rig_skb){ 0 });

			assert_int_equal(result.stats.icmp_errors,
					 row->decision == SL_PASS_ICMP_ERROR);
		}
	}
}

static void test_icmp_truncation(void **state)
{
	static const struct packet_desc errors[] = {
		{ FROM4, .icmp_type = 3, .quoted = &quoted_tcp4 },
		{ FROM6, .icmp_type = 1, .quoted = &quoted_chain, .extensions = "h" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		uint8_t frame[PACKET_MAX];
		size_t len = packet_build(frame, &errors[i]);

		for (size_t cut = ETH_LEN; cut < len; cut++)
			check(rig, "cut ICMP error", frame, cut, SL_PASS_UNPARSED);
	}
}

/* A frame in several buffers: only XDP meets those, and its linear part ends before the packet. */
static void test_jumbo_frame(void **state)
{
	struct packet_desc desc = { V4, .dport = 443, .tcp_flags = PACKET_ACK, .payload = 8960 };
	struct rig *rig = *state;
	uint8_t frame[PACKET_MAX];
	size_t len = packet_build(frame, &desc);
	struct rig_result result;

	result = rig_run(rig, RIG_XDP, frame, len, (struct rig_skb){ 0 });
	assert_int_equal(result.decision, SL_PASS_ESTABLISHED);
	assert_int_equal(result.stats.bytes, len);

	result = rig_run(rig, RIG_XDP, frame, len - 1, (struct rig_skb){ 0 });
	assert_int_equal(result.decision, SL_PASS_UNPARSED);

	rig_word(rig, ID, (struct sl_word){ .health = SL_UNHEALTHY, .flags = SL_WORD_RESET });
	result = rig_run(rig, RIG_XDP, frame, len, (struct rig_skb){ 0 });
	assert_int_equal(result.decision, SL_RESET);
	assert_int_equal(result.verdict, RIG_REPLY);
	assert_int_equal(result.len, ETH_LEN + 40);
	assert_true(packet_checksums_ok(result.frame, result.len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_rows_with_a_tag, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_options_behind_tags, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_truncation, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_icmp_errors, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_icmp_truncation, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_jumbo_frame, setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
