// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/board.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/*
 * A verdict without what is rarely there or shown of the newest only: an entry costs every endpoint of 65,536 its
 * size.
 */
struct record {
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

/* took_us is so many microseconds times 2 to the power of shift: exact to a part in five hundred. */
struct step {
	uint16_t passed : 1, shift : 5, took : 10;
};

#define STEP_TOOK_MAX ((1u << 10) - 1)

/* What probes came to; in memory of its own, which moves from one board to the next as it is. */
struct history {
	struct record recent[BOARD_RECENT]; /* newest first */
	struct tls_facts tls; /* of the newest */
	struct step trail[BOARD_TRAIL]; /* newest first; n_verdicts says how many there are */
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
	uint64_t revision;
	struct entry *entries;
	_Atomic uint64_t *
		changed; /* each entry's revision; those who only compare read it without the lock */
	struct board_name *names;
};

/* Under the lock, so that whoever reads the revision finds every entry that has it or an earlier one. */
static void change(struct board *board, uint32_t i)
{
	atomic_store_explicit(&board->changed[i], ++board->revision, memory_order_relaxed);
}

/* The detail moves into memory of its own; without memory it is lost, and the rest is not. */
static struct record record_of(const struct verdict *v, uint64_t at_ms)
{
	struct record record = {
		.at_ms = at_ms,
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

	memcpy(record.also, v->tls.also, sizeof(record.also));
	return record;
}

static void read_record(struct board_verdict *ret, const struct record *record)
{
	struct verdict *v = &ret->verdict;

	*ret = (struct board_verdict){ .at_ms = record->at_ms };
	v->timing = record->timing;
	v->elapsed_ms = record->elapsed_ms;
	v->os_errno = record->os_errno;
	v->tls.x509_code = record->x509_code;
	v->tls.x509_depth = record->x509_depth;
	v->tls.alert = record->alert;
	v->tls.warnings = record->warnings;
	v->tls.n_also = record->n_also;
	memcpy(v->tls.also, record->also, sizeof(record->also));
	v->http_status = record->http_status;
	v->grpc_status = record->grpc_status;
	v->code = (enum sl_message)record->code;
	v->stage = (enum stage)record->stage;
	v->icmp_type = record->icmp_type;
	v->icmp_code = record->icmp_code;
	v->has_icmp = record->has_icmp;
	if (record->detail)
		snprintf(v->detail, sizeof(v->detail), "%s", record->detail);
}

static void entry_done(struct entry *entry)
{
	struct history *history = entry->history;

	if (!history)
		return;
	certs_unref(history->tls.certs);
	for (size_t i = 0; i < BOARD_RECENT; i++)
		free(history->recent[i].detail);
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
	board->revision = 1;
	board->entries = calloc(n ? n : 1, sizeof(*board->entries));
	board->changed = calloc(n ? n : 1, sizeof(*board->changed));
	if (!board->entries || !board->changed)
		return NULL;
	for (uint32_t i = 0; i < n; i++)
		change(board, i);
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
	free(board->changed);
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
	change(board, i);
	pthread_mutex_unlock(&board->lock);
}

void board_set_admin(struct board *board, uint32_t i, enum sl_admin admin, bool ordered,
		     uint64_t deadline_ms)
{
	pthread_mutex_lock(&board->lock);
	board->entries[i].admin = admin;
	board->entries[i].ordered = ordered;
	board->entries[i].deadline_ms = deadline_ms;
	change(board, i);
	pthread_mutex_unlock(&board->lock);
}

void board_set_suspected(struct board *board, uint32_t i, bool suspected)
{
	pthread_mutex_lock(&board->lock);
	if (board->entries[i].suspected != suspected)
		change(board, i);
	board->entries[i].suspected = suspected;
	pthread_mutex_unlock(&board->lock);
}

void board_set_disagreement(struct board *board, uint32_t i, const char *id)
{
	pthread_mutex_lock(&board->lock);
	if (board->entries[i].disagreement != id)
		change(board, i);
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

static bool looks_alike(const struct health *a, const struct health *b)
{
	return a->shown == b->shown && a->proven == b->proven && a->since_ms == b->since_ms &&
	       a->forced == b->forced;
}

void board_set_health(struct board *board, uint32_t i, const struct health *health, bool adopted)
{
	struct entry *entry = &board->entries[i];

	pthread_mutex_lock(&board->lock);
	if (!looks_alike(&entry->health, health) || entry->adopted != adopted)
		change(board, i);
	entry->health = *health;
	entry->adopted = adopted;
	pthread_mutex_unlock(&board->lock);
}

/* Whether there is something else to be told of the endpoint than before. */
static bool is_news(const struct history *history, const struct verdict *v)
{
	const struct record *was = &history->recent[0];

	return !was->at_ms || was->code != v->code || was->os_errno != v->os_errno ||
	       was->has_icmp != v->has_icmp || was->icmp_type != v->icmp_type ||
	       was->icmp_code != v->icmp_code || was->http_status != v->http_status ||
	       was->grpc_status != v->grpc_status || was->alert != v->tls.alert ||
	       was->warnings != v->tls.warnings || history->tls.not_after != v->tls.not_after ||
	       strcmp(was->detail ?: "", v->detail) != 0;
}

static struct step step_of(const struct verdict *v)
{
	uint32_t took = v->timing.connect_us ?: v->timing.total_us;
	struct step step = { .passed = message_passed(v->code) };

	for (; took > STEP_TOOK_MAX; took >>= 1)
		step.shift++;
	step.took = took & STEP_TOOK_MAX;
	return step;
}

/* What its recent[0] was goes, but for the certificates that are shown. */
static void set_newest(struct history *history, const struct verdict *verdict, uint64_t at_ms)
{
	free(history->recent[0].detail);
	history->recent[0] = record_of(verdict, at_ms);
	certs_unref(history->tls.certs);
	history->tls = verdict->tls;
	certs_ref(history->tls.certs);
}

static void history_add(struct history *history, const struct verdict *verdict, uint64_t at_ms)
{
	if (history->recent[0].at_ms) {
		free(history->recent[BOARD_RECENT - 1].detail);
		memmove(&history->recent[1], &history->recent[0],
			(BOARD_RECENT - 1) * sizeof(history->recent[0]));
		history->recent[0].detail = NULL;
	}
	set_newest(history, verdict, at_ms);
	memmove(&history->trail[1], &history->trail[0],
		(BOARD_TRAIL - 1) * sizeof(history->trail[0]));
	history->trail[0] = step_of(verdict);
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
	if (is_news(history_of(entry), verdict))
		change(board, i);
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
		set_newest(entry->history, verdict, at_ms);
		change(board, i);
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
	change(board, i);
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
	for (size_t j = 0; j < BOARD_RECENT; j++)
		read_record(&ret.recent[j], &history->recent[j]);
	ret.recent[0].verdict.tls = history->tls;
	certs_ref(history->tls.certs);
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
		.code = (enum sl_message)history->recent[0].code,
		.at_ms = history->recent[0].at_ms,
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

struct board_trail board_trail(const struct board *board, uint32_t i)
{
	struct board *b = unconst(board);
	const struct entry *entry = &b->entries[i];
	struct board_trail trail = { .n = BOARD_TRAIL };
	const struct step *steps;

	pthread_mutex_lock(&b->lock);
	if (entry->n_verdicts < BOARD_TRAIL)
		trail.n = (uint32_t)entry->n_verdicts;
	steps = history_of(entry)->trail;
	for (uint32_t j = 0; j < trail.n; j++)
		trail.steps[j] = (struct board_step){ (uint32_t)steps[j].took << steps[j].shift,
						      steps[j].passed };
	pthread_mutex_unlock(&b->lock);

	return trail;
}

uint64_t board_revision(const struct board *board)
{
	struct board *b = unconst(board);
	uint64_t revision;

	pthread_mutex_lock(&b->lock);
	revision = b->revision;
	pthread_mutex_unlock(&b->lock);

	return revision;
}

uint64_t board_changed(const struct board *board, uint32_t i)
{
	return atomic_load_explicit(&board->changed[i], memory_order_relaxed);
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
