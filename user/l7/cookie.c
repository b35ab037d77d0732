// SPDX-License-Identifier: GPL-2.0-or-later
#include "l7/cookie.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/err.h"

#define KEY_MADE 32

/* -ENOENT if somebody was faster. */
static int make_key(const char *path)
{
	CLEANUP(close_p)
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	uint8_t bytes[KEY_MADE];

	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -EIO;
	if (write(fd, bytes, sizeof(bytes)) != sizeof(bytes) || fsync(fd) < 0) {
		unlink(path);
		return -EIO;
	}
	return 0;
}

int l7_key_load(struct l7_key *ret, const char *path, bool made, struct err *err)
{
	CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	uint8_t spare;
	ssize_t len;
	int r;

	if (fd < 0 && errno == ENOENT && made) {
		r = make_key(path);
		if (r < 0)
			return err_set(err, r, "%s: cannot be written: %s", path, strerror(-r));
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_set(err, -errno, "%s: cannot be read: %s", path, strerror(errno));
	len = read(fd, ret->bytes, sizeof(ret->bytes));
	if (len < 0)
		return err_set(err, -errno, "%s: cannot be read: %s", path, strerror(errno));
	if (len < L7_KEY_MIN || (len == L7_KEY_MAX && read(fd, &spare, 1) != 0))
		return err_set(err, -EINVAL, "%s: is no key; allowed: %d..%d bytes", path,
			       L7_KEY_MIN, L7_KEY_MAX);
	ret->len = (size_t)len;
	return 0;
}

int l7_cookie(char ret[L7_COOKIE_LEN], const struct l7_key *key, const char *pool,
	      const char *server)
{
	char text[1024];
	uint8_t hash[EVP_MAX_MD_SIZE];
	/* No name has a line feed: nothing else gives the same text. */
	int len = snprintf(text, sizeof(text), "affinity\n%s\n%s", pool, server);

	if (len < 0 || (size_t)len >= sizeof(text) ||
	    !HMAC(EVP_sha256(), key->bytes, (int)key->len, (const uint8_t *)text, (size_t)len, hash,
		  NULL))
		return -ENOMEM;
	for (size_t i = 0; i < (L7_COOKIE_LEN - 1) / 2; i++)
		snprintf(ret + 2 * i, 3, "%02x", hash[i]);
	return 0;
}
