/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crl_fetch - gets documents from http:// URLs, again and again, on a thread of its own.
 *
 * What a document means is its receiver's business; the receiver also says when it wants the next.
 * A fetch is bounded in size, time and redirections; failures are repeated with growing delays.
 * Every URL is fetched at once when the fetcher starts.
 */
#ifndef SLUICE_PROBE_CRL_FETCH_H
#define SLUICE_PROBE_CRL_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"

#define CRL_FETCH_TIMEOUT_MS 20000
#define CRL_FETCH_CONNECT_TIMEOUT_MS 5000
#define CRL_FETCH_REDIRECTS_MAX 3
#define CRL_FETCH_RETRY_MIN_MS 1000
#define CRL_FETCH_RETRY_MAX_MS (300 * 1000)

struct crl_fetcher;
struct err;

/* One attempt has ended: with a document, or with data NULL and an error in words. */
struct crl_fetched {
	uint32_t id; /* index of the URL */
	const uint8_t *data;
	size_t len;
	const char *error;
};

/*
 * Called on the fetcher's thread. Returns after how many milliseconds the document is wanted
 * again, or 0: this one was no good, which is a failure as any other.
 */
typedef uint64_t crl_fetched_fn(void *arg, const struct crl_fetched *fetched);

/* urls[i] == NULL is passed over; the strings are borrowed. -ENOMEM, or what creating threads said. */
int crl_fetcher_start(struct crl_fetcher **ret, char *const *urls, uint32_t n, crl_fetched_fn *done,
		      void *arg);

/* Abandon what is under way; done is not called afterwards. NULL is fine. */
void crl_fetcher_stop(struct crl_fetcher *fetcher);

#endif
