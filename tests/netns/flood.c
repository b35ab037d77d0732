// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flood - SYNs from addresses that do not exist, so many a second.
 *
 *   flood DEVICE MAC ADDR PORT RATE SECONDS NTH   IPv4; prints how many were sent; the NTH flood
 *                                                 of 2 stays on that CPU, and has clients of its own
 *
 * Needs Linux 5.18, and the other end of a veth device to poll.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "util/clock.h"

#include "flood.skel.h"

#define BATCH 64
#define STEPS_PER_S 2 /* each takes the kernel some 25 ms to prepare, in which nothing is sent */
#define BREATH_US 1000
#define SOURCE_NET 0xc6120000u /* 198.18.0.0/15: RFC 2544, for tests like this */
#define SOURCE_BITS 17
#define PORTS_LOW 1024
#define PORTS 60000
#define NUMBERS 100000000u /* of one flood, at most */
#define CPUS 2

struct frame {
	struct ether_header eth;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

static uint32_t sum_words(const void *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += sizeof(uint16_t)) {
		uint16_t word;

		memcpy(&word, (const char *)data + i, sizeof(word));
		sum += word;
	}
	return sum;
}

static int parse(struct frame *ret, char *argv[])
{
	unsigned int mac[ETH_ALEN];

	*ret = (struct frame){
		.eth = { .ether_shost = { 2 }, .ether_type = htons(ETHERTYPE_IP) },
		.ip = { .version = IPVERSION,
			.ihl = 5,
			.ttl = IPDEFTTL,
			.protocol = IPPROTO_TCP,
			.tot_len = htons(sizeof(struct iphdr) + sizeof(struct tcphdr)) },
		.tcp = { .doff = 5, .syn = 1, .window = htons(65535) },
	};
	if (sscanf(argv[2], "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
		   &mac[5]) != ETH_ALEN ||
	    inet_pton(AF_INET, argv[3], &ret->ip.daddr) != 1)
		return -1;
	for (int i = 0; i < ETH_ALEN; i++)
		ret->eth.ether_dhost[i] = (uint8_t)mac[i];
	ret->tcp.dest = htons((uint16_t)strtoul(argv[4], NULL, 10));
	return 0;
}

static void prepare(struct flood_bpf *flood, const struct frame *template)
{
	_Static_assert(sizeof(*template) == sizeof(flood->bss->template.first) +
						    sizeof(flood->bss->template.words),
		       "the whole frame");

	memcpy(&flood->bss->template.first, template, sizeof(uint16_t));
	memcpy(flood->bss->template.words, (const char *)template + sizeof(uint16_t),
	       sizeof(flood->bss->template.words));
	flood->bss->ip_sum = sum_words(&template->ip, sizeof(template->ip));
	flood->bss->tcp_sum = sum_words(&template->tcp, sizeof(template->tcp)) +
			      sum_words(&template->ip.daddr, sizeof(template->ip.daddr)) +
			      htons(IPPROTO_TCP) + htons(sizeof(template->tcp));
	flood->bss->source_net = SOURCE_NET;
	flood->bss->source_bits = SOURCE_BITS;
	flood->bss->ports_low = PORTS_LOW;
	flood->bss->ports = PORTS;
}

/* What the gateway does for a SYN is done on the CPU that sends it. */
static void stay_on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set); /* a machine may have one */
}

static int send_syns(const struct flood_bpf *flood, unsigned int ifindex, uint32_t n)
{
	struct frame frame = { 0 };
	struct xdp_md ctx = { .data_end = sizeof(frame), .ingress_ifindex = ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = &frame, .data_size_in = sizeof(frame),
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = (int)n,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);

	return bpf_prog_test_run_opts(bpf_program__fd(flood->progs.make_syn), &run);
}

int main(int argc, char *argv[])
{
	struct flood_bpf *flood;
	struct frame template;
	uint64_t begun_us, now_us, end_us, rate;
	unsigned int ifindex;
	uint32_t n = 0, step;

	if (argc != 8 || parse(&template, argv) < 0) {
		fprintf(stderr, "usage: flood DEVICE MAC ADDR PORT RATE SECONDS NTH\n");
		return EXIT_FAILURE;
	}
	ifindex = if_nametoindex(argv[1]);
	flood = flood_bpf__open_and_load();
	if (!ifindex || !flood) {
		fprintf(stderr, "flood: %s: %s\n", argv[1], strerror(errno));
		return EXIT_FAILURE;
	}
	prepare(flood, &template);
	flood->bss->number = (uint32_t)strtoul(argv[7], NULL, 10) * NUMBERS;
	stay_on_cpu((int)strtoul(argv[7], NULL, 10) % CPUS);
	rate = strtoul(argv[5], NULL, 10);
	step = (uint32_t)(rate / STEPS_PER_S);
	begun_us = now_us = clock_mono_ns() / NS_PER_US;
	end_us = begun_us + US_PER_SEC * strtoul(argv[6], NULL, 10);
	for (; now_us < end_us; now_us = clock_mono_ns() / NS_PER_US) {
		/* Ahead of the rate: let others have the CPU. */
		if (n > (now_us - begun_us) * rate / US_PER_SEC) {
			usleep(BREATH_US);
			continue;
		}
		if (send_syns(flood, ifindex, step) < 0) {
			fprintf(stderr, "flood: %s\n", strerror(errno));
			return EXIT_FAILURE;
		}
		n += step;
	}
	flood_bpf__destroy(flood);
	printf("%u\n", n);
	return EXIT_SUCCESS;
}
