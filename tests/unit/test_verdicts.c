// SPDX-License-Identifier: GPL-2.0-or-later
/* Verdicts in a real database: whole, one for each endpoint, and whatever else somebody writes there. */
#include "tests/unit/events_run.h"

#include "model/limits.h"
#include "store/verdicts.h"
#include "util/addr.h"

static struct sl_target_key key_of(const char *text)
{
	struct sl_target_key key = { .proto = SL_TCP };
	struct addr addr;

	assert_int_equal(addr_port_parse(&addr, &key.port, text), 0);
	memcpy(key.addr, addr.bytes, sizeof(key.addr));
	return key;
}

/* Every member as far from nothing as it can be. */
static struct kept full(void)
{
	struct kept kept = {
		.key = key_of("[fd00::5]:65535"),
		.health = { SL_UNKNOWN, SL_UNHEALTHY, UINT32_MAX, 7, 1767225600123, 99, false },
		.verdict = {
			.code = SL_MSG_CERT_DATE_INVALID,
			.stage = STAGE_BODY,
			.os_errno = 111,
			.has_icmp = true,
			.icmp_type = 255,
			.icmp_code = 13,
			.http_status = 65535,
			.grpc_status = 14,
			.elapsed_ms = UINT32_MAX,
			.timing = { 1, 2, 3, 4, UINT32_MAX },
			.tls = { .version = 0x0304, .resumed = true, .alert = TLS_ALERT_NONE, .x509_code = -3,
				 .x509_depth = 2, .not_after = -1, .warnings = 0xffff, .n_also = 2,
				 .also = { SL_MSG_CERT_NAME_MISMATCH, SL_MSG_CERT_VERIFY_FAILED } },
			.detail = "it's \"odd\"; DROP TABLE verdicts;",
		},
		.at = { UINT64_MAX - 5, 42, 1767225600999 },
	};

	return kept;
}

/* Give some to the thread, which owns copies. */
static void keep(struct events *events, const struct kept rows[], uint32_t n, const char *gone)
{
	struct verdicts_batch *batch = calloc(1, sizeof(*batch));

	batch->rows = calloc(n + 1, sizeof(*rows));
	if (n)
		memcpy(batch->rows, rows, n * sizeof(*rows));
	batch->n = n;
	if (gone) {
		batch->gone = calloc(1, sizeof(*batch->gone));
		batch->gone[0] = key_of(gone);
		batch->n_gone = 1;
	}
	events_keep(events, batch);
}

static void await_kept(struct events *events)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while (events_is_keeping(events)) {
		assert_true(clock_mono_ms() < until_ms);
		nap();
	}
}

static struct kept_list read_all(void)
{
	struct kept_list list;
	struct err err;

	if (verdicts_read(&list, state, &err) < 0)
		fail_msg("%s", err.text);
	return list;
}

static uint32_t n_kept(void)
{
	struct kept_list list = read_all();
	uint32_t n = list.n;

	kept_list_done(&list);
	return n;
}

static void test_whole(void **arg)
{
	struct kept row = full(), none = { .key = key_of("10.0.0.5:80") };
	struct events *events = start(100);
	struct kept_list list;
	const struct kept *found;

	(void)arg;
	none.verdict.code = SL_MSG_OK;
	keep(events, &row, 1, NULL);
	keep(events, &none, 1, NULL);
	await_kept(events);
	events_close(events);
	list = read_all();
	assert_int_equal(list.n, 2);
	found = kept_list_find(&list, &row.key);
	assert_non_null(found);
	/* What is between the members is of no account. */
	assert_memory_equal(&found->key, &row.key, sizeof(row.key));
	assert_memory_equal(&found->at, &row.at, sizeof(row.at));
	assert_memory_equal(&found->verdict.timing, &row.verdict.timing,
			    sizeof(row.verdict.timing));
	assert_memory_equal(found->verdict.tls.also, row.verdict.tls.also, VERDICT_ALSO_MAX);
	assert_string_equal(found->verdict.detail, row.verdict.detail);
#define SAME(member) assert_true(found->member == row.member)
	SAME(health.shown), SAME(health.proven), SAME(health.failures), SAME(health.successes);
	SAME(health.since_ms), SAME(health.lapsed);
	SAME(verdict.code), SAME(verdict.stage), SAME(verdict.os_errno), SAME(verdict.has_icmp);
	SAME(verdict.icmp_type), SAME(verdict.icmp_code), SAME(verdict.http_status);
	SAME(verdict.grpc_status), SAME(verdict.elapsed_ms), SAME(verdict.tls.version);
	SAME(verdict.tls.resumed), SAME(verdict.tls.alert), SAME(verdict.tls.x509_code);
	SAME(verdict.tls.x509_depth), SAME(verdict.tls.not_after), SAME(verdict.tls.warnings);
	SAME(verdict.tls.n_also);
#undef SAME
	assert_null(found->verdict.tls.certs);
	kept_list_done(&list);
}

/* One row for an endpoint, whatever comes; and none for who is gone, unless he comes back with the same. */
static void test_one_each(void **arg)
{
	struct kept row = full();
	struct events *events = start(100);

	(void)arg;
	for (uint32_t i = 0; i < 50; i++) {
		row.health.successes = i;
		keep(events, &row, 1, NULL);
	}
	await_kept(events);
	assert_int_equal(n_kept(), 1);
	keep(events, NULL, 0, "[fd00::5]:65535");
	keep(events, NULL, 0, "[fd00::6]:1");
	await_kept(events);
	assert_int_equal(n_kept(), 0);
	keep(events, &row, 1, "[fd00::5]:65535");
	await_kept(events);
	assert_int_equal(n_kept(), 1);
	events_close(events);
	assert_int_equal(n_told, 0);
}

static void run_sql(const char *sql)
{
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/state.db", state);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* What somebody else has written is not believed, and takes nothing else along. */
static void test_hostile(void **arg)
{
	static const char *const edits[] = {
		"UPDATE verdicts SET address = 'app.test' WHERE port = 1",
		"UPDATE verdicts SET address = x'00ff' WHERE port = 1",
		"UPDATE verdicts SET port = 65536 WHERE port = 1",
		"UPDATE verdicts SET proto = 1 WHERE port = 1",
		"UPDATE verdicts SET health = 'Fine' WHERE port = 1",
		"UPDATE verdicts SET gate = '' WHERE port = 1",
		"UPDATE verdicts SET id = 'not_of_this_version' WHERE port = 1",
		"UPDATE verdicts SET failures = -1 WHERE port = 1",
		"UPDATE verdicts SET stage = 200 WHERE port = 1",
		"UPDATE verdicts SET has_icmp = 2 WHERE port = 1",
		"UPDATE verdicts SET http_status = 70000 WHERE port = 1",
		"UPDATE verdicts SET at_ms = -1 WHERE port = 1",
		"UPDATE verdicts SET also = zeroblob(100000) WHERE port = 1",
		"UPDATE verdicts SET also = x'ff' WHERE port = 1",
	};
	struct kept good = { .key = key_of("10.0.0.5:80"), .verdict.code = SL_MSG_OK };
	struct kept bad = full();

	(void)arg;
	bad.key.port = 1;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		struct events *events = start(100);

		keep(events, &good, 1, NULL);
		keep(events, &bad, 1, NULL);
		await_kept(events);
		events_close(events);
		assert_int_equal(n_kept(), 2);
		run_sql(edits[i]);
		if (n_kept() != 1)
			fail_msg("%s: %u", edits[i], n_kept());
		run_sql("DELETE FROM verdicts");
	}
	assert_int_equal(n_told, 0);
}

static void test_text(void **arg)
{
	struct events *events = start(100);
	struct kept row = full();
	struct kept_list list;

	(void)arg;
	keep(events, &row, 1, NULL);
	await_kept(events);
	events_close(events);
	run_sql("UPDATE verdicts SET detail = char(27) || '[2J' || hex(zeroblob(1000))");
	list = read_all();
	assert_int_equal(list.n, 1);
	assert_memory_equal(list.rows[0].verdict.detail, "?[2J0000", 8);
	assert_int_equal(strlen(list.rows[0].verdict.detail), VERDICT_DETAIL_LEN - 1);
	kept_list_done(&list);
}

/* No directory, no file, one of an earlier version, rubbish: there is nothing, or it is said. */
static void test_missing(void **arg)
{
	struct events *events;
	struct kept_list list;
	struct err err;
	char path[128];
	FILE *file;

	(void)arg;
	assert_int_equal(n_kept(), 0);
	events = start(100);
	await(events, true);
	events_close(events);
	assert_int_equal(n_kept(), 0);
	run_sql("DROP TABLE verdicts");
	assert_int_equal(n_kept(), 0);

	/* A table that is not ours is set aside with the file, and then there is room. */
	run_sql("CREATE TABLE verdicts (x)");
	assert_true(verdicts_read(&list, state, &err) < 0);
	assert_int_equal(list.n, 0);
	events = start(100);
	await_told(1);
	await(events, true);
	assert_non_null(strstr(told[0], "is damaged"));
	keep(events, &(struct kept){ .key = key_of("10.0.0.5:80"), .verdict.code = SL_MSG_OK }, 1,
	     NULL);
	await_kept(events);
	events_close(events);
	assert_int_equal(n_kept(), 1);

	snprintf(path, sizeof(path), "%s/state.db", state);
	file = fopen(path, "we");
	fputs("this is no database at all, but it is long enough to be looked at", file);
	fclose(file);
	assert_int_equal(verdicts_read(&list, state, &err), -EUCLEAN);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(list.n, 0);
}

/* While the database cannot be used they wait; what was there when the daemon ends is written then. */
static void test_waits(void **arg)
{
	struct kept row = full();
	struct events *events;
	int fd;

	(void)arg;
	fd = open(state, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	events = start(100);
	keep(events, &row, 1, NULL);
	await(events, false);
	assert_true(events_is_keeping(events));
	assert_int_equal(unlink(state), 0);
	await_kept(events);
	assert_int_equal(n_kept(), 1);
	row.key.port = 7;
	keep(events, &row, 1, NULL);
	events_close(events);
	assert_int_equal(n_kept(), 2);
}

/* As many as there can be, in the time that the daemon has at its end. */
static void test_many(void **arg)
{
	struct kept *rows = calloc(LIMIT_ENDPOINTS, sizeof(*rows));
	struct events *events = start(100);
	uint64_t began_ms;

	(void)arg;
	await(events, true);
	for (uint32_t i = 0; i < LIMIT_ENDPOINTS; i++) {
		rows[i] = full();
		rows[i].key.addr[13] = (uint8_t)(i >> 16);
		rows[i].key.addr[14] = (uint8_t)(i >> 8);
		rows[i].key.addr[15] = (uint8_t)i;
	}
	began_ms = clock_mono_ms();
	keep(events, rows, LIMIT_ENDPOINTS, NULL);
	free(rows);
	await_kept(events);
	print_message("written in %d ms\n", (int)(clock_mono_ms() - began_ms));
	events_close(events);
	began_ms = clock_mono_ms();
	assert_int_equal(n_kept(), LIMIT_ENDPOINTS);
	print_message("read in %d ms\n", (int)(clock_mono_ms() - began_ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(test_whole), IN_DIRECTORY(test_one_each), IN_DIRECTORY(test_hostile),
		IN_DIRECTORY(test_text),  IN_DIRECTORY(test_missing),  IN_DIRECTORY(test_waits),
		IN_DIRECTORY(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
