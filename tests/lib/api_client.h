/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_client - asks the API over its socket, and finds its way in the answer, for tests.
 */
#ifndef SLUICE_TESTS_API_CLIENT_H
#define SLUICE_TESTS_API_CLIENT_H

#include <stddef.h>

#include <jansson.h>

struct api_answer {
	long status;
	char body[4 << 20];
	size_t len;
	char allow[64];
};

/* The answer is good until the next call; whatever fails on the way fails the test. */
struct api_answer *api_ask(const char *socket, const char *method, const char *path);

/* POST these bytes. */
struct api_answer *api_post(const char *socket, const char *path, const char *body, size_t len);

/* GET a document, which must come with this status; the caller drops its reference. */
json_t *api_get(const char *socket, const char *path, long status);

/* The value at "pools.0.services.1.name", or NULL, "(none)", -1. */
const json_t *json_at(const json_t *json, const char *path);
const char *json_text_at(const json_t *json, const char *path);
long long json_number_at(const json_t *json, const char *path);

#endif
