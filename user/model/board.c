// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/board.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/*
 * A verdict that is not the newest, without what is rarely there or shown of the newest only: an
 * entry costs every endpoint of 65,536 its size.
 */
struct past {
	uint64_t at_ms;
	char *detail; /* owned; NULL: none */
	struct timing timing;
	uint32_t elapsed_ms;
	int16_t os_errno, x509_code, x509_depth, alert;
	uint16_t http_status, grpc_status, warnings;
	uint8_t code, stage, icmp_type, icmp_code;
	uint8_t n_also, also[VERDICT_ALSO_MAX];
	bool has_icmp;
};
_Static_assert(SL_MSG_UDP_ANSWER_MISMATCH <= UINT8_MAX, "board: codes fit into a byte");

#define PAST_MAX (BOARD_RECENT - 1)

/* What probes came to; in memory of its own, which moves from one board to the next as it is. */
struct history {
	struct board_verdict newest;
	struct past past[PAST_MAX]; /* newest first */
	struct outcomes outcomes;
	struct certs *shown; /* counted: the last certificates, whatever came after them */
};

static const struct history no_history;

struct entry {
	struct health health;
	enum board_seat seat;
	enum sl_admin admin;
	bool ordered;
	bool suspected;
	const char *disagreement;
	uint32_t stretch;
	struct traffic_mark mark;
	uint64_t deadline_ms;
	struct addr addr;
	uint64_t n_verdicts;
	bool adopted;
	struct history *history; /* owned; NULL: none yet */
};

struct board {
	pthread_mutex_t lock;
	uint32_t n;
	uint64_t n_seatings;
	struct entry *entries;
	struct board_name *names;
};

/* The detail moves into memory of its own; without memory it is lost, and the rest is not. */
static struct past past_of(const struct board_verdict *newest)
{
	const struct verdict *v = &newest->verdict;
	struct past past = {
		.at_ms = newest->at_ms,
		.detail = v->detail[0] ? strdup(v->detail) : NULL,
		.timing = v->timing,
		.elapsed_ms = v->elapsed_ms,
		.os_errno = (int16_t)v->os_errno,
		.x509_code = v->tls.x509_code,
		.x509_depth = v->tls.x509_depth,
		.alert = v->tls.alert,
		.http_status = v->http_status,
		.grpc_status = v->grpc_status,
		.warnings = v->tls.warnings,
		.code = (uint8_t)v->code,
		.stage = (uint8_t)v->stage,
		.icmp_type = v->icmp_type,
		.icmp_code = v->icmp_code,
		.n_also = v->tls.n_also,
		.has_icmp = v->has_icmp,
	};

	memcpy(past.also, v->tls.also, sizeof(past.also));
	return past;
}

static void past_read(struct board_verdict *ret, const struct past *past)
{
	struct verdict *v = &ret->verdict;

	*ret = (struct board_verdict){ .at_ms = past->at_ms };
	v->timing = past->timing;
	v->elapsed_ms = past->elapsed_ms;
	v->os_errno = past->os_errno;
	v->tls.x509_code = past->x509_code;
	v->tls.x509_depth = past->x509_depth;
	v->tls.alert = past->alert;
	v->tls.warnings = past->warnings;
	v->tls.n_also = past->n_also;
	memcpy(v->tls.also, past->also, sizeof(past->also));
	v->http_status = past->http_status;
	v->grpc_status = past->grpc_status;
	v->code = (enum sl_message)past->code;
	v->stage = (enum stage)past->stage;
	v->icmp_type = past->icmp_type;
	v->icmp_code = past->icmp_code;
	v->has_icmp = past->has_icmp;
	if (past->detail)
		snprintf(v->detail, sizeof(v->detail), "%s", past->detail);
}

static void entry_done(struct entry *entry)
{
	struct history *history = entry->history;

	if (!history)
		return;
	verdict_done(&history->newest.verdict);
	for (size_t i = 0; i < PAST_MAX; i++)
		free(history->past[i].detail);
	outcomes_done(&history->outcomes);
	certs_unref(history->shown);
	free(history);
	entry->history = NULL;
}

static const struct history *history_of(const struct entry *entry)
{
	return entry->history ? entry->history : &no_history;
}

struct board *board_new(uint32_t n)
{
	CLEANUP(board_free_p) struct board *board = calloc(1, sizeof(*board));

	if (!board)
		return NULL;
	pthread_mutex_init(&board->lock, NULL);
	board->n = n;
	board->entries = calloc(n ? n : 1, sizeof(*board->entries));
	if (!board->entries)
		return NULL;
	return take_ptr(board);
}

void board_free(struct board *board)
{
	if (!board)
		return;
	for (uint32_t i = 0; board->entries && i < board->n; i++)
		entry_done(&board->entries[i]);
	pthread_mutex_destroy(&board->lock);
	free(board->entries);
	free(board->names);
	free(board);
}

int board_add_names(struct board *board, uint32_t n)
{
	board->names = calloc(n ? n : 1, sizeof(*board->names));
	return board->names ? 0 : -ENOMEM;
}

void board_set_name(struct board *board, uint32_t i, const struct board_name *name)
{
	pthread_mutex_lock(&board->lock);
	board->names[i] = *name;
	pthread_mutex_unlock(&board->lock);
}

void board_seat(struct board *board, uint32_t i, enum board_seat seat, const struct addr *addr)
{
	struct entry *entry = &board->entries[i];

	pthread_mutex_lock(&board->lock);
	entry_done(entry);
	*entry = (struct entry){ .seat = seat };
	if (addr)
		entry->addr = *addr;
	board->n_seatings++;
	pthread_mutex_unlock(&board->lock);
}

void board_set_admin(struct board *board, uint32_t i, enum sl_admin admin, bool ordered,
		     uint64_t deadline_ms)
{
	pthread_mutex_lock(&board->lock);
	board->entries[i].admin = admin;
	board->entries[i].ordered = ordered;
	board->entries[i].deadline_ms = deadline_ms;
	pthread_mutex_unlock(&board->lock);
}

void board_set_suspected(struct board *board, uint32_t i, bool suspected)
{
	pthread_mutex_lock(&board->lock);
	board->entries[i].suspected = suspected;
	pthread_mutex_unlock(&board->lock);
}

void board_set_disagreement(struct board *board, uint32_t i, const char *id)
{
	pthread_mutex_lock(&board->lock);
	board->entries[i].disagreement = id;
	pthread_mutex_unlock(&board->lock);
}

void board_set_stretch(struct board *board, uint32_t i, uint32_t stretch)
{
	pthread_mutex_lock(&board->lock);
	board->entries[i].stretch = stretch;
	pthread_mutex_unlock(&board->lock);
}

void board_set_mark(struct board *board, uint32_t i, const struct traffic_mark *mark)
{
	pthread_mutex_lock(&board->lock);
	board->entries[i].mark = *mark;
	pthread_mutex_unlock(&board->lock);
}

void board_set_health(struct board *board, uint32_t i, const struct health *health, bool adopted)
{
	pthread_mutex_lock(&board->lock);
	board->entries[i].health = *health;
	board->entries[i].adopted = adopted;
	pthread_mutex_unlock(&board->lock);
}

static void history_add(struct history *history, const struct verdict *verdict, uint64_t at_ms)
{
	if (history->newest.at_ms) {
		free(history->past[PAST_MAX - 1].detail);
		memmove(&history->past[1], &history->past[0],
			(PAST_MAX - 1) * sizeof(history->past[0]));
		history->past[0] = past_of(&history->newest);
		verdict_done(&history->newest.verdict);
	}
	history->newest = (struct board_verdict){ verdict_keep(verdict), at_ms };
	outcomes_add(&history->outcomes, verdict);
	if (verdict->tls.certs) {
		certs_unref(history->shown);
		history->shown = certs_ref(verdict->tls.certs);
	}
}

void board_add_verdict(struct board *board, uint32_t i, const struct verdict *verdict,
		       uint64_t at_ms)
{
	struct entry *entry = &board->entries[i];

	pthread_mutex_lock(&board->lock);
	if (!entry->history)
		entry->history = calloc(1, sizeof(*entry->history));
	/* Without memory the verdict is not remembered; it has been acted upon. */
	if (entry->history)
		history_add(entry->history, verdict, at_ms);
	entry->n_verdicts += entry->history != NULL;
	pthread_mutex_unlock(&board->lock);
}

void board_restore(struct board *board, uint32_t i, const struct verdict *verdict, uint64_t at_ms)
{
	struct entry *entry = &board->entries[i];

	pthread_mutex_lock(&board->lock);
	if (!entry->history)
		entry->history = calloc(1, sizeof(*entry->history));
	if (entry->history) {
		verdict_done(&entry->history->newest.verdict);
		entry->history->newest = (struct board_verdict){ verdict_keep(verdict), at_ms };
	}
	pthread_mutex_unlock(&board->lock);
}

void board_inherit(struct board *board, uint32_t i, struct board *from, uint32_t was)
{
	struct entry *entry = &board->entries[i];

	pthread_mutex_lock(&board->lock);
	entry_done(entry);
	*entry = from->entries[was];
	/* Of another's making, who is no more. */
	entry->suspected = false;
	entry->stretch = 0;
	entry->disagreement = NULL;
	entry->mark = (struct traffic_mark){ .set = false };
	from->entries[was] = (struct entry){ 0 };
	pthread_mutex_unlock(&board->lock);
}

/* The lock is not part of what const promises. */
static struct board *unconst(const struct board *board)
{
	return (struct board *)(uintptr_t)board;
}

struct board_name board_name(const struct board *board, uint32_t i)
{
	struct board *b = unconst(board);
	struct board_name name = { .rcode = 0 };

	pthread_mutex_lock(&b->lock);
	if (b->names)
		name = b->names[i];
	pthread_mutex_unlock(&b->lock);

	return name;
}

bool board_is_shown(const struct board *board, uint32_t i)
{
	struct board *b = unconst(board);
	bool shown;

	pthread_mutex_lock(&b->lock);
	shown = b->entries[i].seat != BOARD_VACANT;
	pthread_mutex_unlock(&b->lock);

	return shown;
}

enum board_seat board_where(const struct board *board, uint32_t i, struct addr *ret_addr)
{
	struct board *b = unconst(board);
	enum board_seat seat;

	pthread_mutex_lock(&b->lock);
	seat = b->entries[i].seat;
	*ret_addr = b->entries[i].addr;
	pthread_mutex_unlock(&b->lock);

	return seat;
}

const char *name_state_name(enum name_state state)
{
	static const char *const names[] = {
		[NAME_PENDING] = "pending",
		[NAME_FRESH] = "fresh",
		[NAME_KEPT] = "last_known_good",
		[NAME_FAILED] = "failed",
	};

	return names[state];
}

struct health board_health(const struct board *board, uint32_t i)
{
	struct board *b = unconst(board);
	struct health health;

	pthread_mutex_lock(&b->lock);
	health = b->entries[i].health;
	pthread_mutex_unlock(&b->lock);

	return health;
}

struct board_entry board_read(const struct board *board, uint32_t i)
{
	struct board *b = unconst(board);
	const struct entry *entry = &b->entries[i];
	const struct history *history;
	struct board_entry ret;

	pthread_mutex_lock(&b->lock);
	history = history_of(entry);
	ret.health = entry->health;
	ret.seat = entry->seat;
	ret.admin = entry->admin;
	ret.ordered = entry->ordered;
	ret.suspected = entry->suspected;
	ret.disagreement = entry->disagreement;
	ret.stretch = entry->stretch;
	ret.mark = entry->mark;
	ret.deadline_ms = entry->deadline_ms;
	ret.addr = entry->addr;
	ret.n_verdicts = entry->n_verdicts;
	ret.adopted = entry->adopted;
	ret.recent[0] = history->newest;
	ret.recent[0].verdict = verdict_keep(&history->newest.verdict);
	for (size_t j = 0; j < PAST_MAX; j++)
		past_read(&ret.recent[j + 1], &history->past[j]);
	pthread_mutex_unlock(&b->lock);

	return ret;
}

void board_entry_done(struct board_entry *entry)
{
	/* The others have no references. */
	verdict_done(&entry->recent[0].verdict);
}

struct board_sheet board_sheet(const struct board *board, uint32_t i)
{
	struct board *b = unconst(board);
	const struct entry *entry = &b->entries[i];
	const struct history *history;
	struct board_sheet sheet;

	pthread_mutex_lock(&b->lock);
	history = history_of(entry);
	sheet = (struct board_sheet){
		.seat = entry->seat,
		.addr = entry->addr,
		.health = entry->health,
		.admin = entry->admin,
		.disagreement = entry->disagreement,
		.code = history->newest.verdict.code,
		.at_ms = history->newest.at_ms,
		.outcomes = outcomes_copy(&history->outcomes),
		.certs = certs_ref(history->shown),
	};
	pthread_mutex_unlock(&b->lock);

	return sheet;
}

void board_sheet_done(struct board_sheet *sheet)
{
	outcomes_done(&sheet->outcomes);
	certs_unref(sheet->certs);
}

uint64_t board_seatings(const struct board *board)
{
	struct board *b = unconst(board);
	uint64_t n;

	pthread_mutex_lock(&b->lock);
	n = b->n_seatings;
	pthread_mutex_unlock(&b->lock);

	return n;
}
