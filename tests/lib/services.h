/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * services - a rig with one service of every flavour, two endpoints each, and routes to everybody.
 *
 * Service and flavour have the same number; endpoints of flavour f are 2 f and 2 f + 1, the slots of
 * its slice name them in turn. All of it can be changed through the rig.
 */
#ifndef SLUICE_TESTS_SERVICES_H
#define SLUICE_TESTS_SERVICES_H

#include "tests/lib/packet.h"
#include "tests/lib/rig.h"

enum flavour { TCP4, UDP4, TCP6, UDP6, FLAVOURS };

#define SERVICES_SLOTS 64
#define SERVICES_CLIENT_PORT 40000
#define SERVICES_GENERATION 3
#define SERVICES_MTU 1500

/* The programs that forward. */
#define PROGRAMS 2
extern const enum rig_program programs[PROGRAMS];
#define for_each_program(p) for (const enum rig_program *p = programs; p < programs + PROGRAMS; p++)

#define for_each_flavour(f) for (enum flavour f = 0; f < FLAVOURS; f++)

struct flavour_facts {
	const char *client, *vip, *endpoints[2], *source;
	uint16_t port, endpoint_port;
	enum sl_proto proto;
	bool v6;
};
extern const struct flavour_facts flavours[FLAVOURS];

/* What all flavours have in common. */
struct services_kind {
	enum sl_method method;
	enum sl_action none;
	uint8_t flags;
};

void services_make(struct rig *rig, const struct services_kind *kind);

struct sl_slice services_slice(enum flavour flavour);

/* The route that the rig has for an address; to put back after a change. */
struct sl_route services_route(void);

/* A packet from the client to the service; flags are TCP's, ignored for UDP. */
struct packet_desc services_request(enum flavour flavour, uint8_t flags);
struct sl_tuple services_tuple(enum flavour flavour, uint16_t client_port);

/* The endpoint that the flow from the client's port is placed on: 0 or 1. */
int services_choice(const struct rig *rig, enum flavour flavour, uint16_t client_port);

/* Give both endpoints of a flavour a word. */
void services_words(struct rig *rig, enum flavour flavour, struct sl_word first,
		    struct sl_word second);

/* A packet from endpoint 0 or 1 to the source port of a translated flow. */
struct packet_desc services_reply(enum flavour flavour, int endpoint, uint16_t port, uint8_t flags);

/* The two entries of a translated flow; false: not there. */
bool services_request_flow(const struct rig *rig, enum rig_table table, enum flavour flavour,
			   struct sl_flow *ret);
bool services_reply_flow(const struct rig *rig, enum rig_table table, enum flavour flavour,
			 int endpoint, uint16_t port, struct sl_flow *ret);

struct rig_result services_run(struct rig *rig, enum rig_program program,
			       const struct packet_desc *desc);

/* Fail unless the result is this decision, and this packet sent by that route; out NULL: none sent. */
void services_expect(const struct rig_result *result, enum sl_decision decision,
		     const struct packet_desc *out, const struct sl_route *route);

#endif
