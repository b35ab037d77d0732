// SPDX-License-Identifier: GPL-2.0-or-later
/* The door in front of the API: whoever comes is taken at once, or sent away with an answer that he can read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "control/door.h"
#include "util/clock.h"

#define FLOOD 2000

static struct sockaddr_un at = { .sun_family = AF_UNIX };
static socklen_t at_len;
static struct door *door;
static atomic_uint n_came;
static atomic_int role; /* of the last one */
static atomic_bool lets_in;
static atomic_int inside; /* the last one */

static const char answer[] = "HTTP/1.1 403 Forbidden\r\n\r\nno\n";

static const char *come(void *arg, int fd, const struct caller *caller)
{
	assert_ptr_equal(arg, &door);
	assert_int_equal(caller->uid, getuid());
	role = (int)caller->role;
	if (lets_in)
		inside = fd;
	n_came++;
	return lets_in ? NULL : answer;
}

static int set_up(void **state)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)state;
	at_len = sizeof(at);
	n_came = 0;
	lets_in = false;
	if (bind(fd, (struct sockaddr *)&at, sizeof(sa_family_t)) < 0 || listen(fd, 4096) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &at_len) < 0)
		return -1;
	return door_new(&door, fd, come, &door) < 0 || door_open(door) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	door_free(door);
	return 0;
}

static int dial(void)
{
	const struct timeval patience = { .tv_sec = 5 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, at_len), 0);
	return fd;
}

static void read_answer(int fd)
{
	char buf[64] = "";

	assert_int_equal(recv(fd, buf, sizeof(buf) - 1, MSG_WAITALL), strlen(answer));
	assert_string_equal(buf, answer);
}

static bool eventually(bool (*fn)(void))
{
	const struct timespec moment = { .tv_nsec = 10 * NS_PER_MS };

	for (int i = 0; i < 1000; i++) {
		if (fn())
			return true;
		nanosleep(&moment, NULL);
	}
	return false;
}

static bool one_came(void)
{
	return n_came == 1;
}

static unsigned int n_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(directory))
		n++;
	closedir(directory);
	return n;
}

static unsigned int n_before;

static bool all_have_gone(void)
{
	return n_descriptors() == n_before;
}

static void is_answered(void **state)
{
	int fd = dial();

	(void)state;
	assert_true(eventually(one_came));
	/* He asks after he was answered, and is not cut off for it. */
	assert_int_equal(send(fd, "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL), 18);
	read_answer(fd);
	close(fd);
}

static void is_let_in(void **state)
{
	int fd;

	(void)state;
	lets_in = true;
	fd = dial();
	assert_true(eventually(one_came));
	assert_int_equal(send(inside, "in", 2, MSG_NOSIGNAL), 2);
	assert_int_equal(fcntl(inside, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(fcntl(inside, F_GETFD), FD_CLOEXEC);
	close(inside);
	close(fd);
}

/* Roles are those that were set last. Nobody has any before that, but for root. */
static void knows_roles(void **state)
{
	struct roles roles = { .own = getuid() };
	int fd = dial();

	(void)state;
	read_answer(fd);
	close(fd);
	assert_int_equal(role, ROLE_CHANGE);
	door_set_roles(door, &roles);
	fd = dial();
	read_answer(fd);
	close(fd);
	assert_int_equal(role, ROLE_CHANGE);
}

/* They come faster than they go, ask, and never read. All are answered, and few are kept. */
static void is_not_flooded(void **state)
{
	static int fds[FLOOD];
	unsigned int kept;

	(void)state;
	n_before = n_descriptors();
	for (size_t i = 0; i < FLOOD; i++) {
		fds[i] = dial();
		send(fds[i], "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	for (size_t i = 0; i < FLOOD; i++)
		read_answer(fds[i]);
	assert_int_equal(n_came, FLOOD);
	kept = n_descriptors() - n_before - FLOOD;
	assert_in_range(kept, 0, 32);
	for (size_t i = 0; i < FLOOD; i++)
		close(fds[i]);
	assert_true(eventually(all_have_gone));
}

/* Nobody who hangs about for ever is waited for. */
static void is_not_waited_for(void **state)
{
	struct pollfd gone;
	int fd;

	(void)state;
	fd = dial();
	read_answer(fd);
	gone = (struct pollfd){ .fd = fd };
	assert_int_equal(poll(&gone, 1, 10000), 1);
	assert_true(gone.revents & POLLHUP);
	close(fd);
}

/* Who comes to a closed door waits until it opens. */
static void opens_again(void **state)
{
	int fd;

	(void)state;
	for (int i = 0; i < 3; i++) {
		unsigned int before;

		door_close(door);
		door_close(door);
		before = n_came;
		fd = dial();
		usleep(20000);
		assert_int_equal(n_came, before);
		assert_int_equal(door_open(door), 0);
		read_answer(fd);
		close(fd);
	}
}

#define OPEN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPEN(is_answered),    OPEN(is_let_in),         OPEN(knows_roles),
		OPEN(is_not_flooded), OPEN(is_not_waited_for), OPEN(opens_again),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("door", tests, NULL, NULL);
}
