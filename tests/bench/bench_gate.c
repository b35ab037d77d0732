// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a packet costs in the XDP program, against an empty program and against one that parses and
 * does one hash lookup. Everything is measured in turn, round after round.
 *
 * Usage: bench_gate FILE, where the figures go as JSON. Exit status 1: a target was missed in every
 * one of a few attempts.
 */
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/compare.h"
#include "tests/bench/world.h"
#include "tests/lib/packet.h"

#define ROUNDS 31
#define ROUNDS_PER_LOAD 4 /* where the kernel puts code and buckets is part of the noise */
#define ATTEMPTS 3
#define DEFAULT_ENDPOINTS 4096
#define MANY_ENDPOINTS 65536
#define WARM_KEYS 16 /* of a large map: chains differ in length */
#define NO_ENDPOINT 0x0a800001u /* 10.128.0.1 */

#define TARGET_NOBODY 2.0
#define TARGET_KNOWN 1.5
#define TARGET_REPLY 2.0
#define TARGET_FLAT 1.05
#define TARGET_INSNS 50000
#define TARGET_BYTES (16 << 20)

/* Endpoints with a word of their own; all others are healthy. */
enum id { ID_HEALTHY = 1, ID_DROP, ID_REJECT, ID_RESET };

enum subject {
	S_NONE = COMPARE_NO_FLOOR,
	S_PASS, /* F */
	S_HASH, /* R */
	S_NOBODY,
	S_HEALTHY,
	S_DROP,
	S_ESTABLISHED,
	S_RESTORE, /* restore the packet, send it back */
	S_REJECT,
	S_REDIRECT,
	S_RESET,
	S_FLAT_ONE,
	S_FLAT_MANY,
	S_RANDOM_PASS,
	S_RANDOM_HASH,
	S_RANDOM_GATE,
	SUBJECTS
};

struct worlds {
	struct world *usual, *one, *many;
};

typedef double samples_t[SUBJECTS][ROUNDS];

static void frame_to(uint8_t frame[PACKET_MAX], uint32_t dst, uint8_t flags)
{
	char text[sizeof("255.255.255.255")];
	struct packet_desc desc = { .src = "192.0.2.1",
				    .dst = text,
				    .sport = 40000,
				    .dport = WORLD_PORT,
				    .tcp_flags = flags,
				    .tcp_options = 20 };

	snprintf(text, sizeof(text), "%u.%u.%u.%u", dst >> 24, dst >> 16 & 255, dst >> 8 & 255,
		 dst & 255);
	packet_build(frame, &desc);
}

static double measure(struct world *w, enum world_program program, uint32_t dst, uint8_t flags,
		      uint32_t retval)
{
	uint8_t frame[PACKET_MAX];

	frame_to(frame, dst, flags);
	return world_measure(w, program, frame, retval);
}

struct row {
	enum subject subject;
	struct world *world;
	enum world_program program;
	uint32_t dst;
	uint8_t flags;
	uint32_t retval;
};

static void measure_rows(const struct row *rows, size_t n, samples_t samples, int round)
{
	for (size_t i = 0; i < n; i++)
		samples[rows[i].subject][round] = measure(
			rows[i].world, rows[i].program, rows[i].dst, rows[i].flags, rows[i].retval);
}

#define N_ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

static void measure_gate(const struct worlds *w, samples_t samples, int round)
{
	const struct row rows[] = {
		{ S_PASS, w->usual, BENCH_PASS, WORLD_NET + ID_HEALTHY, PACKET_ACK, XDP_PASS },
		{ S_HASH, w->usual, BENCH_HASH, WORLD_NET + ID_HEALTHY, PACKET_ACK, XDP_PASS },
		{ S_NOBODY, w->usual, BENCH_GATE, NO_ENDPOINT, PACKET_ACK, XDP_PASS },
		{ S_HEALTHY, w->usual, BENCH_GATE, WORLD_NET + ID_HEALTHY, PACKET_ACK, XDP_PASS },
		{ S_DROP, w->usual, BENCH_GATE, WORLD_NET + ID_DROP, PACKET_SYN, XDP_DROP },
		{ S_ESTABLISHED, w->usual, BENCH_GATE, WORLD_NET + ID_DROP, PACKET_ACK, XDP_PASS },
		{ S_RESTORE, w->usual, BENCH_RESTORE_TX, WORLD_NET + ID_REJECT, PACKET_SYN,
		  XDP_TX },
		{ S_REJECT, w->usual, BENCH_RESTORE_GATE, WORLD_NET + ID_REJECT, PACKET_SYN,
		  XDP_TX },
		{ S_REDIRECT, w->usual, BENCH_RESTORE_REDIRECT, WORLD_NET + ID_REJECT, PACKET_SYN,
		  XDP_REDIRECT },
		{ S_RESET, w->usual, BENCH_RESTORE_GATE, WORLD_NET + ID_RESET, PACKET_ACK, XDP_TX },
	};

	measure_rows(rows, N_ROWS(rows), samples, round);
}

static void measure_random(const struct worlds *w, samples_t samples, int round)
{
	const struct row rows[] = {
		{ S_RANDOM_PASS, w->many, BENCH_RANDOM_PASS, WORLD_NET, PACKET_ACK, XDP_PASS },
		{ S_RANDOM_HASH, w->many, BENCH_RANDOM_HASH, WORLD_NET, PACKET_ACK, XDP_PASS },
		{ S_RANDOM_GATE, w->many, BENCH_RANDOM_GATE, WORLD_NET, PACKET_ACK, XDP_PASS },
	};

	measure_rows(rows, N_ROWS(rows), samples, round);
}

/* One endpoint against the mean over some of many, which are warm in the cache when measured. */
static void measure_flat(const struct worlds *w, samples_t samples, int round)
{
	double one = 0, many = 0;

	for (uint32_t i = 0; i < WARM_KEYS; i++) {
		uint32_t id = i * (MANY_ENDPOINTS / WARM_KEYS);

		one += measure(w->one, BENCH_GATE, WORLD_NET, PACKET_ACK, XDP_PASS);
		many += measure(w->many, BENCH_GATE, WORLD_NET + id, PACKET_ACK, XDP_PASS);
	}
	samples[S_FLAT_ONE][round] = one / WARM_KEYS;
	samples[S_FLAT_MANY][round] = many / WARM_KEYS;
}

static const struct comparison comparisons[] = {
	{ "bare_pass", S_PASS, 0, NULL, 0, 0, 0 },
	{ "parse_hash", S_HASH, 0, NULL, 0, 0, 0 },
	{ "gate.nobody", S_NOBODY, 0, "bare_pass", S_PASS, 0, TARGET_NOBODY },
	{ "gate.pass", S_HEALTHY, S_PASS, "parse_hash", S_HASH, S_PASS, TARGET_KNOWN },
	{ "gate.drop", S_DROP, S_PASS, "parse_hash", S_HASH, S_PASS, TARGET_KNOWN },
	{ "gate.established", S_ESTABLISHED, S_PASS, "parse_hash", S_HASH, S_PASS, TARGET_KNOWN },
	{ "restore", S_RESTORE, 0, NULL, 0, 0, 0 },
	{ "gate.reject", S_REJECT, S_RESTORE, "parse_hash", S_HASH, S_PASS, TARGET_REPLY },
	{ "gate.reset", S_RESET, S_RESTORE, "parse_hash", S_HASH, S_PASS, TARGET_REPLY },
	{ "gate.reject_redirect", S_REDIRECT, S_RESTORE, "parse_hash", S_HASH, S_PASS, 0 },
	{ "gate.pass_1", S_FLAT_ONE, 0, NULL, 0, 0, 0 },
	{ "gate.pass_65536", S_FLAT_MANY, 0, "gate.pass_1", S_FLAT_ONE, 0, TARGET_FLAT },
	{ "random_pass", S_RANDOM_PASS, 0, NULL, 0, 0, 0 },
	{ "random_parse_hash", S_RANDOM_HASH, 0, "random_pass", S_RANDOM_PASS, 0, 0 },
	{ "gate.random_65536", S_RANDOM_GATE, 0, "random_parse_hash", S_RANDOM_HASH, 0, 0 },
};

static void add_sizes(struct figures *figures, const struct worlds *w)
{
	static const struct {
		const char *name;
		enum world_program program;
	} programs[] = {
		{ "verified.sl_xdp", BENCH_GATE },
		{ "verified.sl_tc_ingress", BENCH_TC_INGRESS },
		{ "verified.sl_tc_egress", BENCH_TC_EGRESS },
	};
	double bytes = (double)world_map_bytes(w->usual);

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		double insns = world_verified_insns(w->usual, programs[i].program);

		figures_add(figures, programs[i].name, "insns", &insns, 1)->target = TARGET_INSNS;
	}
	figures_add(figures, "memory.maps_4096", "bytes", &bytes, 1)->target = TARGET_BYTES;
}

static void world_words(struct world *w)
{
	world_word(w, ID_DROP,
		   (struct sl_word){ .health = SL_UNHEALTHY, .action = SL_ACTION_DROP });
	world_word(w, ID_REJECT,
		   (struct sl_word){ .health = SL_UNHEALTHY, .action = SL_ACTION_REJECT });
	world_word(w, ID_RESET, (struct sl_word){ .health = SL_UNHEALTHY, .flags = SL_WORD_RESET });
}

static struct worlds worlds_new(void)
{
	struct worlds w = { .usual = world_new(DEFAULT_ENDPOINTS),
			    .one = world_new(1),
			    .many = world_new(MANY_ENDPOINTS) };

	world_words(w.usual);
	return w;
}

static void worlds_free(const struct worlds *w)
{
	world_free(w->many);
	world_free(w->one);
	world_free(w->usual);
}

static void run(void *arg, struct figures *figures)
{
	struct worlds w = worlds_new();
	samples_t samples;

	(void)arg;
	measure_gate(&w, samples, 0); /* warms up */
	for (int round = 0; round < ROUNDS; round++) {
		if (round && round % ROUNDS_PER_LOAD == 0) {
			worlds_free(&w);
			w = worlds_new();
		}
		measure_gate(&w, samples, round);
		measure_flat(&w, samples, round);
		measure_random(&w, samples, round);
	}
	for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++)
		compare_add(figures, &comparisons[i], samples[0], ROUNDS);
	add_sizes(figures, &w);
	worlds_free(&w);
}

int main(int argc, char **argv)
{
	const char *path = figures_path(argc, argv);
	struct figures figures;

	figures_measure(&figures, run, NULL, ATTEMPTS);
	return figures_finish(&figures, path);
}
