// SPDX-License-Identifier: GPL-2.0-or-later
#include "import/work.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

struct said {
	struct said *next;
	char *text;
};

const char *work_say(struct work *work, const char *fmt, ...)
{
	struct said *said = calloc(1, sizeof(*said));
	va_list args;
	int n = -ENOMEM;

	if (said) {
		va_start(args, fmt);
		n = vasprintf(&said->text, fmt, args);
		va_end(args);
	}
	if (n < 0) {
		free(said);
		work->oom = true;
		return "";
	}
	said->next = work->said;
	work->said = said;
	return said->text;
}

static char *number_text(const json_t *json)
{
	char *text;

	if (json_is_boolean(json))
		return strdup(json_is_true(json) ? "true" : "false");
	if (asprintf(&text, "%" JSON_INTEGER_FORMAT, json_integer_value(json)) < 0)
		return NULL;
	return text;
}

/* Find the text of a leaf once; parts that are not known stand in it as EXPR_UNKNOWN. */
static void read_text(struct work *work, struct prop *prop)
{
	int r;

	prop->is_read = true;
	if (json_is_string(prop->json)) {
		r = expr_resolve(&prop->text, &work->names, json_string_value(prop->json));
		if (r == -ENOMEM)
			work->oom = true;
	} else if (json_is_integer(prop->json) || json_is_boolean(prop->json)) {
		prop->text = number_text(prop->json);
		work->oom = work->oom || !prop->text;
	}
}

static const char *raw_text(struct work *work, struct prop *prop)
{
	if (!prop || !prop_is_leaf(prop) || json_is_null(prop->json))
		return NULL;
	if (!prop->is_read)
		read_text(work, prop);
	if (prop->text && !*prop->text)
		return NULL;
	if (!prop->text && (json_is_string(prop->json) || json_is_real(prop->json)))
		prop_tell(&work->tree, prop, OUTCOME_NONE, "%s",
			  json_is_real(prop->json) ? "is not a whole number"
						   : "is an expression that cannot be read");
	return prop->text;
}

const char *work_text(struct work *work, struct prop *prop)
{
	const char *text = raw_text(work, prop);

	if (!text || !strchr(text, EXPR_UNKNOWN))
		return text;
	prop_tell(&work->tree, prop, OUTCOME_NONE,
		  "is an expression whose value is not in the file");
	return NULL;
}

bool work_is_on(struct work *work, struct prop *prop)
{
	const char *text = work_text(work, prop);

	return text && (!strcasecmp(text, "true") || !strcasecmp(text, "enabled"));
}

const char *work_segment(struct work *work, struct prop *prop)
{
	const char *text = raw_text(work, prop);
	const char *slash = text ? strrchr(text, '/') : NULL;

	if (slash)
		text = slash + 1;
	return text && *text && !strchr(text, EXPR_UNKNOWN) ? text : NULL;
}

struct item *work_ref(struct work *work, struct prop *reference, enum kind kind, enum layer layer)
{
	struct prop *id = prop_child(reference, "id");
	const char *label = work_segment(work, id);
	struct items *items = &work->items[kind];

	for (uint32_t i = 0; label && i < items->n; i++)
		if (items->list[i].layer == layer && !strcasecmp(items->list[i].label, label))
			return &items->list[i];
	if (id)
		prop_tell(&work->tree, id, OUTCOME_NONE, "refers to %s%.80s%s",
			  label ? "'" : "what the file does not tell", label ? label : "",
			  label ? "', which is not in the file" : "");
	return NULL;
}

int work_protocol(struct work *work, struct prop *prop, enum protocol *ret)
{
	const char *text = work_text(work, prop);

	for (enum protocol p = PROTO_HTTP; text && p <= PROTO_TLS; p++) {
		if (strcasecmp(text, protocol_name(p)) != 0)
			continue;
		*ret = p;
		return 0;
	}
	return -EINVAL;
}

bool protocol_is_tls(enum protocol protocol)
{
	return protocol == PROTO_HTTPS || protocol == PROTO_TLS;
}

bool member_is_name(const struct member *member)
{
	static const struct addr none;

	return !memcmp(&member->addr, &none, sizeof(none));
}

void work_done(struct work *work)
{
	for (int kind = 0; kind < KIND_COUNT; kind++) {
		struct items *items = &work->items[kind];

		for (uint32_t i = 0; i < items->n; i++) {
			free(items->list[i].members);
			free(items->list[i].file);
		}
		free(items->list);
	}
	free(work->services);
	while (work->said) {
		struct said *said = work->said;

		work->said = said->next;
		free(said->text);
		free(said);
	}
	prop_tree_done(&work->tree);
}
