// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_log_json - any text as the message and as the fields of a line of the log.
 *
 * The line is one JSON object without a line end that a pipe takes in one piece; where the text is short and UTF-8, it
 * reads as it was.
 */
#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/log_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SHORT 200 /* each of its bytes may take six, three times */

static void check_text(const json_t *json, const char *key, const char *text)
{
	const char *reads = json_string_value(json_object_get(json, key));
	json_t *as_it_is = json_string(text);

	if (as_it_is && *text && strlen(text) < SHORT)
		assert(reads && !strcmp(reads, text));
	json_decref(as_it_is);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1), buf[LOG_JSON_LEN];
	const struct journal_field fields[] = {
		{ "SLUICE_POOL", text },
		{ "SLUICE_ENDPOINT", text },
		{ "SLUICE_NUMBERS", "{\"code\":7}" },
	};
	const struct log_json line = { "info", "fuzz", text, 0, fields, 3 };
	json_t *json;
	size_t len;

	memcpy(text, data, size);
	len = log_json_format(buf, &line);
	assert(len < LOG_JSON_LEN && !memchr(buf, '\n', len));
	json = json_loadb(buf, len, JSON_REJECT_DUPLICATES, NULL);
	assert(json);
	assert(strlen(text) >= SHORT || json_object_get(json, "numbers"));
	check_text(json, "message", text);
	check_text(json, "pool", text);
	json_decref(json);
	free(text);
	return 0;
}
