// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/certs.h"

#include <stdatomic.h>

struct shared {
	atomic_uint refs;
	struct certs certs; /* what users see */
};

static struct shared *shared_of(struct certs *certs)
{
	return (struct shared *)((char *)certs - offsetof(struct shared, certs));
}

struct certs *certs_new(uint32_t n)
{
	struct shared *shared = calloc(1, sizeof(*shared));

	if (!shared)
		return NULL;
	shared->certs.certs = calloc(n ? n : 1, sizeof(*shared->certs.certs));
	if (!shared->certs.certs) {
		free(shared);
		return NULL;
	}
	shared->certs.n = n;
	shared->certs.n_sent = n;
	atomic_init(&shared->refs, 1);
	return &shared->certs;
}

struct certs *certs_ref(struct certs *certs)
{
	if (certs)
		atomic_fetch_add_explicit(&shared_of(certs)->refs, 1, memory_order_relaxed);
	return certs;
}

static void cert_done(struct cert *cert)
{
	for (uint32_t i = 0; i < cert->n_sans; i++)
		free(cert->sans[i]);
	free(cert->sans);
	free(cert->subject);
	free(cert->issuer);
	free(cert->common_name);
	free(cert->serial);
	free(cert->key);
	free(cert->signature);
	free(cert->ca_issuers);
}

void certs_unref(struct certs *certs)
{
	if (!certs ||
	    atomic_fetch_sub_explicit(&shared_of(certs)->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (uint32_t i = 0; i < certs->n; i++)
		cert_done(&certs->certs[i]);
	free(certs->certs);
	free(certs->fact);
	free(certs->hint);
	free(shared_of(certs));
}
