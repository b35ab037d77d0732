/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ledger - what was changed while the daemon runs, kept over restarts in the file changes.db.
 *
 * A file of its own beside the events: these are few, and each is on the disk before it is said to be done;
 * nothing that happens to a large log of events takes them along. One thread.
 */
#ifndef SLUICE_STORE_LEDGER_H
#define SLUICE_STORE_LEDGER_H

#include "model/overlay.h"
#include "store/database.h"

struct err;
struct ledger;

#define LEDGER_FILE "changes.db"

/*
 * Open, and read what is kept. A damaged file is set aside and a new one begun: ret_aside is its new name, or
 * "". Errors as database_open(), and -EUCLEAN if not even that helps; err is set.
 */
int ledger_open(struct ledger **ret, const char *directory, struct overlay *ret_overlay,
		char ret_aside[DATABASE_ASIDE_LEN], struct err *err);

/* NULL is fine. */
void ledger_close(struct ledger *ledger);
DEFINE_CLEANUP(struct ledger, ledger_close)

/*
 * Keep this overlay and no other. It is on the disk when this returns 0, and else the ledger says what it said before;
 * err is set, errors as database_open(). A file that was removed is made anew.
 */
int ledger_write(struct ledger *ledger, const struct overlay *overlay, struct err *err);

/*
 * Set the file aside, because what it says cannot be used, and begin a new one. As ledger_open(); the ledger
 * is closed in any case.
 */
int ledger_renew(struct ledger **ledger, const char *directory, char ret_aside[DATABASE_ASIDE_LEN],
		 struct err *err);

#endif
