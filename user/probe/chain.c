// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/chain.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "probe/chain_cache.h"
#include "probe/chain_facts.h"
#include "probe/chain_work.h"
#include "probe/x509_time.h"

DEFINE_CLEANUP(EVP_MD_CTX, EVP_MD_CTX_free)

/* The system's store has no number that grows with it: its findings are made anew after this. */
#define WELL_KNOWN_FOR_S 60

/* Descriptions of certificates depend on nothing but the certificates. */
#define GENERATION_ANY 0

#define CA_BY_BASIC_CONSTRAINTS 1

/* --- what the steps use ----------------------------------------------------------------------- */

void chain_complain(struct chain_work *work, enum sl_message code, int x509_code, int x509_depth)
{
	if (work->n_found < CHAIN_COMPLAINTS_MAX)
		work->found[work->n_found++] =
			(struct chain_complaint){ code, x509_code, x509_depth };
}

static void note_moment(struct chain_work *work, int64_t unix_s)
{
	if (unix_s <= work->input->now_s && unix_s > work->from_s)
		work->from_s = unix_s;
	if (unix_s > work->input->now_s && unix_s < work->until_s)
		work->until_s = unix_s;
}

/* Both moments, because some dates are compared with "until" and others with "up to". */
void chain_note_date(struct chain_work *work, int64_t unix_s)
{
	if (unix_s == X509_TIME_BAD)
		return;
	note_moment(work, unix_s);
	note_moment(work, unix_s + 1);
}

static void note_list_date(void *arg, int64_t unix_s)
{
	chain_note_date(arg, unix_s);
}

bool chain_is_ca(X509 *x509)
{
	return X509_check_ca(x509) == CA_BY_BASIC_CONSTRAINTS;
}

bool chain_signed_itself(X509 *x509)
{
	return (X509_get_extension_flags(x509) & EXFLAG_SS) && X509_self_signed(x509, 1) == 1;
}

int chain_check_dates(const X509 *x509, int64_t now_s)
{
	int64_t from = x509_time(X509_get0_notBefore(x509));
	int64_t to = x509_time(X509_get0_notAfter(x509));

	if (from == X509_TIME_BAD)
		return X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD;
	if (to == X509_TIME_BAD)
		return X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD;
	if (now_s < from)
		return X509_V_ERR_CERT_NOT_YET_VALID;
	return cert_has_expired(to, now_s) ? X509_V_ERR_CERT_HAS_EXPIRED : X509_V_OK;
}

/* --- judging ---------------------------------------------------------------------------------- */

/* Exact certificates need no chain: only that it is one of them, and its own dates. */
static void judge_listed(struct chain_work *work)
{
	const struct chain_input *input = work->input;
	uint8_t sha256[CERT_SHA256_LEN];
	unsigned int len;
	int code;

	work->leaf = work->sent[0];
	if (!X509_digest(work->leaf, EVP_sha256(), sha256, &len))
		work->no_memory = true;
	else if (!trust_lists(input->trust, sha256))
		chain_complain(work, SL_MSG_CERT_NOT_ALLOW_LISTED, X509_V_OK, 0);
	if (!input->check_chain)
		return;
	code = chain_check_dates(work->leaf, input->now_s);
	chain_note_date(work, x509_time(X509_get0_notBefore(work->leaf)));
	chain_note_date(work, x509_time(X509_get0_notAfter(work->leaf)));
	if (code != X509_V_OK)
		work->errors[work->n_errors++] = (struct chain_error){ code, 0 };
	/* For the warnings and the facts; it is no path to a root, and so never complete. */
	work->path = sk_X509_new_null();
	if (!work->path || !X509_up_ref(work->leaf) || !sk_X509_push(work->path, work->leaf))
		work->no_memory = true;
}

static void judge_chain(struct chain_work *work)
{
	chain_shape(work);
	if (!work->leaf)
		return;
	trust_crl_trouble(work->input->trust, work->crl_trouble, sizeof(work->crl_trouble));
	trust_crl_dates(work->input->trust, note_list_date, work);
	chain_verify(work);
	if (!work->no_memory)
		chain_ocsp(work);
}

static void judge(struct chain_work *work)
{
	const struct chain_input *input = work->input;

	if (!input->check_chain && !input->check_name) {
		work->leaf = work->n ? work->sent[0] : NULL;
		return;
	}
	if (!work->n)
		chain_complain(work, SL_MSG_CERT_LEAF_MISSING, X509_V_OK, 0);
	else if (trust_mode(input->trust) == TRUST_ALLOW_LIST)
		judge_listed(work);
	else if (input->check_chain)
		judge_chain(work);
	else
		work->leaf = work->sent[0];
	if (work->no_memory)
		return;
	chain_sort(work);
	if (input->check_chain)
		chain_warn(work);
}

/* --- the outcome ------------------------------------------------------------------------------ */

static void add_also(struct tls_facts *facts, enum sl_message primary, enum sl_message code)
{
	if (code == primary || facts->n_also == VERDICT_ALSO_MAX)
		return;
	for (uint8_t i = 0; i < facts->n_also; i++)
		if (facts->also[i] == code)
			return;
	facts->also[facts->n_also++] = (uint8_t)code;
}

static int64_t first_not_after(const struct chain_work *work)
{
	int64_t first = INT64_MAX;
	uint32_t n = work->path ? (uint32_t)sk_X509_num(work->path) : work->n;

	for (uint32_t i = 0; i < n; i++) {
		const X509 *x509 = work->path ? sk_X509_value(work->path, (int)i) : work->sent[i];
		int64_t not_after = x509_time(X509_get0_notAfter(x509));

		if (not_after != X509_TIME_BAD && not_after < first)
			first = not_after;
	}
	return first == INT64_MAX ? 0 : first;
}

static struct certs *describe(const struct chain_work *work, const struct chain_key *certs_key)
{
	struct chain_cache *cache = trust_cache(work->input->trust);
	struct chain_finding known = { .generation = GENERATION_ANY,
				       .from_s = INT64_MIN,
				       .until_s = INT64_MAX };
	char fact[CHAIN_FACT_LEN], hint[CHAIN_HINT_LEN];
	CLEANUP(certs_unref_p) struct certs *certs = NULL;

	chain_fact(fact, work);
	chain_hint(hint, work);
	if (!*fact && !*hint && chain_cache_find(cache, certs_key, GENERATION_ANY, 0, &known))
		return known.facts.certs;
	certs = chain_facts(work->sent, work->n, work->n_sent);
	if (!certs)
		return NULL;
	if (!*fact && !*hint) {
		known.facts.certs = certs;
		chain_cache_put(cache, certs_key, &known);
		return take_ptr(certs);
	}
	certs->fact = *fact ? strdup(fact) : NULL;
	certs->hint = *hint ? strdup(hint) : NULL;
	if ((*fact && !certs->fact) || (*hint && !certs->hint))
		return NULL;
	return take_ptr(certs);
}

static enum sl_message conclude(struct tls_facts *ret_facts, const struct chain_work *work,
				const struct chain_key *certs_key)
{
	const struct chain_complaint *first = &work->found[0];
	struct tls_facts facts = { .warnings = work->warnings };

	if (work->no_memory)
		return SL_MSG_LOCAL_RESOURCE;
	facts.certs = describe(work, certs_key);
	if (!facts.certs)
		return SL_MSG_LOCAL_RESOURCE;
	facts.not_after = first_not_after(work);
	*ret_facts = facts;
	if (!work->n_found)
		return SL_MSG_OK;
	ret_facts->x509_code = (int16_t)first->x509_code;
	ret_facts->x509_depth = (int16_t)first->x509_depth;
	for (uint32_t i = 1; i < work->n_found; i++)
		add_also(ret_facts, first->code, work->found[i].code);
	return first->code;
}

/* --- remembering ------------------------------------------------------------------------------ */

static bool hash_cert(EVP_MD_CTX *md, X509 *x509)
{
	uint8_t *der = NULL;
	int len = i2d_X509(x509, &der);
	bool good = len > 0 && EVP_DigestUpdate(md, &len, sizeof(len)) &&
		    EVP_DigestUpdate(md, der, (size_t)len);

	OPENSSL_free(der);
	return good;
}

static bool hash_certs(struct chain_key *ret, EVP_MD_CTX *md, const struct chain_work *work)
{
	bool good = EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
		    EVP_DigestUpdate(md, &work->n_sent, sizeof(work->n_sent));

	for (uint32_t i = 0; good && i < work->n; i++)
		good = hash_cert(md, work->sent[i]);
	return good && EVP_DigestFinal_ex(md, ret->hash, NULL);
}

static bool hash_request(struct chain_key *ret, EVP_MD_CTX *md, const struct chain_work *work,
			 const struct chain_key *certs_key)
{
	const struct chain_input *input = work->input;
	size_t name_len = input->name ? strlen(input->name) : 0;
	const bool said[] = { input->check_chain, input->check_name, input->name_configured,
			      input->sni_sent,    input->name,       input->ocsp };

	return EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
	       EVP_DigestUpdate(md, certs_key->hash, sizeof(certs_key->hash)) &&
	       EVP_DigestUpdate(md, said, sizeof(said)) &&
	       EVP_DigestUpdate(md, &name_len, sizeof(name_len)) &&
	       EVP_DigestUpdate(md, input->name, name_len) &&
	       EVP_DigestUpdate(md, input->ocsp, input->ocsp ? input->ocsp_len : 0) &&
	       EVP_DigestFinal_ex(md, ret->hash, NULL);
}

/* Write what is known of the chain; what belongs to the handshake stays as it is. */
static void give(struct tls_facts *ret_facts, const struct tls_facts *facts)
{
	ret_facts->x509_code = facts->x509_code;
	ret_facts->x509_depth = facts->x509_depth;
	ret_facts->not_after = facts->not_after;
	ret_facts->warnings = facts->warnings;
	ret_facts->n_also = facts->n_also;
	memcpy(ret_facts->also, facts->also, sizeof(ret_facts->also));
	ret_facts->certs = facts->certs;
}

static void remember(struct chain_work *work, const struct chain_key *key,
		     struct chain_finding *finding)
{
	if (trust_mode(work->input->trust) == TRUST_WELL_KNOWN)
		note_moment(work, work->input->now_s + WELL_KNOWN_FOR_S);
	finding->from_s = work->from_s;
	finding->until_s = work->until_s;
	/* What is wrong with a list may change without the lists in force. */
	if (!work->crl_trouble[0] && finding->code != SL_MSG_LOCAL_RESOURCE)
		chain_cache_put(trust_cache(work->input->trust), key, finding);
}

static void work_init(struct chain_work *work, const struct chain_input *input)
{
	int n = sk_X509_num(input->sent);

	memset(work, 0, sizeof(*work));
	work->input = input;
	work->from_s = INT64_MIN;
	work->until_s = INT64_MAX;
	work->n_sent = n > 0 ? (uint32_t)n : 0;
	work->n = work->n_sent < CHAIN_JUDGED_MAX ? work->n_sent : CHAIN_JUDGED_MAX;
	for (uint32_t i = 0; i < work->n; i++)
		work->sent[i] = sk_X509_value(input->sent, (int)i);
}

static enum sl_message judge_or_recall(struct tls_facts *ret_facts, struct chain_work *work)
{
	CLEANUP(EVP_MD_CTX_free_p) EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct chain_cache *cache = trust_cache(work->input->trust);
	struct chain_finding finding = { 0 };
	struct chain_key certs_key, key;

	if (!md || !hash_certs(&certs_key, md, work) || !hash_request(&key, md, work, &certs_key))
		return SL_MSG_LOCAL_RESOURCE;
	finding.generation = trust_generation(work->input->trust);
	if (!chain_cache_find(cache, &key, finding.generation, work->input->now_s, &finding)) {
		judge(work);
		finding.code = conclude(&finding.facts, work, &certs_key);
		remember(work, &key, &finding);
	}
	give(ret_facts, &finding.facts);
	return finding.code;
}

enum sl_message chain_judge(struct tls_facts *ret_facts, const struct chain_input *input)
{
	struct chain_work work;
	enum sl_message code;

	/* What OpenSSL leaves in its queue would be taken for the connection's trouble. */
	ERR_set_mark();
	work_init(&work, input);
	give(ret_facts, &(struct tls_facts){ 0 });
	code = judge_or_recall(ret_facts, &work);
	sk_X509_pop_free(work.path, X509_free);
	ERR_pop_to_mark();
	return code;
}
