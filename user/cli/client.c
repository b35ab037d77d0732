// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <sys/un.h>

#include "cli/scan.h"
#include "cli/text.h"
#include "diagnose/json.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/err.h"

#define CONNECT_TIMEOUT_S 5L
#define RETRY_MS 10L
#define CUT_OFF_MAX 6 /* times in a row; the pauses grow */
#define SILENCE_TIMEOUT_S 15L /* without a byte */
#define TOTAL_TIMEOUT_S 120L
#define URL_HOST "http://sluice"
#define HTTP_BAD_REQUEST 400
#define BUFFER_START 4096
#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

DEFINE_CLEANUP(CURL, curl_easy_cleanup)

static void curl_free_p(char **text)
{
	curl_free(*text);
}

struct body {
	char *data;
	size_t len, capacity;
	bool too_long;
	struct scan *scan; /* what it goes through as it comes in; NULL: nothing */
	bool is_refused; /* ... by that */
};

static void body_done(struct body *body)
{
	free(body->data);
}

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
	struct body *body = arg;
	size_t capacity = body->capacity ? body->capacity : BUFFER_START;
	char *grown;

	n *= size;
	if (n > CLIENT_ANSWER_MAX - body->len) {
		body->too_long = true;
		return 0;
	}
	while (capacity < body->len + n + 1) /* room for the NUL */
		capacity *= 2;
	if (capacity > body->capacity) {
		grown = realloc(body->data, capacity);
		if (!grown)
			return 0;
		body->data = grown;
		body->capacity = capacity;
	}
	if (n)
		memcpy(body->data + body->len, data, n);
	body->len += n;
	body->is_refused |= body->scan && !scan_feed(body->scan, data, n);
	return body->is_refused ? 0 : n;
}

static int not_json(const char *socket_path, struct err *err)
{
	return err_set(err, -EPROTO, "the answer from '%s' is not JSON", socket_path);
}

static int explain(CURL *curl, CURLcode code, const struct body *body, const char *socket_path,
		   struct err *err)
{
	long os_errno = 0;

	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_errno);
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		if (os_errno == EACCES || os_errno == EPERM)
			return err_set(err, -EACCES, "socket '%s': %s", socket_path,
				       strerror((int)os_errno));
		return err_set(
			err, -ENOTCONN, "the daemon cannot be reached at '%s': %s", socket_path,
			os_errno ? strerror((int)os_errno) : "too many others are connecting");
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(err, -ENOTCONN, "the daemon at '%s' does not answer in time",
			       socket_path);
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_WRITE_ERROR:
		if (body->is_refused)
			return not_json(socket_path, err);
		if (!body->too_long)
			return -ENOMEM;
		return err_set(err, -EFBIG, "the answer from '%s' is longer than %u bytes",
			       socket_path, CLIENT_ANSWER_MAX);
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return err_set(err, -ENOTCONN,
			       "the daemon at '%s' closed the connection without "
			       "an answer",
			       socket_path);
	default:
		return err_set(err, -EPROTO, "no proper answer from '%s': %s", socket_path,
			       curl_easy_strerror(code));
	}
}

static int set_up(CURL *curl, const char *socket_path, const char *url, struct body *body)
{
	CURLcode r = CURLE_OK;

	r = r ? r : curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_URL, url);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	r = r ? r : curl_easy_setopt(curl, CURLOPT_PROXY, "");
	r = r ? r : curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, SILENCE_TIMEOUT_S);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_TIMEOUT, TOTAL_TIMEOUT_S);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	r = r ? r : curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);

	return r == CURLE_OK ? 0 : -EINVAL;
}

static int parse_body(json_t **ret, const struct body *body, const char *socket_path,
		      struct err *err)
{
	json_error_t error;
	CLEANUP(json_p)
	json_t *json = json_loadb(body->data ? body->data : "", body->len, 0, &error);

	if (!json)
		return err_set(err, -EPROTO, "the answer from '%s' is not JSON: %s", socket_path,
			       error.text);
	if (text_clean_json(json) < 0)
		return -ENOMEM;
	*ret = take_ptr(json);
	return 0;
}

static bool is_cut_off(CURLcode code)
{
	return code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
}

/*
 * libcurl does not wait until there is room in the daemon's queue: where many others connect at the same time, it
 * finds the socket not connected, and no error. Nothing was asked then, and it is tried again. So it is when the daemon
 * hangs up on a question that changes nothing: it has no time for those who ask slowly while it is changed itself.
 */
static CURLcode perform(CURL *curl, const struct body *body, bool changes, uint32_t timeout_ms)
{
	uint64_t until_ms = clock_mono_ms() + timeout_ms;
	CURLcode code;
	long os_errno;

	for (unsigned int cut_off = 0;;) {
		struct timespec pause = { .tv_nsec = (RETRY_MS << cut_off) * NS_PER_MS };

		os_errno = 0;
		code = curl_easy_perform(curl);
		curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_errno);
		if (!changes && is_cut_off(code) && !body->len)
			cut_off++;
		else if (code != CURLE_COULDNT_CONNECT || os_errno)
			return code;
		if (cut_off == CUT_OFF_MAX || clock_mono_ms() > until_ms)
			return code;
		nanosleep(&pause, NULL);
	}
}

static int transfer(struct body *body, const char *socket_path, const char *path,
		    const char *content, uint32_t timeout_ms, struct err *err)
{
	CLEANUP(curl_easy_cleanup_p) CURL *curl = curl_easy_init();
	CLEANUP(free_p) char *url = NULL;
	long status = 0;
	CURLcode code;
	int r;

	if (strlen(socket_path) > SOCKET_PATH_MAX)
		return err_set(err, -ENOTCONN,
			       "the daemon cannot be reached: the path of its socket is longer "
			       "than %zu bytes",
			       SOCKET_PATH_MAX);
	if (!curl || asprintf(&url, URL_HOST "%s", path) < 0)
		return -ENOMEM;
	r = set_up(curl, socket_path, url, body);
	if (r == 0 && content && curl_easy_setopt(curl, CURLOPT_POSTFIELDS, content) != CURLE_OK)
		r = -EINVAL;
	if (r == 0 && timeout_ms &&
	    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms) != CURLE_OK)
		r = -EINVAL;
	if (r < 0)
		return err_set(err, r, "socket '%s': the path cannot be used", socket_path);

	code = perform(curl, body, content != NULL,
		       timeout_ms ? timeout_ms : CONNECT_TIMEOUT_S * MS_PER_SEC);
	if (code != CURLE_OK)
		return explain(curl, code, body, socket_path, err);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return status >= HTTP_BAD_REQUEST ? (int)status : 0;
}

static int ask(json_t **ret, const char *socket_path, const char *path, const char *content,
	       uint32_t timeout_ms, struct err *err)
{
	CLEANUP(body_done) struct body body = { .data = NULL };
	int status = transfer(&body, socket_path, path, content, timeout_ms, err);
	int r = status < 0 ? status : parse_body(ret, &body, socket_path, err);

	return r < 0 ? r : status;
}

int client_get(json_t **ret, const char *socket_path, const char *path, struct err *err)
{
	return ask(ret, socket_path, path, NULL, 0, err);
}

int client_get_text(char **ret, struct scan *scan, const char *socket_path, const char *path,
		    struct err *err)
{
	CLEANUP(body_done) struct body body = { .scan = scan };
	int status = transfer(&body, socket_path, path, NULL, 0, err);

	if (status < 0)
		return status;
	if (!scan_is_complete(scan))
		return not_json(socket_path, err);
	body.data[body.len] = '\0';
	*ret = text_clean_scanned(take_ptr(body.data));
	return status;
}

int client_get_within(json_t **ret, const char *socket_path, const char *path, uint32_t timeout_ms,
		      struct err *err)
{
	return ask(ret, socket_path, path, NULL, timeout_ms, err);
}

int client_post(json_t **ret, const char *socket_path, const char *path, const json_t *json,
		struct err *err)
{
	CLEANUP(free_p) char *content = json_dumps(json, JSON_COMPACT);

	if (!content)
		return -ENOMEM;
	return ask(ret, socket_path, path, content, 0, err);
}

/* "text" + separator + key + '=' + the escaped value; frees text. */
static char *append(char *text, const char *lead, const char *value)
{
	CLEANUP(free_p) char *owned = text;
	CLEANUP(curl_free_p) char *escaped = owned ? curl_easy_escape(NULL, value, 0) : NULL;
	char *joined;

	if (!escaped || asprintf(&joined, "%s%s%s", owned, lead, escaped) < 0)
		return NULL;
	return joined;
}

char *client_query(const char *path, const char *const pairs[])
{
	char *text = strdup(path);
	char separator = '?';

	for (size_t i = 0; pairs[i] && text; i += 2) {
		char lead[32];

		if (!pairs[i + 1])
			continue;
		snprintf(lead, sizeof(lead), "%c%s=", separator, pairs[i]);
		text = append(text, lead, pairs[i + 1]);
		separator = '&';
	}
	return text;
}

char *client_path(const char *path, const char *name)
{
	return append(strdup(path), "/", name);
}
