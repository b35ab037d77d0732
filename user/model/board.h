/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * board - what is known of every endpoint now, for whoever wants to show it.
 *
 * One writer (the pipeline), any number of readers. Readers take a copy of an entry under the
 * board's lock, which nobody holds for longer than a copy takes; the gate never waits for it.
 * Entries are parallel to model->endpoints.
 */
#ifndef SLUICE_MODEL_BOARD_H
#define SLUICE_MODEL_BOARD_H

#include "model/health.h"
#include "model/outcomes.h"
#include "model/traffic.h"
#include "util/addr.h"
#include "util/cleanup.h"

#define BOARD_RECENT 8
#define BOARD_TRAIL 24

struct board_verdict {
	struct verdict verdict;
	uint64_t at_ms; /* wall clock; 0: the slot is empty */
};

/* What an endpoint is now. Only the seats of names change. */
enum board_seat {
	BOARD_ADDRESS, /* the address that the model says */
	BOARD_VACANT, /* a seat that nobody sits in: not to be shown */
	BOARD_NAME, /* a seat that stands for its name, because no address is known */
	BOARD_FOUND /* the address in addr */
};

/* What is known of a DNS name. */
enum name_state { NAME_PENDING, NAME_FRESH, NAME_KEPT, NAME_FAILED };

#define NAME_TEXT_LEN 128

struct board_name {
	enum name_state state;
	uint32_t n; /* addresses in use */
	uint32_t ttl_s; /* of the last good answer */
	int rcode; /* of the last lookup; -1: no answer */
	uint64_t good_ms; /* wall clock: of the last good answer; 0: none in this life */
	uint64_t failed_ms; /* when it began to fail; 0: it does not */
	char why[NAME_TEXT_LEN]; /* "" when all is well */
	char servers[NAME_TEXT_LEN];
};

/* "pending", "fresh", "last_known_good", "failed". */
const char *name_state_name(enum name_state state);

struct board_entry {
	struct health health;
	enum board_seat seat;
	enum sl_admin admin;
	bool ordered; /* admin is the operator's */
	bool suspected; /* clients fail to connect, and a probe is asked */
	const char *disagreement; /* of probes and clients: its id, static; NULL: none */
	uint32_t stretch; /* the interval is so many times as long: clients fare well; 0: 1 */
	struct traffic_mark mark; /* what clients fare now is to be compared with */
	uint64_t deadline_ms; /* monotonic: when a draining one's flows end; 0: never */
	struct addr addr; /* BOARD_FOUND */
	uint64_t n_verdicts;
	bool adopted; /* health is of before this process, and so is a verdict; nothing probed since */
	/* Newest first; only that one has all its TLS facts and shows the certificates. */
	struct board_verdict recent[BOARD_RECENT];
};

/* What is counted of an endpoint, and what of the rest belongs to a line of numbers. */
struct board_sheet {
	enum board_seat seat;
	struct addr addr; /* BOARD_FOUND */
	struct health health;
	enum sl_admin admin;
	const char *disagreement; /* as in the entry */
	enum sl_message code; /* of the newest verdict */
	uint64_t at_ms; /* wall clock: when it came; 0: there is none */
	struct outcomes outcomes;
	struct certs *certs; /* those that were shown last, by whatever probe; NULL: none yet */
};

/* What is kept of more probes than BOARD_RECENT, to be drawn: times to three digits. Newest first. */
struct board_trail {
	uint32_t n; /* at most BOARD_TRAIL */
	struct board_step {
		uint32_t took_us; /* the handshake's time; of what has none, all the probe's */
		bool passed;
	} steps[BOARD_TRAIL];
};

struct board;

/* A board of n entries, all zero. NULL: out of memory. */
struct board *board_new(uint32_t n);
void board_free(struct board *board);
DEFINE_CLEANUP(struct board, board_free)

/* Make room for n names. -ENOMEM. */
int board_add_names(struct board *board, uint32_t n);
void board_set_name(struct board *board, uint32_t i, const struct board_name *name);
struct board_name board_name(const struct board *board, uint32_t i);

/* Somebody else, or nobody, sits in the seat: the entry begins anew. addr: for BOARD_FOUND. */
void board_seat(struct board *board, uint32_t i, enum board_seat seat, const struct addr *addr);
void board_set_admin(struct board *board, uint32_t i, enum sl_admin admin, bool ordered,
		     uint64_t deadline_ms);

void board_set_suspected(struct board *board, uint32_t i, bool suspected);
void board_set_disagreement(struct board *board, uint32_t i, const char *id);
void board_set_stretch(struct board *board, uint32_t i, uint32_t stretch);
void board_set_mark(struct board *board, uint32_t i, const struct traffic_mark *mark);

/* Where the entry is: its seat and, for BOARD_FOUND, the address. */
enum board_seat board_where(const struct board *board, uint32_t i, struct addr *ret_addr);

/* Whether the entry is to be shown. */
bool board_is_shown(const struct board *board, uint32_t i);

/* Replace the entry's health. */
void board_set_health(struct board *board, uint32_t i, const struct health *health, bool adopted);

/* Put a verdict in front of the entry's recent ones. */
void board_add_verdict(struct board *board, uint32_t i, const struct verdict *verdict,
		       uint64_t at_ms);

/* Show a verdict of before this process until there is one: it is not counted. */
void board_restore(struct board *board, uint32_t i, const struct verdict *verdict, uint64_t at_ms);

/* Move an entry over from another board, which nobody reads any more; what it was there is lost. */
void board_inherit(struct board *board, uint32_t i, struct board *from, uint32_t was);

/* The entry's health alone. */
struct health board_health(const struct board *board, uint32_t i);

/* A consistent copy of one entry; to be given back with board_entry_done(). */
struct board_entry board_read(const struct board *board, uint32_t i);
void board_entry_done(struct board_entry *entry);

/* Much cheaper than the whole entry; to be given back with board_sheet_done(). */
struct board_sheet board_sheet(const struct board *board, uint32_t i);
void board_sheet_done(struct board_sheet *sheet);

struct board_trail board_trail(const struct board *board, uint32_t i);

/*
 * Grows with every change of what is to be seen of an entry: where it is, its health, orders and reason, and not
 * its times and counts. Whoever has read the entries that changed after one revision, up to the revision that
 * the board had before he began, knows the board, however much changed meanwhile.
 */
uint64_t board_revision(const struct board *board);

/* Of the entry's last change; costs a load. From 1 on. */
uint64_t board_changed(const struct board *board, uint32_t i);

/* How often a seat has changed: whoever reads several finds out whether they are of one instant. */
uint64_t board_seatings(const struct board *board);

#endif
