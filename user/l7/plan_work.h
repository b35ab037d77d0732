/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan_work - a plan in the making.
 *
 * plan.c has the whole, plan_listen.c what clients meet, plan_backend.c what is done with their requests,
 * plan_files.c what lies beside the configuration.
 */
#ifndef SLUICE_L7_PLAN_WORK_H
#define SLUICE_L7_PLAN_WORK_H

#include "l7/plan.h"
#include "l7/quote.h"
#include "util/err.h"

struct making {
	struct l7_plan *plan;
	const struct model *model;
	const struct l7_key *key;
	FILE *out; /* becomes plan->text */
	uint32_t line; /* the next one's number */
	uint32_t room_lines, room_origins;
	bool oom;
};

/* A line, indented, which comes from that key of the configuration ("service 'shop': listen"); NULL: from none. */
void making_line(struct making *m, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The beginning of such a line, whose rest is written to m->out, and its end. */
void making_begin(struct making *m, const char *key);
void making_end(struct making *m);

/* A line of comment: "# WORDS 'NAME'"; control characters of the name are left out. */
void making_comment(struct making *m, const char *indent, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The line of a server; takes over name and rest. */
void making_server(struct making *m, const struct l7_line *line);

/* "service 'shop': KEY", "settings 'web': KEY", into a buffer of the caller's. */
#define ORIGIN_LEN (SL_NAME_LEN + 128)
const char *origin_service(char buf[ORIGIN_LEN], const struct service *service, const char *key);
const char *origin_settings(char buf[ORIGIN_LEN], const struct settings *settings, const char *key);

/* Files, each only once. bytes are copied. 0 or -errno; err, where there is one, is set. */
int making_bytes(struct making *m, const char *name, char *bytes, size_t len);
int making_certificates(struct making *m, const struct service *first, char ret_list[64],
			struct err *err);
int making_roots(struct making *m, const struct settings *settings, char ret_name[128]);
int making_answers(struct making *m);

/* "SERVICE:POOL", by which logs and counters name a service. */
#define BACKEND_NAME_LEN (2 * SL_NAME_LEN + 2)
const char *backend_name(char buf[BACKEND_NAME_LEN], const struct model *model,
			 const struct service *service);

int plan_listeners(struct making *m, struct err *err);
int plan_backends(struct making *m);

bool plan_is_http(const struct model *model, const struct service *service);

#endif
