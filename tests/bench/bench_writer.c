// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What it costs the daemon to tell the programs of a change, through the data plane as the daemon
 * opens it: an endpoint's word, a service's table, all words.
 *
 * Usage: bench_writer FILE, where the figures go as JSON. Exit status 1: a target was missed.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/report.h"
#include "dataplane/dataplane.h"
#include "model/maglev.h"
#include "tests/bench/figures.h"
#include "tests/lib/netbed.h"
#include "util/clock.h"
#include "util/err.h"

#define ROUNDS 31
#define NIC "gw0"
#define FAR "far0"

#define POOL 256 /* of which one is lost */
#define ENDPOINTS 65536 /* in all */
#define CROWD 4096 /* in each other pool */
#define YAML_MAX (4u << 20)
#define TEXT_MAX 8192

#define TARGET_WORD_NS 1000.0
#define TARGET_TABLE_MS 5.0
#define TARGET_WORDS_MS 10.0

static char bpffs[PATH_MAX];

static void must(bool ok, const char *what, const char *why)
{
	if (ok)
		return;
	fprintf(stderr, "bench_writer: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

static void put_pool(FILE *file, uint32_t number, uint32_t n)
{
	fprintf(file, "  - name: p%u\n    backends: [ ", number);
	for (uint32_t i = 0; i < n; i++)
		fprintf(file, "%s{ address: 10.%u.%u.%u }", i ? ", " : "", number, i >> 8, i & 255);
	fprintf(file, " ]\n");
}

/* A service with a pool of POOL, and guarded ones with all other endpoints. */
static struct model *make_model(void)
{
	char *yaml = calloc(1, YAML_MAX), text[TEXT_MAX];
	FILE *file = fmemopen(yaml, YAML_MAX, "w");
	struct model *model = NULL;
	struct report report;
	uint32_t pools = 0;

	must(yaml && file, "make a configuration", "no memory");
	fprintf(file,
		"gateway: { interfaces: [ { name: " NIC " } ], bpffs: %s, max_endpoints: %d }\n"
		"settings: [ { name: s, protocol: tcp, port: 80 } ]\npools:\n",
		bpffs, ENDPOINTS);
	put_pool(file, 0, POOL);
	for (uint32_t n = POOL; n < ENDPOINTS; n += CROWD)
		put_pool(file, 1 + pools++, n + CROWD < ENDPOINTS ? CROWD : ENDPOINTS - n);
	fprintf(file,
		"services:\n  - { name: s0, listen: 198.18.0.1:80, pool: p0, settings: s }\n");
	for (uint32_t i = 1; i <= pools; i++)
		fprintf(file, "  - { name: s%u, pool: p%u, settings: s }\n", i, i);
	fclose(file);
	if (config_parse(&model, yaml, strlen(yaml), "bench.yaml", &report) < 0) {
		report_format(text, sizeof(text), &report, 0);
		must(false, "configuration", text);
	}
	free(yaml);
	must(model->n_endpoints == ENDPOINTS, "configuration", "not so many endpoints");
	return model;
}

static double elapsed_ms(uint64_t since_ns)
{
	return (double)(clock_mono_ns() - since_ns) / (double)NS_PER_MS;
}

/* All words, and the part of one. */
static void measure_words(struct dataplane *dp, struct figures *figures)
{
	double all_ms[ROUNDS], one_ns[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		struct sl_word word = { .health = round % 2 ? SL_HEALTHY : SL_UNHEALTHY };
		uint64_t start_ns = clock_mono_ns();

		for (uint32_t i = 0; i < ENDPOINTS; i++)
			dataplane_store_word(dp, i, word);
		all_ms[round] = elapsed_ms(start_ns);
		one_ns[round] = all_ms[round] * (double)NS_PER_MS / ENDPOINTS;
	}
	figures_add(figures, "writer.word", "ns", one_ns, ROUNDS)->target = TARGET_WORD_NS;
	figures_add(figures, "writer.words_65536", "ms", all_ms, ROUNDS)->target = TARGET_WORDS_MS;
}

/* One endpoint of the pool goes, another one every time, and comes back. */
static void measure_table(struct dataplane *dp, struct figures *figures)
{
	double loses_ms[ROUNDS], regains_ms[ROUNDS];
	uint16_t shares[POOL];

	for (int i = 0; i < POOL; i++)
		shares[i] = MAGLEV_SHARE_FULL;
	must(!dataplane_balance(dp, 0, shares, false), "balance", "no memory");
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t start_ns = clock_mono_ns();

		shares[round] = 0;
		must(!dataplane_balance(dp, 0, shares, false), "balance", "no memory");
		loses_ms[round] = elapsed_ms(start_ns);
		start_ns = clock_mono_ns();
		shares[round] = MAGLEV_SHARE_FULL;
		must(!dataplane_balance(dp, 0, shares, false), "balance", "no memory");
		regains_ms[round] = elapsed_ms(start_ns);
	}
	figures_add(figures, "writer.table_256_loses_one", "ms", loses_ms, ROUNDS)->target =
		TARGET_TABLE_MS;
	figures_add(figures, "writer.table_256_regains", "ms", regains_ms, ROUNDS)->target =
		TARGET_TABLE_MS;
}

int main(int argc, char **argv)
{
	const char *path = figures_path(argc, argv);
	struct figures figures = { 0 };
	struct dataplane *dp = NULL;
	struct err err = { "" };
	char bed[PATH_MAX];
	struct model *model;

	netbed_enter();
	netbed_veth(NIC, FAR);
	snprintf(bed, sizeof(bed), "/run/sl-bench-%d", getpid());
	snprintf(bpffs, sizeof(bpffs), "/run/sl-bench-%d/bpf", getpid());
	model = make_model();
	must(!mkdir(bed, 0700), bed, "cannot be made");
	must(!dataplane_open(&dp, model, &err), "open the data plane", err.text);
	measure_words(dp, &figures);
	measure_table(dp, &figures);
	must(!dataplane_destroy(dp, &err), "close the data plane", err.text);
	model_free(model);
	rmdir(bed);
	return figures_finish(&figures, path);
}
