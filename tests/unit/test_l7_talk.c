// SPDX-License-Identifier: GPL-2.0-or-later
/* What HAProxy is told of a server that changes, what it says of its servers, and keys of cookies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "l7/push.h"
#include "l7/spawn.h"
#include "l7/stats.h"
#include "l7/talk.h"
#include "tests/unit/l7_run.h"

#define READY                                     \
	{                                         \
		.standing = L7_READY, .weight = 5 \
	}
#define NONE                         \
	{                            \
		.weight = UINT16_MAX \
	}

/* From what it was told to be to what it is to be; a weight of UINT16_MAX: nothing is known. */
static const struct row {
	struct l7_server told, server;
	const char *commands;
} rows[] = {
	{ READY, READY, "" },
	{ NONE, READY,
	  "set server b/s weight 5;set server b/s health up;set server b/s state ready;" },
	{ NONE,
	  { .standing = L7_DOWN, .weight = 5 },
	  "set server b/s state maint;set server b/s weight 5;" },
	{ READY, { .standing = L7_DOWN, .weight = 5 }, "set server b/s health down;" },
	{ { .standing = L7_DOWN, .weight = 5 },
	  READY,
	  "set server b/s health up;set server b/s state ready;" },
	{ READY,
	  { .standing = L7_DRAINING, .weight = 5 },
	  "set server b/s health up;set server b/s state drain;" },
	{ { .standing = L7_DRAINING, .weight = 5 },
	  { .standing = L7_DRAINED, .weight = 5 },
	  "set server b/s state maint;shutdown sessions server b/s;" },
	{ READY, { .standing = L7_DISABLED, .weight = 5 }, "set server b/s state maint;" },
	{ { .standing = L7_DISABLED, .weight = 5 },
	  { .standing = L7_DOWN, .weight = 5 },
	  "set server b/s state maint;" },
	{ READY, { .standing = L7_READY, .weight = 6 }, "set server b/s weight 6;" },
	/* A seat: its address comes before it serves. */
	{ { .standing = L7_DOWN, .weight = 5 },
	  { .standing = L7_READY, .weight = 5, .addr = { { [10] = 0xff, 0xff, 10, 0, 0, 7 } } },
	  "set server b/s addr 10.0.0.7 port 80;set server b/s health up;set server b/s state ready;" },
	{ READY,
	  { .standing = L7_DOWN, .weight = 5, .addr = { { 0xfd, [15] = 1 } } },
	  "set server b/s health down;set server b/s addr fd00::1 port 80;" },
};

static void test_commands(void **state)
{
	char name[] = "b/s";
	const struct l7_line line = { .name = name, .server = name + 2, .port = 80 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool known = rows[i].told.weight != UINT16_MAX;
		char *text = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		push_commands(out, &line, known ? &rows[i].told : NULL, &rows[i].server);
		fclose(out);
		if (strcmp(text, rows[i].commands) != 0)
			fail_msg("row %zu: '%s' is not '%s'", i, text, rows[i].commands);
		free(text);
	}
}

#define CROWD 400 /* backends: more than one line of commands holds */

/*
 * Stands for HAProxy: every connection brings one line, and what is behind that would be a line, too. Its answers are
 * longer than what is kept of them, and harmless.
 */
struct listener {
	int fd;
	uint32_t commands, lines, behind; /* bytes behind a line */
};

static void *listen_for_commands(void *arg)
{
	struct listener *listener = arg;
	int fd;

	while ((fd = accept(listener->fd, NULL, NULL)) >= 0) {
		char text[4 * TALK_COMMANDS_MAX];
		ssize_t len = recv(fd, text, sizeof(text) - 1, 0);
		const char *end;

		if (len > 0) {
			text[len] = '\0';
			for (const char *at = text; (at = strstr(at, "set server ")); at++)
				listener->commands++;
			end = strchr(text, '\n');
			listener->lines += end != NULL;
			listener->behind += end ? (uint32_t)strlen(end + 1) : 0;
			for (int i = 0; i < CROWD; i++)
				send(fd, "no need to change\n", strlen("no need to change\n"),
				     MSG_NOSIGNAL);
		}
		close(fd);
	}
	return NULL;
}

static char *crowd_yaml(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fputs(GATE "pools:\n  - name: p\n    backends:\n", out);
	for (int i = 0; i < CROWD; i++)
		fprintf(out, "      - { address: 127.1.%d.%d }\n", i / 250, 1 + i % 250);
	fputs("settings: [ { name: w, protocol: http, port: 80 } ]\n"
	      "services: [ { name: s, listen: 127.0.0.1:18080, forward: l7, pool: p, settings: w } ]\n",
	      out);
	fclose(out);
	return text;
}

/* Many servers take several lines: each ends where it ends, though the one before was longer. */
static void test_batches(void **state)
{
	struct l7_run *run = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP(free_p) char *yaml = crowd_yaml();
	CLEANUP(l7_plan_free_p) struct l7_plan *plan = l7_run_plan(run, yaml);
	CLEANUP(free_p) struct l7_server *servers = calloc(CROWD, sizeof(*servers));
	struct listener listener = { .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	struct push push;
	char complaint[64];
	pthread_t thread;
	uint32_t n;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/worker", run->dir);
	assert_int_equal(bind(listener.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener.fd, 8), 0);
	assert_int_equal(pthread_create(&thread, NULL, listen_for_commands, &listener), 0);
	assert_int_equal(plan->n_lines, CROWD);
	assert_int_equal(push_init(&push, CROWD), 0);
	/* Some take more room than others. */
	for (uint32_t i = 0; i < CROWD; i++)
		servers[i] = (struct l7_server){ .standing = i % 3 ? L7_READY : L7_DISABLED,
						 .weight = 5 };
	assert_int_equal(push_servers(&push, plan, servers, address.sun_path, &n, complaint,
				      sizeof(complaint)),
			 0);
	shutdown(listener.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(listener.fd);
	push_done(&push);

	assert_string_equal(complaint, "");
	assert_int_equal(n, CROWD);
	assert_true(listener.lines > 2);
	assert_int_equal(listener.behind, 0);
	/* Weight, and state, of each; health of those that serve. */
	assert_int_equal(listener.commands, 2 * CROWD + (CROWD - (CROWD + 2) / 3));
}

/* Who does not answer is told no more of what would take several lines. */
static void test_nobody_there(void **state)
{
	struct l7_run *run = *state;
	CLEANUP(free_p) char *yaml = crowd_yaml();
	CLEANUP(l7_plan_free_p) struct l7_plan *plan = l7_run_plan(run, yaml);
	CLEANUP(free_p) struct l7_server *servers = calloc(CROWD, sizeof(*servers));
	char path[sizeof(run->dir) + 16], complaint[64];
	struct push push;
	uint32_t n;

	snprintf(path, sizeof(path), "%s/nobody", run->dir);
	assert_int_equal(push_init(&push, CROWD), 0);
	assert_int_equal(push_servers(&push, plan, servers, path, &n, complaint, sizeof(complaint)),
			 -ENOENT);
	for (uint32_t i = 0; i < CROWD; i++)
		assert_false(push.known[i]);
	push_done(&push);
	assert_true(n < CROWD / 2);
}

#define HEAD "# pxname,svname,qcur,scur,stot,wretr,hrsp_2xx,hrsp_5xx,rtime,\n"

static void test_stats(void **state)
{
	static const char *const yaml = GATE POOL
		"settings: [ { name: w, protocol: http, port: 80 } ]\n"
		"services: [ { name: s, listen: 127.0.0.1:18080, forward: l7, pool: p, settings: w } ]\n";
	CLEANUP(l7_plan_free_p) struct l7_plan *plan = l7_run_plan(*state, yaml);
	struct l7_numbers numbers[2] = { { 0 } }, sum;
	char good[] = HEAD
		"x:y,127.0.0.2,9,9,9,9,9,9,9,\ns:p,::1,1,2,3,4,5,6,7,\ns:p,127.0.0.2,0,0,18446744073709551615,0,0,0,0,\n\n";
	char cut[] = HEAD "s:p,::1,8\n";
	char odd[] = HEAD ",,,\n,\ns:p\n\ns:p,::1,-1,x,,,,,,,,,,,,,\n";
	char none[] = "Permission denied\n", empty[] = "";

	assert_int_equal(stats_parse(numbers, plan, good), 2);
	assert_int_equal(numbers[1].queued, 1);
	assert_int_equal(numbers[1].sessions, 2);
	assert_int_equal(numbers[1].requests, 3);
	assert_int_equal(numbers[1].retries, 4);
	assert_int_equal(numbers[1].by_status[1], 5);
	assert_int_equal(numbers[1].by_status[4], 6);
	assert_int_equal(numbers[1].response_ms, 7);
	assert_int_equal(numbers[0].requests, UINT64_MAX);
	assert_int_equal(stats_parse(numbers, plan, cut), 1);
	assert_int_equal(numbers[1].queued, 8);
	assert_int_equal(numbers[1].requests, 3);
	assert_int_equal(stats_parse(numbers, plan, odd), 1);
	assert_int_equal(stats_parse(numbers, plan, none), -EINVAL);
	assert_int_equal(stats_parse(numbers, plan, empty), -EINVAL);
	sum = stats_add(&(struct l7_numbers){ .requests = 5, .sessions = 9 },
			&(struct l7_numbers){ .requests = 2, .sessions = 1 });
	assert_int_equal(sum.requests, 7);
	assert_int_equal(sum.sessions, 1);
}

/* Servers that stay go on counting wherever they are, others begin. */
static void test_carry(void **state)
{
	static const char *const rest =
		"settings: [ { name: w, protocol: http, port: 80 } ]\n"
		"services: [ { name: s, listen: 127.0.0.1:18080, forward: l7, pool: p, settings: w } ]\n";
	CLEANUP(free_p) char *small = NULL, *crowd = crowd_yaml();
	CLEANUP(l7_plan_free_p) struct l7_plan *before = l7_run_plan(*state, crowd);
	CLEANUP(l7_plan_free_p) struct l7_plan *after = NULL;
	struct l7_numbers old[CROWD] = { { 0 } }, numbers[3] = { { 0 } };

	assert_true(asprintf(&small,
			     GATE
			     "pools: [ { name: p, backends: [ { address: 127.1.1.2 }, { address: "
			     "127.0.0.9 }, { address: 127.1.0.4 } ] } ]\n%s",
			     rest) > 0);
	after = l7_run_plan(*state, small);
	for (uint32_t i = 0; i < CROWD; i++)
		old[i].requests = 1 + i;
	assert_int_equal(stats_carry(numbers, after, old, before), 0);
	assert_int_equal(numbers[0].requests, 1 + 251);
	assert_int_equal(numbers[1].requests, 0);
	assert_int_equal(numbers[2].requests, 1 + 3);
	assert_int_equal(stats_carry(numbers, after, NULL, NULL), 0);
	assert_int_equal(stats_carry(NULL, NULL, old, before), 0);
}

static void test_clients(void **state)
{
	struct l7_clients clients = { .waiting = 5 };

	(void)state;
	stats_parse_clients(&clients, "Name: HAProxy\nMaxconn: 16\nHard_maxconn: 17\nCurrConns: 3\n"
				      "CumConns: 9\nMaxconn: x\n");
	assert_int_equal(clients.connected, 3);
	assert_int_equal(clients.allowed, 16);
	assert_int_equal(clients.waiting, 5);
	stats_parse_clients(&clients, "");
	stats_parse_clients(&clients, "Hard_maxconn: 8\nCurrConns");
	assert_int_equal(clients.connected, 3);
	assert_int_equal(clients.allowed, 16);
	stats_parse_clients(&clients, "\nMaxconn: 18446744073709551615\nCurrConns: ");
	assert_int_equal(clients.connected, 0);
	assert_int_equal(clients.allowed, UINT64_MAX);
}

static void test_times(void **state)
{
	static const char *const yaml = GATE POOL
		"settings: [ { name: w, protocol: http, port: 80 } ]\n"
		"services: [ { name: s, listen: 127.0.0.1:18080, forward: l7, pool: p, settings: w } ]\n";
	CLEANUP(l7_plan_free_p) struct l7_plan *plan = l7_run_plan(*state, yaml);
	struct l7_numbers numbers[2] = { { .by_status = { 7, 6, 0, 0, 2, 1 } } };
	char good[] =
		"# table: x:y, type: integer, size:3, used:1\n0x1: key=1 use=0 exp=0 gpc0=99\n"
		"# table: s:p, type: integer, size:3, used:2\n"
		"0x1: key=2 use=0 exp=0 gpc0=18446744073709551615 gpc1=7\n"
		"0x2: key=1 use=0 exp=0 gpc0=5 gpc1=3 gpc9=1 gpc10=4\n\n";
	char odd[] =
		"# table: s:p\n0x1: key=0 gpc0=1\n0x1: key=3 gpc0=1\n0x1: key=x\nkey=1\n\n: key=1 gpc gpc0 gpc1\n"
		"0x1: key=18446744073709551617 gpc0=1\n# table: \n0x1: key=1 gpc0=1\n";
	char none[] = "No such table\n", empty[] = "";
	uint32_t at = 1;

	assert_int_equal(stats_parse_times(numbers, plan, &at, good), 2);
	assert_int_equal(numbers[1].slower[0], UINT64_MAX);
	assert_int_equal(numbers[1].slower[1], 7);
	assert_int_equal(l7_numbers_within(&numbers[0], 0), 4);
	assert_int_equal(l7_numbers_within(&numbers[0], L7_TIMES - 1), 8);
	assert_int_equal(l7_numbers_within(&numbers[0], L7_TIMES), 9);
	assert_int_equal(stats_parse_times(numbers, plan, &at, odd), 1);
	assert_int_equal(numbers[0].slower[0], 5);
	assert_int_equal(stats_parse_times(numbers, plan, &at, none), 0);
	assert_int_equal(stats_parse_times(numbers, plan, &at, empty), 0);
}

/* Whoever has the key has the values; nobody else. */
static void test_cookies(void **state)
{
	struct l7_run *run = *state;
	char a[L7_COOKIE_LEN], b[L7_COOKIE_LEN], path[192];
	struct l7_key made, again, other = run->key;
	struct err err;
	FILE *file;

	assert_int_equal(l7_cookie(a, &run->key, "p", "10.0.0.5:80"), 0);
	assert_int_equal(strlen(a), 32);
	assert_int_equal(l7_cookie(b, &run->key, "p", "10.0.0.5:80"), 0);
	assert_string_equal(a, b);
	assert_int_equal(l7_cookie(b, &run->key, "q", "10.0.0.5:80"), 0);
	assert_string_not_equal(a, b);
	other.bytes[0]++;
	assert_int_equal(l7_cookie(b, &other, "p", "10.0.0.5:80"), 0);
	assert_string_not_equal(a, b);

	snprintf(path, sizeof(path), "%s/key", run->dir);
	assert_int_equal(l7_key_load(&made, path, false, &err), -ENOENT);
	assert_int_equal(l7_key_load(&made, path, true, &err), 0);
	assert_int_equal(l7_key_load(&again, path, true, &err), 0);
	assert_int_equal(made.len, 32);
	assert_memory_equal(made.bytes, again.bytes, made.len);
	file = fopen(path, "we");
	fputs("too short", file);
	fclose(file);
	assert_int_equal(l7_key_load(&made, path, true, &err), -EINVAL);
	assert_non_null(strstr(err.text, "allowed: 16..4096 bytes"));
}

/* What runs has nothing of ours, ends in time, and is never waited for twice. */
static void test_spawn(void **state)
{
	static const char *const fds[] = { "/bin/sh", "-c", "ls /proc/self/fd | wc -l", NULL };
	static const atomic_bool gives_up = true;
	static const char *const hangs[] = { "/bin/sleep", "60", NULL };
	static const char *const much[] = { "/bin/sh", "-c", "yes | head -c 100000; exit 3", NULL };
	static const char *const none[] = { "/nowhere", NULL };
	int fd = open("/dev/null", O_RDONLY); /* not closed on exec */
	char said[256];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(spawn_run(fds, "/", 10000, NULL, said, sizeof(said)), 0);
	assert_string_equal(said, "4\n");
	close(fd);
	assert_int_equal(spawn_run(hangs, "/", 50, NULL, said, sizeof(said)), -ETIMEDOUT);
	assert_int_equal(spawn_run(hangs, "/", 10000, &gives_up, said, sizeof(said)), -ECANCELED);
	assert_int_equal(spawn_run(much, "/", 10000, NULL, said, sizeof(said)), 3);
	assert_int_equal(strlen(said), sizeof(said) - 1);
	assert_int_equal(spawn_run(none, "/", 1000, NULL, said, sizeof(said)), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),     cmocka_unit_test(test_batches),
		cmocka_unit_test(test_nobody_there), cmocka_unit_test(test_clients),
		cmocka_unit_test(test_carry),        cmocka_unit_test(test_stats),
		cmocka_unit_test(test_times),        cmocka_unit_test(test_cookies),
		cmocka_unit_test(test_spawn),
	};

	return cmocka_run_group_tests(tests, l7_run_begin, l7_run_end);
}
