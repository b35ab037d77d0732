/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keys - the one table of configuration keys: name, type, range, default, help, where it is kept.
 *
 * The reader walks it to parse and to complain, and a test walks it to hold the manual page to it.
 * A key that a later version will build is here already: it is checked like any other and then
 * refused by name. Constant data; any thread may read it.
 */
#ifndef SLUICE_CONFIG_KEYS_H
#define SLUICE_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum section {
	SECTION_ROOT,
	SECTION_GATEWAY,
	SECTION_INTERFACE,
	SECTION_PROBE,
	SECTION_MATCH,
	SECTION_SETTINGS,
	SECTION_DRAINING,
	SECTION_AFFINITY,
	SECTION_PASSIVE,
	SECTION_POOL,
	SECTION_BACKEND,
	SECTION_SERVICE,
	SECTION_TLS,
	SECTION_L7,
	SECTION_COUNT
};

enum key_type {
	TYPE_BOOL,
	TYPE_NUMBER, /* min..max */
	TYPE_AUTO, /* "auto", kept as 0, or a number */
	TYPE_DURATION, /* min..max milliseconds */
	TYPE_CHOICE, /* one of choices */
	TYPE_NAME, /* min..max bytes of [A-Za-z0-9._-] */
	TYPE_REFERENCE, /* the name of a record of section */
	TYPE_INTERFACE, /* name of a network interface */
	TYPE_ADDRESS, /* IP literal; host names later */
	TYPE_LISTEN, /* ADDRESS:PORT[/tcp|udp] */
	TYPE_LISTEN_OR_NONE,
	TYPE_HOST, /* host name or IP literal */
	TYPE_URL_PATH, /* starts with '/' */
	TYPE_FILE, /* relative to the file that names it */
	TYPE_PORTS, /* LOW-HIGH */
	TYPE_STATUS, /* "200-399,401" */
	TYPE_TEXT, /* min..max bytes */
	TYPE_BYTES, /* min..max bytes, some written as escapes; count_offset: of their number */
	TYPE_CRL, /* a file, or a URL of http:// */
	TYPE_LIST, /* of scalars of type item; at most max */
	TYPE_RECORD, /* a mapping with the keys of section */
	TYPE_RECORDS, /* a list of such mappings, min..max */
	TYPE_COUNT
};

/* How much of a key this version builds. */
enum availability { AVAILABLE, ONLY_DEFAULT, NOT_YET };

struct err;
struct value;

/*
 * Keep one more item of a list in the record. The file of a certificate is read at this moment.
 * -ENOMEM; -EINVAL and other errors of the item: err says what is wrong, in the words of a report.
 */
typedef int keep_item_fn(void *record, const struct value *item, struct err *err);

struct choice {
	const char *name; /* NULL ends the list */
	uint32_t value;
	bool not_yet;
};

struct key {
	const char *name;
	enum key_type type;
	enum key_type item; /* TYPE_LIST */
	enum section section; /* TYPE_REFERENCE, TYPE_RECORD, TYPE_RECORDS */
	uint64_t min, max;
	const struct choice *choices;
	bool required;
	const char *value; /* default, as a user would write it; NULL: none */
	const char *words; /* what happens without the key, when there is no default value */
	enum availability availability;
	bool layer7; /* only services with forward: l7 have a use for it */
	const char *help; /* what the key is, without a full stop */

	/* Where the value is kept in the record; size 0: nowhere yet. */
	size_t offset, size;
	size_t count_offset; /* TYPE_RECORDS, TYPE_BYTES: of their uint32_t number */
	keep_item_fn *keep_item; /* TYPE_LIST: NULL: nowhere yet */
};

struct section_info {
	const char *path; /* as in errors, without indexes: "gateway.interfaces[]" */
	size_t size; /* of one record in the model; 0: kept in the enclosing record */
	const char *unique; /* key that no two records of a list may share, or NULL */
	const struct key *keys;
	size_t n_keys;
};

/* Upper bound of section_info.n_keys. */
#define KEYS_PER_SECTION 32

extern const struct section_info *const sections[SECTION_COUNT];

/* The key of that name, or NULL. */
const struct key *keys_find(enum section section, const char *name);

/* "30s", "none", "required": what holds without the key. */
const char *key_default(const struct key *key);

#endif
