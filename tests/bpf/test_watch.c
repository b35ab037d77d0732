// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What comes of attempts to connect to a guarded endpoint: a row is a story of packets, and what must have
 * been counted at its end. XDP and tc, IPv4 and IPv6; what this host itself sends is watched on egress.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/packet.h"
#include "tests/lib/rig.h"

#define ID 7
#define PORT 443
#define CLIENT_PORT 40000
#define ISN 1000u
#define ENDPOINT_ISN 7000u
#define STORY_MAX 8

/* The packets that stories are made of: by the client, by the endpoint, and by routers about the client's. */
enum event {
	END,
	SYN,
	SYN_ANEW, /* of another attempt, by the same address and port */
	DATA,
	FIN,
	RST, /* of a socket that is closed */
	RST_NOBODY, /* of a host that knows nothing of the connection */
	SYN_ACK,
	SYN_ACK_ALIEN, /* to another SYN */
	REFUSAL,
	REFUSAL_ALIEN,
	REPLY,
	REPLY_FIN,
	REPLY_RST,
	ICMP_NET,
	ICMP_HOST,
	ICMP_PORT,
	ICMP_PROHIBITED,
	ICMP_TOO_BIG,
	ICMP_TTL,
	ICMP_ALIEN, /* port unreachable, but the SYN that it quotes was not sent */
	EVENTS
};

enum side { BY_CLIENT, BY_ENDPOINT, BY_ROUTER };

static const struct facts {
	enum side side;
	uint8_t flags;
	uint32_t seq, ack; /* of a router's: seq is what is quoted */
	uint8_t type4, code4, type6, code6;
} facts[EVENTS] = {
	[SYN] = { BY_CLIENT, PACKET_SYN, .seq = ISN },
	[SYN_ANEW] = { BY_CLIENT, PACKET_SYN, .seq = ISN + 500000 },
	[DATA] = { BY_CLIENT, PACKET_ACK, .seq = ISN + 1, .ack = ENDPOINT_ISN + 1 },
	[FIN] = { BY_CLIENT, PACKET_FIN | PACKET_ACK, .seq = ISN + 1, .ack = ENDPOINT_ISN + 1 },
	[RST] = { BY_CLIENT, PACKET_RST | PACKET_ACK, .seq = ISN + 1, .ack = ENDPOINT_ISN + 1 },
	[RST_NOBODY] = { BY_CLIENT, PACKET_RST, .seq = ISN + 1 },
	[SYN_ACK] = { BY_ENDPOINT, PACKET_SYN | PACKET_ACK, .seq = ENDPOINT_ISN, .ack = ISN + 1 },
	[SYN_ACK_ALIEN] = { BY_ENDPOINT, PACKET_SYN | PACKET_ACK, .ack = ISN + 2 },
	[REFUSAL] = { BY_ENDPOINT, PACKET_RST | PACKET_ACK, .ack = ISN + 1 },
	[REFUSAL_ALIEN] = { BY_ENDPOINT, PACKET_RST | PACKET_ACK, .ack = ISN },
	[REPLY] = { BY_ENDPOINT, PACKET_ACK, .seq = ENDPOINT_ISN + 1, .ack = ISN + 1 },
	[REPLY_FIN] = { BY_ENDPOINT, PACKET_FIN | PACKET_ACK, .ack = ISN + 1 },
	[REPLY_RST] = { BY_ENDPOINT, PACKET_RST, .seq = ENDPOINT_ISN + 1 },
	[ICMP_NET] = { BY_ROUTER, .seq = ISN, .type4 = 3, .code4 = 0, .type6 = 1, .code6 = 0 },
	[ICMP_HOST] = { BY_ROUTER, .seq = ISN, .type4 = 3, .code4 = 1, .type6 = 1, .code6 = 3 },
	[ICMP_PORT] = { BY_ROUTER, .seq = ISN, .type4 = 3, .code4 = 3, .type6 = 1, .code6 = 4 },
	[ICMP_PROHIBITED] = { BY_ROUTER, .seq = ISN, .type4 = 3, .code4 = 13, .type6 = 1,
			      .code6 = 1 },
	[ICMP_TOO_BIG] = { BY_ROUTER, .seq = ISN, .type4 = 3, .code4 = 4, .type6 = 2, .code6 = 0 },
	[ICMP_TTL] = { BY_ROUTER, .seq = ISN, .type4 = 11, .code4 = 0, .type6 = 3, .code6 = 0 },
	[ICMP_ALIEN] = { BY_ROUTER, .seq = ISN + 1, .type4 = 3, .code4 = 3, .type6 = 1,
			 .code6 = 4 },
};

#define SENT SL_ATTEMPT_SENT
#define ANSWERED (SL_ATTEMPT_SENT | SL_ATTEMPT_ANSWERED)
#define COMPLETED (ANSWERED | SL_ATTEMPT_COMPLETED)
#define FAILED (SL_ATTEMPT_SENT | SL_ATTEMPT_FAILED)

static const struct story {
	const char *name;
	enum event events[STORY_MAX];
	uint8_t state;
	struct sl_attempt_stats stats; /* but for times */
	struct sl_evidence evidence;
} stories[] = {
	{ "silence", { SYN }, SENT, { .sent = 1 }, { 0 } },
	{ "sent again",
	  { SYN, SYN, SYN },
	  SENT,
	  { .sent = 1, .retransmitted = 2 },
	  { .retransmitted = 2 } },
	{ "answered",
	  { SYN, SYN_ACK, DATA, REPLY },
	  ANSWERED,
	  { .sent = 1, .answered = 1 },
	  { 0 } },
	{ "answered at last",
	  { SYN, SYN, SYN_ACK },
	  ANSWERED,
	  { .sent = 1, .retransmitted = 1, .answered = 1 },
	  { .retransmitted = 1 } },
	{ "the SYN comes after its answer",
	  { SYN, SYN_ACK, SYN },
	  ANSWERED,
	  { .sent = 1, .retransmitted = 1, .answered = 1 },
	  { 0 } },
	{ "answered twice",
	  { SYN, SYN_ACK, SYN_ACK, SYN_ACK },
	  ANSWERED | SL_ATTEMPT_REPEATED,
	  { .sent = 1, .answered = 1 },
	  { 0 } },
	{ "answered to somebody else", { SYN, SYN_ACK_ALIEN }, SENT, { .sent = 1 }, { 0 } },
	{ "refused", { SYN, REFUSAL }, FAILED, { .sent = 1, .refused = 1 }, { .refused = 1 } },
	{ "refused once",
	  { SYN, REFUSAL, REFUSAL, SYN_ACK },
	  FAILED,
	  { .sent = 1, .refused = 1 },
	  { .refused = 1 } },
	{ "refused, made up", { SYN, REFUSAL_ALIEN, REPLY_RST }, SENT, { .sent = 1 }, { 0 } },
	{ "refused, and tried anew",
	  { SYN, REFUSAL, SYN_ANEW },
	  SENT,
	  { .sent = 2, .refused = 1 },
	  { .refused = 1 } },
	{ "given up for another", { SYN, SYN_ANEW }, SENT, { .sent = 2, .unsampled = 1 }, { 0 } },
	{ "closed by the client",
	  { SYN, SYN_ACK, FIN, REPLY_FIN },
	  COMPLETED | SL_ATTEMPT_FIN_CLIENT | SL_ATTEMPT_FIN_ENDPOINT,
	  { .sent = 1, .answered = 1, .completed = 1, .fin_client = 1, .fin_endpoint = 1 },
	  { 0 } },
	{ "each end counts once",
	  { SYN, SYN_ACK, REPLY_FIN, REPLY_FIN, FIN, FIN },
	  COMPLETED | SL_ATTEMPT_FIN_CLIENT | SL_ATTEMPT_FIN_ENDPOINT,
	  { .sent = 1, .answered = 1, .completed = 1, .fin_client = 1, .fin_endpoint = 1 },
	  { 0 } },
	{ "reset by the client",
	  { SYN, SYN_ACK, RST, RST },
	  COMPLETED | SL_ATTEMPT_RESET,
	  { .sent = 1, .answered = 1, .completed = 1, .reset_client = 1 },
	  { 0 } },
	{ "reset by the endpoint",
	  { SYN, SYN_ACK, REPLY_RST, RST },
	  COMPLETED | SL_ATTEMPT_RESET,
	  { .sent = 1, .answered = 1, .completed = 1, .reset_endpoint = 1 },
	  { 0 } },
	{ "a scan",
	  { SYN, SYN_ACK, RST_NOBODY },
	  ANSWERED | SL_ATTEMPT_RESET | SL_ATTEMPT_FAILED,
	  { .sent = 1, .answered = 1, .abandoned = 1 },
	  { 0 } },
	{ "network unreachable",
	  { SYN, ICMP_NET },
	  FAILED,
	  { .sent = 1, .unreachable = 1, .icmp_net = 1 },
	  { .unreachable = 1 } },
	{ "host unreachable",
	  { SYN, ICMP_HOST },
	  FAILED,
	  { .sent = 1, .unreachable = 1, .icmp_host = 1 },
	  { .unreachable = 1 } },
	{ "port unreachable",
	  { SYN, ICMP_PORT },
	  FAILED,
	  { .sent = 1, .unreachable = 1, .icmp_port = 1 },
	  { .unreachable = 1 } },
	{ "prohibited",
	  { SYN, ICMP_PROHIBITED, SYN, ICMP_PROHIBITED },
	  FAILED,
	  { .sent = 1, .retransmitted = 1, .unreachable = 1, .icmp_prohibited = 2 },
	  { .unreachable = 1 } },
	{ "a loop",
	  { SYN, ICMP_TTL },
	  FAILED,
	  { .sent = 1, .unreachable = 1, .icmp_other = 1 },
	  { .unreachable = 1 } },
	{ "too big",
	  { SYN, SYN_ACK, ICMP_TOO_BIG },
	  ANSWERED,
	  { .sent = 1, .answered = 1, .icmp_too_big = 1 },
	  { 0 } },
	{ "an error about nothing",
	  { SYN, ICMP_ALIEN },
	  SENT,
	  { .sent = 1, .icmp_port = 1 },
	  { 0 } },
	{ "nobody's answer",
	  { SYN_ACK, REFUSAL, REPLY_FIN, REPLY_RST, FIN, RST },
	  0,
	  { 0 },
	  { 0 } },
};

static struct packet_desc packet_of(enum event event, bool v6)
{
	static struct packet_desc quoted;
	const struct facts *f = &facts[event];
	struct packet_desc to_endpoint = { .src = v6 ? "2001:db8::1" : "192.0.2.1",
					   .dst = v6 ? "fd00::5" : "10.0.0.5",
					   .sport = CLIENT_PORT,
					   .dport = PORT,
					   .tcp_flags = f->flags,
					   .seq = f->seq,
					   .ack = f->ack };
	struct packet_desc from = { .src = to_endpoint.dst,
				    .dst = to_endpoint.src,
				    .sport = PORT,
				    .dport = CLIENT_PORT,
				    .tcp_flags = f->flags,
				    .seq = f->seq,
				    .ack = f->ack };

	switch (f->side) {
	case BY_CLIENT:
		return to_endpoint;
	case BY_ENDPOINT:
		return from;
	default:
		quoted = to_endpoint;
		quoted.tcp_flags = PACKET_SYN;
		return (struct packet_desc){ .src = v6 ? "fd00::1" : "10.0.0.1",
					     .dst = to_endpoint.src,
					     .proto = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
					     .icmp_type = v6 ? f->type6 : f->type4,
					     .icmp_code = v6 ? f->code6 : f->code4,
					     .quoted = &quoted };
	}
}

static void add(struct sl_attempt_stats *sum, const struct sl_attempt_stats *stats)
{
	__u64 *to = (__u64 *)sum;
	const __u64 *from = (const __u64 *)stats;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

/* What the client sends goes through to_endpoint, everything else through from. */
static struct sl_attempt_stats tell(struct rig *rig, const struct story *story, bool v6,
				    enum rig_program to_endpoint, enum rig_program from)
{
	struct sl_attempt_stats sum = { 0 };
	uint8_t frame[PACKET_MAX];

	for (const enum event *event = story->events; *event; event++) {
		struct packet_desc desc = packet_of(*event, v6);
		struct rig_result result =
			rig_run(rig, facts[*event].side == BY_CLIENT ? to_endpoint : from, frame,
				packet_build(frame, &desc), (struct rig_skb){ 0 });

		assert_int_equal(result.verdict, RIG_PASS);
		add(&sum, &result.attempts);
	}
	return sum;
}

static void check_story(struct rig *rig, const struct story *story, bool v6,
			enum rig_program to_endpoint, enum rig_program from)
{
	struct sl_attempt_stats sum;
	struct sl_evidence evidence;
	uint64_t times = 0;

	rig_forget_attempts(rig);
	rig_endpoint(rig, ID, v6 ? "fd00::5" : "10.0.0.5", PORT, SL_TCP);
	sum = tell(rig, story, v6, to_endpoint, from);
	for (int i = 0; i < SL_TIME_BUCKETS; i++)
		times += sum.times[i];
	assert_int_equal(times, sum.answered);
	memset(sum.times, 0, sizeof(sum.times));
	sum.times_ns = 0;
	assert_memory_equal(&sum, &story->stats, sizeof(sum));
	assert_int_equal(rig_attempt(rig).head.state, story->state);
	evidence = rig_evidence(rig, ID);
	assert_int_equal(evidence.seen, sum.answered + sum.refused > 0);
	evidence.seen = 0;
	assert_memory_equal(&evidence, &story->evidence, sizeof(evidence));
}

static void test_stories(void **state)
{
	static const enum rig_program ways[][2] = { { RIG_XDP, RIG_XDP },
						    { RIG_TC_INGRESS, RIG_TC_INGRESS },
						    { RIG_TC_EGRESS, RIG_XDP },
						    { RIG_TC_EGRESS, RIG_TC_INGRESS } };

	struct rig *rig = rig_new();

	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
		for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++)
			for (int v6 = 0; v6 < 2; v6++) {
				print_message("%s, %s, IPv%d\n", stories[i].name,
					      rig_program_name(ways[way][0]), v6 ? 6 : 4);
				check_story(rig, &stories[i], v6, ways[way][0], ways[way][1]);
			}
	rig_free(rig);
}

/* What the gate refuses says nothing about the endpoint; while it only observes, it does. */
static void test_closed(void **state)
{
	const struct sl_word closed = { .health = SL_UNHEALTHY, .action = SL_ACTION_REJECT };
	struct packet_desc desc = packet_of(SYN, false);

	(void)state;
	for (enum rig_program program = 0; program < RIG_PROGRAMS; program++)
		for (int observe = 0; observe < 2; observe++) {
			struct rig *rig = rig_new();
			struct sl_meta meta = rig_default_meta();
			uint8_t frame[PACKET_MAX];
			struct rig_result result;

			meta.mode = observe ? SL_MODE_OBSERVE : SL_MODE_ENFORCE;
			rig_meta(rig, &meta);
			rig_endpoint(rig, ID, "10.0.0.5", PORT, SL_TCP);
			rig_word(rig, ID, closed);
			result = rig_run(rig, program, frame, packet_build(frame, &desc),
					 (struct rig_skb){ 0 });
			assert_int_equal(result.decision, SL_REJECT_TCP);
			assert_int_equal(result.attempts.sent, observe);
			assert_int_equal(rig_attempt(rig).head.state, observe ? SENT : 0);
			rig_free(rig);
		}
}

/* What is known of an attempt, for the daemon. */
static void test_slot(void **state)
{
	struct packet_desc desc = packet_of(SYN, false);
	struct rig *rig = rig_new();
	struct sl_attempt attempt;
	uint8_t frame[PACKET_MAX];

	(void)state;
	rig_endpoint(rig, ID, "10.0.0.5", PORT, SL_TCP);
	rig_run(rig, RIG_XDP, frame, packet_build(frame, &desc), (struct rig_skb){ 0 });
	attempt = rig_attempt(rig);
	assert_int_equal(attempt.endpoint, ID);
	assert_int_equal(attempt.isn, ISN);
	assert_int_equal((uint16_t)(attempt.sent_ns >> SL_ATTEMPT_TICK_SHIFT), attempt.head.since);
	rig_free(rig);
}

/* Whatever happens to slots, each attempt is either there or counted as lost sight of. */
static void test_sums(void **state)
{
	struct packet_desc desc = packet_of(SYN, false);
	struct sl_attempt_stats sum = { 0 };
	struct rig *rig = rig_new();
	uint8_t frame[PACKET_MAX];
	uint64_t answered = 0;

	(void)state;
	rig_endpoint(rig, ID, "10.0.0.5", PORT, SL_TCP);
	for (int i = 0; i < 4 * RIG_ATTEMPTS; i++) {
		struct packet_desc answer = packet_of(SYN_ACK, false);
		struct rig_result result;

		desc.sport = answer.dport = (uint16_t)(1024 + i);
		result = rig_run(rig, RIG_XDP, frame, packet_build(frame, &desc),
				 (struct rig_skb){ 0 });
		add(&sum, &result.attempts);
		if (i % 3)
			continue;
		result = rig_run(rig, RIG_XDP, frame, packet_build(frame, &answer),
				 (struct rig_skb){ 0 });
		add(&sum, &result.attempts);
		answered++;
	}
	assert_int_equal(sum.sent, 4 * RIG_ATTEMPTS);
	assert_int_equal(sum.retransmitted, 0);
	assert_int_equal(sum.answered, answered);
	assert_in_range(sum.sent - sum.answered - sum.unsampled, RIG_ATTEMPTS / 2, RIG_ATTEMPTS);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_slot),
		cmocka_unit_test(test_sums),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
