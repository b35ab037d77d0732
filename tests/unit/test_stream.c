// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "probe/stream.h"

struct pair {
	struct stream stream;
	int peer;
};

static void pair_open(struct pair *pair)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	stream_init(&pair->stream, fds[0]);
	pair->peer = fds[1];
}

static void pair_close(struct pair *pair)
{
	stream_done(&pair->stream, false);
	close(pair->peer);
}

/* Nothing is read that nobody has announced, and what is left over is said to be. */
static void test_in(void **state)
{
	struct pair pair;
	char buf[16];

	(void)state;
	pair_open(&pair);
	assert_int_equal(send(pair.peer, "hello", 5, 0), 5);
	stream_turn(&pair.stream, EPOLLOUT);
	assert_int_equal(stream_recv(&pair.stream, buf, sizeof(buf)), -EAGAIN);
	stream_turn(&pair.stream, EPOLLIN);
	assert_int_equal(stream_recv(&pair.stream, buf, sizeof(buf)), 5);
	assert_memory_equal(pair.stream.first, "hello", 5);

	/* A short read leaves nothing: not even asked for. */
	assert_int_equal(send(pair.peer, "x", 1, 0), 1);
	assert_int_equal(stream_recv(&pair.stream, buf, sizeof(buf)), -EAGAIN);
	shutdown(pair.peer, SHUT_WR);
	stream_turn(&pair.stream, EPOLLIN | EPOLLRDHUP);
	assert_int_equal(stream_recv(&pair.stream, buf, sizeof(buf)), 1);
	assert_int_equal(stream_recv(&pair.stream, buf, sizeof(buf)), 0);
	assert_int_equal(stream_recv(&pair.stream, buf, sizeof(buf)), 0);
	pair_close(&pair);
}

/* One turn takes so much and no more; a stream takes so much and no more. */
static void test_in_bounds(void **state)
{
	static char piece[4096];
	uint64_t sum = 0;
	struct pair pair;
	ssize_t n = 0;

	(void)state;
	pair_open(&pair);
	stream_turn(&pair.stream, EPOLLIN);
	for (int i = 0; i < STREAM_READS_PER_TURN; i++) {
		assert_int_equal(send(pair.peer, "xx", 2, 0), 2);
		assert_int_equal(stream_recv(&pair.stream, piece, 1), 1);
		assert_false(pair.stream.starved);
	}
	assert_int_equal(stream_recv(&pair.stream, piece, 1), -EAGAIN);
	assert_true(pair.stream.starved);

	while (n >= 0 || n == -EAGAIN) {
		assert_true(send(pair.peer, piece, sizeof(piece), 0) > 0);
		stream_turn(&pair.stream, EPOLLIN);
		n = stream_recv(&pair.stream, piece, sizeof(piece));
		sum += n > 0 ? (uint64_t)n : 0;
		assert_true(sum <= STREAM_IN_MAX);
	}
	assert_int_equal(n, -EMSGSIZE);
	pair_close(&pair);
}

/* An error that the socket has given away already is remembered until the stream ends. */
static void test_pending_error(void **state)
{
	struct pair pair;
	char c;

	(void)state;
	pair_open(&pair);
	pair.stream.pending_errno = ECONNRESET;
	close(pair.peer);
	pair.peer = -1;
	stream_turn(&pair.stream, EPOLLIN | EPOLLHUP);
	assert_int_equal(stream_recv(&pair.stream, &c, 1), -ECONNRESET);
	assert_int_equal(stream_recv(&pair.stream, &c, 1), -ECONNRESET);
	stream_done(&pair.stream, false);
}

/* A reset that shows when something is sent is no orderly end for whoever reads then. */
static void test_reset_while_sending(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger at_once = { .l_onoff = 1 };
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0), peer;
	socklen_t len = sizeof(in);
	struct stream stream;
	char buf[16];

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&in, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&in, &len), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&in, len), 0);
	peer = accept(listener, NULL, NULL);
	assert_int_equal(send(peer, "bye", 3, 0), 3);
	assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	close(peer);
	close(listener);
	assert_int_equal(poll(&(struct pollfd){ .fd = fd }, 1, 10000), 1); /* until it has come */

	stream_init(&stream, fd);
	assert_int_equal(stream_put(&stream, "x", 1), 0);
	assert_int_equal(stream_flush(&stream), -ECONNRESET);
	stream_turn(&stream, EPOLLIN | EPOLLHUP);
	assert_int_equal(stream_recv(&stream, buf, sizeof(buf)), 3);
	assert_int_equal(stream_recv(&stream, buf, sizeof(buf)), -ECONNRESET);
	stream_done(&stream, false);
}

static void test_out(void **state)
{
	static char piece[1000], sink[STREAM_OUT_MAX];
	struct pair pair;
	size_t put = 0, got = 0;
	int small = 4096;
	ssize_t n;
	int r;

	(void)state;
	pair_open(&pair);
	assert_int_equal(stream_put(&pair.stream, "ab", 2), 0);
	assert_int_equal(stream_put(&pair.stream, "cd", 2), 0);
	assert_true(stream_has_output(&pair.stream));
	assert_int_equal(stream_flush(&pair.stream), 0);
	assert_false(stream_has_output(&pair.stream));
	assert_int_equal(recv(pair.peer, sink, sizeof(sink), 0), 4);
	assert_memory_equal(sink, "abcd", 4);

	/* A peer that does not read, up to the bound, and then does. */
	assert_int_equal(setsockopt(pair.stream.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)),
			 0);
	while ((r = stream_put(&pair.stream, piece, sizeof(piece))) == 0)
		put += sizeof(piece);
	assert_int_equal(r, -ENOBUFS);
	assert_true(put <= STREAM_OUT_MAX && put > STREAM_OUT_MAX - sizeof(piece));
	assert_int_equal(stream_flush(&pair.stream), -EAGAIN);
	do {
		while ((n = recv(pair.peer, sink, sizeof(sink), 0)) > 0)
			got += (size_t)n;
		r = stream_flush(&pair.stream);
	} while (r == -EAGAIN);
	while ((n = recv(pair.peer, sink, sizeof(sink), 0)) > 0)
		got += (size_t)n;
	assert_int_equal(r, 0);
	assert_int_equal(got, put);
	assert_null(pair.stream.out);

	/* What cannot be sent any more is dropped. */
	assert_int_equal(stream_put(&pair.stream, "x", 1), 0);
	close(pair.peer);
	pair.peer = -1;
	assert_int_equal(stream_flush(&pair.stream), -EPIPE);
	assert_false(stream_has_output(&pair.stream));
	stream_done(&pair.stream, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in),
		cmocka_unit_test(test_in_bounds),
		cmocka_unit_test(test_pending_error),
		cmocka_unit_test(test_reset_while_sending),
		cmocka_unit_test(test_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
