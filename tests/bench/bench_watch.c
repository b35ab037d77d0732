// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What watching clients' attempts to connect adds to the packets that it looks at: the XDP program with it against the
 * same without, in turn, round after round. One look at the clock, which it cannot do without, is taken off.
 *
 * Usage: bench_watch FILE, where the figures go as JSON. Exit status 1: a target was missed in every one of a few attempts.
 */
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "model/limits.h"
#include "tests/bench/figures.h"
#include "tests/bench/world.h"
#include "tests/lib/packet.h"

#define ROUNDS 31
#define ROUNDS_PER_LOAD 4 /* where the kernel puts code and buckets is part of the noise */
#define ATTEMPTS 3

#define TARGET_NS 15.0

/* Of so many clients in turn each has its slot; ... */
#define FEW 4096
/* ... and so many have never been seen before. */
#define FLOOD (1u << 22)

#define RUNS 50000
/* Clients whose attempts are answered: most of them still have their slots then. */
#define ANSWERED 16384

#define ID 1
#define CLIENT "192.0.2.1"

struct worlds {
	struct world *with, *without;
};

/* What is measured in every round, in ns. */
enum figure_id { F_SYN, F_FLOOD, F_SYN_ACK, F_DATA, F_CLOCK, FIGURES };

typedef double samples_t[FIGURES][ROUNDS];

static void build(uint8_t frame[PACKET_MAX], bool answer, uint8_t flags)
{
	struct packet_desc desc = { .src = answer ? "10.0.0.1" : CLIENT,
				    .dst = answer ? CLIENT : "10.0.0.1",
				    .sport = answer ? WORLD_PORT : 40000,
				    .dport = answer ? 40000 : WORLD_PORT,
				    .tcp_flags = flags,
				    .tcp_options = 20 };

	packet_build(frame, &desc);
}

/* Packets of so many clients to the endpoint, each SYN another attempt. */
static double requests(struct world *w, uint8_t flags, uint32_t clients, uint32_t runs)
{
	uint8_t frame[PACKET_MAX];

	build(frame, false, flags);
	world_clients(w, clients - 1);
	return world_measure_runs(w, BENCH_CLIENTS_GATE, frame, XDP_PASS, runs);
}

/* The endpoint's answers to attempts that were just made. */
static double answers(struct world *w)
{
	uint8_t frame[PACKET_MAX];

	requests(w, PACKET_SYN, ANSWERED, ANSWERED);
	build(frame, true, PACKET_SYN | PACKET_ACK);
	world_clients(w, ANSWERED - 1);
	return world_measure_runs(w, BENCH_ANSWERS_GATE, frame, XDP_PASS, ANSWERED);
}

static double clock_read(struct world *w)
{
	uint8_t frame[PACKET_MAX];

	build(frame, false, PACKET_ACK);
	return world_measure(w, BENCH_CLOCK, frame, XDP_PASS) -
	       world_measure(w, BENCH_PASS, frame, XDP_PASS);
}

static void measure(const struct worlds *w, samples_t samples, int round)
{
	double clock = clock_read(w->with);

	samples[F_CLOCK][round] = clock;
	samples[F_SYN][round] = requests(w->with, PACKET_SYN, FEW, RUNS) -
				requests(w->without, PACKET_SYN, FEW, RUNS) - clock;
	samples[F_FLOOD][round] = requests(w->with, PACKET_SYN, FLOOD, RUNS) -
				  requests(w->without, PACKET_SYN, FLOOD, RUNS) - clock;
	samples[F_SYN_ACK][round] = answers(w->with) - answers(w->without) - clock;
	samples[F_DATA][round] = requests(w->with, PACKET_ACK, FEW, RUNS) -
				 requests(w->without, PACKET_ACK, FEW, RUNS);
}

static struct world *world_of(uint32_t attempts)
{
	struct world *w = world_new_watching(FEW, attempts);

	world_word(w, ID, (struct sl_word){ .health = SL_HEALTHY });
	return w;
}

static struct worlds worlds_new(void)
{
	return (struct worlds){ .with = world_of(ATTEMPTS_AUTO), .without = world_of(0) };
}

static void worlds_free(const struct worlds *w)
{
	world_free(w->with);
	world_free(w->without);
}

static void run(void *arg, struct figures *figures)
{
	static const struct {
		const char *name;
		enum figure_id id;
		double target;
	} rows[] = {
		{ "clock", F_CLOCK, 0 },
		{ "watch.syn", F_SYN, TARGET_NS },
		{ "watch.syn_ack", F_SYN_ACK, TARGET_NS },
		{ "watch.syn_flood", F_FLOOD, TARGET_NS },
		{ "watch.established", F_DATA, 0 },
	};
	struct worlds w = worlds_new();
	samples_t samples;

	(void)arg;
	measure(&w, samples, 0); /* warms up */
	for (int round = 0; round < ROUNDS; round++) {
		if (round && round % ROUNDS_PER_LOAD == 0) {
			worlds_free(&w);
			w = worlds_new();
		}
		measure(&w, samples, round);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		figures_add(figures, rows[i].name, "ns", samples[rows[i].id], ROUNDS)->target =
			rows[i].target;
	worlds_free(&w);
}

int main(int argc, char **argv)
{
	const char *path = figures_path(argc, argv);
	struct figures figures;

	figures_measure(&figures, run, NULL, ATTEMPTS);
	return figures_finish(&figures, path);
}
