// SPDX-License-Identifier: GPL-2.0-or-later
/* How translated flows end: by what either side says, and cut off when the endpoint's time is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/nat_flow.h"

#define MORE_FRAGMENTS 0x2000

static const struct sl_word healthy = { .health = SL_HEALTHY };

/* How flows end: what each packet leaves in both entries, and when a SYN begins anew. */
static void test_ends(void **state)
{
	static const struct {
		bool from_client;
		uint8_t flags, state;
		bool closed;
	} rows[] = {
		{ true, PACKET_ACK, 0, false },
		{ true, PACKET_ACK | PACKET_FIN, SL_FLOW_FIN_CLIENT, false },
		{ false, PACKET_ACK, SL_FLOW_FIN_CLIENT, false },
		{ false, PACKET_ACK | PACKET_FIN, SL_FLOW_FIN_CLIENT | SL_FLOW_FIN_ENDPOINT, true },
	};
	struct rig *rig = *state;

	for_each_program (p) {
		for (enum flavour f = TCP4; f < FLAVOURS; f += 2) {
			struct packet_desc syn = services_request(f, PACKET_SYN);
			struct flow flow;

			rig_forget_flows(rig);
			flow = establish(rig, *p, f);
			for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
				struct packet_desc desc =
					rows[i].from_client ? services_request(f, rows[i].flags)
							    : reply_of(&flow, rows[i].flags);
				struct sl_flow request, reply;
				struct rig_result result;

				if (rows[i].from_client)
					request_passes(&flow, &desc);
				else
					reply_passes(&flow, &desc);
				assert_true(
					services_request_flow(rig, RIG_FLOWS_TABLE, f, &request));
				assert_true(services_reply_flow(rig, RIG_FLOWS_TABLE, f,
								flow.endpoint, flow.port, &reply));
				assert_int_equal(request.state & ~SL_FLOW_ANSWERED, rows[i].state);
				assert_int_equal(reply.state & ~SL_FLOW_ANSWERED, rows[i].state);
				result = services_run(rig, *p, &syn);
				assert_int_equal(result.service.flows, rows[i].closed);
				assert_int_equal(
					services_request_flow(rig, RIG_FLOWS_TABLE, f, &request),
					!rows[i].closed);
			}
		}
	}
}

static void test_rst_ends(void **state)
{
	struct rig *rig = *state;

	for_each_program (p) {
		for (int by_client = 0; by_client < 2; by_client++) {
			struct packet_desc desc, syn = services_request(TCP4, PACKET_SYN);
			struct sl_flow entry;
			struct flow flow;

			/* A refusal, in the table of half-open flows. */
			rig_forget_flows(rig);
			flow = open_flow(rig, *p, TCP4);
			desc = reply_of(&flow, PACKET_RST | PACKET_ACK);
			reply_passes(&flow, &desc);
			assert_true(services_request_flow(rig, RIG_HALF_OPEN_TABLE, TCP4, &entry));
			assert_true(entry.state & SL_FLOW_RESET);
			assert_int_equal(services_run(rig, *p, &syn).service.flows, 1);

			rig_forget_flows(rig);
			flow = establish(rig, *p, TCP4);
			if (by_client) {
				desc = services_request(TCP4, PACKET_RST);
				request_passes(&flow, &desc);
			} else {
				desc = reply_of(&flow, PACKET_RST);
				reply_passes(&flow, &desc);
			}
			assert_int_equal(services_run(rig, *p, &syn).service.flows, 1);
		}
	}
}

/* A flow that is open when its endpoints get this word. */
static struct flow establish_before(struct rig *rig, enum rig_program program, enum flavour f,
				    struct sl_word word)
{
	struct flow flow;

	rig_forget_flows(rig);
	services_words(rig, f, healthy, healthy);
	flow = establish(rig, program, f);
	services_words(rig, f, word, word);
	return flow;
}

/* What the client gets of a packet that came too late. */
static struct packet_desc cut_off(const struct flow *flow, const struct packet_desc *desc)
{
	struct packet_desc out = translated_back(flow, desc);

	out.tcp_flags = PACKET_RST | (desc->tcp_flags & PACKET_ACK);
	out.tcp_options = 0;
	out.payload = 0;
	out.padding = 0;
	/* No fragments of it follow. */
	out.frag_off &= ~MORE_FRAGMENTS;
	if (desc->extensions && strcmp(desc->extensions, "hf") == 0)
		out.extensions = "ho";
	return out;
}

/* With the endpoint's time over, whoever speaks first ends the flow: the client hears of it either way. */
static void test_reset(void **state)
{
	static const struct sl_word closed = { .health = SL_UNHEALTHY, .flags = SL_WORD_RESET };
	static const struct sl_word drained = { .health = SL_HEALTHY,
						.admin = SL_DRAINING,
						.deadline_s = 1 };
	struct sl_route route = services_route();
	struct rig *rig = *state;

	for_each_program (p) {
		for (enum flavour f = TCP4; f < FLAVOURS; f += 2) {
			for (int i = 0; i < 4; i++) {
				const struct sl_word word = i & 1 ? closed : drained;
				struct packet_desc desc;
				struct rig_result result;
				struct flow flow;

				flow = establish_before(rig, *p, f, word);
				desc = i & 2 ? services_request(f, PACKET_ACK)
					     : reply_of(&flow, PACKET_ACK);
				result = services_run(rig, *p, &desc);
				if (i & 2) {
					assert_int_equal(result.decision, SL_RESET);
					assert_int_equal(result.verdict, RIG_REPLY);
				} else {
					struct packet_desc out = cut_off(&flow, &desc);

					services_expect(&result, SL_FORWARD_RESET, &out, &route);
				}
				assert_int_equal(result.stats.reset, 1);
				assert_true(packet_checksums_ok(result.frame, result.len));
				assert_int_equal(rig_flows(rig, RIG_FLOWS_TABLE), 0);
				assert_int_equal(rig_flows(rig, RIG_HALF_OPEN_TABLE), 0);

				desc = i & 2 ? reply_of(&flow, PACKET_ACK)
					     : services_request(f, PACKET_ACK);
				result = services_run(rig, *p, &desc);
				assert_int_equal(result.decision,
						 i & 2 ? SL_PASS_NOT_OURS : SL_REJECT_NO_FLOW);
			}
		}
	}
}

/* An endpoint that has gone, whose last client waits for what it says; its id is another's, or nobody's. */
static void test_gone(void **state)
{
	struct sl_route route = services_route();
	struct rig *rig = *state;

	for_each_program (p) {
		for_each_flavour (f) {
			struct packet_desc desc, out;
			struct rig_result result;
			uint32_t id;
			struct flow flow;

			rig_forget_flows(rig);
			flow = f % 2 ? open_flow(rig, *p, f) : establish(rig, *p, f);
			id = 2 * f + (uint32_t)flow.endpoint;
			rig_source(rig, id, flavours[f].source, SERVICES_GENERATION + 1);
			desc = reply_of(&flow, PACKET_ACK);
			out = cut_off(&flow, &desc);
			result = services_run(rig, *p, &desc);
			if (flavours[f].proto == SL_UDP) {
				assert_int_equal(result.decision, SL_PASS_NOT_OURS);
			} else {
				services_expect(&result, SL_FORWARD_RESET, &out, &route);
				assert_true(packet_checksums_ok(result.frame, result.len));
				assert_int_equal(rig_flows(rig, RIG_FLOWS_TABLE), 0);
				result = services_run(rig, *p, &desc);
				assert_int_equal(result.decision, SL_PASS_NOT_OURS);
			}
			/* The other who has the id now has nothing to do with it. */
			assert_int_equal(result.stats.reset, 0);
			assert_int_equal(result.stats.replies, 0);
			rig_source(rig, id, flavours[f].source, SERVICES_GENERATION);
		}
	}
}

/* Programs are exchanged one interface after the other: a reply may meet the one before. */
static void test_newer(void **state)
{
	struct rig *rig = *state;

	for_each_program (p) {
		struct packet_desc desc;
		struct flow flow;
		uint32_t id;

		rig_forget_flows(rig);
		flow = establish(rig, *p, TCP4);
		id = 2 * TCP4 + (uint32_t)flow.endpoint;
		desc = reply_of(&flow, PACKET_ACK);
		rig_source(rig, id, flavours[TCP4].source, SERVICES_GENERATION - 1);
		assert_int_equal(services_run(rig, *p, &desc).decision, SL_PASS_NOT_OURS);
		rig_source(rig, id, flavours[TCP4].source, SERVICES_GENERATION);
		reply_passes(&flow, &desc);
	}
}

/* With the service gone nobody knows whom the client talks to. */
static void test_service_gone(void **state)
{
	const struct services_kind kind = { .method = SL_METHOD_NAT,
					    .flags = SL_SERVICE_SOURCE_NAT };
	const struct rig_service none = { .addr = NULL };
	struct rig *rig = *state;

	for_each_program (p) {
		struct packet_desc desc;
		struct flow flow;

		rig_forget_flows(rig);
		flow = establish(rig, *p, TCP4);
		desc = reply_of(&flow, PACKET_ACK);
		reply_passes(&flow, &desc);
		rig_service(rig, TCP4, &none);
		rig_forget_recents(rig);
		assert_int_equal(services_run(rig, *p, &desc).decision, SL_PASS_NOT_OURS);
		services_make(rig, &kind);
	}
}

/* Whatever the packet that came too late looks like, a RST of the least length leaves. */
static void test_reset_awkward(void **state)
{
	static const struct {
		bool v6;
		struct packet_desc desc;
	} rows[] = {
		{ false, { .payload = 1400, .tcp_options = 12 } },
		{ false, { .payload = 0, .padding = 6 } },
		{ false, { .payload = 1, .ip_options = 40 } },
		{ false, { .payload = 1, .tcp_options = 40, .frag_off = 0x4000, .ip_id = 7 } },
		{ false, { .payload = 996, .frag_off = MORE_FRAGMENTS, .ip_id = 7 } },
		{ true, { .payload = 1400, .tcp_options = 12 } },
		{ true, { .payload = 33, .extensions = "hd" } },
		{ true, { .payload = 996, .extensions = "hf", .ip_id = 7 } },
	};
	static const struct sl_word closed = { .health = SL_UNHEALTHY, .flags = SL_WORD_RESET };
	struct sl_route route = services_route();
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for_each_program (p) {
			enum flavour f = rows[i].v6 ? TCP6 : TCP4;
			const struct packet_desc *row = &rows[i].desc;
			struct packet_desc desc, out;
			struct rig_result result;
			struct flow flow;

			print_message("row %zu, %s\n", i, rig_program_name(*p));
			flow = establish_before(rig, *p, f, closed);
			desc = reply_of(&flow, PACKET_ACK);
			desc.payload = row->payload;
			desc.tcp_options = row->tcp_options;
			desc.padding = row->padding;
			desc.ip_options = row->ip_options;
			desc.frag_off = row->frag_off;
			desc.ip_id = row->ip_id;
			desc.extensions = row->extensions;
			out = cut_off(&flow, &desc);
			result = services_run(rig, *p, &desc);
			services_expect(&result, SL_FORWARD_RESET, &out, &route);
		}
	}
}

/* Nothing is cut off while it is only observed. */
static void test_reset_observed(void **state)
{
	static const struct sl_word closed = { .health = SL_UNHEALTHY, .flags = SL_WORD_RESET };
	struct sl_meta meta = rig_default_meta();
	struct rig *rig = *state;

	for_each_program (p) {
		struct packet_desc desc;
		struct rig_result result;
		struct flow flow;

		flow = establish_before(rig, *p, TCP4, closed);
		meta.mode = SL_MODE_OBSERVE;
		rig_meta(rig, &meta);
		desc = reply_of(&flow, PACKET_ACK);
		result = services_run(rig, *p, &desc);
		assert_int_equal(result.decision, SL_FORWARD_RESET);
		assert_int_equal(result.verdict, RIG_PASS);
		assert_int_equal(rig_flows(rig, RIG_FLOWS_TABLE), 2);
		meta.mode = SL_MODE_ENFORCE;
		rig_meta(rig, &meta);
	}
}

/* Its RST passes; and an endpoint that is only unhealthy keeps its flows. */
static void test_closed_but_open(void **state)
{
	static const struct sl_word closed = { .health = SL_UNHEALTHY, .flags = SL_WORD_RESET };
	static const struct sl_word unhealthy = { .health = SL_UNHEALTHY };
	struct rig *rig = *state;

	for_each_program (p) {
		struct packet_desc desc;
		struct flow flow;

		flow = establish_before(rig, *p, TCP4, unhealthy);
		desc = services_request(TCP4, PACKET_ACK);
		request_passes(&flow, &desc);
		desc = reply_of(&flow, PACKET_ACK);
		reply_passes(&flow, &desc);
		services_words(rig, TCP4, closed, closed);
		desc = reply_of(&flow, PACKET_RST);
		reply_passes(&flow, &desc);
		desc = services_request(TCP4, PACKET_RST);
		request_passes(&flow, &desc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		row(test_ends),          row(test_rst_ends),       row(test_reset),
		row(test_reset_awkward), row(test_reset_observed), row(test_closed_but_open),
		row(test_gone),          row(test_newer),          row(test_service_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
