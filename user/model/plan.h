/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan - everything one probe needs to know, resolved from settings and probe definition.
 *
 * This is where the precedence rules live: which host, path, port and match apply. Strings are
 * borrowed from the model (or the caller) and must outlive the plan.
 */
#ifndef SLUICE_MODEL_PLAN_H
#define SLUICE_MODEL_PLAN_H

#include "model/model.h"

struct trust;

/* How TLS is spoken, for probes that speak it. */
struct plan_tls {
	struct trust
		*trust; /* whom to trust: probe/trust.h; set by whoever made it, and borrowed */
	const char *sni; /* NULL: none is sent */
	const char *name; /* that the certificate must be for: DNS name or IP literal; NULL: any */
	uint32_t full_every; /* 1: every handshake is a full one; n: others resume the session */
	bool enabled;
	bool name_configured; /* false: nobody said a host, and name is the default one */
	bool check_chain; /* validate_chain_and_expiry */
	bool check_name; /* validate_sni */
};

/* Every endpoint has two; members are in an order that leaves no holes. */
struct plan {
	struct plan_tls tls; /* enabled for https and tls, and for grpc over https settings */
	const char *backend; /* the name that addr stands behind; NULL: the backend is an address */
	const char *host; /* Host header or :authority; an IPv6 literal has its brackets */
	const char *path; /* grpc: "/" or "/" and the name of the service */
	const char *send; /* udp: the datagram; NULL: an empty one */
	const struct probe_match *match;
	struct addr addr; /* to connect to */
	enum protocol protocol; /* of the probe */
	enum proxy_version proxy_protocol; /* the header that the connection begins with */
	uint32_t generation; /* tells the plans that one seat has one after the other */
	uint32_t send_len;
	uint32_t interval_ms, timeout_ms;
	uint32_t connect_ms; /* time of the handshake with TCP alone; 0: timeout_ms is for all */
	uint32_t unhealthy_threshold, healthy_threshold;
	uint32_t mark; /* SO_MARK; 0: none */
	uint16_t port;
	bool idle; /* a seat without an address: not to be probed */
	bool fail_fast;
	bool settled; /* it is known how it is: the first probe may come whenever in an interval */
};

/* The default probe: GET http://127.0.0.1:<port>/ or a TCP handshake; 200-399; 30 s; 3 failures. */
const struct probe_def *probe_default(enum protocol protocol);

/* The definition in use for settings: the custom probe or the default one. */
const struct probe_def *plan_probe(const struct model *model, const struct settings *settings);

/* The plan for one endpoint of the model; a seat's is idle. tls.trust is left NULL. */
struct plan plan_endpoint(const struct model *model, const struct endpoint *endpoint);

#endif
