// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "probe/conn.h"
#include "probe/tls.h"
#include "util/cleanup.h"

#define OUT_STEP 1024 /* output grows by this */

void stream_init(struct stream *stream, int fd)
{
	*stream = (struct stream){ .fd = fd };
}

void stream_done(struct stream *stream, bool reset)
{
	if (stream->ssl)
		tls_done(stream);
	free(take_ptr(stream->out));
	if (stream->fd < 0)
		return;
	if (reset)
		conn_reset_on_close(stream->fd);
	close(take_fd(stream->fd));
}

void stream_turn(struct stream *stream, uint32_t events)
{
	stream->starved = false;
	stream->reads_left = STREAM_READS_PER_TURN;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		stream->readable = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		stream->hung_up = true;
}

/* --- out -------------------------------------------------------------------------------------- */

int stream_put_raw(struct stream *stream, const void *data, size_t len)
{
	uint8_t *out;
	size_t room;

	if (len > STREAM_OUT_MAX - stream->out_len)
		return -ENOBUFS;
	if (stream->out_len + len > stream->out_room) {
		room = (stream->out_len + len + OUT_STEP - 1) / OUT_STEP * OUT_STEP;
		out = realloc(stream->out, room);
		if (!out)
			return -ENOMEM;
		stream->out = out;
		stream->out_room = (uint32_t)room;
	}
	memcpy(stream->out + stream->out_len, data, len);
	stream->out_len += (uint32_t)len;
	return 0;
}

int stream_put(struct stream *stream, const void *data, size_t len)
{
	return stream->ssl ? tls_put(stream, data, len) : stream_put_raw(stream, data, len);
}

bool stream_has_output(const struct stream *stream)
{
	return stream->out_len;
}

/* Nothing is kept for a stream that only waits. */
static void drop_output(struct stream *stream)
{
	free(take_ptr(stream->out));
	stream->out_len = stream->out_sent = stream->out_room = 0;
}

int stream_flush(struct stream *stream)
{
	while (stream->out_sent < stream->out_len) {
		ssize_t n = send(stream->fd, stream->out + stream->out_sent,
				 stream->out_len - stream->out_sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int r = -errno;

			/* The socket tells of a reset once; whoever reads next is to know. */
			if (r == -ECONNRESET)
				stream->pending_errno = ECONNRESET;
			if (r != -EAGAIN)
				drop_output(stream);
			return r;
		}
		stream->out_sent += (uint32_t)n;
	}
	if (stream->out)
		drop_output(stream);
	return 0;
}

/* --- in --------------------------------------------------------------------------------------- */

static void note_first(struct stream *stream, const uint8_t *buf, size_t n)
{
	size_t room = sizeof(stream->first) - stream->n_first;

	if (n > room)
		n = room;
	memcpy(stream->first + stream->n_first, buf, n);
	stream->n_first = (uint8_t)(stream->n_first + n);
}

static ssize_t end_of_input(struct stream *stream, int os_errno)
{
	stream->os_errno = os_errno;
	stream->eof = !os_errno;
	return -os_errno;
}

ssize_t stream_recv_raw(struct stream *stream, void *buf, size_t size)
{
	ssize_t n;

	if (stream->eof || stream->os_errno)
		return -stream->os_errno;
	if (!stream->readable)
		return -EAGAIN;
	if (!stream->reads_left) {
		stream->starved = true;
		return -EAGAIN;
	}
	if (stream->n_in >= STREAM_IN_MAX)
		return -EMSGSIZE;

	stream->reads_left--;
	do
		n = recv(stream->fd, buf, size, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN) {
		stream->readable = false;
		return -EAGAIN;
	}
	if (n <= 0)
		return end_of_input(stream, n < 0 ? errno : stream->pending_errno);

	/* Less than there was room for: nothing is left, and more of it will be told. */
	if ((size_t)n < size && !stream->hung_up)
		stream->readable = false;
	note_first(stream, buf, (size_t)n);
	stream->n_in += (uint64_t)n;
	return n;
}

ssize_t stream_recv(struct stream *stream, void *buf, size_t size)
{
	return stream->ssl ? tls_recv(stream, buf, size) : stream_recv_raw(stream, buf, size);
}
