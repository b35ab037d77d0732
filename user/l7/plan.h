/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan - HAProxy's configuration for a model, and which of its servers stands for which endpoint.
 *
 * HAProxy runs no checks of its own: what a server is to be is said by whoever knows, here for the start
 * and through the runtime socket (l7/push.h) afterwards. Plain data once it is made.
 */
#ifndef SLUICE_L7_PLAN_H
#define SLUICE_L7_PLAN_H

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "l7/cookie.h"
#include "model/model.h"

struct err;

/* Runtime socket of the process that has the plan of that number, in the directory. */
#define L7_WORKER_SOCKET "worker-%" PRIu64 ".sock"

/* The longest directory: sockets in it have names of at most 107 bytes, also while HAProxy makes them. */
#define L7_DIR_MAX 60

/* The configuration, from the state directory on. */
#define L7_CONFIGURATION "l7/haproxy.cfg"

/* Of the master process: in the directory, and from the state directory on. */
#define L7_MASTER_SOCKET "master.sock"
#define L7_MASTER "l7/" L7_MASTER_SOCKET

/* In a comment of the configuration, before the program that is to run it. */
#define L7_RUN_BY "run by "

/* Where a new process asks for the sockets that clients wait at, in the directory. */
#define L7_HOLD_SOCKET "hold.sock"

/* Of a server, as the daemon knows its endpoint. */
enum l7_standing {
	L7_DOWN, /* no requests: nobody is there, or it is not well */
	L7_READY,
	L7_DRAINING, /* none but those that a cookie brings */
	L7_DRAINED, /* for long enough: what is still open ends */
	L7_DISABLED /* by the operator */
};

struct l7_server {
	struct addr addr; /* of a name's seat: whoever sits there; zero: nobody */
	uint16_t weight; /* 0..256 */
	enum l7_standing standing;
	uint64_t deadline_ms; /* monotonic: when a draining one is drained; 0: never */
};

/* A server line: what comes before its address and after its state. */
struct l7_line {
	size_t before; /* bytes of plan->text before it */
	char *name; /* "BACKEND/SERVER", as the runtime socket takes it */
	char *rest; /* cookie, TLS */
	const char *server; /* the second part of name */
	struct addr addr; /* the configured one; zero: a seat's */
	uint16_t port;
	uint16_t weight; /* the configured one */
	uint32_t endpoint; /* index into the model's */
	uint32_t next; /* the next line of the same endpoint, or INDEX_NONE */
};

/* Whose key a line of the configuration comes from. */
struct l7_origin {
	uint32_t line; /* from 1 */
	char *key; /* "service 'shop': tls.certificates" */
};

/* A file that the configuration names, beside it in the directory. */
struct l7_file {
	char *name;
	char *bytes; /* NULL: a symbolic link to target */
	size_t len;
	char *target;
	char *key; /* of a link: where the configuration names it, as of a line */
};

/* An address that HAProxy listens at. */
struct l7_listen {
	char *text, *service;
	struct addr addr;
	uint16_t port;
};

struct l7_plan {
	char *dir; /* where it is to be */
	char *text; /* without the lines of servers */
	size_t len;
	struct l7_line *lines;
	uint32_t n_lines;
	uint32_t *first; /* by service of the model: its first line; n_services + 1 of them */
	uint32_t *of_endpoint; /* by endpoint of the model: its first line, or INDEX_NONE */
	uint32_t n_services, n_endpoints;
	struct l7_origin *origins;
	uint32_t n_origins;
	struct l7_file *files;
	uint32_t n_files;
	struct l7_listen *listens; /* by service of layer 7 */
	uint32_t n_listens;
	uint32_t max_connections; /* 0: auto */
	char digest[65]; /* of all of it: two plans with the same one are the same */
	uint64_t number; /* names the runtime socket; set by whoever starts HAProxy with it */
};

/*
 * Make the plan of a model. dir: where it will be, absolute; borrowed for the call. err is set:
 *   -errno  a certificate's file cannot be read; err names it and its key
 *   -ENOMEM
 */
int l7_plan_new(struct l7_plan **ret, const struct model *model, const char *dir,
		const struct l7_key *key, struct err *err);
void l7_plan_free(struct l7_plan *plan);
DEFINE_CLEANUP(struct l7_plan, l7_plan_free)

/* Write the configuration. servers: parallel to plan->lines; NULL: as configured, whoever is well. */
void l7_plan_write(FILE *out, const struct l7_plan *plan, const struct l7_server *servers);

/* The key that a line comes from, or NULL. */
const char *l7_plan_key(const struct l7_plan *plan, uint32_t line);

#endif
