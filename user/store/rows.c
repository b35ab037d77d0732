// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/rows.h"

#include <string.h>

#include "store/database.h"
#include "store/verdicts.h"
#include "util/err.h"

#define COLUMNS                                                                        \
	"id, at_us, kind, severity, pool, service, settings, endpoint, before, after," \
	" reason, text, numbers"

/* A log of its own lets readers and the writer be; it survives a process that is killed. */
const struct database_kind database_of_events = {
	.file = DATABASE_FILE,
	.set_up = "PRAGMA journal_mode = WAL;"
		  "PRAGMA synchronous = NORMAL;"
		  "PRAGMA temp_store = MEMORY;"
		  "PRAGMA journal_size_limit = 4194304;",
	.schema =
		"CREATE TABLE IF NOT EXISTS events ("
		" id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, kind TEXT NOT NULL,"
		" severity INTEGER NOT NULL, pool TEXT, service TEXT, settings TEXT, endpoint TEXT,"
		" before TEXT, after TEXT, reason TEXT, text TEXT NOT NULL, numbers TEXT);"
		"CREATE INDEX IF NOT EXISTS events_by_pool ON events (pool, id);" VERDICTS_SCHEMA,
	.version = 1,
	.is_shared = true,
};

/* The columns of text from the fourth on. */
static const struct text_column {
	size_t offset, size;
} text_columns[] = {
#define COLUMN(member)                                                              \
	{                                                                           \
		offsetof(struct event, member), sizeof(((struct event *)0)->member) \
	}
	COLUMN(pool),  COLUMN(service), COLUMN(settings), COLUMN(endpoint), COLUMN(before),
	COLUMN(after), COLUMN(reason),  COLUMN(text),     COLUMN(numbers),
#undef COLUMN
};

#define N_TEXTS (sizeof(text_columns) / sizeof(text_columns[0]))
#define FIRST_TEXT 4

bool rows_match(const struct rows_query *query, const struct event *event)
{
	return event->id > query->after && event->at_us >= query->since_us &&
	       (!query->pool || !strcmp(query->pool, event->pool));
}

static void bind_event(sqlite3_stmt *statement, const struct event *event)
{
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)event->id);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)event->at_us);
	sqlite3_bind_text(statement, 3, event_kind_name(event->kind), -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 4, (int)event->severity);
	for (size_t i = 0; i < N_TEXTS; i++) {
		const char *text = (const char *)event + text_columns[i].offset;

		/* NULL unless there is something to say, but for the sentence. */
		if (*text || text == event->text)
			sqlite3_bind_text(statement, FIRST_TEXT + 1 + (int)i, text, -1,
					  SQLITE_STATIC);
		else
			sqlite3_bind_null(statement, FIRST_TEXT + 1 + (int)i);
	}
}

static int insert_all(sqlite3 *db, const struct event *const events[], size_t n, struct err *err)
{
	CLEANUP(sqlite3_finalize_p) sqlite3_stmt *statement = NULL;
	int r;

	r = database_prepare(db, &statement,
			     "INSERT INTO events (" COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
			     err);
	for (size_t i = 0; r == 0 && i < n; i++) {
		bind_event(statement, events[i]);
		if (sqlite3_step(statement) != SQLITE_DONE)
			r = database_error(db, err);
		sqlite3_reset(statement);
	}
	return r;
}

static int remove_oldest(sqlite3 *db, uint64_t n, struct err *err)
{
	CLEANUP(sqlite3_finalize_p) sqlite3_stmt *statement = NULL;
	int r;

	r = database_prepare(
		db, &statement,
		"DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?)", err);
	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)n);
	return sqlite3_step(statement) == SQLITE_DONE ? 0 : database_error(db, err);
}

int rows_write(sqlite3 *db, const struct event *const events[], size_t n, uint64_t n_remove,
	       struct err *err)
{
	int r;

	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return database_error(db, err);
	r = insert_all(db, events, n, err);
	if (r == 0 && n_remove)
		r = remove_oldest(db, n_remove, err);
	if (r == 0 && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		r = database_error(db, err);
	/* Some failures have rolled back already. */
	if (r < 0 && !sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

int rows_count(sqlite3 *db, uint64_t *ret_n, uint64_t *ret_last, struct err *err)
{
	CLEANUP(sqlite3_finalize_p) sqlite3_stmt *statement = NULL;
	int r;

	r = database_prepare(db, &statement, "SELECT count(*), max(id) FROM events", err);
	if (r < 0)
		return r;
	if (sqlite3_step(statement) != SQLITE_ROW)
		return database_error(db, err);
	*ret_n = (uint64_t)sqlite3_column_int64(statement, 0);
	*ret_last = (uint64_t)sqlite3_column_int64(statement, 1);
	return 0;
}

/* Whatever is in the file: numbers that an int holds, texts that fit. */
static void read_event(struct event *event, sqlite3_stmt *statement)
{
	const char *kind = (const char *)sqlite3_column_text(statement, 2);
	int severity = sqlite3_column_int(statement, 3);

	*event = (struct event){
		.id = (uint64_t)sqlite3_column_int64(statement, 0),
		.at_us = (uint64_t)sqlite3_column_int64(statement, 1),
		.kind = event_kind_parse(kind ? kind : ""),
		.severity = severity <= EVENT_ERROR     ? EVENT_ERROR
			    : severity == EVENT_WARNING ? EVENT_WARNING
							: EVENT_INFO,
	};
	for (size_t i = 0; i < N_TEXTS; i++) {
		const char *text =
			(const char *)sqlite3_column_text(statement, FIRST_TEXT + (int)i);

		if (text)
			event_put((char *)event + text_columns[i].offset, text_columns[i].size,
				  text);
	}
}

/* An event's id is never less than its time: what is older than since is passed over by the key. */
static uint64_t first_after(const struct rows_query *query)
{
	uint64_t by_time = query->since_us ? query->since_us - 1 : 0;

	return query->after > by_time ? query->after : by_time;
}

static void reverse(struct event *events, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct event kept = events[i];

		events[i] = events[n - 1 - i];
		events[n - 1 - i] = kept;
	}
}

int rows_read(sqlite3 *db, const struct rows_query *query, struct event *ret_events, size_t *ret_n,
	      struct err *err)
{
	CLEANUP(sqlite3_finalize_p) sqlite3_stmt *statement = NULL;
	char sql[320];
	size_t n = 0;
	int r;

	snprintf(sql, sizeof(sql),
		 "SELECT " COLUMNS " FROM events WHERE id > ?1 AND at_us >= ?2 %s ORDER BY id %s "
		 "LIMIT ?4",
		 query->pool ? "AND pool = ?3" : "", query->newest ? "DESC" : "");
	r = database_prepare(db, &statement, sql, err);
	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)first_after(query));
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)query->since_us);
	if (query->pool)
		sqlite3_bind_text(statement, 3, query->pool, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 4, query->limit);
	while ((r = sqlite3_step(statement)) == SQLITE_ROW && n < query->limit)
		read_event(&ret_events[n++], statement);
	if (r != SQLITE_DONE && r != SQLITE_ROW)
		return database_error(db, err);
	if (query->newest)
		reverse(ret_events, n);
	*ret_n = n;
	return 0;
}
