// SPDX-License-Identifier: GPL-2.0-or-later
#include "diagnose/json.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/clock.h"

static void lose(json_t **container)
{
	json_decref(*container);
	*container = NULL;
}

void json_put(json_t **object, const char *key, json_t *value)
{
	/* jansson takes over the value even when it fails, and fails for NULL. Keys are our own. */
	if (json_object_set_new_nocheck(*object, key, value) < 0)
		lose(object);
}

void json_put_uint(json_t **object, const char *key, uint64_t value)
{
	json_put(object, key, json_integer((json_int_t)value));
}

void json_put_bool(json_t **object, const char *key, int value)
{
	json_put(object, key, json_boolean(value));
}

void json_put_text(json_t **object, const char *key, const char *text)
{
	json_put(object, key, json_text(text));
}

void json_put_time(json_t **object, const char *key, uint64_t wall_ms)
{
	char iso[CLOCK_ISO_LEN];

	json_put(object, key, json_string(clock_iso(iso, wall_ms)));
}

void json_put_unix(json_t **object, const char *key, int64_t unix_s)
{
	char iso[CLOCK_ISO_LEN];

	if (*clock_iso_s(iso, unix_s))
		json_put(object, key, json_string(iso));
}

void json_push(json_t **array, json_t *value)
{
	if (json_array_append_new(*array, value) < 0)
		lose(array);
}

json_t *json_text(const char *text)
{
	json_t *json = json_string(text);
	CLEANUP(free_p) char *ascii = NULL;

	if (json)
		return json;
	ascii = strdup(text);
	if (!ascii)
		return NULL;
	for (unsigned char *c = (unsigned char *)ascii; *c; c++)
		if (*c >= 0x80)
			*c = '?';
	return json_string(ascii);
}

json_t *json_texts(const char *const texts[], size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_push(&array, json_text(texts[i]));
	return array;
}
