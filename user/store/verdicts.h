/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdicts - what was last known of endpoints, as rows of the state database: one for each address that is
 * probed, so that there are never more than endpoints.
 */
#ifndef SLUICE_STORE_VERDICTS_H
#define SLUICE_STORE_VERDICTS_H

#include <sqlite3.h>

#include "model/kept.h"

struct err;

/* Its table: a statement of the database's schema. Others that do not know it leave it alone. */
#define VERDICTS_SCHEMA                                                                        \
	"CREATE TABLE IF NOT EXISTS verdicts ("                                                \
	" address TEXT NOT NULL, port INTEGER NOT NULL, proto INTEGER NOT NULL,"               \
	" health TEXT NOT NULL, gate TEXT NOT NULL, id TEXT NOT NULL, detail TEXT, also BLOB," \
	" failures INTEGER, successes INTEGER, since_ms INTEGER, lapsed INTEGER,"              \
	" boot INTEGER, boot_ms INTEGER, at_ms INTEGER, stage INTEGER, os_errno INTEGER,"      \
	" has_icmp INTEGER, icmp_type INTEGER, icmp_code INTEGER, http_status INTEGER,"        \
	" grpc_status INTEGER, elapsed_ms INTEGER, tls_version INTEGER, resumed INTEGER,"      \
	" alert INTEGER, x509_code INTEGER, x509_depth INTEGER, not_after INTEGER,"            \
	" warnings INTEGER, resolve_us INTEGER, connect_us INTEGER, tls_us INTEGER,"           \
	" first_byte_us INTEGER, total_us INTEGER, PRIMARY KEY (address, port, proto)) WITHOUT ROWID;"

/* What changed: rows to be put, and those that are of no use any more. */
struct verdicts_batch {
	struct verdicts_batch *next; /* of a queue */
	struct kept *rows; /* owned */
	uint32_t n;
	struct sl_target_key *gone; /* owned */
	uint32_t n_gone;
};

/* NULL is fine. */
void verdicts_batch_free(struct verdicts_batch *batch);
DEFINE_CLEANUP(struct verdicts_batch, verdicts_batch_free)

/* Whether the table is ours: -EUCLEAN, or as database_open(). */
int verdicts_check(sqlite3 *db, struct err *err);

/* All of the batch in one transaction. As database_open(). */
int verdicts_write(sqlite3 *db, const struct verdicts_batch *batch, struct err *err);

/*
 * Read what is kept in the directory's database, sorted; by a connection of its own, before anybody writes. A
 * row that makes no sense is passed over. No database, or one without the table: an empty list. Else as
 * database_open(), with err set.
 */
int verdicts_read(struct kept_list *ret_list, const char *directory, struct err *err);

#endif
