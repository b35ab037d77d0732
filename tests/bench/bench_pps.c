// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets per second of one CPU that generates them, carries them through the gateway and takes them
 * at the other end: nat by XDP and by tcx against the kernel's own, which is nftables with conntrack.
 * All of it over the same two cables and flows, in turn, round after round; a ratio is the median
 * of the rounds' ratios, of the time that a packet takes.
 *
 *   feed0 -> in0 (the gateway) out0 -> far0
 *
 * Usage: bench_pps FILE, where the figures go as JSON. Exit status 1: a target was missed in every
 * one of a few attempts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/bench/figures.h"
#include "tests/bench/scene.h"
#include "tests/lib/netbed.h"
#include "tests/lib/packet.h"
#include "util/clock.h"

#include "traffic.skel.h"

#define ROUNDS 7
#define ATTEMPTS 2
#define LOSSY_RUNS 5 /* are too many */
#define BATCH 64
#define FRAMES 1024 /* as traffic.bpf.c has it; each of a client and flow of its own */
#define ENDPOINTS 4
#define FLOWS 65536
#define CPU 0
#define SETTLE_NS (50 * NS_PER_MS)
#define POLL_US 200
#define FEED "feed0"
#define IN "in0"
#define IN_MAC "02:00:00:00:98:01"

#define TCX_INGRESS 46 /* newer than the headers that we build with */

/* Of the time that a packet takes by nftables: at least 3.5 and 1.1 times as many packets. */
#define TARGET_XDP (1 / 3.5)
#define TARGET_TCX (1 / 1.1)

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_pps: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

struct bench {
	struct scene scene;
	struct traffic_bpf *traffic;
	int sink; /* the link */
};

/* --- the ways through the gateway -------------------------------------------------------------- */

static int attach_xdp(struct bench *b)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);

	return bpf_link_create(world_program_fd(b->scene.world, BENCH_GATE),
			       (int)if_nametoindex(IN), BPF_XDP, &opts);
}

static int attach_tcx(struct bench *b)
{
	return bpf_link_create(world_program_fd(b->scene.world, BENCH_TC_INGRESS),
			       (int)if_nametoindex(IN), (enum bpf_attach_type)TCX_INGRESS, NULL);
}

/* The same work: to one of the endpoints by a hash of the client, from an address of this host. */
static int attach_nft(struct bench *b)
{
	static const char *const rules[] = {
		"add table ip bench",
		"add chain ip bench pre { type nat hook prerouting priority -100; }",
		"add chain ip bench post { type nat hook postrouting priority 100; }",
		"add rule ip bench pre ip daddr 198.18.0.0 tcp dport 443 dnat ip to "
		"jhash ip saddr . tcp sport mod 4 map { 0 : 172.16.0.0, 1 : 172.16.0.1, "
		"2 : 172.16.0.2, 3 : 172.16.0.3 } : 8443",
		"add rule ip bench post oifname \"out0\" masquerade",
	};

	(void)b;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		netbed_must("nft", rules[i]);
	return -1;
}

static void detach_nft(void)
{
	netbed_must("nft", "delete table ip bench");
}

enum way { WAY_NFT, WAY_TCX, WAY_XDP, WAY_DSR, WAYS };

static const struct {
	const char *name;
	int (*attach)(struct bench *b); /* returns a link, or -1 */
	void (*detach)(void);
	enum scene_kind kind;
	uint32_t packets; /* half a second's: every run takes some time to begin */
	double target;
} ways[WAYS] = {
	[WAY_NFT] = { "pps.nft_nat", attach_nft, detach_nft, KIND_NAT, 300000, 0 },
	[WAY_TCX] = { "pps.tcx_nat", attach_tcx, NULL, KIND_NAT, 400000, TARGET_TCX },
	[WAY_XDP] = { "pps.xdp_nat", attach_xdp, NULL, KIND_NAT, 1000000, TARGET_XDP },
	[WAY_DSR] = { "pps.xdp_dsr", attach_xdp, NULL, KIND_DSR, 1000000, 0 },
};

/* --- packets ----------------------------------------------------------------------------------- */

static void set_frames(struct bench *b, enum scene_kind kind)
{
	for (uint32_t i = 0; i < FRAMES; i++) {
		struct scene_flow flow = { .client = i, .service = kind };
		uint8_t frame[WORLD_FRAME_LEN];

		scene_request(frame, &flow, PACKET_ACK);
		memcpy(frame, (uint8_t[]){ 2, 0, 0, 0, 0x98, 1 }, 6);
		memcpy(&b->traffic->bss->frames[i].first, frame, sizeof(uint16_t));
		memcpy(b->traffic->bss->frames[i].words, frame + sizeof(uint16_t),
		       sizeof(b->traffic->bss->frames[i].words));
	}
}

/* What arrives counts only if it was translated, or was not. */
static void set_expected(struct bench *b, enum scene_kind kind)
{
	bool nat = kind == KIND_NAT;

	b->traffic->bss->source = nat ? inet_addr("192.0.2.1") : 0;
	b->traffic->bss->network = inet_addr(nat ? "172.16.0.0" : "198.18.0.0");
	b->traffic->bss->netmask = inet_addr("255.255.0.0");
}

static uint64_t arrived(const struct bench *b)
{
	return *(volatile __u64 *)&b->traffic->bss->arrived;
}

/*
 * Nanoseconds for each of so many packets; what is still on its way when the last was sent is waited
 * for. Negative: some were lost on the cables, because the kernel had left the generator alone with the CPU.
 */
static double send_packets(struct bench *b, uint32_t packets)
{
	uint8_t frame[WORLD_FRAME_LEN] = { 0 };
	struct xdp_md ctx = { .data_end = sizeof(frame), .ingress_ifindex = if_nametoindex(FEED) };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = (int)packets,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	uint64_t before = arrived(b), start_ns = clock_mono_ns(), end_ns;

	must(!bpf_prog_test_run_opts(bpf_program__fd(b->traffic->progs.generate), &run),
	     "generate packets");
	end_ns = clock_mono_ns();
	while (arrived(b) - before < packets && clock_mono_ns() - end_ns < SETTLE_NS)
		usleep(POLL_US);
	if (arrived(b) - before < packets / 100 * 99) {
		printf("of %u packets %llu arrived: measuring again\n", packets,
		       (unsigned long long)(arrived(b) - before));
		errno = ENOBUFS;
		return -1;
	}
	return (double)(end_ns - start_ns) / (double)(arrived(b) - before);
}

/* Nanoseconds for a packet. */
static double measure(struct bench *b, enum way way)
{
	int link = ways[way].attach(b);
	double ns = -1;

	must(link >= 0 || ways[way].detach, ways[way].name);
	set_frames(b, ways[way].kind);
	set_expected(b, ways[way].kind);
	send_packets(b, 2 * FRAMES); /* every flow is known from now on */
	for (int i = 0; i < LOSSY_RUNS && ns < 0; i++)
		ns = send_packets(b, ways[way].packets);
	must(ns >= 0, "every run lost packets");
	if (link >= 0)
		close(link);
	if (ways[way].detach)
		ways[way].detach();
	return ns;
}

/* --- the place --------------------------------------------------------------------------------- */

static void stay_on_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(CPU, &set);
	must(!sched_setaffinity(0, sizeof(set), &set), "stay on a CPU");
}

static void lay_cables(void)
{
	scene_enter();
	netbed_veth(FEED, IN);
	netbed_must("ip", "link", "set", IN, "address", IN_MAC);
	/* What is redirected to a veth device gets lost unless its peer polls. */
	netbed_must("ethtool", "-K", IN, "gro", "on");
	netbed_must("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0");
	netbed_must("sysctl", "-qw", "net.ipv4.conf." IN ".rp_filter=0");
}

static void bench_start(struct bench *b)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);

	b->scene = scene_new(
		&(struct scene_sizes){ .services = KINDS, .endpoints = ENDPOINTS, .flows = FLOWS });
	for (uint32_t i = 0; i < FRAMES; i++) {
		scene_open(&b->scene, &(struct scene_flow){ i, KIND_NAT, i % ENDPOINTS });
		scene_open(&b->scene, &(struct scene_flow){ i, KIND_DSR, i % ENDPOINTS });
	}
	b->traffic = traffic_bpf__open_and_load();
	must(b->traffic, "load the generator");
	b->sink = bpf_link_create(bpf_program__fd(b->traffic->progs.swallow),
				  (int)if_nametoindex(SCENE_FAR), BPF_XDP, &opts);
	must(b->sink >= 0, "attach the sink");
}

static void bench_stop(struct bench *b)
{
	close(b->sink);
	traffic_bpf__destroy(b->traffic);
	scene_free(&b->scene);
}

static void run(void *arg, struct figures *figures)
{
	struct bench *b = arg;
	double ns[WAYS][ROUNDS], rates[WAYS][ROUNDS], ratios[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		for (enum way way = 0; way < WAYS; way++) {
			ns[way][round] = measure(b, way);
			rates[way][round] = (double)NS_PER_MS / ns[way][round];
		}
	}
	for (enum way way = 0; way < WAYS; way++) {
		struct figure *figure =
			figures_add(figures, ways[way].name, "kpps", rates[way], ROUNDS);

		if (way == WAY_NFT)
			continue;
		for (int round = 0; round < ROUNDS; round++)
			ratios[round] = ns[way][round] / ns[WAY_NFT][round];
		figure->baseline = ways[WAY_NFT].name;
		figure->ratio = median(ratios, ROUNDS);
		figure->target = ways[way].target;
	}
}

int main(int argc, char **argv)
{
	const char *path = figures_path(argc, argv);
	struct figures figures;
	struct bench b;

	stay_on_cpu();
	lay_cables();
	bench_start(&b);
	figures_measure(&figures, run, &b, ATTEMPTS);
	bench_stop(&b);
	return figures_finish(&figures, path);
}
