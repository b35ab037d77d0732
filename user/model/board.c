// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/board.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

struct board {
	pthread_mutex_t lock;
	uint32_t n;
	struct board_entry *entries;
	struct board_name *names;
};

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
		board_entry_done(&board->entries[i]);
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
	struct board_entry *entry = &board->entries[i];

	pthread_mutex_lock(&board->lock);
	board_entry_done(entry);
	*entry = (struct board_entry){ .seat = seat };
	if (addr)
		entry->addr = *addr;
	pthread_mutex_unlock(&board->lock);
}

void board_set_admin(struct board *board, uint32_t i, enum sl_admin admin)
{
	pthread_mutex_lock(&board->lock);
	board->entries[i].admin = admin;
	pthread_mutex_unlock(&board->lock);
}

void board_set_health(struct board *board, uint32_t i, const struct health *health, bool adopted)
{
	pthread_mutex_lock(&board->lock);
	board->entries[i].health = *health;
	board->entries[i].adopted = adopted;
	pthread_mutex_unlock(&board->lock);
}

void board_add_verdict(struct board *board, uint32_t i, const struct verdict *verdict,
		       uint64_t at_ms)
{
	struct board_entry *entry = &board->entries[i];

	pthread_mutex_lock(&board->lock);
	/* Older verdicts say what was found, but only the newest shows the certificates. */
	verdict_done(&entry->recent[0].verdict);
	memmove(&entry->recent[1], &entry->recent[0],
		(BOARD_RECENT - 1) * sizeof(entry->recent[0]));
	entry->recent[0] = (struct board_verdict){ verdict_keep(verdict), at_ms };
	entry->n_verdicts++;
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
	struct board_entry entry;

	pthread_mutex_lock(&b->lock);
	entry = b->entries[i];
	certs_ref(entry.recent[0].verdict.tls.certs);
	pthread_mutex_unlock(&b->lock);

	return entry;
}

void board_entry_done(struct board_entry *entry)
{
	/* See board_add_verdict(): only the newest has a reference. */
	verdict_done(&entry->recent[0].verdict);
}
