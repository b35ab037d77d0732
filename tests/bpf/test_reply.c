// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Replies, byte by byte: a row is a packet to a closed endpoint and the RST or ICMP error that must
 * come back. What is expected is built by the tests' own packet builder, checksums included.
 */
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/packet.h"
#include "tests/lib/rig.h"

#define ID 0
#define TO4 .src = "192.0.2.1", .dst = "10.0.0.5", .sport = 40000
#define TO6 .src = "2001:db8::1", .dst = "fd00::5", .sport = 40000
#define TCP4 TO4, .dport = 443
#define TCP6 TO6, .dport = 443
#define UDP4 TO4, .dport = 53, .proto = IPPROTO_UDP
#define UDP6 TO6, .dport = 53, .proto = IPPROTO_UDP

#define DONT_FRAGMENT 0x4000

struct tcp_row {
	const char *name;
	struct packet_desc desc;
	uint32_t seq, ack; /* of the RST */
	uint8_t flags;
};

static const struct tcp_row tcp_rows[] = {
	{ "SYN",
	  { TCP4, .tcp_flags = PACKET_SYN, .seq = 1000, .tcp_options = 20 },
	  0,
	  1001,
	  PACKET_RST | PACKET_ACK },
	{ "SYN v6",
	  { TCP6, .tcp_flags = PACKET_SYN, .seq = 1000, .tcp_options = 20 },
	  0,
	  1001,
	  PACKET_RST | PACKET_ACK },
	{ "SYN with one word of options",
	  { TCP4, .tcp_flags = PACKET_SYN, .seq = 1000, .tcp_options = 4 },
	  0,
	  1001,
	  PACKET_RST | PACKET_ACK },
	{ "SYN with two words of options v6",
	  { TCP6, .tcp_flags = PACKET_SYN, .seq = 1000, .tcp_options = 8, .padding = 3 },
	  0,
	  1001,
	  PACKET_RST | PACKET_ACK },
	{ "SYN with the most options",
	  { TCP4, .tcp_flags = PACKET_SYN, .seq = 1000, .tcp_options = 40, .padding = 2 },
	  0,
	  1001,
	  PACKET_RST | PACKET_ACK },
	{ "SYN with the most options v6",
	  { TCP6, .tcp_flags = PACKET_SYN, .seq = 1000, .tcp_options = 40 },
	  0,
	  1001,
	  PACKET_RST | PACKET_ACK },
	{ "SYN without options",
	  { TCP4, .tcp_flags = PACKET_SYN, .seq = 7, .padding = 6 },
	  0,
	  8,
	  PACKET_RST | PACKET_ACK },
	{ "SYN at the end of the sequence space",
	  { TCP4, .tcp_flags = PACKET_SYN, .seq = 0xffffffff },
	  0,
	  0,
	  PACKET_RST | PACKET_ACK },
	{ "SYN with data",
	  { TCP4, .tcp_flags = PACKET_SYN, .seq = 5, .tcp_options = 12, .payload = 100 },
	  0,
	  106,
	  PACKET_RST | PACKET_ACK },
	{ "SYN with data and padding",
	  { TCP6, .tcp_flags = PACKET_SYN, .seq = 5, .payload = 1, .padding = 9 },
	  0,
	  7,
	  PACKET_RST | PACKET_ACK },
	{ "SYN and FIN",
	  { TCP4, .tcp_flags = PACKET_SYN | PACKET_FIN, .seq = 5 },
	  0,
	  7,
	  PACKET_RST | PACKET_ACK },
	{ "VLAN",
	  { TCP4, .tcp_flags = PACKET_SYN, .seq = 9, .tags = 1 },
	  0,
	  10,
	  PACKET_RST | PACKET_ACK },
	{ "QinQ v6",
	  { TCP6, .tcp_flags = PACKET_SYN, .seq = 9, .tags = 2 },
	  0,
	  10,
	  PACKET_RST | PACKET_ACK },
	{ "IPv4 options",
	  { TCP4, .tcp_flags = PACKET_SYN, .seq = 9, .ip_options = 8 },
	  0,
	  10,
	  PACKET_RST | PACKET_ACK },
	{ "most options",
	  { TCP4, .tcp_flags = PACKET_SYN, .seq = 9, .ip_options = 40, .tcp_options = 40,
	    .payload = 3 },
	  0,
	  13,
	  PACKET_RST | PACKET_ACK },
	{ "extensions",
	  { TCP6, .tcp_flags = PACKET_SYN, .seq = 9, .extensions = "hdrdad", .payload = 3 },
	  0,
	  13,
	  PACKET_RST | PACKET_ACK },
	{ "a long extension",
	  { TCP6, .tcp_flags = PACKET_SYN, .seq = 9, .extensions = "D" },
	  0,
	  10,
	  PACKET_RST | PACKET_ACK },
	{ "first fragment",
	  { TCP4, .tcp_flags = PACKET_SYN, .seq = 9, .frag_off = 0x2000 },
	  0,
	  10,
	  PACKET_RST | PACKET_ACK },
	{ "TTL 1",
	  { TCP4, .tcp_flags = PACKET_SYN, .seq = 9, .ttl = 1 },
	  0,
	  10,
	  PACKET_RST | PACKET_ACK },
	{ "data",
	  { TCP4, .tcp_flags = PACKET_ACK, .seq = 11, .ack = 2222, .payload = 1000 },
	  2222,
	  0,
	  PACKET_RST },
	{ "data v6",
	  { TCP6, .tcp_flags = PACKET_ACK, .seq = 11, .ack = 2222, .payload = 1000 },
	  2222,
	  0,
	  PACKET_RST },
	{ "FIN",
	  { TCP4, .tcp_flags = PACKET_FIN | PACKET_ACK, .seq = 11, .ack = 2222 },
	  2222,
	  0,
	  PACKET_RST },
	{ "SYN-ACK",
	  { TCP4, .tcp_flags = PACKET_SYN | PACKET_ACK, .seq = 11, .ack = 2222 },
	  2222,
	  0,
	  PACKET_RST },
	{ "no flags", { TCP4, .seq = 11, .payload = 5 }, 0, 16, PACKET_RST | PACKET_ACK },
	{ "FIN alone",
	  { TCP4, .tcp_flags = PACKET_FIN, .seq = 11, .payload = 5 },
	  0,
	  17,
	  PACKET_RST | PACKET_ACK },
};

static const struct {
	const char *name;
	struct packet_desc desc;
} udp_rows[] = {
	{ "datagram", { UDP4, .payload = 40 } },
	{ "datagram v6", { UDP6, .payload = 40 } },
	{ "empty datagram", { UDP4, .padding = 18 } },
	{ "empty datagram v6", { UDP6 } },
	{ "odd length", { UDP4, .payload = 1, .padding = 17 } },
	{ "no checksum", { UDP4, .payload = 40, .udp_unchecked = true } },
	{ "large", { UDP6, .payload = 1400 } },
	{ "VLAN", { UDP4, .payload = 40, .tags = 1 } },
	{ "QinQ v6", { UDP6, .payload = 40, .tags = 2 } },
	{ "IPv4 options", { UDP4, .payload = 40, .ip_options = 40, .ip_id = 0xbeef } },
	{ "VLAN and options", { UDP4, .payload = 40, .ip_options = 4, .tags = 1 } },
	{ "extensions", { UDP6, .payload = 40, .extensions = "hdrdad" } },
	{ "first fragment", { UDP4, .payload = 1200, .frag_off = 0x2000, .udp_len_add = 900 } },
	{ "first fragment v6", { UDP6, .payload = 1200, .extensions = "f" } },
	{ "TTL 1", { UDP4, .payload = 40, .ttl = 1 } },
};

static int setup(void **state)
{
	struct rig *rig = *state = rig_new();

	rig_endpoint(rig, ID, "10.0.0.5", 443, SL_TCP);
	rig_endpoint(rig, ID, "10.0.0.5", 53, SL_UDP);
	rig_endpoint(rig, ID, "fd00::5", 443, SL_TCP);
	rig_endpoint(rig, ID, "fd00::5", 53, SL_UDP);
	rig_word(rig, ID,
		 (struct sl_word){ .health = SL_UNHEALTHY,
				   .action = SL_ACTION_REJECT,
				   .flags = SL_WORD_RESET });
	return 0;
}

/* The reply goes back by the way the packet came. */
static size_t build_reply(uint8_t *frame, const struct packet_desc *reply)
{
	size_t len = packet_build(frame, reply);
	uint8_t mac[ETH_ALEN];

	memcpy(mac, frame, ETH_ALEN);
	memcpy(frame, frame + ETH_ALEN, ETH_ALEN);
	memcpy(frame + ETH_ALEN, mac, ETH_ALEN);
	return len;
}

/* The kernel shortens no IP header behind a VLAN tag for tc programs; see test_awkward. */
static bool can_reply(enum rig_program program, const struct packet_desc *desc)
{
	bool longer = desc->ip_options || desc->extensions;

	return program == RIG_XDP || !(desc->tags && longer && desc->proto != IPPROTO_UDP);
}

/* In XDP, the frame of a plain packet without data keeps its length, and what it had behind the RST. */
static bool in_place(enum rig_program program, const struct packet_desc *desc)
{
	return program == RIG_XDP && desc->proto != IPPROTO_UDP && !desc->payload && !desc->tags &&
	       !desc->ip_options && !desc->extensions && !desc->frag_off;
}

static void check(struct rig *rig, const char *name, const struct packet_desc *desc,
		  const struct packet_desc *reply)
{
	uint8_t frame[PACKET_MAX], expected[PACKET_MAX];
	size_t len = packet_build(frame, desc);

	for (enum rig_program p = 0; p < RIG_PROGRAMS; p++) {
		struct rig_result result = rig_run(rig, p, frame, len, (struct rig_skb){ 0 });
		struct packet_desc exact = *reply;
		size_t expected_len;

		if (in_place(p, desc))
			exact.padding = desc->tcp_options + desc->padding;
		expected_len = build_reply(expected, &exact);
		memcpy(expected + expected_len - exact.padding,
		       frame + expected_len - exact.padding, exact.padding);
		assert_true(packet_checksums_ok(expected, expected_len - exact.padding));
		if (!can_reply(p, desc))
			continue;
		if (result.verdict != RIG_REPLY)
			fail_msg("%s, %s: %s", name, rig_program_name(p),
				 rig_decision_name(result.decision));
		if (result.len != expected_len || memcmp(result.frame, expected, expected_len))
			print_message("%s, %s:\n", name, rig_program_name(p));
		assert_int_equal(result.len, expected_len);
		assert_memory_equal(result.frame, expected, expected_len);
	}
}

static void test_rst(void **state)
{
	for (size_t i = 0; i < sizeof(tcp_rows) / sizeof(tcp_rows[0]); i++) {
		const struct tcp_row *row = &tcp_rows[i];
		const struct packet_desc reply = { .src = row->desc.dst,
						   .dst = row->desc.src,
						   .sport = row->desc.dport,
						   .dport = row->desc.sport,
						   .tags = row->desc.tags,
						   .tcp_flags = row->flags,
						   .seq = row->seq,
						   .ack = row->ack,
						   .frag_off = DONT_FRAGMENT };

		check(*state, row->name, &row->desc, &reply);
	}
}

static void test_port_unreachable(void **state)
{
	for (size_t i = 0; i < sizeof(udp_rows) / sizeof(udp_rows[0]); i++) {
		const struct packet_desc *desc = &udp_rows[i].desc;
		bool v6 = strchr(desc->dst, ':');
		const struct packet_desc reply = { .src = desc->dst,
						   .dst = desc->src,
						   .tags = desc->tags,
						   .icmp_type = v6 ? 1 : 3,
						   .icmp_code = v6 ? 4 : 3,
						   .quoted = desc,
						   .frag_off = DONT_FRAGMENT };

		check(*state, udp_rows[i].name, desc, &reply);
	}
}

/* Every checksum that a RST can have, around the corners of one's complement. */
static void test_checksum_corners(void **state)
{
	for (uint32_t i = 0; i < 2000; i++) {
		struct packet_desc desc = { TCP4, .tcp_flags = PACKET_ACK, .ack = i * 0x9e3779b9u };
		uint8_t frame[PACKET_MAX];
		size_t len;
		struct rig_result result;

		desc.sport = (uint16_t)(i * 40503u);
		len = packet_build(frame, &desc);
		result = rig_run(*state, RIG_XDP, frame, len, (struct rig_skb){ 0 });
		assert_int_equal(result.verdict, RIG_REPLY);
		assert_true(packet_checksums_ok(result.frame, result.len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rst, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_port_unreachable, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_checksum_corners, setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
