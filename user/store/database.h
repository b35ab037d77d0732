/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * database - a file of ours in the state directory: opened for one writer, checked, set aside.
 *
 * One thread writes; of kinds that are shared any number read beside it (write-ahead log), each with a
 * connection of its own. A connection belongs to the thread that opened it, and keeps the file locked
 * against other daemons.
 */
#ifndef SLUICE_STORE_DATABASE_H
#define SLUICE_STORE_DATABASE_H

#include <limits.h>
#include <sqlite3.h>
#include <stdbool.h>

#include "util/cleanup.h"

struct err;
struct database;

/* What the file is. Constant. */
struct database_kind {
	const char *file; /* its name */
	const char *set_up; /* what a writer's connection begins with */
	const char *schema; /* statements that make what is missing, within a transaction */
	int version; /* of the schema */
	bool is_shared; /* others read it; else nobody can while it is open */
};

/* What happened (store/rows.h), and what was changed (store/ledger.h). */
extern const struct database_kind database_of_events, database_of_changes;

#define DATABASE_FILE "state.db" /* of the events */

/*
 * Open for writing: make the directory (0750) and the file (0640) where they are missing, check the
 * file and bring its tables up to date. err is set:
 *   -EUCLEAN  the file is damaged, or not one of ours: database_set_aside() makes room
 *   -EBUSY    another process has it
 *   -EAGAIN   others had it locked all the time
 *   -ENOSPC   the disk is full          -errno, -EIO  it cannot be used, as it says
 */
int database_open(struct database **ret, const struct database_kind *kind, const char *directory,
		  struct err *err);
void database_close(struct database *database);
DEFINE_CLEANUP(struct database, database_close)

/* Whether the file at the path is still the one that was opened. */
int database_is_there(const struct database *database);

sqlite3 *database_handle(const struct database *database);

/*
 * Open a shared one to read, beside the writer; on a file system that cannot be written to, without one, and
 * without what is in the log still. -errno: there is nothing to read, or not now.
 */
int database_open_reader(sqlite3 **ret, const struct database_kind *kind, const char *directory);
DEFINE_CLEANUP(sqlite3, sqlite3_close)

/*
 * Rename the file, with what belongs to it, to FILE.damaged-TIME; of several the last
 * DATABASE_ASIDE_MAX are kept. Nobody may have it open for writing. Writes the new name.
 */
#define DATABASE_ASIDE_MAX 3
#define DATABASE_ASIDE_LEN 64
int database_set_aside(const struct database_kind *kind, const char *directory,
		       char ret_name[DATABASE_ASIDE_LEN], struct err *err);

/* Run statements that give no rows. As database_open(). */
int database_run(sqlite3 *db, const char *sql, struct err *err);

/* A statement that gives rows, or takes values. As database_open(). */
int database_prepare(sqlite3 *db, sqlite3_stmt **ret, const char *sql, struct err *err);
DEFINE_CLEANUP(sqlite3_stmt, sqlite3_finalize)

/* What the connection's last error is, as database_open() returns it, with a sentence. */
int database_error(sqlite3 *db, struct err *err);

#endif
