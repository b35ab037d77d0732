/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rig - the three programs loaded over one set of small maps, to run single packets through.
 *
 * Failures of the rig itself fail the running test (cmocka), so that callers check nothing.
 */
#ifndef SLUICE_TESTS_RIG_H
#define SLUICE_TESTS_RIG_H

#include <stddef.h>
#include <stdint.h>

#include "sluice/abi.h"
#include "tests/lib/packet.h"

#define RIG_ENDPOINTS 64
#define RIG_SERVICES 16
#define RIG_SLOTS 4096
#define RIG_FLOWS 65536
#define RIG_HANDSHAKES 256
#define RIG_ATTEMPTS 1024

/* Source ports of translated flows; rig_default_meta(). */
#define RIG_PORT_LOW 20000
#define RIG_PORT_HIGH 29999

/* Devices of routes: test runs of XDP programs have the loopback device for their ingress. */
#define RIG_IFINDEX_IN 1
#define RIG_IFINDEX_OUT 7

enum rig_program { RIG_XDP, RIG_TC_INGRESS, RIG_TC_EGRESS, RIG_PROGRAMS };

/*
 * What a program made of a packet. TC_ACT_UNSPEC, XDP_PASS and so on in one language. RIG_REPLY is
 * XDP_TX, RIG_FORWARD XDP_REDIRECT; for tc both are RIG_REPLY. RIG_REFUSED: the kernel makes no skb
 * of a frame that ends within its IP header.
 */
enum rig_verdict { RIG_PASS, RIG_DROP, RIG_REPLY, RIG_FORWARD, RIG_OTHER, RIG_REFUSED };

struct rig_result {
	enum rig_verdict verdict;
	int decision; /* the one that was counted; -1: none or several */
	size_t len;
	uint8_t frame[PACKET_MAX];
	struct sl_endpoint_stats stats; /* what was added, over all endpoints */
	struct sl_service_stats service; /* the same, over all services */
	struct sl_attempt_stats attempts; /* the same, over all endpoints */
};

struct rig;

struct rig *rig_new(void);

/* For services whose flows keep the client's address: any packet may be a reply. */
struct rig *rig_new_plain_nat(void);

/* With so little room for flows that it is full soon. */
#define RIG_FLOWS_SMALL 2048
struct rig *rig_new_small(void);

void rig_free(struct rig *rig);

/* The same as cmocka's teardown, for a rig in *state. */
int rig_teardown(void **state);

const char *rig_program_name(enum rig_program program);
const char *rig_decision_name(int decision);
int rig_program_fd(const struct rig *rig, enum rig_program program);

/* Put a value into the index slot of a key: what a collision looks like, or a stale slot. */
void rig_index(struct rig *rig, const char *addr, uint16_t port, enum sl_proto proto,
	       struct sl_target value);

/* Put an endpoint behind an id, with a word of zero. */
void rig_endpoint(struct rig *rig, uint32_t id, const char *addr, uint16_t port,
		  enum sl_proto proto);
void rig_word(struct rig *rig, uint32_t id, struct sl_word word);

/* Where the endpoint sees this host, and which of those with its id it is. */
void rig_source(struct rig *rig, uint32_t id, const char *source, uint32_t generation);

/* Where a closed gate sends new flows; SL_ID_NONE: nowhere. */
void rig_redirect(struct rig *rig, uint32_t id, uint32_t service);

/* Put a service behind an id; addr NULL: it has no address. */
struct rig_service {
	const char *addr;
	uint16_t port;
	enum sl_proto proto;
	enum sl_method method;
	enum sl_action none;
	uint8_t flags;
	struct sl_slice slice;
};
void rig_service(struct rig *rig, uint32_t id, const struct rig_service *service);

/* Fill a slice with these ids in turn. */
void rig_select(struct rig *rig, struct sl_slice slice, const uint32_t *ids, size_t n);

/* What the slot holds that this flow is placed in. */
uint32_t rig_selected(const struct rig *rig, struct sl_slice slice, uint64_t hash);

/* Put a route into the cache of every CPU, of the epoch that meta has; addr and epoch are filled in. */
void rig_route(struct rig *rig, const char *addr, struct sl_route route);

/* Say what a VLAN device stands for. */
void rig_device(struct rig *rig, uint32_t ifindex, struct sl_device device);

/* The tables of flows. */
enum rig_table { RIG_FLOWS_TABLE, RIG_HALF_OPEN_TABLE };

struct sl_tuple rig_tuple(const char *src, uint16_t sport, const char *dst, uint16_t dport,
			  enum sl_proto proto);
bool rig_flow(const struct rig *rig, enum rig_table table, const struct sl_tuple *tuple,
	      struct sl_flow *ret_flow);
void rig_put_flow(struct rig *rig, enum rig_table table, const struct sl_tuple *tuple,
		  const struct sl_flow *flow);
uint32_t rig_flows(const struct rig *rig, enum rig_table table); /* how many there are */
void rig_forget_flow(struct rig *rig, const struct sl_tuple *tuple); /* in both tables */
void rig_forget_flows(struct rig *rig);

/* Forget what the XDP program has taken from flows lately. */
void rig_forget_recents(struct rig *rig);

/* How many fragmented datagrams are known; forget them; let their first fragments be older. */
uint32_t rig_fragmented(const struct rig *rig);
void rig_forget_fragmented(struct rig *rig);
void rig_age_fragmented(struct rig *rig, uint32_t seconds);

/* Set every CPU's budget of flows to enter. */
void rig_flow_budget(struct rig *rig, const struct sl_reply_budget *budget);

/* What is kept of the only attempt that there is; state 0: there is none. */
struct sl_attempt rig_attempt(const struct rig *rig);
void rig_forget_attempts(struct rig *rig); /* and what they speak for and against */

/* What speaks against an endpoint. */
struct sl_evidence rig_evidence(const struct rig *rig, uint32_t id);

/* Set the meta entry; rig_new() sets one that enforces, holds, and replies without limit. */
void rig_meta(struct rig *rig, const struct sl_meta *meta);
struct sl_meta rig_default_meta(void);

/* Set every CPU's reply budget. */
void rig_budget(struct rig *rig, const struct sl_reply_budget *budget);

/* Metadata of an skb; the XDP program sees none of it. */
struct rig_skb {
	uint32_t mark, ingress_ifindex;
};

struct rig_result rig_run(struct rig *rig, enum rig_program program, const void *frame, size_t len,
			  struct rig_skb skb);

/* Totals since the rig was made. */
uint64_t rig_decisions(const struct rig *rig, struct sl_decision_counts *ret_counts);

#endif
