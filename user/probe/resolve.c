// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/resolve.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "probe/answer.h"
#include "probe/dns.h"
#include "probe/lag.h"
#include "probe/schedule.h"
#include "util/clock.h"
#include "util/err.h"

/* Names being asked for at a time; the rest wait. */
#define IN_FLIGHT_MAX 64

/*
 * One server that is silent is given up by libunbound after some four tries in this time. With
 * several there is time to hear from another.
 */
#define TIMEOUT_DEFAULT_MS 5000

/* A TTL of 0 must not become a tight loop, and one of years is not to be trusted. */
#define TTL_MIN_S 1
#define TTL_MAX_S 86400

#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 30000

/* How long one context is used for new questions: what it remembers is then that old at most. */
#define CONTEXT_MS 500

/* How often the files are looked at. */
#define FILES_PERIOD_MS 1000

struct lookup {
	struct resolver *resolver;
	struct dns *dns; /* in flight; else NULL */
	void *questions[FAMILIES]; /* NULL: answered */
	struct dns_records records[FAMILIES];
	uint64_t deadline_ms;
	struct lag_reading began; /* how late the loop had been when it was asked */
	uint32_t failures; /* in a row */
};

struct file_stamp {
	struct timespec modified;
	uint64_t inode, size;
};

struct resolver {
	struct resolver_options options;
	uv_loop_t *loop;
	uv_timer_t timer, files;
	uint32_t n_handles;
	struct schedule *schedule;
	struct lag lag; /* of the files' timer */
	struct lookup *lookups; /* parallel to the names */
	uint32_t flying[IN_FLIGHT_MAX], n_flying;
	struct dns *dns; /* for new questions; NULL: none yet */
	uint64_t dns_ms; /* when it was made */
	struct file_stamp resolv_conf, hosts;
	int trouble; /* -errno: why no context could be made the last time */
	char servers[RESOLVE_SERVERS_LEN];
};

/* --- lookups ---------------------------------------------------------------------------------- */

static uint32_t name_of(const struct lookup *lookup)
{
	return (uint32_t)(lookup - lookup->resolver->lookups);
}

static void pump(struct resolver *resolver);

static uint64_t retry_ms(uint32_t failures)
{
	uint64_t ms = RETRY_MIN_MS;

	while (--failures && ms < RETRY_MAX_MS)
		ms *= 2;
	return ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS;
}

/* When to ask again: at expiry, or earlier for what nobody answered. */
static uint64_t again_in_ms(struct lookup *lookup, const struct resolve_answer *answer)
{
	uint64_t ttl_s = answer->ttl_s < TTL_MIN_S ? TTL_MIN_S : answer->ttl_s, retry;

	if (ttl_s > TTL_MAX_S)
		ttl_s = TTL_MAX_S;
	if (answer->n && !answer->lost_v4 && !answer->lost_v6) {
		lookup->failures = 0;
		return ttl_s * MS_PER_SEC;
	}
	if (lookup->failures < UINT32_MAX)
		lookup->failures++;
	retry = retry_ms(lookup->failures);
	return answer->n && ttl_s * MS_PER_SEC < retry ? ttl_s * MS_PER_SEC : retry;
}

/* Out of flight, and whatever is still being asked is forgotten. */
static void land(struct lookup *lookup)
{
	struct resolver *resolver = lookup->resolver;
	uint32_t name = name_of(lookup);

	for (enum family f = 0; f < FAMILIES; f++)
		if (lookup->questions[f])
			dns_forget(lookup->dns, take_ptr(lookup->questions[f]));
	dns_unref(take_ptr(lookup->dns));
	for (uint32_t i = 0; i < resolver->n_flying; i++)
		if (resolver->flying[i] == name)
			resolver->flying[i] = resolver->flying[--resolver->n_flying];
}

/* Nobody knows what the servers said, or would have, while the loop stood still. */
static bool is_doubtful(const struct lookup *lookup, const struct resolve_answer *answer)
{
	struct lag_reading now = lag_read(&lookup->resolver->lag, clock_boot_ms());

	if (answer->n && !answer->lost_v4 && !answer->lost_v6)
		return false;
	return lag_is_stall(lag_between(lookup->began, now));
}

static void finish(struct lookup *lookup)
{
	struct resolver *resolver = lookup->resolver;
	const struct resolver_options *options = &resolver->options;
	struct resolve_answer answer;
	bool doubtful;

	answer_make(&answer, lookup->records, dns_servers(lookup->dns), options->timeout_ms);
	doubtful = is_doubtful(lookup, &answer);
	land(lookup);
	if (doubtful) {
		schedule_set(resolver->schedule, name_of(lookup), clock_mono_ms());
		return;
	}
	schedule_set(resolver->schedule, name_of(lookup),
		     clock_mono_ms() + again_in_ms(lookup, &answer));
	options->report(options->arg, name_of(lookup), &answer);
}

static void on_answer(void *arg, enum dns_type type, const struct dns_records *records)
{
	struct lookup *lookup = arg;
	struct resolver *resolver = lookup->resolver;
	enum family family = type == DNS_A ? FAMILY_V4 : FAMILY_V6;

	lookup->questions[family] = NULL;
	lookup->records[family] = *records;
	if (lookup->questions[FAMILY_V4] || lookup->questions[FAMILY_V6])
		return;
	finish(lookup);
	pump(resolver);
}

/* A context that is fresh enough, or NULL: out of memory or descriptors. */
static struct dns *fresh_dns(struct resolver *resolver, uint64_t now_ms)
{
	const struct resolver_options *options = &resolver->options;

	if (resolver->dns && now_ms - resolver->dns_ms < CONTEXT_MS)
		return dns_ref(resolver->dns);
	dns_unref(take_ptr(resolver->dns));
	resolver->trouble = dns_open(&resolver->dns, resolver->loop, options->resolv_conf,
				     options->hosts, NULL);
	if (resolver->trouble < 0)
		return NULL;
	resolver->dns_ms = now_ms;
	snprintf(resolver->servers, sizeof(resolver->servers), "%s", dns_servers(resolver->dns));
	return dns_ref(resolver->dns);
}

static void start(struct lookup *lookup, uint64_t now_ms)
{
	static const enum dns_type types[] = { [FAMILY_V4] = DNS_A, [FAMILY_V6] = DNS_AAAA };
	static const struct dns_records none = { .rcode = RCODE_NONE };
	struct resolver *resolver = lookup->resolver;
	const char *name = resolver->options.names[name_of(lookup)];

	lookup->dns = fresh_dns(resolver, now_ms);
	if (!lookup->dns) {
		/* Our own trouble: the name is not judged by it, and asked for again soon. */
		schedule_set(resolver->schedule, name_of(lookup), now_ms + RETRY_MIN_MS);
		return;
	}
	lookup->deadline_ms = now_ms + resolver->options.timeout_ms;
	lookup->began = lag_read(&resolver->lag, clock_boot_ms());
	resolver->flying[resolver->n_flying++] = name_of(lookup);
	for (enum family f = 0; f < FAMILIES; f++) {
		lookup->records[f] = none;
		(void)dns_ask(lookup->dns, name, types[f], on_answer, lookup,
			      &lookup->questions[f]);
	}
	/* What could not be asked will not be answered. */
	if (!lookup->questions[FAMILY_V4] && !lookup->questions[FAMILY_V6])
		lookup->deadline_ms = now_ms;
}

static void on_timer(uv_timer_t *timer)
{
	struct resolver *resolver = timer->data;
	uint64_t now_ms = clock_mono_ms();

	for (uint32_t i = resolver->n_flying; i-- > 0;) {
		struct lookup *lookup = &resolver->lookups[resolver->flying[i]];

		if (lookup->deadline_ms <= now_ms)
			finish(lookup);
	}
	pump(resolver);
}

static uint64_t next_ms(const struct resolver *resolver)
{
	uint64_t next = schedule_next_ms(resolver->schedule);

	for (uint32_t i = 0; i < resolver->n_flying; i++) {
		uint64_t deadline = resolver->lookups[resolver->flying[i]].deadline_ms;

		if (deadline < next)
			next = deadline;
	}
	return next;
}

/* Start what is due and fits, and wake up when something is due or has taken too long. */
static void pump(struct resolver *resolver)
{
	uint64_t now_ms = clock_mono_ms(), next;
	uint32_t name;

	schedule_queue_due(resolver->schedule, now_ms);
	while (resolver->n_flying < IN_FLIGHT_MAX && schedule_take(resolver->schedule, &name))
		start(&resolver->lookups[name], now_ms);

	next = next_ms(resolver);
	uv_update_time(resolver->loop);
	if (next == UINT64_MAX)
		uv_timer_stop(&resolver->timer);
	else
		uv_timer_start(&resolver->timer, on_timer, next > now_ms ? next - now_ms : 0, 0);
}

/* --- files ------------------------------------------------------------------------------------ */

static struct file_stamp stamp_of(const char *path)
{
	struct file_stamp stamp;
	struct stat st;

	memset(&stamp, 0, sizeof(stamp)); /* compared as a whole */
	if (stat(path, &st) < 0)
		return stamp;
	stamp.modified = st.st_mtim;
	stamp.inode = st.st_ino;
	stamp.size = (uint64_t)st.st_size;
	return stamp;
}

/* All names are asked for anew, those too that are being asked for. */
static void start_over(struct resolver *resolver)
{
	struct schedule *schedule = schedule_new(resolver->options.n);
	uint64_t now_ms = clock_mono_ms();

	if (!schedule)
		return;
	schedule_free(resolver->schedule);
	resolver->schedule = schedule;
	while (resolver->n_flying)
		land(&resolver->lookups[resolver->flying[0]]);
	dns_unref(take_ptr(resolver->dns));
	for (uint32_t i = 0; i < resolver->options.n; i++) {
		resolver->lookups[i].failures = 0;
		schedule_set(schedule, i, now_ms);
	}
	pump(resolver);
}

static void on_files(uv_timer_t *timer)
{
	struct resolver *resolver = timer->data;
	struct file_stamp resolv_conf = stamp_of(resolver->options.resolv_conf);
	struct file_stamp hosts = stamp_of(resolver->options.hosts);

	lag_tick(&resolver->lag, clock_boot_ms());
	if (!memcmp(&resolv_conf, &resolver->resolv_conf, sizeof(resolv_conf)) &&
	    !memcmp(&hosts, &resolver->hosts, sizeof(hosts)))
		return;
	resolver->resolv_conf = resolv_conf;
	resolver->hosts = hosts;
	start_over(resolver);
}

/* --- beginning and end ------------------------------------------------------------------------ */

static void free_parts(struct resolver *resolver)
{
	schedule_free(resolver->schedule);
	free(resolver->lookups);
	free(resolver);
}

static void on_closed(uv_handle_t *handle)
{
	struct resolver *resolver = handle->data;

	if (!--resolver->n_handles)
		free_parts(resolver);
}

static void open_timer(struct resolver *resolver, uv_timer_t *timer)
{
	uv_timer_init(resolver->loop, timer);
	timer->data = resolver;
	resolver->n_handles++;
}

int resolver_new(struct resolver **ret, uv_loop_t *loop, const struct resolver_options *options,
		 struct err *err)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));
	uint64_t now_ms = clock_mono_ms();

	if (!resolver)
		return err_set(err, -ENOMEM, "resolver: out of memory");
	resolver->options = *options;
	if (!options->resolv_conf)
		resolver->options.resolv_conf = RESOLV_CONF;
	if (!options->hosts)
		resolver->options.hosts = HOSTS_FILE;
	if (!options->timeout_ms)
		resolver->options.timeout_ms = TIMEOUT_DEFAULT_MS;
	resolver->loop = loop;
	lag_init(&resolver->lag, FILES_PERIOD_MS, clock_boot_ms());
	resolver->schedule = schedule_new(options->n);
	resolver->lookups = calloc(options->n ? options->n : 1, sizeof(*resolver->lookups));
	if (!resolver->schedule || !resolver->lookups) {
		free_parts(resolver);
		return err_set(err, -ENOMEM, "resolver: out of memory");
	}
	for (uint32_t i = 0; i < options->n; i++) {
		resolver->lookups[i].resolver = resolver;
		schedule_set(resolver->schedule, i, now_ms);
	}
	open_timer(resolver, &resolver->timer);
	open_timer(resolver, &resolver->files);
	resolver->resolv_conf = stamp_of(resolver->options.resolv_conf);
	resolver->hosts = stamp_of(resolver->options.hosts);
	uv_timer_start(&resolver->timer, on_timer, 0, 0);
	uv_timer_start(&resolver->files, on_files, FILES_PERIOD_MS, FILES_PERIOD_MS);

	*ret = resolver;
	return 0;
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	while (resolver->n_flying)
		land(&resolver->lookups[resolver->flying[0]]);
	dns_unref(take_ptr(resolver->dns));
	uv_close((uv_handle_t *)&resolver->timer, on_closed);
	uv_close((uv_handle_t *)&resolver->files, on_closed);
}

const char *resolver_servers(const struct resolver *resolver)
{
	return resolver->servers;
}

/* --- once ------------------------------------------------------------------------------------- */

struct once {
	bool done;
	struct resolve_answer answer;
};

static void on_once(void *arg, uint32_t name, const struct resolve_answer *answer)
{
	struct once *once = arg;

	(void)name;
	once->done = true;
	once->answer = *answer;
}

int resolve_once(uv_loop_t *loop, const char *name, uint32_t timeout_ms,
		 struct resolve_answer *ret_answer)
{
	struct once once = { .done = false };
	const struct resolver_options options = {
		.names = &name,
		.n = 1,
		.timeout_ms = timeout_ms,
		.report = on_once,
		.arg = &once,
	};
	struct resolver *resolver;
	int r;

	r = resolver_new(&resolver, loop, &options, NULL);
	if (r < 0)
		return r;
	while (!once.done && !resolver->trouble)
		uv_run(loop, UV_RUN_ONCE);
	r = once.done ? 0 : resolver->trouble;
	resolver_free(resolver);
	/* The handles close; whatever else the loop has is not waited for. */
	uv_run(loop, UV_RUN_NOWAIT);

	if (r == 0)
		*ret_answer = once.answer;
	return r;
}
