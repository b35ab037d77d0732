/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cookie - the values of affinity cookies: keyed one-way hashes of who the server is.
 *
 * Whoever has the same key makes the same values, today and tomorrow; without it they tell nothing.
 */
#ifndef SLUICE_L7_COOKIE_H
#define SLUICE_L7_COOKIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define L7_KEY_MIN 16
#define L7_KEY_MAX 4096

struct err;

struct l7_key {
	uint8_t bytes[L7_KEY_MAX];
	size_t len;
};

/* 128 bits in hexadecimal. */
#define L7_COOKIE_LEN 33

/*
 * Read the key from a file. made: make it, with 32 random bytes, if it is not there. err names the file:
 *   -errno   of open(), read() or write()
 *   -EINVAL  it is shorter than L7_KEY_MIN or longer than L7_KEY_MAX bytes
 */
int l7_key_load(struct l7_key *ret, const char *path, bool made, struct err *err);

/* Of a server, by what makes it one: the pool's name and the address with its port. */
int l7_cookie(char ret[L7_COOKIE_LEN], const struct l7_key *key, const char *pool,
	      const char *server);

#endif
