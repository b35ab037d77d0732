/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json - build documents with one check at the end.
 *
 * Every function takes over the value it is given. When memory runs out the container is released
 * and becomes NULL, and stays NULL whatever is added later: a document is whole or not there.
 */
#ifndef SLUICE_DIAGNOSE_JSON_H
#define SLUICE_DIAGNOSE_JSON_H

#include <jansson.h>
#include <stdint.h>

static inline void json_p(json_t **json)
{
	json_decref(*json);
}

void json_put(json_t **object, const char *key, json_t *value);
void json_put_uint(json_t **object, const char *key, uint64_t value);
void json_put_bool(json_t **object, const char *key, int value);

/* Bytes that are not UTF-8 (a file name, what a backend sent) become '?'. */
void json_put_text(json_t **object, const char *key, const char *text);

/* The time in ISO form. */
void json_put_time(json_t **object, const char *key, uint64_t wall_ms);

void json_push(json_t **array, json_t *value);
json_t *json_text(const char *text);

/* Seconds since 1970 in ISO form; nothing for a time that is too far off. */
void json_put_unix(json_t **object, const char *key, int64_t unix_s);

/* An array of texts. */
json_t *json_texts(const char *const texts[], size_t n);

#endif
