// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/ocsp.h>

#include "tests/lib/certs.h"

#define HOUR_S 3600

static const int statuses[] = {
	[TEST_OCSP_GOOD] = V_OCSP_CERTSTATUS_GOOD,
	[TEST_OCSP_REVOKED] = V_OCSP_CERTSTATUS_REVOKED,
	[TEST_OCSP_UNKNOWN] = V_OCSP_CERTSTATUS_UNKNOWN,
};

static void must(bool truth)
{
	if (truth)
		return;
	fprintf(stderr, "test certificates: OCSP response\n");
	abort();
}

static OCSP_BASICRESP *answer(const struct test_ocsp_spec *spec)
{
	int64_t now = time(NULL);
	const struct test_cert *signer = spec->signer ? spec->signer : spec->issuer;
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(NULL, spec->cert->x509, spec->issuer->x509);
	ASN1_GENERALIZEDTIME *from = ASN1_GENERALIZEDTIME_set(
		NULL, spec->this_update ? spec->this_update : now - HOUR_S);
	ASN1_TIME *to =
		ASN1_TIME_set(NULL, spec->next_update ? spec->next_update : now + TEST_DAY_S);

	must(basic && id && from && to);
	must(OCSP_basic_add1_status(basic, id, statuses[spec->status], 0,
				    spec->status == TEST_OCSP_REVOKED ? from : NULL, from, to));
	must(OCSP_basic_sign(basic, signer->x509, signer->key, EVP_sha256(), NULL, 0));
	OCSP_CERTID_free(id);
	ASN1_GENERALIZEDTIME_free(from);
	ASN1_GENERALIZEDTIME_free(to);
	return basic;
}

uint8_t *test_ocsp(size_t *ret_len, const struct test_ocsp_spec *spec)
{
	OCSP_BASICRESP *basic = answer(spec);
	OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	int len = response ? i2d_OCSP_RESPONSE(response, NULL) : 0;
	uint8_t *der = len > 0 ? malloc((size_t)len) : NULL, *end = der;

	must(der);
	must(i2d_OCSP_RESPONSE(response, &end) == len);
	*ret_len = (size_t)len;
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	return der;
}
