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
#define INTERVAL_TLS_MS 600 /* one CPU has to do it easily */
#define LAST_BYTES 200 /* addresses per last byte, and backends per pool */

#define MANY 20000 /* idle endpoints that memory is measured with */
#define MANY_INTERVAL_MS 60000
#define MANY_TIMEOUT_MS 120000
#define SETTLE_MS 3000
#define POLL_MS 100

#define CROWD 5000 /* endpoints of which more is asked than the prober can do */
#define CROWD_WARM_UP_MS 8000
#define CROWD_MS 8000

#define TARGET_FULL 1.0
#define TARGET_RESUMED 0.45
#define TARGET_BYTES_HTTP 2000.0
#define TARGET_BYTES_HTTPS 4000.0
#define TARGET_SLOWER 1.1 /* the best rate over the rate under overload */

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

enum { S_TCP, S_HTTP, S_HTTPS, S_RESUMED }; /* their places */

#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static bool is_tls(const struct subject *subject)
{
	return subject->port == PEERS_PORT_HTTPS;
}

static int interval_of(const struct subject *subject)
{
	return is_tls(subject) ? INTERVAL_TLS_MS : INTERVAL_MS;
}

/* 127.0.1.1 and on: the whole network is this host. */
static void put_address(FILE *file, int i)
{
	fprintf(file, "127.%d.%d.%d", i / (LAST_BYTES * LAST_BYTES),
		1 + i / LAST_BYTES % LAST_BYTES, 1 + i % LAST_BYTES);
}

static void put_pools(FILE *file, int endpoints)
{
	fprintf(file, "pools:\n");
	for (int i = 0; i < endpoints; i++) {
		if (i % LAST_BYTES == 0)
			fprintf(file, "  - name: b%d\n    backends:\n", i / LAST_BYTES);
		fprintf(file, "      - address: ");
		put_address(file, i);
		fprintf(file, "\n");
	}
	fprintf(file, "services:\n");
	for (int i = 0; i < endpoints; i += LAST_BYTES)
		fprintf(file, "  - { name: b%d, pool: b%d, settings: s }\n", i / LAST_BYTES,
			i / LAST_BYTES);
}

static pid_t start_sluice(const struct subject *subject, int endpoints, int interval_ms)
{
	const char *dir = peers_directory();
	FILE *file = peers_file("sluice.yaml");
	char conf[64];

	fprintf(file,
		"gateway: { interfaces: [ { name: guarded } ], probe_workers: 1, on_exit: detach,\n"
		"  api_socket: %s/api.sock, bpffs: %s/bpf/sluice, state_dir: %s/state }\n"
		"probes: [ { name: p, protocol: %s, interval: %dms, timeout: 5s } ]\n"
		"settings: [ { name: s, protocol: %s, port: %d, probe: p%s%s%s",
		dir, dir, dir, subject->protocol, interval_ms, subject->protocol, subject->port,
		strcmp(subject->protocol, "tcp") == 0 ? "" : ", host_name: " PEERS_HOST,
		is_tls(subject) ? ", trusted_roots: [ root.pem ]" : "", subject->settings);
	fprintf(file, " } ]\n");
	put_pools(file, endpoints);
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
		fprintf(file, ":%d check inter %dms %s", subject->port, interval_of(subject),
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
		ours[i] = measure(start_sluice(subject, ENDPOINTS, interval_of(subject)));
		ratios[i] = ours[i] / theirs[i];
	}
	snprintf(baseline, sizeof(baselines[0]), "haproxy.%s", subject->name);
	figures_add(figures, baseline, "us", theirs, ROUNDS);
	figure = figures_add(figures, subject->name, "us", ours, ROUNDS);
	figure->baseline = baseline;
	figure->ratio = median(ratios, ROUNDS);
	figure->target = subject->target;
}

/* Resident memory of a prober whose endpoints have all been probed, and wait. */
static double resident(const struct subject *subject, int endpoints)
{
	uint64_t before = peers_connections(), deadline_ms = clock_mono_ms() + MANY_TIMEOUT_MS;
	pid_t pid = start_sluice(subject, endpoints, MANY_INTERVAL_MS);
	uint64_t bytes;

	while (peers_connections() - before < (uint64_t)endpoints && clock_mono_ms() < deadline_ms)
		usleep(POLL_MS * 1000);
	usleep(SETTLE_MS * 1000);
	bytes = peers_resident(pid);
	peers_end(pid);
	return (double)bytes;
}

static void add_memory(struct figures *figures, const char *name, const struct subject *subject,
		       double target)
{
	double bytes = (resident(subject, MANY) - resident(subject, 1)) / MANY;

	figures_add(figures, name, "bytes", &bytes, 1)->target = target;
}

/* A number that the running daemon's status gives. */
static double ask(const char *filter)
{
	char command[256];
	double number = -1;
	FILE *pipe;

	snprintf(command, sizeof(command),
		 "build/sluice status --json --socket %s/api.sock | jq '%s'", peers_directory(),
		 filter);
	pipe = popen(command, "re");
	if (!pipe || fscanf(pipe, "%lf", &number) != 1)
		fprintf(stderr, "bench: no answer to: %s\n", command);
	if (pipe)
		pclose(pipe);
	return number;
}

/* Probes a second, when this many times as many are asked for as one CPU can do. */
static double rate(const struct subject *subject, double us_per_probe, double times,
		   double *ret_unhealthy, double *ret_said)
{
	double per_s = times * 1e6 / us_per_probe;
	pid_t pid = start_sluice(subject, CROWD, (int)(CROWD * 1000.0 / per_s));
	uint64_t connections;

	usleep(CROWD_WARM_UP_MS * 1000);
	connections = peers_connections();
	usleep(CROWD_MS * 1000);
	connections = peers_connections() - connections;
	*ret_unhealthy = ask(".totals.unhealthy");
	*ret_said = ask(".engine.holdable_interval_ms // 0");
	peers_end(pid);
	return (double)connections * 1000.0 / CROWD_MS;
}

static void add_overload(struct figures *figures, const struct subject *subject,
			 double us_per_probe)
{
	double unhealthy, said, best, crowded;
	struct figure *figure;

	best = rate(subject, us_per_probe, 1.0, &unhealthy, &said);
	crowded = rate(subject, us_per_probe, 3.0, &unhealthy, &said);
	figures_add(figures, "overload.rate_1x", "/s", &best, 1);
	figure = figures_add(figures, "overload.rate_3x", "/s", &crowded, 1);
	figure->baseline = "overload.rate_1x";
	figure->ratio = best / crowded;
	figure->target = TARGET_SLOWER;
	figures_add(figures, "overload.holdable_interval", "ms", &said, 1);
	figures_add(figures, "overload.unhealthy", "", &unhealthy, 1);
	if (unhealthy != 0 || said <= 0) {
		fprintf(stderr,
			"bench: overload: %.0f endpoints unhealthy, holdable interval %.0f ms\n",
			unhealthy, said);
		exit(EXIT_FAILURE);
	}
}

int main(int argc, char **argv)
{
	const char *path = figures_path(argc, argv);
	struct figures figures = { 0 };

	peers_start();
	for (size_t i = 0; i < SUBJECTS; i++)
		add_subject(&figures, &subjects[i]);
	add_overload(&figures, &subjects[S_HTTPS], figures_find(&figures, "probe.https")->value);
	add_memory(&figures, "memory.http", &subjects[S_HTTP], TARGET_BYTES_HTTP);
	add_memory(&figures, "memory.https", &subjects[S_RESUMED], TARGET_BYTES_HTTPS);
	peers_stop();
	return figures_finish(&figures, path);
}
