// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/chain_facts.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include "probe/chain_text.h"
#include "probe/x509_time.h"

DEFINE_CLEANUP(GENERAL_NAMES, GENERAL_NAMES_free)

#define CURVE_LEN 64
#define CA_BY_BASIC_CONSTRAINTS 1

static char *copy_name(const X509_NAME *name)
{
	char buf[CHAIN_TEXT_LEN];

	return strdup(chain_text_name(buf, name));
}

static char *copy_common_name(const X509_NAME *name)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	const ASN1_STRING *string =
		at < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
	char buf[CERT_CN_MAX + 1] = "";
	uint8_t *utf8;
	int len = string ? ASN1_STRING_to_UTF8(&utf8, string) : -1;

	if (len < 0)
		return strdup(buf);
	chain_text(buf, sizeof(buf), utf8, (size_t)len);
	OPENSSL_free(utf8);
	return strdup(buf);
}

static char *copy_serial(const X509 *x509)
{
	static const char digits[] = "0123456789ABCDEF";
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);
	const uint8_t *data = ASN1_STRING_get0_data(serial);
	size_t len = (size_t)ASN1_STRING_length(serial), out = 0;
	char buf[CHAIN_TEXT_LEN];

	if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER)
		buf[out++] = '-';
	for (size_t i = 0; i < len && out + 2 < sizeof(buf); i++) {
		buf[out++] = digits[data[i] >> 4];
		buf[out++] = digits[data[i] & 0xf];
	}
	buf[out] = '\0';
	return strdup(buf);
}

/* "P-256" rather than "prime256v1". */
static const char *curve_name(const EVP_PKEY *key, char buf[CURVE_LEN])
{
	size_t len;
	const char *nist;

	if (!EVP_PKEY_get_group_name(key, buf, CURVE_LEN, &len))
		return "with a curve of its own";
	nist = EC_curve_nid2nist(OBJ_txt2nid(buf));
	return nist ? nist : buf;
}

static char *copy_key(const X509 *x509)
{
	const EVP_PKEY *key = X509_get0_pubkey(x509);
	char buf[CHAIN_TEXT_LEN], curve[CURVE_LEN];
	const char *type;

	if (!key)
		return strdup("unknown");
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_EC:
		snprintf(buf, sizeof(buf), "EC %s", curve_name(key, curve));
		break;
	case EVP_PKEY_ED25519:
		return strdup("Ed25519");
	case EVP_PKEY_ED448:
		return strdup("Ed448");
	default:
		type = EVP_PKEY_get0_type_name(key);
		snprintf(buf, sizeof(buf), "%s %d", type ? type : "unknown",
			 EVP_PKEY_get_bits(key));
	}
	return strdup(buf);
}

static char *copy_signature(const X509 *x509)
{
	int nid = X509_get_signature_nid(x509);

	return strdup(nid == NID_undef ? "unknown" : OBJ_nid2ln(nid));
}

static bool copy_sans(struct cert *cert, const X509 *x509)
{
	CLEANUP(GENERAL_NAMES_free_p)
	GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	int n = sk_GENERAL_NAME_num(names);
	uint32_t kept;

	if (n <= 0)
		return true;
	cert->n_sans_sent = (uint32_t)n;
	kept = n < CERT_SANS_MAX ? (uint32_t)n : CERT_SANS_MAX;
	cert->sans = calloc(kept, sizeof(*cert->sans));
	if (!cert->sans)
		return false;
	for (; cert->n_sans < kept; cert->n_sans++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, (int)cert->n_sans);
		char buf[CHAIN_TEXT_LEN];

		cert->sans[cert->n_sans] = strdup(chain_text_alt_name(buf, name));
		if (!cert->sans[cert->n_sans])
			return false;
	}
	return true;
}

static bool copy_ca_issuers(struct cert *cert, const X509 *x509)
{
	char buf[CHAIN_TEXT_LEN];

	if (!chain_text_ca_issuers(buf, x509))
		return true;
	cert->ca_issuers = strdup(buf);
	return cert->ca_issuers;
}

static bool describe(struct cert *cert, X509 *x509)
{
	unsigned int len;

	cert->subject = copy_name(X509_get_subject_name(x509));
	cert->issuer = copy_name(X509_get_issuer_name(x509));
	cert->common_name = copy_common_name(X509_get_subject_name(x509));
	cert->serial = copy_serial(x509);
	cert->key = copy_key(x509);
	cert->signature = copy_signature(x509);
	cert->not_before = x509_time(X509_get0_notBefore(x509));
	cert->not_after = x509_time(X509_get0_notAfter(x509));
	cert->ca = X509_check_ca(x509) == CA_BY_BASIC_CONSTRAINTS;
	cert->self_signed = X509_get_extension_flags(x509) & EXFLAG_SS;
	return cert->subject && cert->issuer && cert->common_name && cert->serial && cert->key &&
	       cert->signature && copy_sans(cert, x509) && copy_ca_issuers(cert, x509) &&
	       X509_digest(x509, EVP_sha256(), cert->sha256, &len);
}

struct certs *chain_facts(X509 *const *sent, uint32_t n, uint32_t n_sent)
{
	CLEANUP(certs_unref_p) struct certs *certs = certs_new(n < CERTS_MAX ? n : CERTS_MAX);

	if (!certs)
		return NULL;
	certs->n_sent = n_sent;
	for (uint32_t i = 0; i < certs->n; i++)
		if (!describe(&certs->certs[i], sent[i]))
			return NULL;
	return take_ptr(certs);
}
