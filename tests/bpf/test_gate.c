// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every decision about a packet to an endpoint: a row is the endpoint's word and a packet, and what
 * must come of it. All three programs run every row, enforcing and observing.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/lib/packet.h"
#include "tests/lib/rig.h"
#include "util/clock.h"

#define ID 7
#define TCP4 .src = "192.0.2.1", .dst = "10.0.0.5", .sport = 40000, .dport = 443
#define TCP6 .src = "2001:db8::1", .dst = "fd00::5", .sport = 40000, .dport = 443
#define UDP4 .src = "192.0.2.1", .dst = "10.0.0.5", .dport = 53, .proto = IPPROTO_UDP
#define UDP6 .src = "2001:db8::1", .dst = "fd00::5", .dport = 53, .proto = IPPROTO_UDP

/* The packets of an endpoint's life; every row is tried with each of them. */
enum kind { SYN, SYN6, DATA, RST, DGRAM, DGRAM6, KINDS };

static const struct packet_desc packets[KINDS] = {
	[SYN] = { TCP4, .tcp_flags = PACKET_SYN, .tcp_options = 20 },
	[SYN6] = { TCP6, .tcp_flags = PACKET_SYN, .tcp_options = 20 },
	[DATA] = { TCP4, .tcp_flags = PACKET_ACK, .payload = 100 },
	[RST] = { TCP4, .tcp_flags = PACKET_RST },
	[DGRAM] = { UDP4, .payload = 40 },
	[DGRAM6] = { UDP6, .payload = 40 },
};

struct row {
	const char *name;
	struct sl_word word;
	enum sl_decision tcp, udp, data, rst;
};

#define ALL(d) d, d, d, d
#define WORD(h, a, act, f)                                         \
	{                                                          \
		.health = h, .admin = a, .action = act, .flags = f \
	}
#define UNTIL(s)                                                                        \
	{                                                                               \
		.health = SL_HEALTHY, .admin = SL_DRAINING, .action = SL_ACTION_REJECT, \
		.deadline_s = (s),                                                      \
	}
#define R SL_ACTION_REJECT
#define D SL_ACTION_DROP
#define P SL_ACTION_PASS
#define EST SL_PASS_ESTABLISHED
#define FORCED SL_WORD_FORCED
#define RESETS SL_WORD_RESET

static const struct row rows[] = {
	{ "a new endpoint is unknown", WORD(0, 0, 0, 0), ALL(SL_PASS_UNKNOWN) },
	{ "unknown, reject", WORD(SL_UNKNOWN, SL_ENABLED, R, RESETS), ALL(SL_PASS_UNKNOWN) },
	{ "healthy, reject", WORD(SL_HEALTHY, SL_ENABLED, R, RESETS), ALL(SL_PASS_HEALTHY) },
	{ "forced", WORD(SL_UNHEALTHY, SL_ENABLED, R, FORCED | RESETS), ALL(SL_PASS_FORCED) },
	{ "unhealthy, pass", WORD(SL_UNHEALTHY, SL_ENABLED, P, 0), SL_PASS_POLICY, SL_PASS_POLICY,
	  EST, EST },
	{ "unhealthy, drop", WORD(SL_UNHEALTHY, SL_ENABLED, D, 0), SL_DROP_CLOSED, SL_DROP_CLOSED,
	  EST, EST },
	{ "unhealthy, reject", WORD(SL_UNHEALTHY, SL_ENABLED, R, 0), SL_REJECT_TCP, SL_REJECT_UDP,
	  EST, EST },
	{ "unhealthy, reset", WORD(SL_UNHEALTHY, SL_ENABLED, R, RESETS), SL_REJECT_TCP,
	  SL_REJECT_UDP, SL_RESET, EST },
	{ "unhealthy, drop and reset", WORD(SL_UNHEALTHY, SL_ENABLED, D, RESETS), SL_DROP_CLOSED,
	  SL_DROP_CLOSED, SL_RESET, EST },
	{ "draining", WORD(SL_HEALTHY, SL_DRAINING, R, 0), SL_REJECT_TCP, SL_REJECT_UDP, EST, EST },
	{ "draining, time left", UNTIL(UINT32_MAX), SL_REJECT_TCP, SL_REJECT_UDP, EST, EST },
	{ "draining, time over", UNTIL(1), SL_REJECT_TCP, SL_REJECT_UDP, SL_RESET, EST },
	{ "disabled", WORD(SL_UNKNOWN, SL_DISABLED, D, 0), SL_DROP_CLOSED, SL_DROP_CLOSED, EST,
	  EST },
	{ "disabled although forced", WORD(SL_UNHEALTHY, SL_DISABLED, R, FORCED | RESETS),
	  SL_REJECT_TCP, SL_REJECT_UDP, SL_RESET, EST },
	{ "an action from the future passes", WORD(SL_UNHEALTHY, SL_ENABLED, 9, 0), SL_PASS_POLICY,
	  SL_PASS_POLICY, EST, EST },
	{ "a health from the future passes", WORD(9, SL_ENABLED, R, 0), ALL(SL_PASS_UNKNOWN) },
};

static enum sl_decision expected(const struct row *row, enum kind kind)
{
	switch (kind) {
	case SYN:
	case SYN6:
		return row->tcp;
	case DATA:
		return row->data;
	case RST:
		return row->rst;
	default:
		return row->udp;
	}
}

static enum rig_verdict verdict_of(enum sl_decision decision)
{
	switch (decision) {
	case SL_REJECT_TCP:
	case SL_REJECT_UDP:
	case SL_RESET:
		return RIG_REPLY;
	case SL_DROP_CLOSED:
	case SL_DROP_LIMITED:
	case SL_DROP_NO_REPLY:
		return RIG_DROP;
	default:
		return RIG_PASS;
	}
}

/* Both families and both protocols of the one endpoint. */
static int setup(void **state)
{
	struct rig *rig = *state = rig_new();

	rig_endpoint(rig, ID, "10.0.0.5", 443, SL_TCP);
	rig_endpoint(rig, ID, "10.0.0.5", 53, SL_UDP);
	rig_endpoint(rig, ID, "fd00::5", 443, SL_TCP);
	rig_endpoint(rig, ID, "fd00::5", 53, SL_UDP);
	return 0;
}

static void check_stats(const struct sl_endpoint_stats *stats, const struct packet_desc *desc,
			size_t len, enum sl_decision decision)
{
	bool syn = desc->tcp_flags & PACKET_SYN;

	assert_int_equal(stats->packets, 1);
	assert_int_equal(stats->bytes, len);
	assert_int_equal(stats->syn, syn);
	assert_int_equal(stats->rejected, decision == SL_REJECT_TCP || decision == SL_REJECT_UDP);
	assert_int_equal(stats->dropped,
			 decision == SL_DROP_CLOSED || decision == SL_DROP_NO_REPLY);
	assert_int_equal(stats->reset, decision == SL_RESET);
	assert_int_equal(stats->limited, decision == SL_DROP_LIMITED);
	assert_int_equal(stats->icmp_errors, 0);
}

static struct rig_result run_one(struct rig *rig, enum rig_program program,
				 const struct packet_desc *desc, enum sl_decision decision,
				 const char *name)
{
	uint8_t frame[PACKET_MAX];
	size_t len = packet_build(frame, desc);
	struct rig_result result = rig_run(rig, program, frame, len, (struct rig_skb){ 0 });

	if (result.decision != (int)decision)
		fail_msg("%s, %s: %s instead of %s", name, rig_program_name(program),
			 rig_decision_name(result.decision), rig_decision_name(decision));
	check_stats(&result.stats, desc, len, decision);
	if (result.verdict == RIG_PASS) {
		assert_int_equal(result.len, len);
		assert_memory_equal(result.frame, frame, len);
	}
	return result;
}

static void check_mode(struct rig *rig, enum sl_mode mode)
{
	struct sl_meta meta = rig_default_meta();

	meta.mode = mode;
	rig_meta(rig, &meta);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig_word(rig, ID, rows[i].word);
		for (enum kind kind = 0; kind < KINDS; kind++) {
			enum sl_decision decision = expected(&rows[i], kind);
			enum rig_verdict verdict =
				mode == SL_MODE_OBSERVE ? RIG_PASS : verdict_of(decision);

			for (enum rig_program p = 0; p < RIG_PROGRAMS; p++) {
				struct rig_result result =
					run_one(rig, p, &packets[kind], decision, rows[i].name);

				assert_int_equal(result.verdict, verdict);
			}
		}
	}
}

static void test_enforce(void **state)
{
	check_mode(*state, SL_MODE_ENFORCE);
}

static void test_observe_passes_everything_unchanged(void **state)
{
	check_mode(*state, SL_MODE_OBSERVE);
}

/* Flags that are no ordinary SYN: which of them open a flow, and which may be answered. */
static void test_tcp_flags(void **state)
{
	static const struct {
		uint8_t flags;
		enum sl_decision keep, reset;
	} flags[] = {
		{ PACKET_SYN, SL_REJECT_TCP, SL_REJECT_TCP },
		{ PACKET_SYN | PACKET_FIN, SL_REJECT_TCP, SL_REJECT_TCP },
		{ PACKET_SYN | PACKET_ACK, EST, SL_RESET },
		{ PACKET_SYN | PACKET_RST, EST, EST },
		{ PACKET_ACK, EST, SL_RESET },
		{ PACKET_FIN | PACKET_ACK, EST, SL_RESET },
		{ PACKET_RST | PACKET_ACK, EST, EST },
		{ 0, EST, SL_RESET },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < 2 * sizeof(flags) / sizeof(flags[0]); i++) {
		struct packet_desc desc = { TCP4 };
		uint8_t frame[PACKET_MAX];
		bool reset = i % 2;
		struct rig_result result;

		desc.tcp_flags = flags[i / 2].flags;
		rig_word(rig, ID,
			 (struct sl_word)WORD(SL_UNHEALTHY, SL_ENABLED, R, reset ? RESETS : 0));
		result = rig_run(rig, RIG_XDP, frame, packet_build(frame, &desc),
				 (struct rig_skb){ 0 });
		assert_int_equal(result.decision, reset ? flags[i / 2].reset : flags[i / 2].keep);
		assert_int_equal(result.stats.syn,
				 desc.tcp_flags == PACKET_SYN ||
					 desc.tcp_flags == (PACKET_SYN | PACKET_FIN));
	}
}

static void test_daemon_loss(void **state)
{
	static const struct {
		const char *name;
		enum sl_loss on_loss;
		int64_t heartbeat_age_ms;
		bool lost;
	} cases[] = {
		{ "hold, long silent", SL_LOSS_HOLD, 3600000, false },
		{ "open, just heard", SL_LOSS_OPEN, 0, false },
		{ "open, silent for less", SL_LOSS_OPEN, 500, false },
		{ "open, silent for longer", SL_LOSS_OPEN, 3000, true },
		{ "open, heartbeat ahead of our coarse clock", SL_LOSS_OPEN, -60000, false },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sl_meta meta = rig_default_meta();
		bool lost = cases[i].lost;

		meta.on_daemon_loss = cases[i].on_loss;
		/* Short: a machine that has just booted has no longer past. */
		meta.daemon_loss_after_ns = 2 * NS_PER_SEC;
		meta.heartbeat_ns =
			clock_mono_ns() - (uint64_t)cases[i].heartbeat_age_ms * NS_PER_MS;
		rig_meta(rig, &meta);
		rig_word(rig, ID, (struct sl_word)WORD(SL_UNHEALTHY, SL_ENABLED, R, RESETS));
		for (enum rig_program p = 0; p < RIG_PROGRAMS; p++) {
			run_one(rig, p, &packets[SYN], lost ? SL_PASS_DAEMON_LOST : SL_REJECT_TCP,
				cases[i].name);
			run_one(rig, p, &packets[DGRAM6],
				lost ? SL_PASS_DAEMON_LOST : SL_REJECT_UDP, cases[i].name);
			run_one(rig, p, &packets[DATA], lost ? SL_PASS_DAEMON_LOST : SL_RESET,
				cases[i].name);
			run_one(rig, p, &packets[RST], EST, cases[i].name);
		}
		rig_word(rig, ID, (struct sl_word)WORD(SL_HEALTHY, SL_ENABLED, R, 0));
		run_one(rig, RIG_XDP, &packets[SYN], SL_PASS_HEALTHY, cases[i].name);
	}
}

static void test_reply_budget(void **state)
{
	static const struct sl_reply_budget fresh = { 0 };
	struct rig *rig = *state;
	struct sl_meta meta = rig_default_meta();

	meta.reply_budget = 3;
	meta.reply_window_ns = UINT64_MAX; /* a fresh entry is filled although no window is over */
	rig_meta(rig, &meta);
	rig_word(rig, ID, (struct sl_word)WORD(SL_UNHEALTHY, SL_ENABLED, R, RESETS));
	for (enum rig_program p = 0; p < RIG_PROGRAMS; p++) {
		rig_budget(rig, &fresh);
		run_one(rig, p, &packets[SYN], SL_REJECT_TCP, "first");
		run_one(rig, p, &packets[DGRAM], SL_REJECT_UDP, "second");
		run_one(rig, p, &packets[DATA], SL_RESET, "third");
		assert_int_equal(run_one(rig, p, &packets[SYN], SL_DROP_LIMITED, "fourth").verdict,
				 RIG_DROP);
		run_one(rig, p, &packets[DGRAM6], SL_DROP_LIMITED, "fifth");
		run_one(rig, p, &packets[DATA], SL_DROP_LIMITED, "sixth");
	}

	/* The window is over: one call refills. */
	rig_budget(rig, &(struct sl_reply_budget){ .window_start_ns = 1 });
	meta.reply_window_ns = 1;
	rig_meta(rig, &meta);
	run_one(rig, RIG_XDP, &packets[SYN], SL_REJECT_TCP, "next window");

	meta.reply_budget = 0;
	rig_meta(rig, &meta);
	rig_budget(rig, &fresh);
	run_one(rig, RIG_XDP, &packets[SYN], SL_DROP_LIMITED, "a budget of none");
}

/* What is no endpoint's, although it resembles one, and what a removed target leaves behind. */
static void test_not_ours(void **state)
{
	static const struct packet_desc strangers[] = {
		{ .src = "192.0.2.1", .dst = "10.0.0.6", .dport = 443, .tcp_flags = PACKET_SYN },
		{ .src = "10.0.0.5", .sport = 443, .dst = "192.0.2.1", .dport = 40000 },
		{ .src = "192.0.2.1", .dst = "10.0.0.5", .dport = 444, .tcp_flags = PACKET_SYN },
		{ .src = "192.0.2.1", .dst = "10.0.0.5", .dport = 443, .proto = IPPROTO_UDP },
		{ .src = "192.0.2.1", .dst = "10.0.0.5", .proto = IPPROTO_SCTP, .payload = 40 },
		{ .src = "192.0.2.1", .dst = "10.0.0.5", .icmp_type = 8, .payload = 40 },
		{ .src = "2001:db8::1", .dst = "fd00::6", .dport = 443, .tcp_flags = PACKET_SYN },
		{ .src = "2001:db8::1",
		  .dst = "::ffff:10.0.0.5",
		  .dport = 443,
		  .tcp_flags = PACKET_SYN },
	};
	struct rig *rig = *state;

	rig_word(rig, ID, (struct sl_word)WORD(SL_UNHEALTHY, SL_ENABLED, R, RESETS));
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		uint8_t frame[PACKET_MAX];
		size_t len = packet_build(frame, &strangers[i]);

		for (enum rig_program p = 0; p < RIG_PROGRAMS; p++) {
			struct rig_result result =
				rig_run(rig, p, frame, len, (struct rig_skb){ 0 });

			assert_int_equal(result.verdict, RIG_PASS);
			assert_int_equal(result.decision, SL_PASS_NOT_OURS);
			assert_int_equal(result.stats.packets, 0);
		}
	}
}

/* Slots are shared: whatever one says, the key decides, and the hash map finds who lost the slot. */
static void test_shared_slots(void **state)
{
	static const struct packet_desc stranger = {
		.src = "192.0.2.1", .dst = "10.0.0.6", .dport = 443, .tcp_flags = PACKET_SYN
	};
	const struct sl_target ours = { .kind = SL_TARGET_ENDPOINT, .id = ID };
	const struct sl_target other = { .kind = SL_TARGET_ENDPOINT, .id = ID + 1 };
	const struct sl_target none = { .kind = SL_TARGET_NONE };
	struct rig *rig = *state;
	uint8_t frame[PACKET_MAX];
	size_t len = packet_build(frame, &stranger);

	rig_word(rig, ID, (struct sl_word)WORD(SL_UNHEALTHY, SL_ENABLED, R, RESETS));
	rig_index(rig, stranger.dst, stranger.dport, SL_TCP, ours);
	for (enum rig_program p = 0; p < RIG_PROGRAMS; p++)
		assert_int_equal(rig_run(rig, p, frame, len, (struct rig_skb){ 0 }).decision,
				 SL_PASS_NOT_OURS);

	rig_index(rig, packets[SYN].dst, packets[SYN].dport, SL_TCP, other);
	for (enum rig_program p = 0; p < RIG_PROGRAMS; p++)
		run_one(rig, p, &packets[SYN], SL_REJECT_TCP, "another has the slot");

	/* An empty slot is an answer: nothing is looked up behind it. */
	rig_index(rig, packets[SYN].dst, packets[SYN].dport, SL_TCP, none);
	len = packet_build(frame, &packets[SYN]);
	for (enum rig_program p = 0; p < RIG_PROGRAMS; p++)
		assert_int_equal(rig_run(rig, p, frame, len, (struct rig_skb){ 0 }).decision,
				 SL_PASS_NOT_OURS);
}

/* What the tc programs see of an skb's metadata. */
static void test_marks(void **state)
{
	static const struct {
		enum rig_program program;
		struct rig_skb skb;
		int decision; /* -1: not counted at all */
	} cases[] = {
		{ RIG_TC_EGRESS, { .mark = SL_PROBE_MARK }, SL_PASS_PROBE },
		{ RIG_TC_EGRESS, { .mark = SL_PROBE_MARK + 1 }, SL_REJECT_TCP },
		{ RIG_TC_EGRESS, { .ingress_ifindex = 1 }, -1 },
		{ RIG_TC_EGRESS, { .ingress_ifindex = 1, .mark = SL_PROBE_MARK }, -1 },
		{ RIG_TC_INGRESS, { .mark = SL_REPLY_MARK }, -1 },
		/* What a forwarder marks is not what we marked. */
		{ RIG_TC_INGRESS, { .mark = SL_PROBE_MARK }, SL_REJECT_TCP },
		{ RIG_TC_INGRESS, { .ingress_ifindex = 1 }, SL_REJECT_TCP },
	};
	struct rig *rig = *state;
	uint8_t frame[PACKET_MAX];
	size_t len = packet_build(frame, &packets[SYN]);

	rig_word(rig, ID, (struct sl_word)WORD(SL_UNHEALTHY, SL_ENABLED, R, 0));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sl_decision_counts counts;
		uint64_t before = rig_decisions(rig, &counts);
		struct rig_result result = rig_run(rig, cases[i].program, frame, len, cases[i].skb);
		bool judged = cases[i].decision == SL_REJECT_TCP;

		assert_int_equal(result.decision, cases[i].decision);
		assert_int_equal(result.verdict, judged ? RIG_REPLY : RIG_PASS);
		assert_int_equal(result.stats.packets, judged);
		assert_int_equal(rig_decisions(rig, &counts) - before, cases[i].decision >= 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_enforce, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_observe_passes_everything_unchanged, setup,
						rig_teardown),
		cmocka_unit_test_setup_teardown(test_tcp_flags, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_daemon_loss, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_reply_budget, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_not_ours, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_shared_slots, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_marks, setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
