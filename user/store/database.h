/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * database - the file state.db in the state directory: opened for one writer, checked, set aside.
 *
 * One thread writes; any number read beside it (write-ahead log), each with a connection of its own.
 * A connection belongs to the thread that opened it. The directory is locked for as long as the
 * writer's connection is open, so that two daemons never share it.
 */
#ifndef SLUICE_STORE_DATABASE_H
#define SLUICE_STORE_DATABASE_H

#include <limits.h>
#include <sqlite3.h>

#include "util/cleanup.h"

struct err;
struct database;

#define DATABASE_FILE "state.db"

/*
 * Open for writing: make the directory (0750) and the file (0640) where they are missing, check the
 * file and bring its tables up to date. err is set:
 *   -EUCLEAN  the file is damaged, or not one of ours: database_set_aside() makes room
 *   -EBUSY    another process has the directory
 *   -EAGAIN   others had it locked all the time
 *   -ENOSPC   the disk is full          -errno, -EIO  it cannot be used, as it says
 */
int database_open(struct database **ret, const char *directory, struct err *err);
void database_close(struct database *database);
DEFINE_CLEANUP(struct database, database_close)

/* Whether the file at the path is still the one that was opened. */
int database_is_there(const struct database *database);

sqlite3 *database_handle(const struct database *database);

/* Open to read, beside the writer. -errno: there is nothing to read, or not now. */
int database_open_reader(sqlite3 **ret, const char *directory);
DEFINE_CLEANUP(sqlite3, sqlite3_close)

/*
 * Rename the file, with what belongs to it, to state.db.damaged-TIME; of several the last
 * DATABASE_ASIDE_MAX are kept. Nobody may have it open for writing. Writes the new name.
 */
#define DATABASE_ASIDE_MAX 3
#define DATABASE_ASIDE_LEN 64
int database_set_aside(const char *directory, char ret_name[DATABASE_ASIDE_LEN], struct err *err);

/* What the connection's last error is, as database_open() returns it, with a sentence. */
int database_error(sqlite3 *db, struct err *err);

#endif
