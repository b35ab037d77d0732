/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flows - the flows that the kernel knows, as people see them: those that live, each once.
 *
 * The programs change the tables meanwhile: a flow that comes or goes during a listing may be missed.
 * Any thread may list.
 */
#ifndef SLUICE_DATAPLANE_FLOWS_H
#define SLUICE_DATAPLANE_FLOWS_H

#include "dataplane/dataplane.h"
#include "util/addr.h"
#include "util/cleanup.h"

enum flow_state {
	FLOW_HALF_OPEN, /* the endpoint has not answered */
	FLOW_ANSWERED, /* the endpoint has, and the client not yet again */
	FLOW_OPEN,
	FLOW_CLOSING, /* one side has said its last */
	FLOW_CLOSED
};

/* "half_open", "answered", … */
const char *flow_state_name(enum flow_state state);

struct flow_end {
	struct addr addr;
	uint16_t port;
};

struct flow_row {
	struct flow_end client, to; /* to: where it sends its packets */
	struct flow_end source; /* that the endpoint sees; port 0: the client itself */
	uint32_t service, endpoint; /* indexes in the model */
	enum sl_proto proto;
	enum flow_state state;
	uint32_t idle_s; /* since the client's last packet */
};

typedef void flow_row_fn(void *arg, const struct flow_row *row);

struct flow_list;

/* The data plane is borrowed. -ENOMEM */
int flow_list_new(struct flow_list **ret, const struct dataplane *dp);
void flow_list_free(struct flow_list *list);
DEFINE_CLEANUP(struct flow_list, flow_list_free)

/* Call fn for those among the next few thousand entries. 1: there are more; 0: that was all; -errno. */
int flow_list_next(struct flow_list *list, flow_row_fn *fn, void *arg);

/* Entries of a table of flows, which are not the flows that live. */
struct flow_fill {
	uint32_t entries, max;
};

/* What has been found in the tables so far. */
struct flow_fills {
	struct flow_fill flows, half_open;
};

struct flow_fills flow_list_fills(const struct flow_list *list);

/* Which state an entry of that table is in, and whether there is still a flow behind it. Pure. */
enum flow_state flow_state_of(const struct sl_flow *flow, bool half_open);
bool flow_lives(const struct sl_tuple *tuple, const struct sl_flow *flow, bool half_open,
		const struct sl_meta *meta, uint32_t now_s);

#endif
