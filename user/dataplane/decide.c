// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/decide.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <string.h>

#include "dataplane/open.h"
#include "dataplane/percpu.h"
#include "sluice/hash.h"
#include "util/err.h"

#define FRAME_MAX 128
#define TTL 64
#define WINDOW 65535
#define V4_AT 12 /* of an address in a v4-mapped one */

static const struct {
	const char *name, *text;
} decisions[] = {
#define DECISION_ROW(NAME, name, text) [SL_##NAME] = { #name, text },
	SL_DECISIONS(DECISION_ROW)
#undef DECISION_ROW
};

const char *decision_name(enum sl_decision decision)
{
	return decisions[decision].name;
}

const char *decision_text(enum sl_decision decision)
{
	return decisions[decision].text;
}

/* --- the packet -------------------------------------------------------------------------------- */

struct frame {
	uint32_t len;
	uint8_t pad[2]; /* so that what follows the Ethernet header is aligned */
	uint8_t data[FRAME_MAX];
};

static void *add(struct frame *frame, size_t n)
{
	void *at = frame->data + frame->len;

	frame->len += (uint32_t)n;
	return at;
}

static uint16_t fold(const uint8_t *data, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(data[i] << 8 | data[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static size_t l4_len(const struct decide_packet *packet)
{
	return packet->proto == SL_TCP ? sizeof(struct tcphdr) : sizeof(struct udphdr);
}

static void add_ip(struct frame *frame, const struct decide_packet *packet)
{
	struct iphdr *ip;
	struct ipv6hdr *ip6;

	if (addr_is_v4(&packet->to)) {
		ip = add(frame, sizeof(*ip));
		ip->version = 4;
		ip->ihl = sizeof(*ip) / 4;
		ip->ttl = TTL;
		ip->protocol = packet->proto;
		ip->tot_len = htons((uint16_t)(sizeof(*ip) + l4_len(packet)));
		memcpy(&ip->saddr, packet->from.bytes + V4_AT, sizeof(ip->saddr));
		memcpy(&ip->daddr, packet->to.bytes + V4_AT, sizeof(ip->daddr));
		ip->check = htons(fold((const uint8_t *)ip, sizeof(*ip)));
		return;
	}
	ip6 = add(frame, sizeof(*ip6));
	ip6->version = 6;
	ip6->hop_limit = TTL;
	ip6->nexthdr = packet->proto;
	ip6->payload_len = htons((uint16_t)l4_len(packet));
	memcpy(&ip6->saddr, packet->from.bytes, sizeof(ip6->saddr));
	memcpy(&ip6->daddr, packet->to.bytes, sizeof(ip6->daddr));
}

/* Checksums of TCP and UDP are of no interest to the programs. */
static void add_l4(struct frame *frame, const struct decide_packet *packet)
{
	struct tcphdr *tcp;
	struct udphdr *udp;

	if (packet->proto == SL_UDP) {
		udp = add(frame, sizeof(*udp));
		udp->source = htons(packet->from_port);
		udp->dest = htons(packet->to_port);
		udp->len = htons(sizeof(*udp));
		return;
	}
	tcp = add(frame, sizeof(*tcp));
	tcp->source = htons(packet->from_port);
	tcp->dest = htons(packet->to_port);
	tcp->doff = sizeof(*tcp) / 4;
	tcp->window = htons(WINDOW);
	tcp->syn = packet->flags == DECIDE_SYN;
	tcp->ack = packet->flags == DECIDE_ACK;
}

static struct frame make_frame(const struct decide_packet *packet)
{
	struct frame frame = { .len = 0 };
	struct ethhdr *eth = add(&frame, sizeof(*eth));

	eth->h_proto = htons(addr_is_v4(&packet->to) ? ETH_P_IP : ETH_P_IPV6);
	add_ip(&frame, packet);
	add_l4(&frame, packet);
	return frame;
}

/* --- the flow ---------------------------------------------------------------------------------- */

static struct sl_tuple tuple_of(const struct decide_packet *packet)
{
	struct sl_tuple tuple = { .sport = packet->from_port,
				  .dport = packet->to_port,
				  .proto = packet->proto };

	memcpy(tuple.saddr, packet->from.bytes, sizeof(tuple.saddr));
	memcpy(tuple.daddr, packet->to.bytes, sizeof(tuple.daddr));
	return tuple;
}

/* The slot for the tuple in the handshakes of a map that has so many. */
static uint32_t handshake_slot(const struct mapset *maps, const struct sl_tuple *tuple)
{
	return sl_handshake_slot(sl_flow_hash(tuple), map_entries(maps->fd[MAP_HANDSHAKES]));
}

/* Show the trial where the SYN of the packet's flow went. */
static void copy_handshake(const struct mapset *live, const struct mapset *trial,
			   const struct decide_packet *packet)
{
	struct sl_tuple tuple = tuple_of(packet);
	uint32_t from = handshake_slot(live, &tuple), to = handshake_slot(trial, &tuple);
	struct sl_handshake handshake;

	if (bpf_map_lookup_elem(live->fd[MAP_HANDSHAKES], &from, &handshake) == 0)
		bpf_map_update_elem(trial->fd[MAP_HANDSHAKES], &to, &handshake, BPF_ANY);
}

/* Show the trial what is known of the packet's flow. */
static bool copy_flow(const struct mapset *live, const struct mapset *trial,
		      const struct decide_packet *packet, struct sl_flow *ret_flow)
{
	static const enum map_id tables[] = { MAP_FLOWS, MAP_HALF_OPEN };
	struct sl_tuple tuple = tuple_of(packet);

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (bpf_map_lookup_elem(live->fd[tables[i]], &tuple, ret_flow) == 0)
			return bpf_map_update_elem(trial->fd[tables[i]], &tuple, ret_flow,
						   BPF_ANY) == 0;
	return false;
}

static uint32_t service_of(const struct dataplane *dp, uint32_t id)
{
	for (uint32_t i = 0; i < dp->tables.services.n; i++)
		if (dp->tables.services.of[i].id == id)
			return i;
	return INDEX_NONE;
}

static uint32_t endpoint_of(const struct dataplane *dp, uint32_t id)
{
	for (uint32_t i = 0; i < dp->tables.ids.n; i++)
		if (dp->tables.ids.id[i] == id)
			return i;
	return INDEX_NONE;
}

/* --- the run ----------------------------------------------------------------------------------- */

static int run(const struct programs *trial, const struct decide_packet *packet, struct err *err)
{
	struct frame frame = make_frame(packet);
	uint8_t out[2 * FRAME_MAX];
	struct xdp_md ctx = { .data_end = frame.len, .ingress_ifindex = packet->ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.data, .data_size_in = frame.len,
		    .data_out = out, .data_size_out = sizeof(out), .repeat = 1);

	if (packet->ifindex) {
		opts.ctx_in = &ctx;
		opts.ctx_size_in = sizeof(ctx);
	}
	if (bpf_prog_test_run_opts(programs_fd(trial, PROG_XDP), &opts) < 0)
		return err_set(err, -errno, "the kernel did not run the program: %s",
			       strerror(errno));
	return 0;
}

static int find_decision(const struct mapset *trial, enum sl_decision *ret_decision,
			 struct err *err)
{
	uint64_t counts[SL_DECISION_MAX];
	uint32_t n = 0;
	int r;

	r = percpu_sum(trial->fd[MAP_DECISIONS], 0, sizeof(counts), counts);
	if (r < 0)
		return err_set(err, r, "cannot read the decision: %s", strerror(-r));
	for (uint32_t i = 0; i < SL_DECISION_MAX; i++) {
		if (!counts[i])
			continue;
		*ret_decision = (enum sl_decision)i;
		n++;
	}
	return n == 1 ? 0 : err_set(err, -EPROTO, "the program counted %u decisions", n);
}

/* Whose counters the trial has moved. */
static uint32_t find_service(const struct dataplane *dp, const struct mapset *trial,
			     bool *ret_moved)
{
	for (uint32_t i = 0; i < dp->tables.services.n; i++) {
		uint32_t id = dp->tables.services.of[i].id;
		struct sl_service_stats stats;
		uint64_t sums[sizeof(stats) / sizeof(uint64_t)];

		if (id == SL_ID_NONE ||
		    percpu_sum(trial->fd[MAP_SERVICE_STATS], id, sizeof(sums), sums) < 0)
			continue;
		memcpy(&stats, sums, sizeof(stats));
		*ret_moved = stats.moved > 0;
		if (stats.packets || stats.replies)
			return i;
	}
	return INDEX_NONE;
}

static uint32_t find_endpoint(const struct dataplane *dp, const struct mapset *trial)
{
	for (uint32_t i = 0; i < dp->tables.ids.n; i++) {
		struct sl_endpoint_stats stats;
		uint64_t sums[sizeof(stats) / sizeof(uint64_t)];

		if (dp->tables.ids.key[i].port &&
		    percpu_sum(trial->fd[MAP_STATS], dp->tables.ids.id[i], sizeof(sums), sums) >=
			    0) {
			memcpy(&stats, sums, sizeof(stats));
			if (stats.packets)
				return i;
		}
	}
	return INDEX_NONE;
}

int dataplane_decide(const struct dataplane *dp, const struct decide_packet *packet,
		     struct decide_result *ret_result, struct err *err)
{
	CLEANUP(programs_free_p) struct programs *trial = NULL;
	struct decide_result result = { .service = INDEX_NONE, .endpoint = INDEX_NONE };
	const struct mapset *live = programs_maps(dp->programs), *maps;
	struct sl_meta meta = dataplane_meta(dp);
	const uint32_t zero = 0;
	struct sl_flow flow;
	int r;

	r = programs_load_trial(&trial, dp->programs, err);
	if (r < 0)
		return r;
	maps = programs_maps(trial);
	if (bpf_map_update_elem(maps->fd[MAP_META], &zero, &meta, BPF_ANY) < 0)
		return err_set(err, -errno, "cannot prepare the trial: %s", strerror(errno));
	copy_handshake(live, maps, packet);
	result.known = copy_flow(live, maps, packet, &flow);
	r = run(trial, packet, err);
	if (r < 0)
		return r;
	r = find_decision(maps, &result.decision, err);
	if (r < 0)
		return r;
	result.service = find_service(dp, maps, &result.moved);
	result.endpoint = find_endpoint(dp, maps);
	if (result.known && result.service == INDEX_NONE)
		result.service = service_of(dp, flow.service);
	if (result.known && result.endpoint == INDEX_NONE)
		result.endpoint = endpoint_of(dp, flow.endpoint);

	*ret_result = result;
	return 0;
}
