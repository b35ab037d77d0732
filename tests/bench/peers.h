/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peers - real programs for benchmarks of the prober: nginx to be probed, and what probes it.
 *
 * All of it runs in a network and mount namespace of the benchmark's own. Whatever fails ends the
 * benchmark with a message, and everything that was started is ended with it.
 */
#ifndef SLUICE_BENCH_PEERS_H
#define SLUICE_BENCH_PEERS_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define PEERS_PORT_HTTP 8080
#define PEERS_PORT_HTTPS 8443
#define PEERS_HOST "www.bench.test" /* what the certificate is for */

/* The CPU that probers run on; the servers have the other. */
#define PEERS_CPU_PROBER 0
#define PEERS_CPU_SERVER 1

/* Enter the namespaces, make the directory for files and the certificates, start nginx. */
void peers_start(void);

/* End nginx and remove the directory. */
void peers_stop(void);

/* Where files go, without a final slash. */
const char *peers_directory(void);

/* Create a file there; path is relative. */
FILE *peers_file(const char *path);

/* Start a program on that CPU; its output goes to a log in the directory. */
pid_t peers_spawn(int cpu, const char *const argv[]);

/* End it and wait. */
void peers_end(pid_t pid);

/* CPU time that all threads of a process have had, in nanoseconds. */
uint64_t peers_cpu_ns(pid_t pid);

/* Resident memory of a process in bytes, without what it maps from files. */
uint64_t peers_resident(pid_t pid);

/* Connections that were begun in our namespace so far: every probe begins one. */
uint64_t peers_connections(void);

#endif
