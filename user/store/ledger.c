// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/err.h"

/* Each transaction is on the disk when it ends. */
const struct database_kind database_of_changes = {
	.file = LEDGER_FILE,
	.set_up = "PRAGMA locking_mode = EXCLUSIVE;"
		  "PRAGMA journal_mode = WAL;"
		  "PRAGMA synchronous = FULL;"
		  "PRAGMA temp_store = MEMORY;",
	.schema = "CREATE TABLE IF NOT EXISTS changes ("
		  " pool TEXT NOT NULL, address TEXT NOT NULL, presence INTEGER NOT NULL,"
		  " weight INTEGER, admin INTEGER NOT NULL, deadline_ms INTEGER NOT NULL,"
		  " at_ms INTEGER NOT NULL, PRIMARY KEY (pool, address)) WITHOUT ROWID;"
		  /* xdp and egress: NULL where they are as the file has them. */
		  "CREATE TABLE IF NOT EXISTS interfaces ("
		  " name TEXT PRIMARY KEY, presence INTEGER NOT NULL, xdp TEXT, egress INTEGER,"
		  " at_ms INTEGER NOT NULL) WITHOUT ROWID;"
		  "CREATE TABLE IF NOT EXISTS versions ("
		  " id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL,"
		  " file_digest INTEGER NOT NULL);",
	.version = 1,
};

struct ledger {
	struct database *database;
	struct overlay kept; /* what it says */
	char directory[PATH_MAX];
};

void ledger_close(struct ledger *ledger)
{
	if (!ledger)
		return;
	database_close(ledger->database);
	overlay_done(&ledger->kept);
	free(ledger);
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool take_text(char *buf, size_t size, sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);

	return text && (size_t)snprintf(buf, size, "%s", (const char *)text) < size;
}

static bool take_number(uint32_t *ret, sqlite3_stmt *statement, int column, uint32_t max)
{
	sqlite3_int64 number = sqlite3_column_int64(statement, column);

	*ret = (uint32_t)number;
	return number >= 0 && number <= max;
}

/* What somebody else has written into the file is not taken for ours. */
static int take_row(struct overlay *overlay, sqlite3_stmt *statement, struct err *err)
{
	struct overlay_row row = { .has_weight = sqlite3_column_type(statement, 3) != SQLITE_NULL };
	uint32_t presence, admin;

	if (!take_text(row.pool, sizeof(row.pool), statement, 0) || !row.pool[0] ||
	    !take_text(row.address, sizeof(row.address), statement, 1) ||
	    !take_number(&presence, statement, 2, OVERLAY_REMOVED) ||
	    !take_number(&row.weight, statement, 3, LIMIT_WEIGHT) ||
	    !take_number(&admin, statement, 4, SL_DISABLED))
		return err_set(err, -EUCLEAN, "it has a row that nobody can have written");
	row.presence = (enum overlay_presence)presence;
	row.admin = (enum sl_admin)admin;
	row.deadline_ms = (uint64_t)sqlite3_column_int64(statement, 5);
	row.at_ms = (uint64_t)sqlite3_column_int64(statement, 6);
	return overlay_set(overlay, &row) < 0 ? err_set(err, -ENOMEM, "%s", strerror(ENOMEM)) : 0;
}

static int take_interface(struct overlay *overlay, sqlite3_stmt *statement, struct err *err)
{
	struct overlay_row row = { .has_options =
					   sqlite3_column_type(statement, 2) != SQLITE_NULL };
	uint32_t presence, egress;
	char xdp[16] = "";

	if (!take_text(row.interface, sizeof(row.interface), statement, 0) || !row.interface[0] ||
	    !take_number(&presence, statement, 1, OVERLAY_REMOVED) ||
	    !take_number(&egress, statement, 3, 1) ||
	    (row.has_options &&
	     (!take_text(xdp, sizeof(xdp), statement, 2) || xdp_mode_parse(&row.xdp, xdp) < 0)))
		return err_set(err, -EUCLEAN, "it has a row that nobody can have written");
	row.presence = (enum overlay_presence)presence;
	row.egress = egress;
	row.at_ms = (uint64_t)sqlite3_column_int64(statement, 4);
	return overlay_set(overlay, &row) < 0 ? err_set(err, -ENOMEM, "%s", strerror(ENOMEM)) : 0;
}

typedef int take_fn(struct overlay *overlay, sqlite3_stmt *statement, struct err *err);

static int read_table(struct overlay *overlay, sqlite3 *db, const char *sql, take_fn *take,
		      struct err *err)
{
	CLEANUP(sqlite3_finalize_p) sqlite3_stmt *statement = NULL;
	int r, step;

	r = database_prepare(db, &statement, sql, err);
	if (r < 0)
		return r;
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		r = take(overlay, statement, err);
		if (r < 0)
			return r;
	}
	return step == SQLITE_DONE ? 0 : database_error(db, err);
}

static int read_rows(struct overlay *overlay, sqlite3 *db, struct err *err)
{
	int r;

	r = read_table(
		overlay, db,
		"SELECT pool, address, presence, weight, admin, deadline_ms, at_ms FROM changes",
		take_row, err);
	if (r < 0)
		return r;
	return read_table(overlay, db, "SELECT name, presence, xdp, egress, at_ms FROM interfaces",
			  take_interface, err);
}

static int read_version(struct overlay *overlay, sqlite3 *db, struct err *err)
{
	CLEANUP(sqlite3_finalize_p) sqlite3_stmt *statement = NULL;
	int r, step;

	r = database_prepare(db, &statement, "SELECT version, file_digest FROM versions", err);
	if (r < 0)
		return r;
	step = sqlite3_step(statement);
	if (step == SQLITE_ROW) {
		overlay->version = (uint64_t)sqlite3_column_int64(statement, 0);
		overlay->file_digest = (uint64_t)sqlite3_column_int64(statement, 1);
	}
	return step == SQLITE_ROW || step == SQLITE_DONE ? 0 : database_error(db, err);
}

static int open_and_read(struct ledger **ret, const char *directory, struct overlay *ret_overlay,
			 struct err *err)
{
	CLEANUP(ledger_close_p) struct ledger *ledger = calloc(1, sizeof(*ledger));
	sqlite3 *db;
	int r;

	*ret_overlay = (struct overlay){ .n = 0 };
	if (!ledger)
		return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	snprintf(ledger->directory, sizeof(ledger->directory), "%s", directory);
	r = database_open(&ledger->database, &database_of_changes, directory, err);
	if (r < 0)
		return r;
	db = database_handle(ledger->database);
	r = read_rows(ret_overlay, db, err);
	if (r == 0)
		r = read_version(ret_overlay, db, err);
	if (r == 0 && overlay_copy(&ledger->kept, ret_overlay) < 0)
		r = err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	if (r < 0) {
		overlay_done(ret_overlay);
		return err_in(err, r, "'%s/" LEDGER_FILE "': ", directory);
	}
	*ret = take_ptr(ledger);
	return 0;
}

int ledger_open(struct ledger **ret, const char *directory, struct overlay *ret_overlay,
		char ret_aside[DATABASE_ASIDE_LEN], struct err *err)
{
	int r;

	ret_aside[0] = '\0';
	r = open_and_read(ret, directory, ret_overlay, err);
	if (r != -EUCLEAN)
		return r;
	r = database_set_aside(&database_of_changes, directory, ret_aside, err);
	return r < 0 ? r : open_and_read(ret, directory, ret_overlay, err);
}

int ledger_renew(struct ledger **ledger, const char *directory, char ret_aside[DATABASE_ASIDE_LEN],
		 struct err *err)
{
	struct overlay empty;
	int r;

	ledger_close(take_ptr(*ledger));
	r = database_set_aside(&database_of_changes, directory, ret_aside, err);
	return r < 0 ? r : open_and_read(ledger, directory, &empty, err);
}

/* --- writing ---------------------------------------------------------------------------------- */

/* The statements of one transaction. */
struct writing {
	sqlite3 *db;
	sqlite3_stmt *put, *remove; /* of pools and backends */
	sqlite3_stmt *put_interface, *remove_interface;
};

static void writing_done(struct writing *writing)
{
	sqlite3_finalize(writing->put);
	sqlite3_finalize(writing->remove);
	sqlite3_finalize(writing->put_interface);
	sqlite3_finalize(writing->remove_interface);
}

static int run(const struct writing *writing, sqlite3_stmt *statement, struct err *err)
{
	int step = sqlite3_step(statement), r = 0;

	if (step != SQLITE_DONE)
		r = database_error(writing->db, err);
	sqlite3_reset(statement);
	return r;
}

static int remove_row(const struct writing *writing, const struct overlay_row *row, struct err *err)
{
	if (overlay_kind_of(row) == OVERLAY_INTERFACE) {
		sqlite3_bind_text(writing->remove_interface, 1, row->interface, -1, SQLITE_STATIC);
		return run(writing, writing->remove_interface, err);
	}
	sqlite3_bind_text(writing->remove, 1, row->pool, -1, SQLITE_STATIC);
	sqlite3_bind_text(writing->remove, 2, row->address, -1, SQLITE_STATIC);
	return run(writing, writing->remove, err);
}

static int put_interface(const struct writing *writing, const struct overlay_row *row,
			 struct err *err)
{
	sqlite3_stmt *put = writing->put_interface;

	sqlite3_clear_bindings(put);
	sqlite3_bind_text(put, 1, row->interface, -1, SQLITE_STATIC);
	sqlite3_bind_int(put, 2, (int)row->presence);
	if (row->has_options) {
		sqlite3_bind_text(put, 3, xdp_mode_name(row->xdp), -1, SQLITE_STATIC);
		sqlite3_bind_int(put, 4, row->egress);
	}
	sqlite3_bind_int64(put, 5, (sqlite3_int64)row->at_ms);
	return run(writing, put, err);
}

static int put_row(const struct writing *writing, const struct overlay_row *row, struct err *err)
{
	sqlite3_stmt *put = writing->put;

	if (overlay_kind_of(row) == OVERLAY_INTERFACE)
		return put_interface(writing, row, err);
	sqlite3_bind_text(put, 1, row->pool, -1, SQLITE_STATIC);
	sqlite3_bind_text(put, 2, row->address, -1, SQLITE_STATIC);
	sqlite3_bind_int(put, 3, (int)row->presence);
	if (row->has_weight)
		sqlite3_bind_int(put, 4, (int)row->weight);
	else
		sqlite3_bind_null(put, 4);
	sqlite3_bind_int(put, 5, (int)row->admin);
	sqlite3_bind_int64(put, 6, (sqlite3_int64)row->deadline_ms);
	sqlite3_bind_int64(put, 7, (sqlite3_int64)row->at_ms);
	return run(writing, put, err);
}

static bool is_same(const struct overlay_row *a, const struct overlay_row *b)
{
	return a->presence == b->presence && a->has_weight == b->has_weight &&
	       a->weight == b->weight && a->has_options == b->has_options && a->xdp == b->xdp &&
	       a->egress == b->egress && a->admin == b->admin && a->deadline_ms == b->deadline_ms &&
	       a->at_ms == b->at_ms;
}

/* The next one of rows that are sorted; NULL: no more. */
static const struct overlay_row *row_at(const struct overlay *overlay, uint32_t i)
{
	return i < overlay->n ? &overlay->rows[i] : NULL;
}

/* Write what differs between two rows in the same place; one of them may be NULL. */
static int write_row(const struct writing *writing, const struct overlay_row *old,
		     const struct overlay_row *new, struct err *err)
{
	if (!new)
		return remove_row(writing, old, err);
	return old && is_same(old, new) ? 0 : put_row(writing, new, err);
}

/* Side by side. */
static int write_rows(const struct writing *writing, const struct overlay *before,
		      const struct overlay *after, struct err *err)
{
	uint32_t i = 0, j = 0;

	while (i < before->n || j < after->n) {
		const struct overlay_row *old = row_at(before, i), *new = row_at(after, j);
		int r;

		if (old && new &&overlay_compare(old, new) < 0)
			new = NULL;
		else if (old && new &&overlay_compare(old, new) > 0)
			old = NULL;
		r = write_row(writing, old, new, err);
		if (r < 0)
			return r;
		i += old != NULL;
		j += new != NULL;
	}
	return 0;
}

static int write_version(sqlite3 *db, const struct overlay *overlay, struct err *err)
{
	CLEANUP(sqlite3_finalize_p) sqlite3_stmt *statement = NULL;
	int r;

	r = database_prepare(db, &statement,
			     "REPLACE INTO versions (id, version, file_digest) VALUES (1, ?, ?)",
			     err);
	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 1, (sqlite3_int64)overlay->version);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64)overlay->file_digest);
	return sqlite3_step(statement) == SQLITE_DONE ? 0 : database_error(db, err);
}

static int write_all(sqlite3 *db, const struct overlay *before, const struct overlay *after,
		     struct err *err)
{
	CLEANUP(writing_done) struct writing writing = { .db = db };
	int r;

	r = database_prepare(
		db, &writing.put,
		"REPLACE INTO changes (pool, address, presence, weight, admin, deadline_ms,"
		" at_ms) VALUES (?,?,?,?,?,?,?)",
		err);
	if (r == 0)
		r = database_prepare(db, &writing.remove,
				     "DELETE FROM changes WHERE pool = ? AND address = ?", err);
	if (r == 0)
		r = database_prepare(db, &writing.put_interface,
				     "REPLACE INTO interfaces (name, presence, xdp, egress, at_ms)"
				     " VALUES (?,?,?,?,?)",
				     err);
	if (r == 0)
		r = database_prepare(db, &writing.remove_interface,
				     "DELETE FROM interfaces WHERE name = ?", err);
	if (r == 0)
		r = write_rows(&writing, before, after, err);
	return r < 0 ? r : write_version(db, after, err);
}

static int write_once(sqlite3 *db, const struct overlay *before, const struct overlay *after,
		      struct err *err)
{
	int r;

	r = database_run(db, "BEGIN IMMEDIATE", err);
	if (r < 0)
		return r;
	r = write_all(db, before, after, err);
	if (r == 0)
		r = database_run(db, "COMMIT", err);
	/* Also after a COMMIT that failed: else the transaction would be open still. */
	if (r < 0 && !sqlite3_get_autocommit(db))
		database_run(db, "ROLLBACK", NULL);
	return r;
}

/* Somebody has removed the file, or put another one there: ours is what counts. */
static int begin_anew(struct ledger *ledger, struct err *err)
{
	struct database *database;
	int r;

	r = database_open(&database, &database_of_changes, ledger->directory, err);
	if (r < 0)
		return r;
	r = database_run(database_handle(database), "DELETE FROM changes; DELETE FROM interfaces",
			 err);
	if (r < 0) {
		database_close(database);
		return r;
	}
	database_close(ledger->database);
	ledger->database = database;
	overlay_done(&ledger->kept);
	return 0;
}

int ledger_write(struct ledger *ledger, const struct overlay *overlay, struct err *err)
{
	struct overlay copy;
	int r = 0; /* it is where it was */

	if (!database_is_there(ledger->database))
		r = begin_anew(ledger, err);
	if (r < 0)
		return r;
	if (overlay_copy(&copy, overlay) < 0)
		return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	r = write_once(database_handle(ledger->database), &ledger->kept, overlay, err);
	if (r < 0) {
		overlay_done(&copy);
		return r;
	}
	overlay_done(&ledger->kept);
	ledger->kept = copy;
	return 0;
}
