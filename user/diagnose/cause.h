/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cause - what can keep a connection from working, where to look for it, and what to do about it.
 *
 * One row per entry of CAUSES. Static data; strings are never freed.
 */
#ifndef SLUICE_DIAGNOSE_CAUSE_H
#define SLUICE_DIAGNOSE_CAUSE_H

#include <stddef.h>

/* A: the application; B: its host; C: the network; D: the device at the edge to the internet. */
enum area { AREA_NONE, AREA_A, AREA_B, AREA_C, AREA_D };

/* Name, stable id, area. */
#define CAUSES(X)                                            \
	X(REACHABLE, "reachable", NONE)                      \
	X(NOT_RUNNING, "not_running", A)                     \
	X(LOOPBACK_ONLY, "loopback_only", A)                 \
	X(OTHER_ADDRESS, "other_address", A)                 \
	X(REFUSED, "refused", A)                             \
	X(ACCEPT_QUEUE_FULL, "accept_queue_full", A)         \
	X(NO_ANSWER, "no_answer", A)                         \
	X(APPLICATION_ERROR, "application_error", A)         \
	X(PROBE_WRONG, "probe_wrong", A)                     \
	X(GREEN_BUT_BROKEN, "green_but_broken", A)           \
	X(HOST_DOWN, "host_down", B)                         \
	X(HOST_FIREWALL_DROPS, "host_firewall_drops", B)     \
	X(HOST_FIREWALL_REJECTS, "host_firewall_rejects", B) \
	X(CLIENTS_REFUSED, "clients_refused", B)             \
	X(NAME_UNKNOWN, "name_unknown", C)                   \
	X(NAME_WITHOUT_ADDRESS, "name_without_address", C)   \
	X(NAME_SERVER_FAILED, "name_server_failed", C)       \
	X(NAME_SERVER_SILENT, "name_server_silent", C)       \
	X(NO_ROUTE, "no_route", C)                           \
	X(ROUTE_REFUSES, "route_refuses", C)                 \
	X(NO_SOURCE_ADDRESS, "no_source_address", C)         \
	X(LINK_DOWN, "link_down", C)                         \
	X(NEXT_HOP_DOWN, "next_hop_down", C)                 \
	X(OWN_FILTER, "own_filter", C)                       \
	X(FORWARD_FILTER, "forward_filter", C)               \
	X(GATE_CLOSED, "gate_closed", C)                     \
	X(PATH_UNREACHABLE, "path_unreachable", C)           \
	X(PATH_REJECTS, "path_rejects", C)                   \
	X(PATH_DROPS, "path_drops", C)                       \
	X(PATH_ENDS, "path_ends", C)                         \
	X(ROUTING_LOOP, "routing_loop", C)                   \
	X(REPLY_LOST, "reply_lost", C)                       \
	X(CLIENTS_UNANSWERED, "clients_unanswered", C)       \
	X(PACKET_LOSS, "packet_loss", C)                     \
	X(MTU_BLACK_HOLE, "mtu_black_hole", C)               \
	X(OWN_TROUBLE, "own_trouble", C)                     \
	X(EDGE_REJECTS, "edge_rejects", D)                   \
	X(EDGE_DROPS, "edge_drops", D)

#define CAUSE_ENUM_(NAME, id, area) CAUSE_##NAME,
enum cause { CAUSES(CAUSE_ENUM_) CAUSE_MAX };

#define CAUSE_REMEDIES_MAX 5

struct cause_row {
	const char *meaning; /* one sentence */
	const char *remedies[CAUSE_REMEDIES_MAX]; /* ends at the first NULL */
	const char *issue; /* its type in Network Watcher's vocabulary; NULL: it has none for it */
};

const struct cause_row *cause_row(enum cause cause);
const char *cause_id(enum cause cause);
enum area cause_area(enum cause cause);
size_t cause_n_remedies(enum cause cause);

/* "A", …; "" for none. And what it stands for, in words. */
const char *area_letter(enum area area);
const char *area_name(enum area area);

#endif
