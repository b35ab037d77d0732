// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/h2.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <nghttp2/nghttp2.h>

#include "model/limits.h"
#include "util/printable.h"

#define ERROR_LEN 80

#define STATUS_SWITCHING 101
#define STATUS_FINAL_MIN 200

/* What a field costs beside its bytes, as RFC 9113 (6.5.2) counts it. */
#define FIELD_COST 32

/* Room for a whole body that is read, so that no window has to be opened on the way. */
#define WINDOW_BYTES (LIMIT_HTTP_BODY_BYTES + 65536)

struct h2 {
	nghttp2_session *session;
	struct h2_sink sink;
	int32_t stream;
	enum http_state state;
	char error[ERROR_LEN];
	uint16_t status, line_status;
	uint32_t header_bytes, n_frames, n_interim;
	uint64_t body_bytes;
	bool received; /* anything */
	bool going; /* the server said that it takes no more requests */
	size_t body_len, body_sent; /* of the request */
	uint8_t body[];
};

/* The first thing that went wrong is what is said. */
__attribute__((format(printf, 3, 4))) static void end(struct h2 *h2, enum http_state state,
						      const char *fmt, ...)
{
	va_list args;

	if (h2->state != HTTP_HEADER && h2->state != HTTP_BODY)
		return;
	h2->state = state;
	va_start(args, fmt);
	vsnprintf(h2->error, sizeof(h2->error), fmt, args);
	va_end(args);
}

/* --- what comes in ----------------------------------------------------------------------------- */

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *arg)
{
	struct h2 *h2 = arg;

	(void)session;
	if (hd->type == NGHTTP2_DATA && hd->length)
		return 0;
	if (++h2->n_frames <= H2_FRAMES_MAX)
		return 0;
	end(h2, HTTP_BAD, "more than %d HTTP/2 frames without a body", H2_FRAMES_MAX);
	return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static bool is(const uint8_t *text, size_t len, const char *word)
{
	return len == strlen(word) && !memcmp(text, word, len);
}

/* Three digits: nghttp2 has checked that. */
static uint16_t number_of(const uint8_t *value, size_t len)
{
	uint16_t number = 0;

	for (size_t i = 0; i < len && i < 3; i++)
		number = (uint16_t)(number * 10 + (value[i] - '0'));
	return number;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
		     void *arg)
{
	struct h2_field field = { (const char *)name, (const char *)value, name_len, value_len };
	struct h2 *h2 = arg;

	(void)session;
	(void)flags;
	h2->header_bytes += (uint32_t)(name_len + value_len + FIELD_COST);
	if (h2->header_bytes > LIMIT_HTTP_HEADER_BYTES) {
		end(h2, HTTP_BAD, "header larger than %d bytes", LIMIT_HTTP_HEADER_BYTES);
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	}
	if (frame->hd.stream_id != h2->stream)
		return 0;
	if (is(name, name_len, ":status"))
		h2->line_status = number_of(value, value_len);
	else if (h2->sink.on_field && h2->line_status >= STATUS_FINAL_MIN)
		h2->sink.on_field(h2->sink.arg, &field);
	return 0;
}

static int headers_end(struct h2 *h2)
{
	if (h2->status || h2->state != HTTP_HEADER)
		return 0;
	if (h2->line_status >= STATUS_FINAL_MIN) {
		h2->status = h2->line_status;
		h2->state = HTTP_BODY;
		return 0;
	}
	if (h2->line_status == STATUS_SWITCHING)
		end(h2, HTTP_BAD, "101 switching protocols");
	else if (++h2->n_interim > HTTP_INTERIM_MAX)
		end(h2, HTTP_BAD, "more than %d interim answers", HTTP_INTERIM_MAX);
	return h2->state == HTTP_BAD ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static void goodbye(struct h2 *h2, const nghttp2_goaway *goaway)
{
	char text[ERROR_LEN / 2];

	h2->going = true;
	/* A server may announce that it goes and answer what it has taken all the same. */
	if (goaway->error_code == NGHTTP2_NO_ERROR && goaway->last_stream_id >= h2->stream)
		return;
	printable_line(text, sizeof(text), goaway->opaque_data, goaway->opaque_data_len);
	end(h2, HTTP_ENDED_EARLY, *text ? "GOAWAY %s: %s" : "GOAWAY %s",
	    nghttp2_http2_strerror(goaway->error_code), text);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct h2 *h2 = arg;

	(void)session;
	if (frame->hd.type == NGHTTP2_GOAWAY)
		goodbye(h2, &frame->goaway);
	else if (frame->hd.type == NGHTTP2_HEADERS && frame->hd.stream_id == h2->stream)
		return headers_end(h2);
	else if (frame->hd.type == NGHTTP2_RST_STREAM && frame->hd.stream_id == h2->stream &&
		 frame->rst_stream.error_code != NGHTTP2_NO_ERROR)
		end(h2, HTTP_ENDED_EARLY, "the server reset the stream: %s",
		    nghttp2_http2_strerror(frame->rst_stream.error_code));
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
		   size_t len, void *arg)
{
	struct h2 *h2 = arg;
	uint64_t room = LIMIT_HTTP_BODY_BYTES - h2->body_bytes;

	(void)session;
	(void)flags;
	if (stream != h2->stream || h2->state != HTTP_BODY)
		return 0;
	h2->sink.on_body(h2->sink.arg, data, len < room ? len : (size_t)room);
	h2->body_bytes += len < room ? len : room;
	if (len >= room)
		h2->state = HTTP_CUT;
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t code, void *arg)
{
	struct h2 *h2 = arg;

	(void)session;
	if (stream != h2->stream)
		return 0;
	if (code == NGHTTP2_NO_ERROR && h2->state == HTTP_BODY)
		h2->state = HTTP_DONE;
	else
		end(h2, HTTP_BAD, "HTTP/2 stream error: %s", nghttp2_http2_strerror(code));
	return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int code,
			    void *arg)
{
	(void)session;
	(void)frame;
	end(arg, HTTP_BAD, "HTTP/2 frame is not legal: %s", nghttp2_strerror(code));
	return 0;
}

/* What nghttp2 says it ends the connection for, before it does. */
static int on_error(nghttp2_session *session, int code, const char *text, size_t len, void *arg)
{
	(void)session;
	(void)text;
	(void)len;
	if (code == NGHTTP2_ERR_SETTINGS_EXPECTED)
		end(arg, HTTP_BAD, "does not speak HTTP/2: no SETTINGS frame came first");
	return 0;
}

void h2_receive(struct h2 *h2, const uint8_t *data, size_t len)
{
	static const char http1[] = "HTTP/1.";
	static const uint8_t alert[] = { 0x15, 0x03 }; /* type and major version of a TLS record */
	ssize_t n;

	if (!h2->received && len >= strlen(http1) && !memcmp(data, http1, strlen(http1)))
		end(h2, HTTP_BAD, "answered with HTTP/1 where HTTP/2 was spoken");
	if (!h2->received && len >= sizeof(alert) && !memcmp(data, alert, sizeof(alert)))
		end(h2, HTTP_BAD, "does not speak HTTP/2: the port speaks TLS");
	h2->received = true;
	if (h2->state != HTTP_HEADER && h2->state != HTTP_BODY)
		return;

	n = nghttp2_session_mem_recv(h2->session, data, len);
	if (n < 0)
		end(h2, HTTP_BAD, "HTTP/2: %s", nghttp2_strerror((int)n));
	else if (!h2->going && !nghttp2_session_check_request_allowed(h2->session))
		end(h2, HTTP_BAD, "HTTP/2 connection error");
}

/* --- what goes out ----------------------------------------------------------------------------- */

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *buf, size_t size,
			 uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	struct h2 *h2 = arg;
	size_t left = h2->body_len - h2->body_sent, n = left < size ? left : size;

	(void)session;
	(void)stream;
	(void)source;
	memcpy(buf, h2->body + h2->body_sent, n);
	h2->body_sent += n;
	if (n == left)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

ssize_t h2_output(struct h2 *h2, const uint8_t **ret_data)
{
	ssize_t n = nghttp2_session_mem_send(h2->session, ret_data);

	if (n == NGHTTP2_ERR_NOMEM)
		return -ENOMEM;
	return n < 0 ? -EPROTO : n;
}

/* --- beginning and end -------------------------------------------------------------------------- */

static nghttp2_nv field_of(const char *name, const char *value)
{
	return (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name,
			     .value = (uint8_t *)(uintptr_t)value,
			     .namelen = strlen(name),
			     .valuelen = strlen(value) };
}

static int submit(struct h2 *h2, const struct h2_request *request)
{
	static const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, LIMIT_HTTP_HEADER_BYTES },
	};
	const nghttp2_nv fields[] = {
		field_of(":method", request->method),
		field_of(":scheme", request->scheme),
		field_of(":authority", request->authority),
		field_of(":path", request->path),
		field_of("user-agent", "sluice/" SLUICE_VERSION),
		field_of(request->grpc ? "content-type" : "accept",
			 request->grpc ? "application/grpc" : "*/*"),
		field_of(request->grpc ? "te" : "accept-encoding",
			 request->grpc ? "trailers" : "identity"),
	};
	nghttp2_data_provider provider = { .read_callback = read_body };
	int r;

	r = nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings,
				    sizeof(settings) / sizeof(settings[0]));
	if (r)
		return r;
	r = nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0, WINDOW_BYTES);
	if (r)
		return r;
	h2->stream = nghttp2_submit_request(h2->session, NULL, fields,
					    sizeof(fields) / sizeof(fields[0]),
					    h2->body_len ? &provider : NULL, NULL);
	return h2->stream < 0 ? h2->stream : 0;
}

static void callbacks_free(nghttp2_session_callbacks *callbacks)
{
	nghttp2_session_callbacks_del(callbacks);
}
DEFINE_CLEANUP(nghttp2_session_callbacks, callbacks_free)

static int open_session(struct h2 *h2)
{
	CLEANUP(callbacks_free_p) nghttp2_session_callbacks *callbacks = NULL;
	int r;

	r = nghttp2_session_callbacks_new(&callbacks);
	if (r)
		return r;
	nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
	nghttp2_session_callbacks_set_error_callback2(callbacks, on_error);
	return nghttp2_session_client_new(&h2->session, callbacks, h2);
}

int h2_new(struct h2 **ret, const struct h2_request *request, const struct h2_sink *sink)
{
	CLEANUP(h2_free_p) struct h2 *h2 = NULL;

	if (request->body_len > H2_BODY_MAX)
		return -EINVAL;
	h2 = calloc(1, sizeof(*h2) + request->body_len);
	if (!h2)
		return -ENOMEM;
	h2->sink = *sink;
	h2->state = HTTP_HEADER;
	h2->body_len = request->body_len;
	if (request->body_len)
		memcpy(h2->body, request->body, request->body_len);
	/* Nothing that is submitted here can fail for another reason. */
	if (open_session(h2) || submit(h2, request))
		return -ENOMEM;

	*ret = take_ptr(h2);
	return 0;
}

void h2_free(struct h2 *h2)
{
	if (!h2)
		return;
	nghttp2_session_del(h2->session);
	free(h2);
}

enum http_state h2_state(const struct h2 *h2)
{
	return h2->state;
}

const char *h2_error(const struct h2 *h2)
{
	return h2->error;
}

uint16_t h2_status(const struct h2 *h2)
{
	return h2->status;
}

uint64_t h2_body_bytes(const struct h2 *h2)
{
	return h2->body_bytes;
}
