/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dns - one question at a time to the servers of resolv.conf, by way of libunbound.
 *
 * A context keeps what it was told, also how long a dead server should be left alone, and offers no
 * way to forget. So contexts are short-lived: probe/resolve.c makes a new one when it asks again.
 * Counted, because questions may be under way when its maker is through with it. Everything runs
 * on the loop's thread, but for libunbound's own.
 */
#ifndef SLUICE_PROBE_DNS_H
#define SLUICE_PROBE_DNS_H

#include <stdint.h>
#include <uv.h>

#include "probe/resolve.h"

struct dns;

enum dns_type { DNS_A = 1, DNS_AAAA = 28 };

/* The lowest LIMIT_NAME_ADDRESSES of what was added, each once, sorted. */
struct addr_set {
	struct addr addrs[LIMIT_NAME_ADDRESSES];
	uint32_t n;
	uint32_t n_more; /* for which there was no room */
};

void addr_set_add(struct addr_set *set, const struct addr *addr);

/* The records of one type. */
struct dns_records {
	struct addr_set set;
	uint32_t n_unusable;
	struct addr unusable; /* one of them */
	uint32_t ttl_s;
	int rcode; /* NOERROR without records: the name has none of this type */
};

/* records is borrowed for the call. */
typedef void dns_answer_fn(void *arg, enum dns_type type, const struct dns_records *records);

#define DNS_NOERROR 0
#define DNS_SERVFAIL 2
#define DNS_NXDOMAIN 3

/*
 * A context with the servers of resolv_conf and the names of hosts; neither needs to exist: the
 * server is then this host. -ENOMEM, or what libunbound or libuv said, with err set.
 */
int dns_open(struct dns **ret, uv_loop_t *loop, const char *resolv_conf, const char *hosts,
	     struct err *err);

struct dns *dns_ref(struct dns *dns);

/* The last one closes: on the next turn of the loop. NULL is fine. */
void dns_unref(struct dns *dns);

/*
 * Ask; answered from the loop, never from within. There is no timeout. -ENOMEM, -EINVAL: not a
 * name that can be asked for.
 */
int dns_ask(struct dns *dns, const char *name, enum dns_type type, dns_answer_fn *answer, void *arg,
	    void **ret_question);

/* A question that is no longer of interest: it will not be answered. */
void dns_forget(struct dns *dns, void *question);

/* "10.0.0.53, 10.0.1.53" */
const char *dns_servers(const struct dns *dns);

#endif
