// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flood - SYNs from addresses that do not exist, so many a second.
 *
 *   flood DEVICE MAC ADDR PORT RATE SECONDS FIRST   IPv4; prints how many the device took
 *
 * FIRST is the number of the first SYN; two with the same number are the same.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/clock.h"

#define BATCH 64
#define BREATH_US 100
#define SOURCE_NET 0xc6120000u /* 198.18.0.0/15: RFC 2544, for tests like this */
#define SOURCE_BITS 17

struct frame {
	struct ether_header eth;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

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

static void fill(struct frame *frame, const struct frame *template, uint32_t number)
{
	const uint32_t spread = number * 2654435761u;
	uint32_t sum;

	*frame = *template;
	frame->ip.saddr = htonl(SOURCE_NET | spread >> (32 - SOURCE_BITS));
	frame->tcp.source = htons((uint16_t)(1024 + number % 60000));
	frame->tcp.seq = spread;
	frame->ip.check = fold(sum_words(&frame->ip, sizeof(frame->ip)));
	sum = sum_words(&frame->tcp, sizeof(frame->tcp)) + sum_words(&frame->ip.saddr, 8);
	frame->tcp.check = fold(sum + htons(IPPROTO_TCP) + htons(sizeof(frame->tcp)));
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

int main(int argc, char *argv[])
{
	struct frame template, frames[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr messages[BATCH] = { 0 };
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	uint64_t begun_us, end_us, rate;
	uint32_t n = 0, first;
	int fd;

	if (argc != 8 || parse(&template, argv) < 0)
		return EXIT_FAILURE;
	to.sll_ifindex = (int)if_nametoindex(argv[1]);
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return EXIT_FAILURE;
	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ &frames[i], sizeof(frames[i]) };
		messages[i].msg_hdr.msg_iov = &iov[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	rate = strtoul(argv[5], NULL, 10);
	first = (uint32_t)strtoul(argv[7], NULL, 10);
	begun_us = clock_mono_ns() / NS_PER_US;
	end_us = begun_us + US_PER_SEC * strtoul(argv[6], NULL, 10);
	for (uint64_t now_us = begun_us; now_us < end_us; now_us = clock_mono_ns() / NS_PER_US) {
		int sent;

		/* Ahead of the rate: let others have the CPU. */
		if (n > (now_us - begun_us) * rate / US_PER_SEC) {
			usleep(BREATH_US);
			continue;
		}
		for (uint32_t i = 0; i < BATCH; i++)
			fill(&frames[i], &template, first + n + i);
		sent = sendmmsg(fd, messages, BATCH, 0);
		n += sent > 0 ? (uint32_t)sent : 0;
		/* What the other end has not fetched yet fills the device: more would only keep the CPU busy. */
		if (sent < BATCH)
			usleep(BREATH_US);
	}
	printf("%u\n", n);
	return EXIT_SUCCESS;
}
