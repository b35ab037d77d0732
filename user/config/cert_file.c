// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/cert_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "util/cleanup.h"
#include "util/err.h"

DEFINE_CLEANUP(X509, X509_free)
DEFINE_CLEANUP(BIO, BIO_free_all)

/* The certificates of one file, until all of them are known to be good. */
struct found {
	struct cert_file *certs;
	uint32_t n;
};

static void found_done(struct found *found)
{
	for (uint32_t i = 0; i < found->n; i++) {
		free(found->certs[i].path);
		free(found->certs[i].der);
	}
	free(found->certs);
}

/* PEM blocks that people mistake for certificates. */
static const struct block_word {
	const char *ending; /* of the block's name */
	const char *text;
} block_words[] = {
	{ "PRIVATE KEY", "is a private key, not a certificate" },
	{ "PUBLIC KEY", "is a public key, not a certificate" },
	{ "CERTIFICATE REQUEST", "is a certificate request, not a certificate" },
	{ "X509 CRL", "is a revocation list, not a certificate" },
	{ "PKCS7", "is a PKCS#7 bundle: convert it with openssl pkcs7 -print_certs" },
	{ "CMS", "is a CMS bundle: convert it with openssl pkcs7 -print_certs" },
};

static const char *const no_certificate = "holds no certificate";

static bool ends_with(const char *text, const char *ending)
{
	size_t len = strlen(text), end_len = strlen(ending);

	return len >= end_len && !strcmp(text + len - end_len, ending);
}

static const char *block_text(const char *name)
{
	for (size_t i = 0; i < sizeof(block_words) / sizeof(block_words[0]); i++)
		if (ends_with(name, block_words[i].ending))
			return block_words[i].text;
	return no_certificate;
}

/* --- reading ---------------------------------------------------------------------------------- */

static int read_all(int fd, uint8_t *buf, size_t size, size_t *ret_len)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

static int read_file(uint8_t **ret, size_t *ret_len, const char *path, struct err *err)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	CLEANUP(free_p) uint8_t *buf = NULL;
	struct stat st;
	size_t len = 0;
	int r;

	if (fd < 0 || fstat(fd, &st))
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "%s: not a regular file", path);
	if (st.st_size > CERT_FILE_BYTES_MAX)
		return err_set(err, -EFBIG, "%s: larger than %u bytes", path, CERT_FILE_BYTES_MAX);

	/* One byte more than allowed, to notice a file that grows meanwhile. */
	buf = malloc(CERT_FILE_BYTES_MAX + 1);
	if (!buf)
		return err_set(err, -ENOMEM, "%s: out of memory", path);
	r = read_all(fd, buf, CERT_FILE_BYTES_MAX + 1, &len);
	if (r)
		return err_set(err, r, "%s: %s", path, strerror(-r));
	if (len > CERT_FILE_BYTES_MAX)
		return err_set(err, -EFBIG, "%s: larger than %u bytes", path, CERT_FILE_BYTES_MAX);
	*ret_len = len;
	*ret = take_ptr(buf);
	return 0;
}

/* --- parsing ---------------------------------------------------------------------------------- */

/* Takes the certificate's own bytes only, without the trust settings that OpenSSL may append. */
static int add_cert(struct found *found, const char *path, const uint8_t *der, long len)
{
	struct cert_file *certs = realloc(found->certs, (found->n + 1) * sizeof(*found->certs));
	struct cert_file *cert;

	if (!certs)
		return -ENOMEM;
	found->certs = certs;
	cert = &certs[found->n];
	*cert = (struct cert_file){ .path = strdup(path), .der = malloc((size_t)len) };
	found->n++; /* found_done() frees it from here on, complete or not */
	if (!cert->path || !cert->der)
		return -ENOMEM;
	memcpy(cert->der, der, (size_t)len);
	cert->len = (uint32_t)len;
	return 0;
}

static int add_block(struct found *found, const char *path, const uint8_t *der, long len,
		     bool with_trust)
{
	const uint8_t *end = der;
	CLEANUP(X509_free_p) X509 *x509 = d2i_X509(NULL, &end, len);

	if (!x509 || (end - der != len && !with_trust))
		return -EINVAL;
	return add_cert(found, path, der, end - der);
}

struct pem_block {
	char *name, *header;
	uint8_t *data;
	long len;
};

static void pem_block_done(struct pem_block *block)
{
	OPENSSL_free(block->name);
	OPENSSL_free(block->header);
	OPENSSL_free(block->data);
}

/* *ret_instead says what the first block was that is no certificate; NULL: there is no such. */
static int parse_pem(struct found *found, BIO *bio, const char *path, const char **ret_instead,
		     struct err *err)
{
	for (;;) {
		CLEANUP(pem_block_done) struct pem_block block = { 0 };
		bool trusted;
		int r;

		if (!PEM_read_bio(bio, &block.name, &block.header, &block.data, &block.len))
			break;
		trusted = !strcmp(block.name, PEM_STRING_X509_TRUSTED);
		if (!trusted && strcmp(block.name, PEM_STRING_X509) &&
		    strcmp(block.name, PEM_STRING_X509_OLD)) {
			if (!*ret_instead)
				*ret_instead = block_text(block.name);
			continue;
		}
		r = add_block(found, path, block.data, block.len, trusted);
		if (r == -EINVAL)
			return err_set(err, r, "%s: certificate %u is damaged", path, found->n + 1);
		if (r)
			return err_set(err, r, "%s: out of memory", path);
	}
	/* The end of the file is the one error that is none. */
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return err_set(err, -EINVAL, "%s: PEM block %u is damaged", path, found->n + 1);
	return 0;
}

static int parse(struct found *found, const uint8_t *data, size_t len, const char *path,
		 struct err *err)
{
	CLEANUP(BIO_free_all_p) BIO *bio = BIO_new_mem_buf(data, (int)len);
	const char *instead = NULL;
	int r;

	if (!bio)
		return err_set(err, -ENOMEM, "%s: out of memory", path);
	if (!len)
		return err_set(err, -EINVAL, "%s: is empty", path);
	r = parse_pem(found, bio, path, &instead, err);
	if (r || found->n)
		return r;
	if (instead)
		return err_set(err, -EINVAL, "%s: %s", path, instead);

	r = add_block(found, path, data, (long)len, false);
	if (r == -ENOMEM)
		return err_set(err, r, "%s: out of memory", path);
	return r ? err_set(err, r, "%s: %s", path, no_certificate) : 0;
}

static int append(struct trust_spec *spec, struct found *found)
{
	struct cert_file *certs =
		realloc(spec->certs, (spec->n_certs + found->n) * sizeof(*spec->certs));

	if (!certs)
		return -ENOMEM;
	memcpy(&certs[spec->n_certs], found->certs, found->n * sizeof(*certs));
	spec->certs = certs;
	spec->n_certs += found->n;
	found->n = 0;
	return 0;
}

int cert_file_load(struct trust_spec *spec, const char *path, struct err *err)
{
	CLEANUP(found_done) struct found found = { 0 };
	CLEANUP(free_p) uint8_t *data = NULL;
	size_t len = 0;
	int r;

	r = read_file(&data, &len, path, err);
	if (r)
		return r;
	ERR_set_mark();
	r = parse(&found, data, len, path, err);
	ERR_pop_to_mark();
	if (r)
		return r;
	r = append(spec, &found);
	return r ? err_set(err, r, "%s: out of memory", path) : 0;
}
