// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/dns.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <unbound.h>

#include "util/err.h"

#define SERVERS_MAX 8
#define LINE_LEN 256
#define CLASS_IN 1
#define LOCAL_SERVER "127.0.0.1" /* what a host without resolv.conf asks */

struct dns {
	uv_poll_t poll;
	struct ub_ctx *ctx;
	uint32_t refs;
	bool has_poll;
	char servers[RESOLVE_SERVERS_LEN];
};

/* What libunbound carries for us, until its callback or dns_forget(). */
struct question {
	enum dns_type type;
	int id;
	dns_answer_fn *answer;
	void *arg;
};

/* --- addresses -------------------------------------------------------------------------------- */

/* Keeping the lowest makes the choice the same however a server shuffles its records. */
void addr_set_add(struct addr_set *set, const struct addr *addr)
{
	uint32_t at = 0;
	int order = 1;

	while (at < set->n && order > 0) {
		order = memcmp(addr, &set->addrs[at], sizeof(*addr));
		if (!order)
			return;
		at += order > 0;
	}
	if (set->n == LIMIT_NAME_ADDRESSES) {
		set->n_more++;
		if (at == set->n)
			return;
		set->n--;
	}
	memmove(&set->addrs[at + 1], &set->addrs[at], (set->n - at) * sizeof(*addr));
	set->addrs[at] = *addr;
	set->n++;
}

static bool read_addr(struct addr *ret, enum dns_type type, const char *data, int len)
{
	static const struct addr v4_mapped = { { [10] = 0xff, [11] = 0xff } };
	int wanted = type == DNS_A ? (int)sizeof(struct in_addr) : (int)sizeof(struct in6_addr);
	struct addr addr = v4_mapped;

	if (len != wanted)
		return false;
	memcpy(addr.bytes + sizeof(addr.bytes) - (size_t)len, data, (size_t)len);
	*ret = addr;
	return true;
}

static void read_records(struct dns_records *records, enum dns_type type,
			 const struct ub_result *result)
{
	struct addr addr;

	records->rcode = result->nxdomain ? DNS_NXDOMAIN : result->rcode;
	if (!result->havedata)
		return;
	records->ttl_s = result->ttl > 0 ? (uint32_t)result->ttl : 0;
	for (int i = 0; result->data[i]; i++) {
		if (!read_addr(&addr, type, result->data[i], result->len[i]))
			continue;
		if (addr_unusable(&addr)) {
			records->unusable = addr;
			records->n_unusable++;
			continue;
		}
		addr_set_add(&records->set, &addr);
	}
}

/* --- questions -------------------------------------------------------------------------------- */

static void on_result(void *arg, int error, struct ub_result *result)
{
	struct dns_records records = { .rcode = DNS_SERVFAIL };
	struct question question = *(struct question *)arg;

	free(arg);
	if (!error && result)
		read_records(&records, question.type, result);
	ub_resolve_free(result);
	question.answer(question.arg, question.type, &records);
}

int dns_ask(struct dns *dns, const char *name, enum dns_type type, dns_answer_fn *answer, void *arg,
	    void **ret_question)
{
	CLEANUP(free_p) struct question *question = calloc(1, sizeof(*question));
	int error;

	if (!question)
		return -ENOMEM;
	*question = (struct question){ .type = type, .answer = answer, .arg = arg };
	error = ub_resolve_async(dns->ctx, name, (int)type, CLASS_IN, question, on_result,
				 &question->id);
	if (error)
		return error == UB_SYNTAX ? -EINVAL : -ENOMEM;

	*ret_question = take_ptr(question);
	return 0;
}

void dns_forget(struct dns *dns, void *question)
{
	struct question *forgotten = question;

	ub_cancel(dns->ctx, forgotten->id);
	free(forgotten);
}

/* --- contexts --------------------------------------------------------------------------------- */

static void dns_free(struct dns *dns)
{
	/* Joins libunbound's thread, which is told to end first: well under a millisecond. */
	if (dns->ctx)
		ub_ctx_delete(dns->ctx);
	free(dns);
}

static void on_closed(uv_handle_t *handle)
{
	dns_free(handle->data);
}

struct dns *dns_ref(struct dns *dns)
{
	dns->refs++;
	return dns;
}

void dns_unref(struct dns *dns)
{
	if (!dns || --dns->refs)
		return;
	/* This may be called from within ub_process(): the context has to live until that is over. */
	if (dns->has_poll)
		uv_close((uv_handle_t *)&dns->poll, on_closed);
	else
		dns_free(dns);
}
DEFINE_CLEANUP(struct dns, dns_unref)

static void on_readable(uv_poll_t *handle, int status, int events)
{
	struct dns *dns = handle->data;

	(void)status;
	(void)events;
	/* Only memory can be short here; the questions then run into their timeout. */
	(void)ub_process(dns->ctx);
}

/*
 * A stub with the least of memory and nothing of its own opinion: it must ask on this host, too, if
 * resolv.conf says so; it must not judge what the servers' own validation passed; and an answer
 * that says "no" is worth nothing a moment later.
 */
static int configure(struct ub_ctx *ctx)
{
	static const struct {
		const char *name, *value;
	} options[] = {
		{ "module-config:", "iterator" }, { "do-not-query-localhost:", "no" },
		{ "qname-minimisation:", "no" },  { "cache-max-negative-ttl:", "0" },
		{ "outgoing-range:", "256" },     { "num-queries-per-thread:", "128" },
		{ "msg-cache-slabs:", "1" },      { "rrset-cache-slabs:", "1" },
		{ "infra-cache-slabs:", "1" },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (ub_ctx_set_option(ctx, options[i].name, options[i].value))
			return -EINVAL;
	/* A thread, not a process. */
	return ub_ctx_async(ctx, 1) ? -EINVAL : 0;
}

/* Names that libunbound would deny by itself, but that a private server may well know. */
static int ask_for_all_names(struct ub_ctx *ctx)
{
	static const char *const zones[] = { "test.", "home.arpa.", "invalid.", "onion." };

	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (ub_ctx_zone_add(ctx, zones[i], "transparent"))
			return -ENOMEM;
	return 0;
}

static void add_server(struct dns *dns, const char *server, uint32_t *n)
{
	size_t len = strlen(dns->servers);

	/* What it does not understand is no server: the C library passes such lines over, too. */
	if (*n == SERVERS_MAX || ub_ctx_set_fwd(dns->ctx, server))
		return;
	(*n)++;
	snprintf(dns->servers + len, sizeof(dns->servers) - len, "%s%s", len ? ", " : "", server);
}

static void read_servers(struct dns *dns, const char *resolv_conf)
{
	CLEANUP(fclose_p) FILE *file = fopen(resolv_conf, "re");
	char line[LINE_LEN], *rest, *word;
	uint32_t n = 0;

	while (file && fgets(line, sizeof(line), file)) {
		word = strtok_r(line, " \t\r\n", &rest);
		if (!word || strcmp(word, "nameserver") != 0)
			continue;
		word = strtok_r(NULL, " \t\r\n", &rest);
		if (word)
			add_server(dns, word, &n);
	}
	if (!n)
		add_server(dns, LOCAL_SERVER, &n);
}

static int open_context(struct dns *dns, const char *resolv_conf, const char *hosts)
{
	dns->ctx = ub_ctx_create();
	if (!dns->ctx)
		return -ENOMEM;
	/* It would write to standard error, which is the daemon's log. */
	ub_ctx_debugout(dns->ctx, NULL);
	if (configure(dns->ctx) < 0)
		return -EINVAL;
	read_servers(dns, resolv_conf);
	/* A hosts file that is missing or odd leaves the servers to be asked. */
	(void)ub_ctx_hosts(dns->ctx, hosts);
	return ask_for_all_names(dns->ctx);
}

int dns_open(struct dns **ret, uv_loop_t *loop, const char *resolv_conf, const char *hosts,
	     struct err *err)
{
	CLEANUP(dns_unref_p) struct dns *dns = calloc(1, sizeof(*dns));
	int r;

	if (!dns)
		return err_set(err, -ENOMEM, "resolver: out of memory");
	dns->refs = 1;
	r = open_context(dns, resolv_conf, hosts);
	if (r < 0)
		return err_set(err, r, "resolver: libunbound could not be set up: %s",
			       strerror(-r));
	r = uv_poll_init(loop, &dns->poll, ub_fd(dns->ctx));
	if (r < 0)
		return err_set(err, r, "resolver: %s", uv_strerror(r));
	dns->poll.data = dns;
	dns->has_poll = true;
	r = uv_poll_start(&dns->poll, UV_READABLE, on_readable);
	if (r < 0)
		return err_set(err, r, "resolver: %s", uv_strerror(r));

	*ret = take_ptr(dns);
	return 0;
}

const char *dns_servers(const struct dns *dns)
{
	return dns->servers;
}
