// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/offer.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/text.h"
#include "probe/catalogue.h"
#include "util/cleanup.h"
#include "util/err.h"

/* Nobody waits longer for a key to do something. */
#define ASK_MS 500

#define LIST_LEN 64
#define WORD_LEN 512

void offer_word(const struct offer *offer, const char *word, const char *help)
{
	char text[WORD_LEN];

	snprintf(text, sizeof(text), "%s%s", offer->prefix, word);
	if (!strncmp(text, offer->current, strlen(offer->current)))
		fprintf(offer->out, "%s\t%s\n", text, help);
}

static json_t *ask(const struct offer *offer, const char *path)
{
	struct err ignored;
	json_t *json = NULL;

	if (path && client_get_within(&json, offer->socket, path, ASK_MS, &ignored) != 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

static json_t *ask_pool(const struct offer *offer, const char *pool)
{
	CLEANUP(free_p) char *path = pool ? client_path("/v1/pools", pool) : NULL;

	return ask(offer, path);
}

static void offer_pools(const struct offer *offer, const char *before)
{
	json_t *json = ask(offer, "/v1/pools"), *pool;
	size_t i;

	(void)before;
	json_array_foreach(json_object_get(json, "pools"), i, pool)
		offer_word(offer, text_get(pool, "name"), "pool");
	json_decref(json);
}

/* Backends as they stand in the configuration. */
static void offer_backends(const struct offer *offer, const char *before)
{
	json_t *json = ask_pool(offer, before), *backend;
	size_t i;

	json_array_foreach(json_object_get(json, "backends"), i,
			   backend) if (json_is_string(backend))
		offer_word(offer, json_string_value(backend), "backend");
	json_decref(json);
}

/* Addresses that backends have now, those of names too. */
static void offer_endpoints(const struct offer *offer, const char *before)
{
	json_t *json = ask_pool(offer, before), *service, *endpoint;
	size_t s, e;

	json_array_foreach(json_object_get(json, "services"), s, service)
		json_array_foreach(json_object_get(service, "endpoints"), e, endpoint) offer_word(
			offer, text_get(endpoint, "address"), text_get(endpoint, "health"));
	json_decref(json);
}

static void offer_files(const struct offer *offer, const char *before)
{
	(void)before;
	fputs(":files\n", offer->out);
}

static void offer_targets(const struct offer *offer, const char *before)
{
	static const char *const schemes[] = { "http://", "https://", "tcp://", "tls://",
					       "grpc://", "grpcs://", "udp://" };

	(void)before;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		offer_word(offer, schemes[i], "target");
}

static void offer_interfaces(const struct offer *offer, const char *before)
{
	struct if_nameindex *interfaces = if_nameindex();

	(void)before;
	for (size_t i = 0; interfaces && interfaces[i].if_name; i++)
		offer_word(offer, interfaces[i].if_name, "interface");
	if (interfaces)
		if_freenameindex(interfaces);
}

static void offer_verdicts(const struct offer *offer, const char *before)
{
	size_t n;
	const struct catalogue_row *const *rows = catalogue_rows(&n);

	(void)before;
	for (size_t i = 0; i < n; i++)
		offer_word(offer, rows[i]->id, rows[i]->meaning);
}

/* "tcp|udp": the words themselves. */
static void offer_choices(const struct offer *offer, const char *choices)
{
	char text[LIST_LEN], *rest = text, *word;

	snprintf(text, sizeof(text), "%s", choices);
	while ((word = strsep(&rest, "|")))
		offer_word(offer, word, "");
}

static const struct placeholder {
	const char *name;
	void (*offer)(const struct offer *offer, const char *before);
} placeholders[] = {
	{ "POOL", offer_pools },
	{ "ADDRESS", offer_backends },
	{ "ADDRESS[:PORT]", offer_endpoints },
	{ "FILE", offer_files },
	{ "DIR", offer_files },
	{ "FILE|URL", offer_files },
	{ "PATH", offer_files },
	{ "TARGET", offer_targets },
	{ "IF", offer_interfaces },
	{ "INTERFACE", offer_interfaces },
	{ "ADDR|IF", offer_interfaces },
	{ "ID", offer_verdicts },
};

void offer_placeholder(const struct offer *offer, const char *placeholder, const char *before)
{
	char name[LIST_LEN];
	size_t len = strlen(placeholder);

	/* "[POOL]" need not be there, which does not matter here. */
	if (len > 1 && placeholder[0] == '[' && placeholder[len - 1] == ']')
		snprintf(name, sizeof(name), "%.*s", (int)len - 2, placeholder + 1);
	else
		snprintf(name, sizeof(name), "%s", placeholder);

	if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-|") == strlen(name)) {
		offer_choices(offer, name);
		return;
	}
	for (size_t i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++)
		if (!strcmp(placeholders[i].name, name))
			placeholders[i].offer(offer, before);
}
