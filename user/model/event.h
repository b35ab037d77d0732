/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event - something that happened, as it is kept and shown: health that changed, an order, a reload.
 *
 * Plain data, passed by value. Whoever makes one fills in what applies; "" and 0 are left out
 * wherever it is shown.
 */
#ifndef SLUICE_MODEL_EVENT_H
#define SLUICE_MODEL_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "model/limits.h"

/* X(NAME, "name"): what users filter by and programs match on. */
#define EVENT_KINDS(X)            \
	X(HEALTH, "health")       \
	X(EVIDENCE, "evidence")   \
	X(ORDER, "order")         \
	X(ACCESS, "access")       \
	X(RELOAD, "reload")       \
	X(INTERFACE, "interface") \
	X(DAEMON, "daemon")       \
	X(STORE, "store")         \
	X(OTHER, "other")

#define EVENT_KIND_ENUM(NAME, name) EVENT_##NAME,
enum event_kind { EVENT_KINDS(EVENT_KIND_ENUM) EVENT_KINDS_N };

/* The numbers are syslog's. */
enum event_severity { EVENT_ERROR = 3, EVENT_WARNING = 4, EVENT_INFO = 6 };

#define EVENT_ENDPOINT_LEN (SL_TEXT_LEN + LIMIT_HOST_BYTES + 4) /* "10.0.0.5:443 (app.test)" */
#define EVENT_STATE_LEN 64
#define EVENT_ID_LEN 48
#define EVENT_TEXT_LEN 768
#define EVENT_NUMBERS_LEN 320

struct event {
	uint64_t id; /* grows from event to event, over restarts too; 0: not kept yet */
	uint64_t at_us; /* wall clock; 0: when it is kept */
	enum event_kind kind;
	enum event_severity severity;
	char pool[SL_NAME_LEN], service[SL_NAME_LEN], settings[SL_NAME_LEN];
	char endpoint[EVENT_ENDPOINT_LEN]; /* or the backend that an order is about */
	char before[EVENT_STATE_LEN], after[EVENT_STATE_LEN];
	char reason[EVENT_ID_LEN]; /* stable id: of a verdict, an action, … */
	char text[EVENT_TEXT_LEN]; /* one sentence */
	char numbers[EVENT_NUMBERS_LEN]; /* a JSON object, see event_number(); "": none */
};

/* Copy text into a member that has size bytes; what is too long is cut at a whole character. */
void event_put(char *member, size_t size, const char *text);
#define event_set(member, text) event_put(member, sizeof(member), text)

/*
 * Add a number. The name is one of ours: letters, digits and underscores. What there is no room for
 * is left out.
 */
void event_number(struct event *event, const char *name, int64_t value);

/* "health", "evidence", … */
const char *event_kind_name(enum event_kind kind);

/* EVENT_OTHER: no such name. */
enum event_kind event_kind_parse(const char *name);

/* "error", "warning", "info". */
const char *event_severity_name(enum event_severity severity);

#endif
