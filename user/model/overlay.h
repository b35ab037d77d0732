/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * overlay - what was changed while the daemon runs, over what the file says: interfaces, pools and backends that
 * came or went, weights, and whom the operator took out of service.
 *
 * A row says how one interface, one pool, or one backend of one, differs from the file; who does not differ has
 * none. Plain data, owned by whoever made it: a change is made to a copy, which replaces the original once all of
 * it is in force. No I/O.
 */
#ifndef SLUICE_MODEL_OVERLAY_H
#define SLUICE_MODEL_OVERLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"
#include "util/cleanup.h"

enum overlay_presence {
	OVERLAY_AS_FILE, /* it is there because the file has it */
	OVERLAY_ADDED, /* the file has it not */
	OVERLAY_REMOVED /* the file has it */
};

/* What a row is about, as its names tell; rows are in this order but that a pool's backends follow it. */
enum overlay_kind { OVERLAY_INTERFACE, OVERLAY_POOL, OVERLAY_BACKEND };

/* More than any runtime change needs, and a bound on what a client can have kept. */
#define OVERLAY_MAX (LIMIT_ENDPOINTS + LIMIT_POOLS)

struct overlay_row {
	char interface[IFNAMSIZ]; /* ""; else pool and address are "" */
	char pool[SL_NAME_LEN];
	char address[LIMIT_HOST_BYTES + 1]; /* as backend_text() has it; "": the pool itself */
	enum overlay_presence presence;
	bool has_weight; /* another one than the file's; of an added backend always */
	uint32_t weight;
	bool has_options; /* of an interface: others than the file's; of one that was added always */
	enum xdp_mode xdp;
	bool egress;
	enum sl_admin admin; /* the operator's order */
	uint64_t deadline_ms; /* wall clock: when the flows of a draining one end */
	uint64_t at_ms; /* wall clock: when it was changed last */
};

struct overlay {
	struct overlay_row *rows; /* sorted: overlay_compare() */
	uint32_t n, room;
	uint64_t version; /* grows with whatever changes what is configured, here or in the file */
	uint64_t file_digest; /* model->digest of the file that it is over */
};

void overlay_done(struct overlay *overlay);

/* -ENOMEM: *ret is empty. */
int overlay_copy(struct overlay *ret, const struct overlay *overlay);

/* The row, or NULL. It moves when another one is set. address "": of the pool. */
const struct overlay_row *overlay_find(const struct overlay *overlay, const char *pool,
				       const char *address);

/* What the row would be if there is none. */
struct overlay_row overlay_row_of(const struct overlay *overlay, const char *pool,
				  const char *address);

/* The same of an interface. */
struct overlay_row overlay_interface_row(const struct overlay *overlay, const char *interface);

enum overlay_kind overlay_kind_of(const struct overlay_row *row);

/* "interface eth0", "pool", "pool 10.0.0.5": whom a row is about. Returns buf. */
#define OVERLAY_TEXT_LEN (SL_NAME_LEN + LIMIT_HOST_BYTES + 2)
const char *overlay_text(char buf[OVERLAY_TEXT_LEN], const struct overlay_row *row);

/*
 * Put a row in, in the place of the one about the same; one that says nothing only takes that away.
 * -ENOMEM, -E2BIG: more than OVERLAY_MAX. Nothing has changed then.
 */
int overlay_set(struct overlay *overlay, const struct overlay_row *row);

/* Take away all that is said of the pool and its backends. */
void overlay_forget_pool(struct overlay *overlay, const char *pool);

/*
 * Whether a's order comes before b's, where both are about one endpoint that two pools have: there is one word for
 * it, and it takes new flows only if nobody has ordered otherwise. b: NULL: there is none.
 */
bool overlay_is_stricter(const struct overlay_row *a, const struct overlay_row *b);

/* The order of rows: less than, equal to or greater than 0. */
int overlay_compare(const struct overlay_row *a, const struct overlay_row *b);

/*
 * How long the flows of a draining row have left; 0: no time. By a wall clock that may have been set since: never
 * longer than was ordered.
 */
uint64_t overlay_left_ms(const struct overlay_row *row, uint64_t now_ms);

/*
 * A number for all that the rows say of pools and backends: tells one from another. Interfaces are left out:
 * what is known of endpoints does not depend on them.
 */
uint64_t overlay_digest(const struct overlay *overlay, uint64_t seed);

#endif
