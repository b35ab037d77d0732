// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a packet of a service costs in the XDP program, against one that parses and does one hash
 * lookup. Everything is measured in turn, round after round, and the programs are loaded anew now
 * and then. The packets are those of bench_gate; what leaves is made what it was before each run.
 *
 * Usage: bench_forward FILE, where the figures go as JSON. Exit status 1: a target was missed in
 * every one of a few attempts.
 */
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/compare.h"
#include "tests/bench/scene.h"
#include "tests/lib/packet.h"

#define ROUNDS 15
#define ROUNDS_PER_LOAD 3 /* where the kernel puts code and buckets is part of the noise */
#define ATTEMPTS 2
#define ENDPOINTS 1000
#define SERVICES 10000
#define FEW_ENDPOINTS 2
#define WARM_KEYS 8 /* of a large map: chains differ in length */
#define FLOWS 65536
#define MANY_FLOWS (1u << 20)
#define SOME_FLOWS (1u << 16)

#define TARGET_DSR 2.9
#define TARGET_IPIP 3.4
#define TARGET_NAT 4.0
#define TARGET_SYN 2.0
#define TARGET_IPV6 1.2
#define TARGET_FLAT 1.1
#define TARGET_INSNS 50000

enum subject {
	S_NONE = COMPARE_NO_FLOOR,
	S_PASS, /* F */
	S_HASH, /* R */
	S_RESTORE, /* restore the packet, send it */
	S_SHRINK, /* the same, and take away what a tunnel has added */
	S_DSR,
	S_IPIP,
	S_NAT,
	S_REPLY,
	S_SYN,
	S_DSR6,
	S_IPIP6,
	S_NAT6,
	S_REPLY6,
	S_SYN6,
	S_FLAT_RESTORE,
	S_FLAT_ONE, /* one service, two endpoints */
	S_FLAT_SERVICES,
	S_FLAT_ENDPOINTS,
	S_SYN_ONE,
	S_SYN_SERVICES,
	S_SYN_ENDPOINTS,
	S_CLIENTS, /* restore, and another source address every time */
	S_FLOWS_1,
	S_FLOWS_SOME,
	S_FLOWS_MANY,
	SUBJECTS
};

typedef double samples_t[SUBJECTS][ROUNDS];

/* Services of every kind; one; many; many endpoints; many flows. */
struct scenes {
	struct scene usual, one, services, endpoints;
};

#define ALL_KINDS KINDS /* services: one of each */

static double measure(struct scene *scene, enum world_program program,
		      const struct scene_flow *flow, uint8_t flags, uint32_t retval)
{
	uint8_t frame[WORLD_FRAME_LEN];

	scene_request(frame, flow, flags);
	return world_measure(scene->world, program, frame, retval);
}

struct row {
	enum subject subject;
	enum world_program program;
	enum scene_kind kind;
	uint8_t flags;
	uint32_t retval;
};

static const struct row rows[] = {
	{ S_PASS, BENCH_PASS, KIND_DSR, PACKET_ACK, XDP_PASS },
	{ S_HASH, BENCH_HASH, KIND_DSR, PACKET_ACK, XDP_PASS },
	{ S_RESTORE, BENCH_RESTORE_TX, KIND_DSR, PACKET_ACK, XDP_TX },
	{ S_SHRINK, BENCH_SHRINK_TX, KIND_DSR, PACKET_ACK, XDP_TX },
	{ S_DSR, BENCH_RESTORE_GATE, KIND_DSR, PACKET_ACK, XDP_REDIRECT },
	{ S_IPIP, BENCH_SHRINK_GATE, KIND_IPIP, PACKET_ACK, XDP_REDIRECT },
	{ S_NAT, BENCH_RESTORE_GATE, KIND_NAT, PACKET_ACK, XDP_REDIRECT },
	{ S_SYN, BENCH_RESTORE_GATE, KIND_DSR, PACKET_SYN, XDP_REDIRECT },
	{ S_DSR6, BENCH_RESTORE_GATE, KIND_DSR6, PACKET_ACK, XDP_REDIRECT },
	{ S_IPIP6, BENCH_SHRINK_GATE, KIND_IPIP6, PACKET_ACK, XDP_REDIRECT },
	{ S_NAT6, BENCH_RESTORE_GATE, KIND_NAT6, PACKET_ACK, XDP_REDIRECT },
	{ S_SYN6, BENCH_RESTORE_GATE, KIND_DSR6, PACKET_SYN, XDP_REDIRECT },
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* From a client whose packets always take the same way, so that rows differ in the kind only. */
static struct scene_flow flow_of(enum scene_kind kind)
{
	return (struct scene_flow){ .client = 1, .service = kind };
}

static double measure_reply(struct scene *scene, enum scene_kind kind)
{
	struct scene_flow flow = flow_of(kind);
	uint8_t frame[WORLD_FRAME_LEN];

	scene_reply(frame, &flow);
	return world_measure(scene->world, BENCH_RESTORE_GATE, frame, XDP_REDIRECT);
}

static void measure_kinds(struct scene *scene, samples_t samples, int round)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		struct scene_flow flow = flow_of(rows[i].kind);

		flow.client += rows[i].flags == PACKET_SYN; /* one that is not known */
		samples[rows[i].subject][round] =
			measure(scene, rows[i].program, &flow, rows[i].flags, rows[i].retval);
	}
	samples[S_REPLY][round] = measure_reply(scene, KIND_NAT);
	samples[S_REPLY6][round] = measure_reply(scene, KIND_NAT6);
}

/* A flow to the i-th of WARM_KEYS services and endpoints. */
static struct scene_flow warm_flow(const struct scene *scene, enum scene_kind kind, uint32_t i)
{
	uint32_t n = scene->sizes.services / KINDS ?: 1;

	return (struct scene_flow){ .client = i,
				    .service = i * (n / WARM_KEYS) % n * KINDS + kind,
				    .endpoint = i * (scene->sizes.endpoints / WARM_KEYS) %
						scene->sizes.endpoints };
}

static double measure_warm(struct scene *scene, enum scene_kind kind, uint8_t flags)
{
	double sum = 0;

	for (uint32_t i = 0; i < WARM_KEYS; i++) {
		struct scene_flow flow = warm_flow(scene, kind, i);

		sum += measure(scene, BENCH_RESTORE_GATE, &flow, flags, XDP_REDIRECT);
	}
	return sum / WARM_KEYS;
}

static void measure_flat(struct scenes *s, samples_t samples, int round)
{
	samples[S_FLAT_ONE][round] = measure_warm(&s->one, KIND_NAT, PACKET_ACK);
	samples[S_FLAT_SERVICES][round] = measure_warm(&s->services, KIND_NAT, PACKET_ACK);
	samples[S_FLAT_ENDPOINTS][round] = measure_warm(&s->endpoints, KIND_NAT, PACKET_ACK);
	samples[S_SYN_ONE][round] = measure_warm(&s->usual, KIND_DSR, PACKET_SYN);
	samples[S_SYN_SERVICES][round] = measure_warm(&s->services, KIND_DSR, PACKET_SYN);
	samples[S_SYN_ENDPOINTS][round] = measure_warm(&s->endpoints, KIND_DSR, PACKET_SYN);
}

static void measure_flows(struct scene *scene, samples_t samples, int round)
{
	static const struct {
		enum subject subject;
		enum world_program program;
		uint32_t mask;
		uint32_t retval;
	} runs[] = {
		{ S_CLIENTS, BENCH_CLIENTS_TX, MANY_FLOWS - 1, XDP_TX },
		{ S_FLOWS_1, BENCH_CLIENTS_GATE, 0, XDP_REDIRECT },
		{ S_FLOWS_SOME, BENCH_CLIENTS_GATE, SOME_FLOWS - 1, XDP_REDIRECT },
		{ S_FLOWS_MANY, BENCH_CLIENTS_GATE, MANY_FLOWS - 1, XDP_REDIRECT },
	};
	struct scene_flow flow = { .service = KIND_NAT };

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		world_clients(scene->world, runs[i].mask);
		samples[runs[i].subject][round] =
			measure(scene, runs[i].program, &flow, PACKET_ACK, runs[i].retval);
	}
}

static const struct comparison comparisons[] = {
	{ "forward.parse_hash", S_HASH, 0, NULL, 0, 0, 0 },
	{ "forward.restore", S_RESTORE, 0, NULL, 0, 0, 0 },
	{ "forward.dsr", S_DSR, S_RESTORE, "forward.parse_hash", S_HASH, S_PASS, TARGET_DSR },
	{ "forward.ipip", S_IPIP, S_SHRINK, "forward.parse_hash", S_HASH, S_PASS, TARGET_IPIP },
	{ "forward.nat", S_NAT, S_RESTORE, "forward.parse_hash", S_HASH, S_PASS, TARGET_NAT },
	{ "forward.nat_reply", S_REPLY, S_RESTORE, "forward.parse_hash", S_HASH, S_PASS,
	  TARGET_NAT },
	{ "forward.dsr_syn", S_SYN, S_RESTORE, "forward.parse_hash", S_HASH, S_PASS, TARGET_SYN },
	{ "forward.dsr6", S_DSR6, S_RESTORE, "forward.dsr", S_DSR, S_RESTORE, TARGET_IPV6 },
	{ "forward.ipip6", S_IPIP6, S_SHRINK, "forward.ipip", S_IPIP, S_SHRINK, TARGET_IPV6 },
	{ "forward.nat6", S_NAT6, S_RESTORE, "forward.nat", S_NAT, S_RESTORE, TARGET_IPV6 },
	{ "forward.nat_reply6", S_REPLY6, S_RESTORE, "forward.nat_reply", S_REPLY, S_RESTORE,
	  TARGET_IPV6 },
	{ "forward.dsr_syn6", S_SYN6, S_RESTORE, "forward.dsr_syn", S_SYN, S_RESTORE, TARGET_IPV6 },
	{ "forward.nat_1", S_FLAT_ONE, 0, NULL, 0, 0, 0 },
	{ "forward.nat_10000_services", S_FLAT_SERVICES, S_RESTORE, "forward.nat_1", S_FLAT_ONE,
	  S_RESTORE, TARGET_FLAT },
	{ "forward.nat_1000_endpoints", S_FLAT_ENDPOINTS, S_RESTORE, "forward.nat_1", S_FLAT_ONE,
	  S_RESTORE, TARGET_FLAT },
	{ "forward.syn_1", S_SYN_ONE, 0, NULL, 0, 0, 0 },
	{ "forward.syn_10000_services", S_SYN_SERVICES, S_RESTORE, "forward.syn_1", S_SYN_ONE,
	  S_RESTORE, TARGET_FLAT },
	{ "forward.syn_1000_endpoints", S_SYN_ENDPOINTS, S_RESTORE, "forward.syn_1", S_SYN_ONE,
	  S_RESTORE, TARGET_FLAT },
	{ "forward.clients", S_CLIENTS, 0, NULL, 0, 0, 0 },
	{ "forward.flows_1", S_FLOWS_1, 0, NULL, 0, 0, 0 },
	{ "forward.flows_65536", S_FLOWS_SOME, S_CLIENTS, "forward.flows_1", S_FLOWS_1, S_CLIENTS,
	  0 },
	{ "forward.flows_1048576", S_FLOWS_MANY, S_CLIENTS, "forward.flows_1", S_FLOWS_1, S_CLIENTS,
	  0 },
};

static void add_sizes(struct figures *figures, const struct scene *scene)
{
	static const struct {
		const char *name;
		enum world_program program;
	} programs[] = {
		{ "verified.services.sl_xdp", BENCH_GATE },
		{ "verified.services.sl_tc_ingress", BENCH_TC_INGRESS },
		{ "verified.services.sl_tc_egress", BENCH_TC_EGRESS },
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		double insns = world_verified_insns(scene->world, programs[i].program);

		figures_add(figures, programs[i].name, "insns", &insns, 1)->target = TARGET_INSNS;
	}
}

static struct scene scene_of(uint32_t services, uint32_t endpoints)
{
	const struct scene_sizes sizes = { .services = services,
					   .endpoints = endpoints,
					   .flows = FLOWS };
	struct scene scene = scene_new(&sizes);

	for (uint32_t kind = 0; kind < KINDS && kind < services; kind++) {
		struct scene_flow flow = flow_of(kind);

		scene_open(&scene, &flow);
	}
	for (uint32_t i = 0; i < WARM_KEYS; i++) {
		struct scene_flow flow = warm_flow(&scene, KIND_NAT, i);

		scene_open(&scene, &flow);
	}
	return scene;
}

static struct scenes scenes_new(void)
{
	return (struct scenes){ .usual = scene_of(ALL_KINDS, FEW_ENDPOINTS),
				.one = scene_of(1, FEW_ENDPOINTS),
				.services = scene_of(SERVICES, FEW_ENDPOINTS),
				.endpoints = scene_of(ALL_KINDS, ENDPOINTS) };
}

static void scenes_free(struct scenes *s)
{
	scene_free(&s->endpoints);
	scene_free(&s->services);
	scene_free(&s->one);
	scene_free(&s->usual);
}

static struct scene scene_of_flows(void)
{
	struct scene scene = scene_new(&(struct scene_sizes){
		.services = ALL_KINDS, .endpoints = ENDPOINTS, .flows = MANY_FLOWS });

	scene_open_many(&scene, KIND_NAT, MANY_FLOWS);
	return scene;
}

static void run(void *arg, struct figures *figures)
{
	struct scene *flows = arg;
	struct scenes s = scenes_new();
	samples_t samples;

	measure_kinds(&s.usual, samples, 0); /* warms up */
	for (int round = 0; round < ROUNDS; round++) {
		if (round && round % ROUNDS_PER_LOAD == 0) {
			scenes_free(&s);
			s = scenes_new();
		}
		measure_kinds(&s.usual, samples, round);
		measure_flat(&s, samples, round);
		measure_flows(flows, samples, round);
	}
	for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++)
		compare_add(figures, &comparisons[i], samples[0], ROUNDS);
	add_sizes(figures, &s.usual);
	scenes_free(&s);
}

int main(int argc, char **argv)
{
	const char *path = figures_path(argc, argv);
	struct figures figures;
	struct scene flows;

	scene_enter();
	flows = scene_of_flows();
	figures_measure(&figures, run, &flows, ATTEMPTS);
	scene_free(&flows);
	return figures_finish(&figures, path);
}
