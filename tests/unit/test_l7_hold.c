// SPDX-License-Identifier: GPL-2.0-or-later
/* Listening sockets go from one process to the next, however many they are, and nothing else is taken for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "l7/hold.h"
#include "tests/unit/l7_run.h"

#define MANY 600 /* three messages */

struct giver {
	pthread_t thread;
	const struct hold *hold; /* NULL: answer is sent instead */
	const void *answer;
	size_t len;
	char path[192];
	int offer, r;
};

static int listener(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	return addr.sin_port;
}

static void *give(void *arg)
{
	struct giver *giver = arg;
	int fd;

	while (giver->hold) {
		giver->r = hold_give(giver->hold, giver->offer);
		if (giver->r != -EAGAIN)
			return NULL;
		usleep(1000);
	}
	while ((fd = accept(giver->offer, NULL, NULL)) < 0)
		usleep(1000);
	assert_int_equal(send(fd, giver->answer, giver->len, MSG_NOSIGNAL), giver->len);
	close(fd);
	return NULL;
}

static void begin(struct giver *giver, const struct l7_run *run)
{
	snprintf(giver->path, sizeof(giver->path), "%s/hold.sock", run->dir);
	giver->offer = hold_offer(giver->path);
	assert_true(giver->offer >= 0);
	assert_int_equal(pthread_create(&giver->thread, NULL, give, giver), 0);
}

static void end(struct giver *giver)
{
	pthread_join(giver->thread, NULL);
	close(giver->offer);
	unlink(giver->path);
}

static void fill(struct hold *hold, uint32_t n)
{
	hold->fds = calloc(n, sizeof(*hold->fds));
	assert_non_null(hold->fds);
	while (hold->n < n)
		hold->fds[hold->n++] = listener();
}

static void test_exchange(void **state)
{
	struct hold given = { .fds = NULL }, taken = { .fds = NULL };
	struct giver giver = { .hold = &given };
	int unconnected = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), mine;

	fill(&given, MANY);
	fill(&taken, 2);
	/* One that does not listen is of no use. */
	mine = given.fds[300];
	given.fds[300] = unconnected;
	begin(&giver, *state);
	assert_int_equal(hold_take(&taken, giver.path), 0);
	end(&giver);
	assert_int_equal(giver.r, 0);
	assert_int_equal(taken.n, MANY - 1);
	for (uint32_t i = 0; i < taken.n; i++)
		assert_int_equal(port_of(taken.fds[i]), port_of(given.fds[i + (i >= 300)]));
	close(mine);
	hold_release(&given);
	hold_release(&taken);
	assert_int_equal(taken.n, 0);
}

/* Who says something else, too little or too much, changes nothing. */
static void test_nonsense(void **state)
{
	static const int negative[] = { -1 }, too_many[] = { HOLD_MAX + 1 },
			 empty[] = { 2, 0, 0, 0 };
	static const struct {
		const void *bytes;
		size_t len;
	} rows[] = {
		{ "", 0 },
		{ "no", 2 },
		{ "Unknown command: '_getsocks'\n", 29 },
		{ negative, sizeof(negative) },
		{ too_many, sizeof(too_many) },
		{ empty, sizeof(empty[0]) },
		{ empty, sizeof(empty) },
	};
	struct hold hold = { .fds = NULL };
	int before;

	fill(&hold, 1);
	before = hold.fds[0];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct giver giver = { .answer = rows[i].bytes, .len = rows[i].len };

		begin(&giver, *state);
		if (hold_take(&hold, giver.path) >= 0)
			fail_msg("row %zu is taken", i);
		end(&giver);
		assert_int_equal(hold.n, 1);
		assert_int_equal(hold.fds[0], before);
	}
	assert_int_equal(hold_take(&hold, "/nowhere"), -ENOENT);
	hold_release(&hold);
}

static int client(int listens)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = port_of(listens) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* Who has connected and was not accepted, at all sockets that listen. */
static void test_waiting(void **state)
{
	struct hold hold = { .fds = NULL };
	int clients[4], served;

	(void)state;
	assert_int_equal(hold_waiting(&hold), 0);
	fill(&hold, 2);
	assert_int_equal(hold_waiting(&hold), 0);
	clients[0] = client(hold.fds[0]);
	clients[1] = client(hold.fds[1]);
	clients[2] = client(hold.fds[1]);
	assert_int_equal(hold_waiting(&hold), 3);
	served = accept(hold.fds[1], NULL, NULL);
	assert_int_equal(hold_waiting(&hold), 2);
	/* What is none, or does not listen any more, has nobody. */
	clients[3] = dup(hold.fds[0]);
	assert_int_equal(dup2(served, hold.fds[0]), hold.fds[0]);
	assert_int_equal(hold_waiting(&hold), 1);
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++)
		close(clients[i]);
	close(served);
	hold_release(&hold);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchange),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_waiting),
	};

	return cmocka_run_group_tests(tests, l7_run_begin, l7_run_end);
}
