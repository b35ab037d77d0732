// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/pem.h>

#include "config/cert_file.h"
#include "tests/lib/certs.h"
#include "tests/lib/fault.h"
#include "util/err.h"

static struct test_cert *a, *b;
static char path[] = "/tmp/sluice-test-cert-XXXXXX";

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	a = test_root("A");
	b = test_root("B");
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	test_cert_free(a);
	test_cert_free(b);
	return unlink(path);
}

enum part { END, CERT_A, CERT_B, TRUSTED_A, DER_A, KEY, REQUEST, CRL, TEXT, BROKEN, CUT_PEM, TAIL };

static void write_part(FILE *file, enum part part)
{
	X509_REQ *request;
	X509_CRL *crl;

	switch (part) {
	case CERT_A:
		PEM_write_X509(file, a->x509);
		break;
	case CERT_B:
		PEM_write_X509(file, b->x509);
		break;
	case TRUSTED_A:
		PEM_write_X509_AUX(file, a->x509);
		break;
	case DER_A:
		i2d_X509_fp(file, a->x509);
		break;
	case KEY:
		PEM_write_PrivateKey(file, a->key, NULL, NULL, 0, NULL, NULL);
		break;
	case REQUEST:
		request = X509_to_X509_REQ(a->x509, a->key, EVP_sha256());
		PEM_write_X509_REQ(file, request);
		X509_REQ_free(request);
		break;
	case CRL:
		crl = test_crl(a, NULL, 1, 2);
		PEM_write_X509_CRL(file, crl);
		X509_CRL_free(crl);
		break;
	case TEXT:
		fputs("A root of ours:\n", file);
		break;
	case BROKEN:
		PEM_write(file, PEM_STRING_X509, "", (const unsigned char *)"\x30\x03junk", 6);
		break;
	case CUT_PEM:
		fputs("-----BEGIN CERTIFICATE-----\nMIIB!!\n", file);
		break;
	case TAIL:
		fputs("x", file);
		break;
	case END:
		break;
	}
}

static const struct {
	enum part parts[4];
	int r;
	uint32_t n;
	const char *text; /* must be in the error */
} rows[] = {
	{ { CERT_A }, 0, 1, NULL },
	{ { CERT_A, CERT_B }, 0, 2, NULL },
	{ { TEXT, CERT_A, TEXT }, 0, 1, NULL },
	{ { KEY, CERT_A }, 0, 1, NULL },
	{ { TRUSTED_A }, 0, 1, NULL },
	{ { DER_A }, 0, 1, NULL },
	{ { END }, -EINVAL, 0, "is empty" },
	{ { TEXT }, -EINVAL, 0, "holds no certificate" },
	{ { KEY }, -EINVAL, 0, "is a private key" },
	{ { REQUEST }, -EINVAL, 0, "is a certificate request" },
	{ { CRL }, -EINVAL, 0, "is a revocation list" },
	{ { BROKEN }, -EINVAL, 0, "certificate 1 is damaged" },
	{ { CERT_A, BROKEN }, -EINVAL, 0, "certificate 2 is damaged" },
	{ { CERT_A, CUT_PEM }, -EINVAL, 0, "PEM block 2 is damaged" },
	{ { DER_A, TAIL }, -EINVAL, 0, "holds no certificate" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trust_spec spec = { 0 };
		struct err err = { "" };
		FILE *file = fopen(path, "w");
		int r;

		assert_non_null(file);
		for (int k = 0; k < 4 && rows[i].parts[k]; k++)
			write_part(file, rows[i].parts[k]);
		fclose(file);
		test_trust_add(&spec, b);
		r = cert_file_load(&spec, path, &err);
		if (r != rows[i].r || spec.n_certs != 1 + rows[i].n ||
		    (rows[i].text && !strstr(err.text, rows[i].text)))
			fail_msg("row %zu: %d, %u: %s", i, r, spec.n_certs, err.text);
		if (r)
			assert_ptr_equal(strstr(err.text, path), err.text);
		else
			assert_string_equal(spec.certs[1].path, path);
		if (rows[i].n == 1) {
			const uint8_t *der = spec.certs[1].der;
			X509 *x509 = d2i_X509(NULL, &der, (long)spec.certs[1].len);

			assert_int_equal(X509_cmp(x509, a->x509), 0);
			X509_free(x509);
		}
		test_trust_clear(&spec);
	}
}

static void test_places(void **state)
{
	struct trust_spec spec = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(cert_file_load(&spec, "/nonexistent", &err), -ENOENT);
	assert_int_equal(cert_file_load(&spec, "/tmp", &err), -EINVAL);
	assert_non_null(strstr(err.text, "not a regular file"));
	assert_int_equal(truncate(path, CERT_FILE_BYTES_MAX + 1), 0);
	assert_int_equal(cert_file_load(&spec, path, &err), -EFBIG);
	assert_non_null(strstr(err.text, "1048576"));
	assert_int_equal(spec.n_certs, 0);
}

/* A FIFO must not make anybody wait. */
static void test_fifo(void **state)
{
	char fifo[sizeof(path) + 5];
	struct trust_spec spec = { 0 };

	(void)state;
	snprintf(fifo, sizeof(fifo), "%s.fifo", path);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(cert_file_load(&spec, fifo, NULL), -EINVAL);
	unlink(fifo);
}

static void test_no_memory(void **state)
{
	(void)state;
	test_certs_write(path, (const struct test_cert *const[]){ a, b, NULL });
	for (int n = 0;; n++) {
		struct trust_spec spec = { 0 };
		bool failed;
		int r;

		fault_after(FAULT_MEMORY, n, ENOMEM);
		r = cert_file_load(&spec, path, NULL);
		failed = fault_clear(FAULT_MEMORY);
		assert_int_equal(r, failed ? -ENOMEM : 0);
		assert_int_equal(spec.n_certs, failed ? 0 : 2);
		test_trust_clear(&spec);
		if (!failed)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_fifo),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
