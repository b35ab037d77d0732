/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * answer - what was made of a request, and how it is sent.
 *
 * Every answer is JSON, but for sources of another type; errors are {"error": {"code": "not_found", "message": "…"}}.
 */
#ifndef SLUICE_CONTROL_ANSWER_H
#define SLUICE_CONTROL_ANSWER_H

#include <microhttpd.h>
#include <stdbool.h>
#include <sys/types.h>

#include "diagnose/json.h"

struct waiters;

#define ANSWER_NAMED_MAX 160 /* of what the client sent, in an error text */

/* What makes a document while it is sent. */
struct source {
	void *arg; /* NULL: there is none */
	ssize_t (*read)(void *arg, char *buf, size_t size); /* as stream_read(); -EAGAIN: later */
	void (*free)(void *arg);
};

/* A document, the source of one, what is part of the program, or an error; without any of them, memory has run out. */
struct answer {
	unsigned int status;
	json_t *json;
	struct source source;
	struct {
		const char *data; /* static; NULL: there is none */
		size_t len;
	} fixed;
	bool head; /* HEAD: nothing may follow the header */
	const char *type; /* of the source; NULL: JSON */
	struct waiters *waiters; /* for a source that has more to tell later; else NULL */
	bool is_page; /* what a browser shows or runs, and is told to be strict with */
	const char *allow; /* MHD_HTTP_METHOD_NOT_ALLOWED: what is allowed */
};

/* Make it an error. */
void answer_refuse(struct answer *answer, unsigned int status, const char *code, const char *fmt,
		   ...) __attribute__((format(printf, 4, 5)));

/* Send it, and release what it holds. MHD_NO only when even an error cannot be sent. */
enum MHD_Result answer_send(struct answer *answer, struct MHD_Connection *connection);

#endif
