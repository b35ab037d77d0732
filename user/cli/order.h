/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * order - what `sluice probe` was asked to do: its target and options, checked and resolved.
 *
 * Plain data with buffers of its own; trust holds what order_done() frees.
 */
#ifndef SLUICE_CLI_ORDER_H
#define SLUICE_CLI_ORDER_H

#include "cli/cli.h"
#include "cli/target.h"
#include "model/plan.h"

struct err;

struct order {
	struct target target;
	struct probe_match match;
	char body[LIMIT_MATCH_BODY_BYTES + 1];
	char send[LIMIT_SEND_BYTES];
	uint32_t send_len;
	const char *host; /* Host header; borrowed from the options, or the target's */
	const char *sni; /* --sni, or NULL */
	struct trust_spec trust;
	bool check_chain, check_name, show_certs;
	enum proxy_version proxy_protocol;
	uint64_t timeout_ms;
};

/* -EINVAL: err says in one sentence which option is wrong and what is allowed. -ENOMEM */
int order_parse(struct order *ret_order, const struct cli *cli, struct err *err);

void order_done(struct order *order);

/*
 * The plan of one probe; it borrows from the order. addr is the target's, trust is left NULL. The
 * name that is verified is --sni, else --host, else the target's host; an IP address is verified as
 * one and not sent.
 */
struct plan order_plan(const struct order *order);

#endif
