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

enum rig_program { RIG_XDP, RIG_TC_INGRESS, RIG_TC_EGRESS, RIG_PROGRAMS };

/*
 * What a program made of a packet. TC_ACT_UNSPEC, XDP_PASS and so on in one language. RIG_REFUSED:
 * the kernel makes no skb of a frame that ends within its IP header.
 */
enum rig_verdict { RIG_PASS, RIG_DROP, RIG_REPLY, RIG_OTHER, RIG_REFUSED };

struct rig_result {
	enum rig_verdict verdict;
	int decision; /* the one that was counted; -1: none or several */
	size_t len;
	uint8_t frame[PACKET_MAX];
	struct sl_endpoint_stats stats; /* what was added, over all endpoints */
};

struct rig;

struct rig *rig_new(void);
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
