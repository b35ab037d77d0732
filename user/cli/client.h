/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client - one question to the daemon over its Unix socket.
 *
 * Times and sizes are bounded; what comes back is parsed and free of control characters.
 */
#ifndef SLUICE_CLI_CLIENT_H
#define SLUICE_CLI_CLIENT_H

#include <jansson.h>
#include <stdint.h>

struct err;
struct scan;

/* More than the answer about LIMIT_ENDPOINTS endpoints ever is. */
#define CLIENT_ANSWER_MAX (256u << 20)

/*
 * Get a path. Returns 0 and the document, or the HTTP status (4xx, 5xx) and the error document, or
 *   -EACCES      the socket is not ours to open
 *   -ENOTCONN    nobody answers there, or not in time (err says which)
 *   -EPROTO      the answer is not what a daemon says; -EFBIG: it is too long
 *   -ENOMEM
 */
int client_get(json_t **ret, const char *socket_path, const char *path, struct err *err);

/*
 * The same, and the document as it came, NUL-terminated and without control characters in its texts,
 * for the caller to free; also of an error. scan: given by the caller, with what is to be counted.
 */
int client_get_text(char **ret, struct scan *scan, const char *socket_path, const char *path,
		    struct err *err);

/* As client_get(), within timeout_ms (not 0) in all. */
int client_get_within(json_t **ret, const char *socket_path, const char *path, uint32_t timeout_ms,
		      struct err *err);

/* Post a document to a path, as above. */
int client_post(json_t **ret, const char *socket_path, const char *path, const json_t *json,
		struct err *err);

/*
 * "path?key=value&…" with values escaped; pairs end with NULL, those with a NULL value are left
 * out. The caller frees it; NULL: out of memory.
 */
char *client_query(const char *path, const char *const pairs[]);

/* "path/name" with the name escaped. The caller frees it; NULL: out of memory. */
char *client_path(const char *path, const char *name);

#endif
