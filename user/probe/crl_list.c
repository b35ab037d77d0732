// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/crl_list.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "probe/x509_time.h"
#include "util/err.h"

DEFINE_CLEANUP(BIO, BIO_free_all)
DEFINE_CLEANUP(STACK_OF(X509_CRL), crl_list_free)

static const char pem_begin[] = "-----BEGIN ";

void crl_list_free(STACK_OF(X509_CRL) * list)
{
	sk_X509_CRL_pop_free(list, X509_CRL_free);
}

static int push(STACK_OF(X509_CRL) * list, X509_CRL *crl)
{
	if (sk_X509_CRL_push(list, crl))
		return 0;
	X509_CRL_free(crl);
	return -ENOMEM;
}

static int parse_pem(STACK_OF(X509_CRL) * list, const uint8_t *data, size_t len)
{
	CLEANUP(BIO_free_all_p) BIO *bio = BIO_new_mem_buf(data, (int)len);

	if (!bio)
		return -ENOMEM;
	while (sk_X509_CRL_num(list) < CRL_LISTS_MAX) {
		X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
		int r;

		if (!crl)
			break;
		r = push(list, crl);
		if (r)
			return r;
	}
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ? 0 : -EINVAL;
}

static int parse_der(STACK_OF(X509_CRL) * list, const uint8_t *data, size_t len)
{
	const uint8_t *end = data;
	X509_CRL *crl = d2i_X509_CRL(NULL, &end, (long)len);

	if (!crl)
		return -EINVAL;
	if (end != data + len) {
		X509_CRL_free(crl);
		return -EINVAL;
	}
	return push(list, crl);
}

int crl_list_parse(STACK_OF(X509_CRL) * *ret, const uint8_t *data, size_t len, struct err *err)
{
	CLEANUP(crl_list_free_p) STACK_OF(X509_CRL) *list = sk_X509_CRL_new_null();
	int r;

	if (!list)
		return err_set(err, -ENOMEM, "out of memory");
	ERR_set_mark();
	if (memmem(data, len, pem_begin, sizeof(pem_begin) - 1))
		r = parse_pem(list, data, len);
	else
		r = parse_der(list, data, len);
	ERR_pop_to_mark();
	if (r == -ENOMEM)
		return err_set(err, r, "out of memory");
	if (r || !sk_X509_CRL_num(list))
		return err_set(err, -EINVAL, "not a revocation list");
	*ret = take_ptr(list);
	return 0;
}

static int read_all(int fd, uint8_t *buf, size_t size, struct err *err)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, -errno, "%s", strerror(errno));
		if (!n)
			return err_set(err, -EINVAL, "changed while it was read");
		len += (size_t)n;
	}
	return 0;
}

int crl_list_read(STACK_OF(X509_CRL) * *ret, const char *path, struct err *err)
{
	CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	CLEANUP(free_p) uint8_t *buf = NULL;
	struct stat st;
	size_t len;
	int r;

	if (fd < 0 || fstat(fd, &st))
		return err_set(err, -errno, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "not a regular file");
	if (st.st_size > CRL_BYTES_MAX)
		return err_set(err, -EFBIG, "larger than %u bytes", CRL_BYTES_MAX);
	len = (size_t)st.st_size;
	buf = malloc(len + 1);
	if (!buf)
		return err_set(err, -ENOMEM, "out of memory");
	r = read_all(fd, buf, len, err);
	if (r)
		return r;
	return crl_list_parse(ret, buf, len, err);
}

int64_t crl_list_next_update(const STACK_OF(X509_CRL) * list)
{
	int64_t first = INT64_MAX;

	for (int i = 0; i < sk_X509_CRL_num(list); i++) {
		int64_t next = x509_time(X509_CRL_get0_nextUpdate(sk_X509_CRL_value(list, i)));

		if (next != X509_TIME_BAD && next < first)
			first = next;
	}
	return first;
}
