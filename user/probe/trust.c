// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/trust.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/sha.h>

#include "probe/chain_cache.h"
#include "probe/crls.h"
#include "probe/trust_ctx.h"
#include "util/err.h"

/* The number of a trust whose lists never change. */
#define GENERATION_FIXED 1

DEFINE_CLEANUP(X509, X509_free)
DEFINE_CLEANUP(X509_STORE, X509_STORE_free)

struct listed {
	uint8_t sha256[CERT_SHA256_LEN];
};

struct trust {
	enum trust_mode mode;
	SSL_CTX *ctx;
	STACK_OF(X509) * certs;
	struct listed *listed; /* TRUST_ALLOW_LIST */
	uint32_t n_listed;
	struct crls *crls; /* NULL: revocation is not checked */
	struct chain_cache *cache;
	pthread_mutex_t lock; /* of store and what it was made of */
	X509_STORE *store; /* NULL: to be made */
	uint32_t store_generation;
};

enum trust_mode trust_mode(const struct trust *trust)
{
	return trust->mode;
}

SSL_CTX *trust_ssl_ctx(const struct trust *trust)
{
	return trust->ctx;
}

const STACK_OF(X509) * trust_certs(const struct trust *trust)
{
	return trust->certs;
}

struct chain_cache *trust_cache(struct trust *trust)
{
	return trust->cache;
}

bool trust_lists(const struct trust *trust, const uint8_t sha256[CERT_SHA256_LEN])
{
	for (uint32_t i = 0; i < trust->n_listed; i++)
		if (!memcmp(trust->listed[i].sha256, sha256, CERT_SHA256_LEN))
			return true;
	return false;
}

/* --- revocation ------------------------------------------------------------------------------- */

bool trust_checks_revocation(const struct trust *trust)
{
	return trust->crls;
}

void trust_crl_trouble(struct trust *trust, char *buf, size_t size)
{
	*buf = '\0';
	if (trust->crls)
		crls_trouble(trust->crls, buf, size);
}

void trust_crl_dates(struct trust *trust, void (*date)(void *arg, int64_t unix_s), void *arg)
{
	if (trust->crls)
		crls_dates(trust->crls, date, arg);
}

void trust_settle(struct trust *trust, uint32_t timeout_ms)
{
	if (trust->crls)
		crls_settle(trust->crls, timeout_ms);
}

uint32_t trust_generation(struct trust *trust)
{
	return trust->crls ? crls_refresh(trust->crls) : GENERATION_FIXED;
}

/* --- the store -------------------------------------------------------------------------------- */

static int make_store(X509_STORE **ret, struct trust *trust)
{
	CLEANUP(X509_STORE_free_p) X509_STORE *store = X509_STORE_new();
	int r;

	if (!store || (trust->mode == TRUST_WELL_KNOWN && !X509_STORE_set_default_paths(store)))
		return -ENOMEM;
	for (int i = 0; i < sk_X509_num(trust->certs); i++)
		if (trust->mode == TRUST_UPLOADED &&
		    !X509_STORE_add_cert(store, sk_X509_value(trust->certs, i)))
			return -ENOMEM;
	r = trust->crls ? crls_add_to(trust->crls, store) : 0;
	if (r)
		return r;
	*ret = take_ptr(store);
	return 0;
}

/* Without memory for a new store the old one stays: a list that is late is better than none. */
static void renew_store(struct trust *trust, uint32_t generation)
{
	X509_STORE *store = NULL;

	ERR_set_mark();
	if (!make_store(&store, trust)) {
		X509_STORE_free(trust->store);
		trust->store = store;
		trust->store_generation = generation;
	}
	ERR_pop_to_mark();
}

X509_STORE *trust_store(struct trust *trust)
{
	uint32_t generation = trust_generation(trust);
	X509_STORE *store;

	pthread_mutex_lock(&trust->lock);
	if (!trust->store || trust->store_generation != generation)
		renew_store(trust, generation);
	store = trust->store;
	if (store && !X509_STORE_up_ref(store))
		store = NULL;
	pthread_mutex_unlock(&trust->lock);
	return store;
}

/* --- making one ------------------------------------------------------------------------------- */

static int add_cert(struct trust *trust, const struct cert_file *file, struct err *err)
{
	const uint8_t *end = file->der;
	CLEANUP(X509_free_p) X509 *x509 = d2i_X509(NULL, &end, (long)file->len);

	if (!x509 || end != file->der + file->len)
		return err_set(err, -EINVAL, "%s: not a certificate",
			       file->path ? file->path : "trust");
	if (!sk_X509_push(trust->certs, x509))
		return err_set(err, -ENOMEM, "out of memory");
	take_ptr(x509);
	return 0;
}

static int add_certs(struct trust *trust, const struct trust_spec *spec, struct err *err)
{
	trust->certs = sk_X509_new_null();
	trust->listed = calloc(spec->n_certs ? spec->n_certs : 1, sizeof(*trust->listed));
	if (!trust->certs || !trust->listed)
		return err_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < spec->n_certs; i++) {
		int r = add_cert(trust, &spec->certs[i], err);

		if (r)
			return r;
		SHA256(spec->certs[i].der, spec->certs[i].len, trust->listed[i].sha256);
	}
	if (spec->mode == TRUST_ALLOW_LIST)
		trust->n_listed = spec->n_certs;
	return 0;
}

int trust_new(struct trust **ret, const struct trust_spec *spec, struct err *err)
{
	CLEANUP(trust_free_p) struct trust *trust = calloc(1, sizeof(*trust));
	int r;

	if (!trust)
		return err_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&trust->lock, NULL);
	trust->mode = spec->mode;
	ERR_set_mark();
	r = add_certs(trust, spec, err);
	trust->ctx = r ? NULL : trust_ctx_new();
	ERR_pop_to_mark();
	if (r)
		return r;
	trust->cache = chain_cache_new();
	if (!trust->ctx || !trust->cache)
		return err_set(err, -ENOMEM, "no memory for a TLS context");
	r = spec->n_crls ? crls_new(&trust->crls, spec->crls, spec->n_crls, err) : 0;
	if (r)
		return r;
	*ret = take_ptr(trust);
	return 0;
}

void trust_free(struct trust *trust)
{
	if (!trust)
		return;
	crls_free(trust->crls);
	chain_cache_free(trust->cache);
	X509_STORE_free(trust->store);
	sk_X509_pop_free(trust->certs, X509_free);
	free(trust->listed);
	SSL_CTX_free(trust->ctx);
	pthread_mutex_destroy(&trust->lock);
	free(trust);
}
