// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a probe costs the daemon, against HAProxy's own health checks of the same servers: CPU time
 * per probe, in turn, round after round, the probes counted by the kernel as connections begun. A ratio
 * is the median of the rounds' ratios.
 *
 * Usage: bench_probe FILE, where the figures go as JSON. Exit status 1: a target was missed.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/figures.h"
#include "tests/bench/peers.h"
#include "util/clock.h"

#define ROUNDS 7
#define WARM_UP_MS 700
#define MEASURE_MS 1500
#define ENDPOINTS 200
#define INTERVAL_MS 200

#define TARGET_FULL 1.0
#define TARGET_RESUMED 0.45

struct subject {
	const char *name;
	const char *protocol; /* in sluice.yaml */
	int port;
	const char *settings; /* more keys of the settings */
	double target;
	const char *haproxy; /* what is checked: lines of the backend, and of each server */
	const char *server;
};

#define CHECK_SSL "check-ssl verify required verifyhost " PEERS_HOST " check-sni " PEERS_HOST

static const struct subject subjects[] = {
	{ "probe.tcp", "tcp", PEERS_PORT_HTTP, "", TARGET_FULL, "", "" },
	{ "probe.http", "http", PEERS_PORT_HTTP, "", TARGET_FULL,
	  "option httpchk\nhttp-check send meth GET uri / ver HTTP/1.1 hdr Host " PEERS_HOST, "" },
	{ "probe.https", "https", PEERS_PORT_HTTPS, ", full_handshake_every: 1", TARGET_FULL,
	  "option httpchk\nhttp-check send meth GET uri / ver HTTP/1.1 hdr Host " PEERS_HOST,
	  CHECK_SSL " no-ssl-reuse" },
	{ "probe.https_resumed", "https", PEERS_PORT_HTTPS, "", TARGET_RESUMED,
	  "option httpchk\nhttp-check send meth GET uri / ver HTTP/1.1 hdr Host " PEERS_HOST,
	  CHECK_SSL " no-ssl-reuse" },
};

#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static bool is_tls(const struct subject *subject)
{
	return subject->port == PEERS_PORT_HTTPS;
}

static void put_address(FILE *file, int i)
{
	fprintf(file, "127.0.%d.%d", 1 + i / 200, 1 + i % 200);
}

static pid_t start_sluice(const struct subject *subject)
{
	const char *dir = peers_directory();
	FILE *file = peers_file("sluice.yaml");
	char conf[64];

	fprintf(file,
		"gateway: { interfaces: [ { name: guarded } ], probe_workers: 1, on_exit: detach,\n"
		"  api_socket: %s/api.sock, bpffs: %s/bpf/sluice }\n"
		"probes: [ { name: p, protocol: %s, interval: %dms, timeout: 5s } ]\n"
		"settings: [ { name: s, protocol: %s, port: %d, probe: p%s%s%s",
		dir, dir, subject->protocol, INTERVAL_MS, subject->protocol, subject->port,
		strcmp(subject->protocol, "tcp") == 0 ? "" : ", host_name: " PEERS_HOST,
		is_tls(subject) ? ", trusted_roots: [ root.pem ]" : "", subject->settings);
	fprintf(file, " } ]\npools:\n  - name: b\n    backends:\n");
	for (int i = 0; i < ENDPOINTS; i++) {
		fprintf(file, "      - address: ");
		put_address(file, i);
		fprintf(file, "\n");
	}
	fprintf(file, "services: [ { name: b, pool: b, settings: s } ]\n");
	fclose(file);
	snprintf(conf, sizeof(conf), "%s/sluice.yaml", dir);
	return peers_spawn(PEERS_CPU_PROBER, (const char *[]){ "build/sluiced", "--config", conf,
							       "--foreground", NULL });
}

static pid_t start_haproxy(const struct subject *subject)
{
	FILE *file = peers_file("haproxy.cfg");
	char conf[64];

	fprintf(file,
		"global\n  nbthread 1\n  maxconn 2000\n"
		"defaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n"
		"  timeout server 5s\n  timeout check 5s\n"
		"frontend f\n  bind 127.0.0.1:9999\n  default_backend b\nbackend b\n%s\n",
		subject->haproxy);
	for (int i = 0; i < ENDPOINTS; i++) {
		fprintf(file, "  server s%d ", i);
		put_address(file, i);
		fprintf(file, ":%d check inter %dms %s", subject->port, INTERVAL_MS,
			subject->server);
		if (is_tls(subject))
			fprintf(file, " ca-file %s/root.pem", peers_directory());
		fprintf(file, "\n");
	}
	fclose(file);
	snprintf(conf, sizeof(conf), "%s/haproxy.cfg", peers_directory());
	return peers_spawn(PEERS_CPU_PROBER,
			   (const char *[]){ "haproxy", "-db", "-f", conf, NULL });
}

/* Microseconds of CPU per probe. */
static double measure(pid_t pid)
{
	uint64_t cpu_ns, connections;

	usleep(WARM_UP_MS * 1000);
	connections = peers_connections();
	cpu_ns = peers_cpu_ns(pid);
	usleep(MEASURE_MS * 1000);
	cpu_ns = peers_cpu_ns(pid) - cpu_ns;
	connections = peers_connections() - connections;
	peers_end(pid);
	if (connections < ENDPOINTS) {
		fprintf(stderr, "bench: only %lu probes in %d ms: see %s/log\n", connections,
			MEASURE_MS, peers_directory());
		exit(EXIT_FAILURE);
	}
	return (double)cpu_ns / (double)NS_PER_US / (double)connections;
}

static void add_subject(struct figures *figures, const struct subject *subject)
{
	static char baselines[SUBJECTS][64];
	char *baseline = baselines[subject - subjects];
	double ours[ROUNDS], theirs[ROUNDS], ratios[ROUNDS];
	struct figure *figure;

	for (int i = 0; i < ROUNDS; i++) {
		theirs[i] = measure(start_haproxy(subject));
		ours[i] = measure(start_sluice(subject));
		ratios[i] = ours[i] / theirs[i];
	}
	snprintf(baseline, sizeof(baselines[0]), "haproxy.%s", subject->name);
	figures_add(figures, baseline, "us", theirs, ROUNDS);
	figure = figures_add(figures, subject->name, "us", ours, ROUNDS);
	figure->baseline = baseline;
	figure->ratio = median(ratios, ROUNDS);
	figure->target = subject->target;
}

int main(int argc, char **argv)
{
	struct figures figures = { 0 };
	int r;

	if (argc != 2) {
		fprintf(stderr, "usage: bench_probe FILE\n");
		return 2;
	}
	peers_start();
	for (size_t i = 0; i < SUBJECTS; i++)
		add_subject(&figures, &subjects[i]);
	peers_stop();

	figures_print(&figures);
	r = figures_write(&figures, argv[1]);
	if (r)
		fprintf(stderr, "bench_probe: write '%s': %s\n", argv[1], strerror(-r));
	return r || !figures_ok(&figures) ? EXIT_FAILURE : EXIT_SUCCESS;
}
