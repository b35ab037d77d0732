// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/verdicts.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "model/limits.h"
#include "store/database.h"
#include "util/addr.h"
#include "util/err.h"
#include "util/printable.h"

/*
 * Columns that are a number each: X(column, member of struct kept, least, greatest). What is out of bounds
 * was written by somebody else.
 */
#define NUMBERS(X)                                                    \
	X(failures, health.failures, 0, UINT32_MAX)                   \
	X(successes, health.successes, 0, UINT32_MAX)                 \
	X(since_ms, health.since_ms, 0, INT64_MAX)                    \
	X(lapsed, health.lapsed, 0, INT64_MAX)                        \
	X(boot, at.boot, INT64_MIN, INT64_MAX)                        \
	X(boot_ms, at.boot_ms, INT64_MIN, INT64_MAX)                  \
	X(at_ms, at.wall_ms, 0, INT64_MAX)                            \
	X(stage, verdict.stage, STAGE_NONE, STAGE_BODY)               \
	X(os_errno, verdict.os_errno, 0, INT16_MAX)                   \
	X(has_icmp, verdict.has_icmp, 0, 1)                           \
	X(icmp_type, verdict.icmp_type, 0, UINT8_MAX)                 \
	X(icmp_code, verdict.icmp_code, 0, UINT8_MAX)                 \
	X(http_status, verdict.http_status, 0, UINT16_MAX)            \
	X(grpc_status, verdict.grpc_status, 0, UINT16_MAX)            \
	X(elapsed_ms, verdict.elapsed_ms, 0, UINT32_MAX)              \
	X(tls_version, verdict.tls.version, 0, UINT16_MAX)            \
	X(resumed, verdict.tls.resumed, 0, 1)                         \
	X(alert, verdict.tls.alert, INT16_MIN, INT16_MAX)             \
	X(x509_code, verdict.tls.x509_code, INT16_MIN, INT16_MAX)     \
	X(x509_depth, verdict.tls.x509_depth, INT16_MIN, INT16_MAX)   \
	X(not_after, verdict.tls.not_after, INT64_MIN, INT64_MAX)     \
	X(warnings, verdict.tls.warnings, 0, UINT16_MAX)              \
	X(resolve_us, verdict.timing.resolve_us, 0, UINT32_MAX)       \
	X(connect_us, verdict.timing.connect_us, 0, UINT32_MAX)       \
	X(tls_us, verdict.timing.tls_us, 0, UINT32_MAX)               \
	X(first_byte_us, verdict.timing.first_byte_us, 0, UINT32_MAX) \
	X(total_us, verdict.timing.total_us, 0, UINT32_MAX)

/* Before the numbers. */
enum text { ADDRESS, PORT, PROTO, HEALTH, GATE, ID, DETAIL, ALSO, FIRST_NUMBER };

#define COLUMN_NAME(column, member, min, max) ", " #column
#define COLUMNS "address, port, proto, health, gate, id, detail, also" NUMBERS(COLUMN_NAME)
#define COLUMN_VALUE(column, member, min, max) ",?"

void verdicts_batch_free(struct verdicts_batch *batch)
{
	if (!batch)
		return;
	free(batch->rows);
	free(batch->gone);
	free(batch);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void bind_key(sqlite3_stmt *statement, const struct sl_target_key *key)
{
	struct addr addr;
	char text[SL_TEXT_LEN];

	memcpy(addr.bytes, key->addr, sizeof(addr.bytes));
	sqlite3_bind_text(statement, 1 + ADDRESS, addr_format(text, &addr), -1, SQLITE_TRANSIENT);
	sqlite3_bind_int(statement, 1 + PORT, key->port);
	sqlite3_bind_int(statement, 1 + PROTO, key->proto);
}

static void bind_text(sqlite3_stmt *statement, enum text column, const char *text)
{
	if (text && *text)
		sqlite3_bind_text(statement, 1 + (int)column, text, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(statement, 1 + (int)column);
}

static void bind_row(sqlite3_stmt *statement, const struct kept *row)
{
	const struct verdict *verdict = &row->verdict;
	int at = 1 + FIRST_NUMBER;

	bind_key(statement, &row->key);
	bind_text(statement, HEALTH, health_name(row->health.shown));
	bind_text(statement, GATE, health_name(row->health.proven));
	bind_text(statement, ID, message_id(verdict->code));
	bind_text(statement, DETAIL, verdict->detail);
	sqlite3_bind_blob(statement, 1 + ALSO, verdict->tls.also, verdict->tls.n_also,
			  SQLITE_STATIC);
#define BIND_NUMBER(column, member, min, max) \
	sqlite3_bind_int64(statement, at++, (sqlite3_int64)row->member);
	NUMBERS(BIND_NUMBER)
#undef BIND_NUMBER
}

static int step(sqlite3 *db, sqlite3_stmt *statement, struct err *err)
{
	int r = sqlite3_step(statement) == SQLITE_DONE ? 0 : database_error(db, err);

	sqlite3_reset(statement);
	return r;
}

static int prepare_put(sqlite3 *db, sqlite3_stmt **ret, struct err *err)
{
	return database_prepare(db, ret,
				"REPLACE INTO verdicts (" COLUMNS
				") VALUES (?,?,?,?,?,?,?,?" NUMBERS(COLUMN_VALUE) ")",
				err);
}

int verdicts_check(sqlite3 *db, struct err *err)
{
	CLEANUP(sqlite3_finalize_p) sqlite3_stmt *put = NULL;

	return prepare_put(db, &put, err);
}

static int write_all(sqlite3 *db, const struct verdicts_batch *batch, struct err *err)
{
	CLEANUP(sqlite3_finalize_p) sqlite3_stmt *put = NULL, *remove = NULL;
	int r;

	r = prepare_put(db, &put, err);
	if (r == 0)
		r = database_prepare(
			db, &remove,
			"DELETE FROM verdicts WHERE address = ? AND port = ? AND proto = ?", err);
	/* Who is gone may be back already. */
	for (uint32_t i = 0; r == 0 && i < batch->n_gone; i++) {
		bind_key(remove, &batch->gone[i]);
		r = step(db, remove, err);
	}
	for (uint32_t i = 0; r == 0 && i < batch->n; i++) {
		bind_row(put, &batch->rows[i]);
		r = step(db, put, err);
	}
	return r;
}

int verdicts_write(sqlite3 *db, const struct verdicts_batch *batch, struct err *err)
{
	int r;

	r = database_run(db, "BEGIN IMMEDIATE", err);
	if (r < 0)
		return r;
	r = write_all(db, batch, err);
	if (r == 0)
		r = database_run(db, "COMMIT", err);
	/* Some failures have rolled back already. */
	if (r < 0 && !sqlite3_get_autocommit(db))
		database_run(db, "ROLLBACK", NULL);
	return r;
}

/* --- reading ---------------------------------------------------------------------------------- */

static const char *text_of(sqlite3_stmt *statement, enum text column)
{
	const char *text = (const char *)sqlite3_column_text(statement, (int)column);

	return text ? text : "";
}

static bool take_key(struct sl_target_key *key, sqlite3_stmt *statement)
{
	sqlite3_int64 port = sqlite3_column_int64(statement, PORT);
	sqlite3_int64 proto = sqlite3_column_int64(statement, PROTO);
	struct addr addr;

	if (addr_parse(&addr, text_of(statement, ADDRESS)) < 0 || port < 1 || port > UINT16_MAX ||
	    (proto != SL_TCP && proto != SL_UDP))
		return false;
	memcpy(key->addr, addr.bytes, sizeof(key->addr));
	key->port = (__u16)port;
	key->proto = (enum sl_proto)proto;
	return true;
}

static bool take_also(struct tls_facts *tls, sqlite3_stmt *statement)
{
	int n = sqlite3_column_bytes(statement, ALSO);
	const uint8_t *also = sqlite3_column_blob(statement, ALSO);

	if (n > VERDICT_ALSO_MAX)
		return false;
	for (int i = 0; i < n; i++) {
		if (!message_id((enum sl_message)also[i]))
			return false;
		tls->also[i] = also[i];
	}
	tls->n_also = (uint8_t)n;
	return true;
}

static bool take_numbers(struct kept *row, sqlite3_stmt *statement)
{
	int at = FIRST_NUMBER;

#define TAKE_NUMBER(column, member, min, max)                                       \
	{                                                                           \
		sqlite3_int64 number = sqlite3_column_int64(statement, at++);       \
                                                                                    \
		if (number < (sqlite3_int64)(min) || number > (sqlite3_int64)(max)) \
			return false;                                               \
		row->member = (__typeof__(row->member))number;                      \
	}
	NUMBERS(TAKE_NUMBER)
#undef TAKE_NUMBER
	return true;
}

/* Whatever is in the file: a code of a later version's catalogue means nothing here. */
static bool take_row(struct kept *ret_row, sqlite3_stmt *statement)
{
	struct kept row = { .at = { 0 } };
	char *detail = row.verdict.detail;

	if (!take_key(&row.key, statement) ||
	    !health_parse(&row.health.shown, text_of(statement, HEALTH)) ||
	    !health_parse(&row.health.proven, text_of(statement, GATE)) ||
	    !message_parse(&row.verdict.code, text_of(statement, ID)) ||
	    !take_also(&row.verdict.tls, statement) || !take_numbers(&row, statement))
		return false;
	snprintf(detail, sizeof(row.verdict.detail), "%s", text_of(statement, DETAIL));
	printable_clean(detail);
	*ret_row = row;
	return true;
}

static int read_rows(struct kept_list *list, sqlite3 *db, struct err *err)
{
	CLEANUP(sqlite3_finalize_p) sqlite3_stmt *statement = NULL;
	uint32_t room = 0;
	int r, code;

	r = database_prepare(db, &statement, "SELECT " COLUMNS " FROM verdicts", err);
	if (r < 0)
		return r;
	while ((code = sqlite3_step(statement)) == SQLITE_ROW && list->n < LIMIT_ENDPOINTS) {
		if (list->n == room) {
			uint32_t wanted = room ? room * 2 : 64;
			struct kept *rows = realloc(list->rows, wanted * sizeof(*rows));

			if (!rows)
				return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
			list->rows = rows;
			room = wanted;
		}
		list->n += take_row(&list->rows[list->n], statement);
	}
	return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : database_error(db, err);
}

/* A file of an earlier version, which kept no verdicts, is as good as none. */
static int has_table(sqlite3 *db, struct err *err)
{
	CLEANUP(sqlite3_finalize_p) sqlite3_stmt *statement = NULL;
	int r, code;

	r = database_prepare(db, &statement,
			     "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = "
			     "'verdicts'",
			     err);
	if (r < 0)
		return r;
	code = sqlite3_step(statement);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return database_error(db, err);
	return code == SQLITE_ROW;
}

int verdicts_read(struct kept_list *ret_list, const char *directory, struct err *err)
{
	CLEANUP(kept_list_done) struct kept_list list = { .n = 0 };
	CLEANUP(sqlite3_close_p) sqlite3 *db = NULL;
	char path[PATH_MAX];
	struct stat st;
	int r;

	*ret_list = list;
	if (snprintf(path, sizeof(path), "%s/" DATABASE_FILE, directory) >= PATH_MAX ||
	    lstat(path, &st) < 0)
		return 0;
	r = database_open_reader(&db, &database_of_events, directory);
	if (r < 0)
		return err_set(err, r, "'%s': %s", path, strerror(-r));
	r = has_table(db, err);
	if (r > 0)
		r = read_rows(&list, db, err);
	if (r < 0)
		return err_in(err, r, "'%s': ", path);
	kept_list_sort(&list);
	*ret_list = list;
	list = (struct kept_list){ .n = 0 };
	return 0;
}
