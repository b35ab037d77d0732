// SPDX-License-Identifier: GPL-2.0-or-later
#include "l7/program.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "l7/spawn.h"
#include "l7/talk.h"
#include "util/addr.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"
#include "util/printable.h"

#define VERSION_MAJOR 2
#define VERSION_MINOR 6

#define CONFIGURATION "haproxy.cfg" /* as in L7_CONFIGURATION */
#define CHECK_DIR "check" /* in the plan's: its files for a check */
#define SAID "haproxy.err"
#define TURN_MS 50 /* between looks whether a check is still wanted */

/* --- version ---------------------------------------------------------------------------------- */

int l7_program_version(const char *program, int timeout_ms, const atomic_bool *gives_up,
		       struct err *err)
{
	const char *const argv[] = { program, "-v", NULL };
	int major = 0, minor = 0, r;
	char said[1024];
	const char *at;

	r = spawn_run(argv, "/", timeout_ms, gives_up, said, sizeof(said));
	if (r == -ENOENT)
		return err_set(
			err, r,
			"services with forward: l7 need HAProxy %d.%d or later, and '%s' is not "
			"there: install the package haproxy, or set gateway.l7.program",
			VERSION_MAJOR, VERSION_MINOR, program);
	if (r < 0)
		return err_set(err, r, "gateway.l7.program: '%s' cannot be run: %s", program,
			       strerror(-r));
	at = strstr(said, "version ");
	if (!at || sscanf(at, "version %d.%d", &major, &minor) != 2)
		return err_set(err, -ENOTSUP,
			       "gateway.l7.program: '%s' does not say that it is HAProxy", program);
	if (major > VERSION_MAJOR || (major == VERSION_MAJOR && minor >= VERSION_MINOR))
		return 0;
	return err_set(err, -ENOTSUP,
		       "services with forward: l7 need HAProxy %d.%d or later; '%s' is %d.%d",
		       VERSION_MAJOR, VERSION_MINOR, program, major, minor);
}

/* --- files ------------------------------------------------------------------------------------ */

/* Whole or not at all: HAProxy may read it at any time. */
static int replace(const char *dir, const char *name, const char *bytes, size_t len)
{
	char path[PATH_MAX + 64], next[PATH_MAX + 80];
	CLEANUP(close_p) int fd = -1;
	ssize_t put;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(next, sizeof(next), "%s.next", path);
	fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	put = write(fd, bytes, len);
	if (put < 0)
		return -errno;
	if ((size_t)put != len)
		return -ENOSPC;
	return rename(next, path) < 0 ? -errno : 0;
}

static int replace_link(const char *dir, const char *name, const char *target)
{
	char path[PATH_MAX + 64], next[PATH_MAX + 80];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(next, sizeof(next), "%s.next", path);
	if (unlink(next) < 0 && errno != ENOENT)
		return -errno;
	if (symlink(target, next) < 0 || rename(next, path) < 0)
		return -errno;
	return 0;
}

static int write_configuration(const struct l7_plan *plan, const struct l7_server *servers,
			       const char *dir)
{
	CLEANUP(free_p) char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return -ENOMEM;
	l7_plan_write(out, plan, servers);
	return fclose(out) == 0 ? replace(dir, CONFIGURATION, text, len) : -ENOMEM;
}

static int make_directory(const char *dir)
{
	return mkdir(dir, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* dir: the plan's, or one in it. */
static int write_all(const struct l7_plan *plan, const struct l7_server *servers, const char *dir,
		     struct err *err)
{
	int r = make_directory(plan->dir);

	if (r == 0)
		r = make_directory(dir);
	for (uint32_t i = 0; i < plan->n_files && r == 0; i++) {
		const struct l7_file *file = &plan->files[i];

		r = file->target ? replace_link(dir, file->name, file->target)
				 : replace(dir, file->name, file->bytes, file->len);
	}
	if (r == 0)
		r = write_configuration(plan, servers, dir);
	return r < 0 ? err_set(err, r, "gateway.state_dir: HAProxy's files in %s: %s", dir,
			       strerror(-r))
		     : 0;
}

int l7_program_write(const struct l7_plan *plan, const struct l7_server *servers, struct err *err)
{
	return write_all(plan, servers, plan->dir, err);
}

/* --- what HAProxy says of a plan ---------------------------------------------------------------- */

/* "parsing [/var/lib/sluice/l7/check/haproxy.cfg:42] : ...": the line, and what follows; NULL: no such place. */
static char *find_place(char *text, const struct l7_plan *plan, uint32_t *ret_line)
{
	static const char *const files[] = { CHECK_DIR "/" CONFIGURATION, CONFIGURATION };
	char place[PATH_MAX + 32];
	char *at = NULL;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !at; i++) {
		snprintf(place, sizeof(place), "[%s/%s:", plan->dir, files[i]);
		at = strstr(text, place);
	}
	if (!at)
		return NULL;
	at += strlen(place);
	*ret_line = (uint32_t)strtoul(at, &at, 10);
	at += strcspn(at, "]");
	while (*at && strchr("] :", *at))
		at++;
	return at;
}

/* A link stands for a file whose name the operator knows. */
static const struct l7_file *find_link(const char *text, const struct l7_plan *plan)
{
	for (uint32_t i = 0; i < plan->n_files; i++)
		if (plan->files[i].target && strstr(text, plan->files[i].name))
			return &plan->files[i];
	return NULL;
}

struct blame {
	const char *key; /* NULL: none is to blame */
	const struct l7_file *link; /* NULL: it is no file */
	const char *text; /* in what was said */
};

/* HAProxy goes on after what concerns a place with what follows from it: the first is meant. false: nothing is wrong. */
static bool find_blame(struct blame *ret, const struct l7_plan *plan, char *said)
{
	uint32_t line = 0;
	char *at = strstr(said, "[ALERT]"), *text;

	*ret = (struct blame){ .key = NULL };
	if (!at)
		return false;
	at[strcspn(at, "\n")] = '\0';
	text = find_place(at, plan, &line);
	if (text)
		ret->key = l7_plan_key(plan, line);
	else
		text = strstr(at, ") : ") ? strstr(at, ") : ") + 4 : at;
	ret->link = find_link(text, plan);
	/* Services on one address have one list of certificates. */
	if (ret->link)
		ret->key = ret->link->key;
	ret->text = printable_clean(text);
	return true;
}

static void put_blame(char *buf, size_t size, const struct blame *blame)
{
	snprintf(buf, size, "%s%sHAProxy refuses %s: %.300s", blame->key ? blame->key : "",
		 blame->key ? ": " : "", blame->link ? blame->link->target : "it", blame->text);
}

void l7_program_blame(char *buf, size_t size, const struct l7_plan *plan, char *said)
{
	struct blame blame;

	buf[0] = '\0';
	if (find_blame(&blame, plan, said))
		put_blame(buf, size, &blame);
}

static int check_address(const struct l7_listen *listen, struct err *err)
{
	struct sockaddr_storage ss;
	CLEANUP(close_p) int fd = -1;
	socklen_t len = addr_to_sockaddr(&ss, &listen->addr, listen->port);

	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* As HAProxy does: what has the address beside it has to agree. */
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){ 1 }, sizeof(int)) == 0 &&
	    bind(fd, (struct sockaddr *)&ss, len) == 0)
		return 0;
	return err_set(err, -errno, "service '%s': listen: %s: %s%s", listen->service, listen->text,
		       strerror(errno),
		       errno == EADDRNOTAVAIL
			       ? "; with forward: l7 it is an address of this host, or one that "
				 "net.ipv4.ip_nonlocal_bind lets it take"
		       : errno == EADDRINUSE ? "; another program listens there"
					     : "");
}

static int check_addresses(const struct l7_plan *plan, struct err *err)
{
	for (uint32_t i = 0; i < plan->n_listens; i++) {
		int r = check_address(&plan->listens[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Which HAProxy would find out only when it starts. */
static int check_descriptors(const struct l7_plan *plan, struct err *err)
{
	uint64_t wanted = plan->max_connections;
	struct rlimit limit;

	if (!wanted || getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max >= 2 * wanted + 100)
		return 0;
	return err_set(err, -EMFILE,
		       "gateway.l7.max_connections: '%" PRIu64 "' needs %" PRIu64
		       " file descriptors, and processes may have %" PRIu64
		       " here; allowed: fewer, or a higher limit (LimitNOFILE= of the unit)",
		       wanted, 2 * wanted + 100, (uint64_t)limit.rlim_max);
}

static void remove_file(const char *dir, const char *name)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
}

static void remove_all(const struct l7_plan *plan, const char *dir)
{
	for (uint32_t i = 0; i < plan->n_files; i++)
		remove_file(dir, plan->files[i].name);
	remove_file(dir, CONFIGURATION);
	rmdir(dir);
}

static int ask(const struct l7_plan *plan, const char *program, const char *dir, uint64_t until_ms,
	       const atomic_bool *gives_up, struct err *err)
{
	char said[L7_CHECK_BYTES], why[sizeof(err->text)], path[PATH_MAX + 32];
	const char *const argv[] = { program, "-c", "-f", path, NULL };
	uint64_t now_ms = clock_mono_ms();
	int r;

	snprintf(path, sizeof(path), "%s/" CONFIGURATION, dir);
	r = spawn_run(argv, dir, now_ms < until_ms ? (int)(until_ms - now_ms) : 0, gives_up, said,
		      sizeof(said));
	if (r == 0)
		return 0;
	if (r < 0)
		return err_set(err, r, "'%s -c': %s", program, strerror(-r));
	l7_program_blame(why, sizeof(why), plan, said);
	return err_set(err, -EINVAL, "%s",
		       why[0] ? why : "HAProxy refuses its configuration and does not say why");
}

/* Locks it. -ETIMEDOUT, -ECANCELED as l7_program_check() has them. */
static int take_turn(pthread_mutex_t *lock, uint64_t until_ms, const atomic_bool *gives_up)
{
	int r = ETIMEDOUT;

	while (r == ETIMEDOUT) {
		uint64_t now_ms = clock_mono_ms(), again_ms = now_ms + TURN_MS;
		struct timespec again = { .tv_sec = (time_t)(again_ms / 1000),
					  .tv_nsec = (long)(again_ms % 1000 * 1000000) };

		if (gives_up && atomic_load(gives_up))
			return -ECANCELED;
		if (now_ms > until_ms)
			return -ETIMEDOUT;
		r = pthread_mutex_clocklock(lock, CLOCK_MONOTONIC, &again);
	}
	return -r;
}

/* With files of their own: those beside them are in force. One check at a time, since all have that directory. */
static int check_files(const struct l7_plan *plan, const char *program, uint64_t until_ms,
		       const atomic_bool *gives_up, struct err *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	char dir[PATH_MAX + 8];
	int r = take_turn(&lock, until_ms, gives_up);

	if (r < 0)
		return err_set(err, r, "HAProxy is still asked of another configuration: %s",
			       strerror(-r));
	snprintf(dir, sizeof(dir), "%s/" CHECK_DIR, plan->dir);
	r = write_all(plan, NULL, dir, err);
	if (r == 0)
		r = ask(plan, program, dir, until_ms, gives_up, err);
	remove_all(plan, dir);
	pthread_mutex_unlock(&lock);
	return r;
}

int l7_program_check(const struct l7_plan *plan, const char *program, int timeout_ms,
		     const atomic_bool *gives_up, struct err *err)
{
	uint64_t until_ms = clock_mono_ms() + (uint64_t)timeout_ms;
	int r = l7_program_version(program, timeout_ms, gives_up, err);

	if (r == 0)
		r = check_addresses(plan, err);
	if (r == 0)
		r = check_descriptors(plan, err);
	if (r == 0)
		r = check_files(plan, program, until_ms, gives_up, err);
	return r;
}

/* --- the process -------------------------------------------------------------------------------- */

int l7_program_start(pid_t *ret, const char *program, const char *dir, bool inherits,
		     struct err *err)
{
	char path[PATH_MAX + 32], master[PATH_MAX + 64], said[PATH_MAX + 32];
	char held[PATH_MAX + 32];
	const char *const argv[] = {
		program, "-W", "-f", path, "-S", master, inherits ? "-x" : NULL, held, NULL
	};
	CLEANUP(close_p) int fd = -1;
	int r;

	snprintf(path, sizeof(path), "%s/" CONFIGURATION, dir);
	snprintf(master, sizeof(master), "%s/" L7_MASTER_SOCKET ",mode,600", dir);
	snprintf(said, sizeof(said), "%s/" SAID, dir);
	snprintf(held, sizeof(held), "%s/" L7_HOLD_SOCKET, dir);
	fd = open(said, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(err, -errno, "%s: %s", said, strerror(errno));
	r = spawn_start(ret, argv, dir, fd);
	return r < 0 ? err_set(err, r, "'%s' cannot be run: %s", program, strerror(-r)) : 0;
}

int l7_program_dismiss(const char *state_dir)
{
	char path[PATH_MAX + 32];
	pid_t pid;
	int r;

	snprintf(path, sizeof(path), "%s/" L7_MASTER, state_dir);
	r = talk_owner(&pid, path);
	if (r == -ENOENT || r == -ENOTDIR || r == -ECONNREFUSED)
		return 0;
	if (r < 0)
		return r;
	return kill(pid, SIGUSR1) < 0 ? -errno : pid;
}

/* What it has said from the last line on that has the mark; all of it, if none has. */
static void read_said(char *said, size_t size, const char *dir, const char *mark)
{
	char path[PATH_MAX + 32], line[1024];
	CLEANUP(fclose_p) FILE *file = NULL;
	size_t len = 0;

	said[0] = '\0';
	snprintf(path, sizeof(path), "%s/" SAID, dir);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (strstr(line, mark))
			len = 0;
		if (len + strlen(line) >= size)
			continue;
		memcpy(said + len, line, strlen(line) + 1);
		len += strlen(line);
	}
}

const char *l7_program_complaint(char *buf, size_t size, const struct l7_plan *plan, bool loads)
{
	char said[L7_CHECK_BYTES];
	struct blame blame;

	read_said(said, sizeof(said), plan->dir, loads ? "Reloading HAProxy" : "[ALERT]");
	if (!find_blame(&blame, plan, said))
		snprintf(buf, size, "it does not say why");
	else if (blame.key)
		put_blame(buf, size, &blame);
	else
		snprintf(buf, size, "%s", blame.text);
	return buf;
}

#define SAID_MAX 65536

void l7_program_trim(const char *dir)
{
	char path[PATH_MAX + 32];
	struct stat st;

	snprintf(path, sizeof(path), "%s/" SAID, dir);
	/* HAProxy appends. */
	if (stat(path, &st) == 0 && st.st_size > SAID_MAX && truncate(path, 0) < 0)
		log_warn("%s: %s", path, strerror(errno));
}

int l7_program_last(struct l7_last *ret, const char *dir)
{
	char path[PATH_MAX + 32], *line = NULL;
	CLEANUP(fclose_p) FILE *file = NULL;
	bool number = false;
	size_t room = 0;

	*ret = (struct l7_last){ .digest = "" };
	snprintf(path, sizeof(path), "%s/" CONFIGURATION, dir);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (getline(&line, &room, file) > 0) {
		const char *at = strstr(line, "/worker-");

		line[strcspn(line, "\n")] = '\0';
		if (!ret->digest[0])
			sscanf(line, "# digest %64s", ret->digest);
		if (!strncmp(line, "\t# " L7_RUN_BY, strlen("\t# " L7_RUN_BY)))
			snprintf(ret->program, sizeof(ret->program), "%s",
				 line + strlen("\t# " L7_RUN_BY));
		if (!strncmp(line, "\tstats socket ", strlen("\tstats socket ")) && at)
			number = sscanf(at, "/worker-%" SCNu64 ".sock", &ret->number) == 1;
	}
	free(line);
	return ret->digest[0] && number ? 0 : -EINVAL;
}
