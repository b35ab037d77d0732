// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/value.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/escape.h"
#include "config/syntax.h"
#include "util/duration.h"
#include "util/number.h"

typedef const char *parse_fn(struct value *value, const struct key *key, const char *text);
typedef int store_fn(const struct value *value, const struct key *key, void *at);

static const char *parse_bool(struct value *value, const struct key *key, const char *text)
{
	(void)key;
	value->number = !strcmp(text, "true");
	return value->number || !strcmp(text, "false") ? NULL : "is neither true nor false";
}

static const char *parse_number(struct value *value, const struct key *key, const char *text)
{
	switch (number_parse(&value->number, text, key->min, key->max)) {
	case 0:
		return NULL;
	case -ERANGE:
		return "is out of range";
	default:
		return "is not a whole number";
	}
}

static const char *parse_auto(struct value *value, const struct key *key, const char *text)
{
	if (strcmp(text, "auto") != 0)
		return parse_number(value, key, text);
	value->number = 0;
	return NULL;
}

static const char *parse_duration(struct value *value, const struct key *key, const char *text)
{
	int r = duration_parse(&value->number, text);

	if (r == -EINVAL)
		return "is not a duration such as 500ms, 30s or 2m";
	if (r < 0 || value->number < key->min || value->number > key->max)
		return "is out of range";
	return NULL;
}

static const char *parse_choice(struct value *value, const struct key *key, const char *text)
{
	for (const struct choice *c = key->choices; c->name; c++) {
		if (strcmp(c->name, text) != 0)
			continue;
		value->number = c->value;
		value->not_yet = c->not_yet;
		return NULL;
	}
	return "is none of the choices";
}

static const char *parse_name(struct value *value, const struct key *key, const char *text)
{
	(void)value;
	(void)key;
	return syntax_name(text);
}

static const char *parse_interface(struct value *value, const struct key *key, const char *text)
{
	(void)value;
	(void)key;
	return syntax_interface(text);
}

static const char *parse_host(struct value *value, const struct key *key, const char *text)
{
	(void)value;
	(void)key;
	return syntax_host(text);
}

static const char *parse_url_path(struct value *value, const struct key *key, const char *text)
{
	(void)value;
	(void)key;
	return syntax_url_path(text);
}

static const char *parse_file(struct value *value, const struct key *key, const char *text)
{
	if (text[0] == '/')
		value->directory = "";
	if (strlen(value->directory) + strlen(text) > key->max)
		return "is too long together with the directory of this file";
	return syntax_file(text);
}

static const char *parse_text(struct value *value, const struct key *key, const char *text)
{
	(void)value;
	(void)key;
	(void)text;
	return NULL;
}

static const char *parse_bytes(struct value *value, const struct key *key, const char *text)
{
	uint8_t bytes[LIMIT_SEND_BYTES];

	(void)value;
	switch (escape_resolve(bytes, key->max, text)) {
	case -EINVAL:
		return "has a backslash that begins none of the escapes";
	case -ENOSPC:
		return "is too long";
	default:
		return NULL;
	}
}

static const char *parse_crl(struct value *value, const struct key *key, const char *text)
{
	if (!strstr(text, "://"))
		return parse_file(value, key, text);
	value->directory = "";
	return syntax_crl(text);
}

static const char *parse_address(struct value *value, const struct key *key, const char *text)
{
	struct addr addr;
	uint16_t port;

	(void)key;
	if (!addr_parse(&value->addr, text))
		return addr_unusable(&value->addr);
	value->addr = (struct addr){ { 0 } };
	if (!syntax_host(text))
		return strlen(text) <= LIMIT_HOST_BYTES ? NULL : "is too long";
	if (!addr_port_parse(&addr, &port, text))
		return "has a port with it, which is a key of the settings";
	if (strchr(text, '%'))
		return "names an interface, as only link-local addresses do, which are refused";
	return "is neither an IP address nor a host name";
}

static const char *parse_listen(struct value *value, const struct key *key, const char *text)
{
	(void)key;
	return syntax_service(&value->listen, text);
}

static const char *parse_listen_or_none(struct value *value, const struct key *key,
					const char *text)
{
	(void)key;
	value->listen = (struct sl_target_key){ .port = 0 };
	return strcmp(text, "none") != 0 ? syntax_listen(&value->listen, text) : NULL;
}

static const char *parse_ports(struct value *value, const struct key *key, const char *text)
{
	(void)key;
	return syntax_ports(&value->ports, text);
}

static const char *parse_status(struct value *value, const struct key *key, const char *text)
{
	(void)key;
	return syntax_status(value->status, &value->n_status, text);
}

static int store_number(const struct value *value, const struct key *key, void *at)
{
	switch (key->size) {
	case sizeof(uint8_t):
		*(uint8_t *)at = (uint8_t)value->number;
		return 0;
	case sizeof(uint16_t):
		*(uint16_t *)at = (uint16_t)value->number;
		return 0;
	case sizeof(uint32_t):
		*(uint32_t *)at = (uint32_t)value->number;
		return 0;
	default:
		assert(key->size == sizeof(uint64_t));
		*(uint64_t *)at = value->number;
		return 0;
	}
}

/* Into a char array; key->max keeps the text within its size. */
static int store_chars(const struct value *value, const struct key *key, void *at)
{
	snprintf(at, key->size, "%s%s", value->directory, value->text);
	return 0;
}

/* Into a char pointer. An empty text is none. */
static int store_copy(const struct value *value, const struct key *key, void *at)
{
	char *copy;

	(void)key;
	if (!*value->text)
		return 0;
	copy = strdup(value->text);
	if (!copy)
		return -ENOMEM;
	*(char **)at = copy;
	return 0;
}

/* Into a char pointer and a number of bytes; the text has been checked. */
static int store_bytes(const struct value *value, const struct key *key, void *at)
{
	char *record = (char *)at - key->offset;
	uint8_t *bytes;
	uint32_t len;

	if (!*value->text)
		return 0;
	/* Escapes only make it shorter. */
	bytes = malloc(strlen(value->text));
	if (!bytes)
		return -ENOMEM;
	len = (uint32_t)escape_resolve(bytes, key->max, value->text);
	*(uint8_t **)at = bytes;
	memcpy(record + key->count_offset, &len, sizeof(len));
	return 0;
}

/* Into a char pointer; in a Host header an IPv6 literal has brackets. */
static int store_host(const struct value *value, const struct key *key, void *at)
{
	char bracketed[INET6_ADDRSTRLEN + sizeof("[]")];
	struct value host = *value;

	if (strchr(value->text, ':') && value->text[0] != '[') {
		snprintf(bracketed, sizeof(bracketed), "[%s]", value->text);
		host.text = bracketed;
	}
	return store_copy(&host, key, at);
}

/* Names are compared, so they are brought to one form: lower case, without a final dot. */
static int store_name(char **ret, const char *text)
{
	char *name = strdup(text);
	size_t len = strlen(text);

	if (!name)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++)
		name[i] = (char)tolower((unsigned char)name[i]);
	if (len && name[len - 1] == '.')
		name[len - 1] = '\0';
	*ret = name;
	return 0;
}

static int store_backend(const struct value *value, const struct key *key, void *at)
{
	struct backend *backend = at;

	static const struct addr none;

	(void)key;
	backend->addr = value->addr;
	if (!memcmp(&value->addr, &none, sizeof(none)))
		return store_name(&backend->name, value->text);
	addr_format(backend->text, &value->addr);
	return 0;
}

static int store_listen(const struct value *value, const struct key *key, void *at)
{
	struct listen *listen = at;
	struct addr addr;

	(void)key;
	listen->key = value->listen;
	memcpy(addr.bytes, listen->key.addr, sizeof(addr.bytes));
	if (listen->key.port)
		addr_port_format(listen->text, &addr, listen->key.port);
	return 0;
}

static int store_ports(const struct value *value, const struct key *key, void *at)
{
	(void)key;
	*(struct port_range *)at = value->ports;
	return 0;
}

static int store_status(const struct value *value, const struct key *key, void *at)
{
	struct probe_match *match = at;

	(void)key;
	memcpy(match->status, value->status, sizeof(match->status));
	match->n_status = value->n_status;
	return 0;
}

/* What each type of scalar does; lists and mappings have no row. */
static const struct scalar {
	parse_fn *parse;
	store_fn *store; /* NULL: no key of this type is kept yet */
	bool sized; /* min..max are bytes of text */
} scalars[TYPE_COUNT] = {
	[TYPE_BOOL] = { parse_bool, store_number, false },
	[TYPE_NUMBER] = { parse_number, store_number, false },
	[TYPE_AUTO] = { parse_auto, store_number, false },
	[TYPE_DURATION] = { parse_duration, store_number, false },
	[TYPE_CHOICE] = { parse_choice, store_number, false },
	[TYPE_NAME] = { parse_name, store_chars, true },
	[TYPE_REFERENCE] = { parse_name, store_number, true },
	[TYPE_INTERFACE] = { parse_interface, store_chars, true },
	[TYPE_ADDRESS] = { parse_address, store_backend, false },
	[TYPE_LISTEN] = { parse_listen, store_listen, false },
	[TYPE_LISTEN_OR_NONE] = { parse_listen_or_none, store_listen, false },
	[TYPE_HOST] = { parse_host, store_host, true },
	[TYPE_URL_PATH] = { parse_url_path, store_copy, true },
	[TYPE_FILE] = { parse_file, store_chars, true },
	[TYPE_PORTS] = { parse_ports, store_ports, false },
	[TYPE_STATUS] = { parse_status, store_status, false },
	[TYPE_TEXT] = { parse_text, store_copy, true },
	[TYPE_BYTES] = { parse_bytes, store_bytes, false },
	[TYPE_CRL] = { parse_crl, NULL, true },
};

const char *value_parse(struct value *ret, const struct key *key, const char *text,
			const char *directory)
{
	const struct scalar *scalar = &scalars[key->type == TYPE_LIST ? key->item : key->type];
	size_t len = strlen(text);

	if (scalar->sized && len < key->min)
		return len ? "is too short" : "is empty";
	if (scalar->sized && len > key->max)
		return "is too long";

	ret->not_yet = false;
	ret->text = text;
	ret->directory = scalar->parse == parse_file || scalar->parse == parse_crl ? directory : "";
	return scalar->parse(ret, key, text);
}

/* Types whose values differ although their numbers are the same, or have none. */
static bool is_textual(enum key_type type)
{
	return type == TYPE_NAME || type == TYPE_FILE || type == TYPE_URL_PATH ||
	       type == TYPE_HOST || type == TYPE_TEXT || type == TYPE_STATUS ||
	       type == TYPE_BYTES || type == TYPE_CRL || type == TYPE_PORTS ||
	       type == TYPE_LISTEN_OR_NONE;
}

bool value_is_default(const struct value *value, const struct key *key)
{
	struct value def;

	if (!key->value)
		return false;
	if (is_textual(key->type))
		return !strcmp(value->text, key->value);
	return !value_parse(&def, key, key->value, "") && def.number == value->number;
}

int value_store(const struct value *value, const struct key *key, void *record)
{
	if (!key->size)
		return 0;
	return scalars[key->type].store(value, key, (char *)record + key->offset);
}
