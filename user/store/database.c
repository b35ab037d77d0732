// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/database.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "util/clock.h"
#include "util/err.h"
#include "util/printable.h"

#define DIRECTORY_MODE 0750
#define FILE_MODE 0640
#define READER_WAIT_MS 200
#define WRITER_WAIT_MS 1000
#define OPEN_ATTEMPTS 50
#define OPEN_REST_MS 20

struct database {
	sqlite3 *db;
	int lock_fd; /* of the file, or of its directory */
	dev_t device;
	ino_t inode;
	char path[PATH_MAX + NAME_MAX];
};

int database_error(sqlite3 *db, struct err *err)
{
	int code = db ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;
	int os_errno = db ? sqlite3_system_errno(db) : 0;
	const char *text = db ? sqlite3_errmsg(db) : "out of memory";

	switch (code) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	/* Of statements that are always the same: the tables are not ours. */
	case SQLITE_ERROR:
	case SQLITE_SCHEMA:
		return err_set(err, -EUCLEAN, "%s", text);
	case SQLITE_FULL:
		return err_set(err, -ENOSPC, "%s", text);
	case SQLITE_BUSY:
		return err_set(err, -EAGAIN, "%s", text);
	default:
		break;
	}
	if (os_errno <= 0)
		return err_set(err, -EIO, "%s", text);
	return err_set(err, -os_errno, "%s: %s", text, strerror(os_errno));
}

int database_run(sqlite3 *db, const char *sql, struct err *err)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : database_error(db, err);
}

int database_prepare(sqlite3 *db, sqlite3_stmt **ret, const char *sql, struct err *err)
{
	return sqlite3_prepare_v2(db, sql, -1, ret, NULL) == SQLITE_OK ? 0
								       : database_error(db, err);
}

/* The first column of the first row; "": there is none. */
static int ask(sqlite3 *db, const char *sql, char *buf, size_t size, struct err *err)
{
	sqlite3_stmt *statement;
	int r;

	buf[0] = '\0';
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		return database_error(db, err);
	r = sqlite3_step(statement);
	if (r == SQLITE_ROW) {
		const unsigned char *text = sqlite3_column_text(statement, 0);

		snprintf(buf, size, "%s", text ? (const char *)text : "");
	}
	sqlite3_finalize(statement);
	return r == SQLITE_ROW || r == SQLITE_DONE ? 0 : database_error(db, err);
}

static int check(sqlite3 *db, const struct database_kind *kind, struct err *err)
{
	char version[32], result[160], *line_end;
	int r;

	r = ask(db, "PRAGMA user_version", version, sizeof(version), err);
	if (r < 0)
		return r;
	if (strtol(version, NULL, 10) > kind->version)
		return err_set(err, -EUCLEAN, "it was made by a later version (%s)", version);
	r = ask(db, "PRAGMA quick_check(1)", result, sizeof(result), err);
	if (r < 0)
		return r;
	if (strcmp(result, "ok") == 0)
		return 0;
	/* The first line is a heading. */
	line_end = strchr(result, '\n');
	return err_set(err, -EUCLEAN, "%s", printable_clean(line_end ? line_end + 1 : result));
}

static int make_directory(const char *directory, struct err *err)
{
	if (mkdir(directory, DIRECTORY_MODE) < 0 && errno != EEXIST)
		return err_set(err, -errno, "cannot make the directory: %s", strerror(errno));
	return 0;
}

/* Others must be able to read a shared file, so its directory stands for it. */
static int lock(const char *path, int flags, struct err *err)
{
	CLEANUP(close_p) int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, -errno, "cannot be opened: %s", strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? err_set(err, -EBUSY, "another sluiced uses it")
			       : err_set(err, -errno, "cannot be locked: %s", strerror(errno));
	return take_fd(fd);
}

/* SQLite would let everybody read it. */
static int make_file(struct database *database, struct err *err)
{
	struct stat st;
	int fd;

	if (lstat(database->path, &st) < 0) {
		fd = open(database->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
		if (fd < 0)
			return err_set(err, -errno, "cannot make it: %s", strerror(errno));
		close(fd);
		if (lstat(database->path, &st) < 0)
			return err_set(err, -errno, "%s", strerror(errno));
	}
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "it is not a regular file");
	database->device = st.st_dev;
	database->inode = st.st_ino;
	return 0;
}

static int make_tables(sqlite3 *db, const struct database_kind *kind, struct err *err)
{
	char version[48];
	int r;

	snprintf(version, sizeof(version), "PRAGMA user_version = %d", kind->version);
	r = database_run(db, "BEGIN", err);
	if (r == 0)
		r = database_run(db, kind->schema, err);
	if (r == 0)
		r = database_run(db, version, err);
	if (r == 0)
		r = database_run(db, "COMMIT", err);
	if (r < 0)
		database_run(db, "ROLLBACK", NULL);
	return r;
}

static int open_handle(struct database *database, const struct database_kind *kind, struct err *err)
{
	int r;

	if (sqlite3_open_v2(database->path, &database->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return database_error(database->db, err);
	sqlite3_busy_timeout(database->db, WRITER_WAIT_MS);
	r = database_run(database->db, kind->set_up, err);
	if (r < 0)
		return r;
	r = check(database->db, kind, err);
	return r < 0 ? r : make_tables(database->db, kind, err);
}

/*
 * While a reader recovers the log that a killed process has left, some of this is refused without the
 * wait that was asked for.
 */
static int open_patiently(struct database *database, const struct database_kind *kind,
			  struct err *err)
{
	const struct timespec rest = { .tv_nsec = OPEN_REST_MS * (long)NS_PER_MS };
	int r;

	for (int i = 1;; i++) {
		r = open_handle(database, kind, err);
		if (r != -EAGAIN || i == OPEN_ATTEMPTS)
			return r;
		sqlite3_close(take_ptr(database->db));
		nanosleep(&rest, NULL);
	}
}

int database_open(struct database **ret, const struct database_kind *kind, const char *directory,
		  struct err *err)
{
	CLEANUP(database_close_p) struct database *database = calloc(1, sizeof(*database));
	int r;

	if (!database)
		return err_set(err, -ENOMEM, "out of memory");
	database->lock_fd = -1;
	snprintf(database->path, sizeof(database->path), "%s/%s", directory, kind->file);
	r = make_directory(directory, err);
	if (r == 0 && kind->is_shared)
		r = database->lock_fd = lock(directory, O_RDONLY | O_DIRECTORY, err);
	if (r < 0)
		return err_in(err, r, "'%s': ", directory);
	r = make_file(database, err);
	/* Closing a file drops all locks that the process has on it, so this stays open for longer than SQLite's. */
	if (r == 0 && !kind->is_shared)
		r = database->lock_fd = lock(database->path, O_RDWR | O_NOFOLLOW, err);
	if (r >= 0)
		r = open_patiently(database, kind, err);
	if (r < 0)
		return err_in(err, r, "'%s': ", database->path);
	*ret = take_ptr(database);
	return 0;
}

void database_close(struct database *database)
{
	if (!database)
		return;
	sqlite3_close(database->db);
	close_p(&database->lock_fd);
	free(database);
}

int database_is_there(const struct database *database)
{
	struct stat st;

	return lstat(database->path, &st) == 0 && st.st_dev == database->device &&
	       st.st_ino == database->inode;
}

sqlite3 *database_handle(const struct database *database)
{
	return database->db;
}

/* As a URI, in which not every character stands for itself. */
static void format_uri(char *buf, size_t size, const char *path, const char *options)
{
	size_t len = (size_t)snprintf(buf, size, "file:");

	for (const char *p = path; *p && len + 4 < size; p++)
		len += (size_t)snprintf(buf + len, size - len,
					isalnum((unsigned char)*p) || *p == '/' ? "%c" : "%%%02X",
					(unsigned char)*p);
	snprintf(buf + len, size - len, "%s", options);
}

int database_open_reader(sqlite3 **ret, const struct database_kind *kind, const char *directory)
{
	CLEANUP(sqlite3_close_p) sqlite3 *db = NULL;
	char path[PATH_MAX + NAME_MAX], uri[3 * sizeof(path)];
	struct statvfs fs;
	bool frozen;

	snprintf(path, sizeof(path), "%s/%s", directory, kind->file);
	/* A log needs a place for its index, even to be read. */
	frozen = statvfs(path, &fs) == 0 && fs.f_flag & ST_RDONLY;
	format_uri(uri, sizeof(uri), path, frozen ? "?immutable=1" : "");
	if (sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI,
			    NULL) != SQLITE_OK)
		return database_error(db, NULL);
	sqlite3_busy_timeout(db, READER_WAIT_MS);
	*ret = take_ptr(db);
	return 0;
}
