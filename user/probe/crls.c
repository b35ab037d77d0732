// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/crls.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "probe/crl_fetch.h"
#include "probe/crl_list.h"
#include "probe/x509_time.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/printable.h"

#define FILES_EVERY_MS 1000
#define REFETCH_MAX_S 3600 /* a list that holds for long may still be replaced early */
#define TROUBLE_LEN 160
#define VERSION_FIRST 1

/* What tells one state of a file from another. */
struct file_id {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};

struct source {
	const char *name;
	bool is_url;
	bool tried;
	STACK_OF(X509_CRL) * list; /* the last good one; NULL: there was none */
	struct file_id id; /* of the file as it was read last */
	char trouble[TROUBLE_LEN]; /* of the last attempt; "": it went well */
};

struct crls {
	struct source *sources;
	uint32_t n;
	pthread_mutex_t lock; /* of what is in the sources */
	pthread_cond_t tried;
	pthread_mutex_t files_lock; /* who holds it is looking at the files */
	atomic_uint_least64_t files_at_ms;
	atomic_uint version;
	char **urls; /* parallel to sources; NULL: a file */
	struct crl_fetcher *fetcher;
};

static const char url_prefix[] = "http://";

/* --- one source ------------------------------------------------------------------------------- */

static bool same_lists(const STACK_OF(X509_CRL) * a, const STACK_OF(X509_CRL) * b)
{
	if (!a || !b || sk_X509_CRL_num(a) != sk_X509_CRL_num(b))
		return false;
	for (int i = 0; i < sk_X509_CRL_num(a); i++)
		if (X509_CRL_match(sk_X509_CRL_value(a, i), sk_X509_CRL_value(b, i)))
			return false;
	return true;
}

/* Takes over list; NULL: the attempt failed as trouble says. */
static void settle_source(struct crls *crls, struct source *source, STACK_OF(X509_CRL) * list,
			  const char *trouble)
{
	STACK_OF(X509_CRL) *old = list;

	pthread_mutex_lock(&crls->lock);
	snprintf(source->trouble, sizeof(source->trouble), "%s", list ? "" : trouble);
	if (list && !same_lists(list, source->list)) {
		old = source->list;
		source->list = list;
		atomic_fetch_add(&crls->version, 1);
	}
	source->tried = true;
	pthread_cond_broadcast(&crls->tried);
	pthread_mutex_unlock(&crls->lock);
	crl_list_free(old);
}

/* --- files ------------------------------------------------------------------------------------ */

static bool same_file(const struct file_id *a, const struct file_id *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec;
}

static void look_at_file(struct crls *crls, struct source *source)
{
	STACK_OF(X509_CRL) *list = NULL;
	struct file_id id = { 0 };
	struct stat st;
	struct err err;

	/* The identity is taken before reading: a change in between is seen the next time. */
	if (!stat(source->name, &st))
		id = (struct file_id){ st.st_dev, st.st_ino, st.st_size, st.st_mtim };
	if (source->tried && same_file(&id, &source->id))
		return;
	source->id = id;
	err.text[0] = '\0';
	crl_list_read(&list, source->name, &err);
	settle_source(crls, source, list, err.text);
}

static void look_at_files(struct crls *crls)
{
	for (uint32_t i = 0; i < crls->n; i++)
		if (!crls->sources[i].is_url)
			look_at_file(crls, &crls->sources[i]);
}

uint32_t crls_refresh(struct crls *crls)
{
	uint64_t now_ms = clock_mono_ms();

	if (now_ms - atomic_load(&crls->files_at_ms) >= FILES_EVERY_MS &&
	    !pthread_mutex_trylock(&crls->files_lock)) {
		atomic_store(&crls->files_at_ms, now_ms);
		look_at_files(crls);
		pthread_mutex_unlock(&crls->files_lock);
	}
	return atomic_load(&crls->version);
}

/* --- URLs ------------------------------------------------------------------------------------- */

/* A list is replaced when nine tenths of its time are over, so that trouble can still pass. */
static uint64_t refetch_ms(int64_t next_update)
{
	int64_t left = next_update - (int64_t)(clock_wall_ms() / MS_PER_SEC);

	if (left > REFETCH_MAX_S)
		left = REFETCH_MAX_S;
	return left > 0 ? (uint64_t)left * MS_PER_SEC * 9 / 10 : 0;
}

static uint64_t on_fetched(void *arg, const struct crl_fetched *fetched)
{
	struct crls *crls = arg;
	struct source *source = &crls->sources[fetched->id];
	STACK_OF(X509_CRL) *list = NULL;
	uint64_t again_ms = 0;
	struct err err;

	err.text[0] = '\0';
	if (!fetched->error && !crl_list_parse(&list, fetched->data, fetched->len, &err))
		again_ms = refetch_ms(crl_list_next_update(list));
	settle_source(crls, source, list, fetched->error ? fetched->error : err.text);
	return again_ms;
}

void crls_settle(struct crls *crls, uint32_t timeout_ms)
{
	uint64_t until_ms = clock_mono_ms() + timeout_ms;
	struct timespec until = { .tv_sec = (time_t)(until_ms / MS_PER_SEC),
				  .tv_nsec = (long)(until_ms % MS_PER_SEC * NS_PER_MS) };

	pthread_mutex_lock(&crls->lock);
	for (uint32_t i = 0; i < crls->n; i++)
		while (!crls->sources[i].tried &&
		       !pthread_cond_clockwait(&crls->tried, &crls->lock, CLOCK_MONOTONIC, &until))
			;
	pthread_mutex_unlock(&crls->lock);
}

/* --- all of them ------------------------------------------------------------------------------ */

static int add_list(X509_STORE *store, STACK_OF(X509_CRL) * list)
{
	for (int i = 0; i < sk_X509_CRL_num(list); i++)
		if (!X509_STORE_add_crl(store, sk_X509_CRL_value(list, i)))
			return -ENOMEM;
	return 0;
}

static int add_lists(struct crls *crls, X509_STORE *store)
{
	for (uint32_t i = 0; i < crls->n; i++) {
		int r = add_list(store, crls->sources[i].list);

		if (r)
			return r;
	}
	return 0;
}

int crls_add_to(struct crls *crls, X509_STORE *store)
{
	int r;

	pthread_mutex_lock(&crls->lock);
	r = add_lists(crls, store);
	pthread_mutex_unlock(&crls->lock);
	return r;
}

/* The list's file or URL, with what is wrong. */
static void say(char *buf, size_t size, const struct source *source, const char *what)
{
	size_t len = printable_path_len(source->name);

	snprintf(buf, size, "%.*s%s: %s%s", (int)len, source->name,
		 source->name[len] ? PRINTABLE_QUERY : "", what, source->trouble);
}

void crls_trouble(struct crls *crls, char *buf, size_t size)
{
	int64_t now_s = (int64_t)(clock_wall_ms() / MS_PER_SEC);

	*buf = '\0';
	pthread_mutex_lock(&crls->lock);
	for (uint32_t i = 0; i < crls->n && !*buf; i++) {
		const struct source *source = &crls->sources[i];

		if (!source->tried)
			say(buf, size, source, "not fetched yet");
		else if (!source->list)
			say(buf, size, source, "");
		else if (source->trouble[0] && crl_list_next_update(source->list) < now_s)
			say(buf, size, source, "list has expired, and a new one cannot be had: ");
	}
	pthread_mutex_unlock(&crls->lock);
}

void crls_dates(struct crls *crls, void (*date)(void *arg, int64_t unix_s), void *arg)
{
	pthread_mutex_lock(&crls->lock);
	for (uint32_t i = 0; i < crls->n; i++) {
		STACK_OF(X509_CRL) *list = crls->sources[i].list;

		for (int k = 0; k < sk_X509_CRL_num(list); k++) {
			X509_CRL *crl = sk_X509_CRL_value(list, k);

			date(arg, x509_time(X509_CRL_get0_lastUpdate(crl)));
			date(arg, x509_time(X509_CRL_get0_nextUpdate(crl)));
		}
	}
	pthread_mutex_unlock(&crls->lock);
}

static int name_sources(struct crls *crls, char *const *sources, uint32_t n, bool *ret_any_url)
{
	crls->sources = calloc(n ? n : 1, sizeof(*crls->sources));
	crls->urls = calloc(n ? n : 1, sizeof(*crls->urls));
	if (!crls->sources || !crls->urls)
		return -ENOMEM;
	crls->n = n;
	for (uint32_t i = 0; i < n; i++) {
		bool is_url = !strncasecmp(sources[i], url_prefix, sizeof(url_prefix) - 1);

		crls->sources[i] = (struct source){ .name = sources[i], .is_url = is_url };
		crls->urls[i] = is_url ? sources[i] : NULL;
		*ret_any_url |= is_url;
	}
	return 0;
}

int crls_new(struct crls **ret, char *const *sources, uint32_t n, struct err *err)
{
	CLEANUP(crls_free_p) struct crls *crls = calloc(1, sizeof(*crls));
	bool any_url = false;
	int r;

	if (!crls)
		return err_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&crls->lock, NULL);
	pthread_mutex_init(&crls->files_lock, NULL);
	pthread_cond_init(&crls->tried, NULL);
	atomic_init(&crls->version, VERSION_FIRST);
	r = name_sources(crls, sources, n, &any_url);
	if (r)
		return err_set(err, r, "out of memory");
	look_at_files(crls);
	atomic_store(&crls->files_at_ms, clock_mono_ms());
	r = any_url ? crl_fetcher_start(&crls->fetcher, crls->urls, n, on_fetched, crls) : 0;
	if (r)
		return err_set(err, r, "fetching of revocation lists: %s", strerror(-r));
	*ret = take_ptr(crls);
	return 0;
}

void crls_free(struct crls *crls)
{
	if (!crls)
		return;
	crl_fetcher_stop(crls->fetcher);
	for (uint32_t i = 0; crls->sources && i < crls->n; i++)
		crl_list_free(crls->sources[i].list);
	free(crls->sources);
	free(crls->urls);
	pthread_cond_destroy(&crls->tried);
	pthread_mutex_destroy(&crls->files_lock);
	pthread_mutex_destroy(&crls->lock);
	free(crls);
}
