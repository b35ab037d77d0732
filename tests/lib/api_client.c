// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/api_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>

#define WAIT_MS 10000

static size_t take(char *data, size_t size, size_t n, void *arg)
{
	struct api_answer *answer = arg;

	n *= size;
	assert_true(answer->len + n < sizeof(answer->body));
	memcpy(answer->body + answer->len, data, n);
	answer->len += n;
	answer->body[answer->len] = '\0';
	return n;
}

static size_t take_header(char *data, size_t size, size_t n, void *arg)
{
	struct api_answer *answer = arg;

	if (n * size > 7 && !strncasecmp(data, "allow: ", 7))
		snprintf(answer->allow, sizeof(answer->allow), "%.*s", (int)(n * size - 9),
			 data + 7);
	return n * size;
}

static struct api_answer *ask_with(const char *socket, const char *method, const char *path,
				   const char *body, size_t len)
{
	static struct api_answer answer;
	CURL *curl = curl_easy_init();
	char url[1024];

	memset(&answer, 0, sizeof(answer));
	snprintf(url, sizeof(url), "http://sluice%s", path);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)WAIT_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
	if (!strcmp(method, "HEAD"))
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	if (!strcmp(method, "POST")) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)len);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	} else if (strcmp(method, "HEAD") != 0)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	assert_int_equal(curl_easy_perform(curl), CURLE_OK);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
	curl_easy_cleanup(curl);
	return &answer;
}

struct api_answer *api_ask(const char *socket, const char *method, const char *path)
{
	static const char body[] = "some=body";

	return ask_with(socket, method, path, body, sizeof(body) - 1);
}

struct api_answer *api_post(const char *socket, const char *path, const char *body, size_t len)
{
	return ask_with(socket, "POST", path, body, len);
}

json_t *api_get(const char *socket, const char *path, long status)
{
	struct api_answer *answer = api_ask(socket, "GET", path);
	json_t *json = json_loads(answer->body, 0, NULL);

	if (answer->status != status || !json)
		printf("# %s: %ld %s\n", path, answer->status, answer->body);
	assert_int_equal(answer->status, status);
	assert_non_null(json);
	return json;
}

const json_t *json_at(const json_t *json, const char *path)
{
	char step[64];

	while (json && *path) {
		size_t len = strcspn(path, ".");

		snprintf(step, sizeof(step), "%.*s", (int)len, path);
		json = json_is_array(json) ? json_array_get(json, strtoul(step, NULL, 10))
					   : json_object_get(json, step);
		path += len + (path[len] == '.');
	}
	return json;
}

const char *json_text_at(const json_t *json, const char *path)
{
	const char *text = json_string_value(json_at(json, path));

	return text ? text : "(none)";
}

long long json_number_at(const json_t *json, const char *path)
{
	const json_t *value = json_at(json, path);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}
