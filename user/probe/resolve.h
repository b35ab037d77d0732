/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve - the addresses behind DNS names, asked for again whenever they expire.
 *
 * A resolver asks the servers of resolv.conf (and the hosts file first) for A and AAAA records,
 * once per name at start and again exactly when the answer expires; a name without an answer is
 * retried after a second, later after up to half a minute. It keeps nothing: what becomes of
 * addresses that are gone, or that nobody confirms any more, is its user's business. Changed files
 * are noticed within seconds and all names asked for again.
 *
 * Runs on its loop's thread, never blocks, and is bounded in lookups, addresses and time. Answers
 * are hostile: whatever cannot be a backend's address is left out.
 */
#ifndef SLUICE_PROBE_RESOLVE_H
#define SLUICE_PROBE_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "model/limits.h"
#include "util/addr.h"
#include "util/cleanup.h"

struct err;
struct resolver;

#define RESOLV_CONF "/etc/resolv.conf"
#define HOSTS_FILE "/etc/hosts"

#define RESOLVE_WHY_LEN 128
#define RESOLVE_SERVERS_LEN 128
#define RCODE_NONE (-1)

/* What one lookup of a name found: A and AAAA together. */
struct resolve_answer {
	struct addr addrs[LIMIT_NAME_ADDRESSES]; /* sorted, each once; usable ones only */
	uint32_t n; /* 0: why says why */
	uint32_t n_left_out; /* unusable, or more than there is room for */
	uint32_t ttl_s; /* of the record that expires first; 0 without addresses, or as told */
	int rcode; /* of the answer that decided: 0 NOERROR, 2 SERVFAIL, 3 NXDOMAIN, ...; or
		      RCODE_NONE: no server answered */
	bool lost_v4, lost_v6; /* nobody answered about A (AAAA): its addresses are not gone */
	char why[RESOLVE_WHY_LEN]; /* printable; "" when all is well */
	char servers[RESOLVE_SERVERS_LEN]; /* asked: "10.0.0.53, 10.0.1.53" */
};

/* Called on the loop whenever a lookup of names[name] has ended. The answer is borrowed. */
typedef void resolver_report_fn(void *arg, uint32_t name, const struct resolve_answer *answer);

struct resolver_options {
	const char *const *names; /* borrowed until resolver_free(); without a trailing dot */
	uint32_t n;
	const char *resolv_conf, *hosts; /* borrowed; NULL: RESOLV_CONF, HOSTS_FILE */
	uint32_t timeout_ms; /* of one lookup; 0: a default of some seconds */
	resolver_report_fn *report;
	void *arg;
};

/* -ENOMEM, or what libunbound or libuv said, with err set. */
int resolver_new(struct resolver **ret, uv_loop_t *loop, const struct resolver_options *options,
		 struct err *err);

/* No report comes afterwards; the loop must run once more for the handles to close. NULL is fine. */
void resolver_free(struct resolver *resolver);
DEFINE_CLEANUP(struct resolver, resolver_free)

/* The servers in use: "10.0.0.53, 10.0.1.53". */
const char *resolver_servers(const struct resolver *resolver);

/*
 * Look one name up, running the loop until that is done or timeout_ms are over. 0: ret_answer says
 * what was found, which may be nothing (n == 0, with rcode and why). -ENOMEM, or -errno of the
 * resolver's own trouble: nothing was asked.
 */
int resolve_once(uv_loop_t *loop, const char *name, uint32_t timeout_ms,
		 struct resolve_answer *ret_answer);

/* "NXDOMAIN", "SERVFAIL", ... for people and JSON; "no answer" for RCODE_NONE. */
const char *rcode_name(int rcode);

#endif
