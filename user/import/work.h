/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * work - an import while it is made; for import/ only.
 *
 * Three steps: gather.c lists what the gateway is made of and resolves references; plan.c joins it
 * into services and finds what cannot be; write*.c writes it and says of each property what became
 * of it. Only the last step writes, so that nothing has to be taken back.
 */
#ifndef SLUICE_IMPORT_WORK_H
#define SLUICE_IMPORT_WORK_H

#include "config/keys.h"
#include "import/emit.h"
#include "import/expr.h"
#include "import/import.h"
#include "import/prop.h"
#include "model/model.h"

/* What a gateway is made of. */
enum kind {
	KIND_PROBE,
	KIND_SETTINGS,
	KIND_POOL,
	KIND_LISTENER,
	KIND_FRONTEND,
	KIND_PORT,
	KIND_PATH_MAP,
	KIND_ROOT_CERT,
	KIND_LISTED_CERT,
	KIND_RULE,
	KIND_COUNT
};

/* Some kinds have two lists, of which the second is of layer 4. */
enum layer { LAYER_7, LAYER_4 };

struct member {
	struct prop *at; /* the leaf with the address */
	struct addr addr; /* all zero: a name */
	const char *text;
	const char *off; /* why it cannot be a backend; NULL: it can */
};

struct item {
	struct prop *at;
	enum layer layer;
	const char *label; /* its name in the export */
	char name[SL_NAME_LEN]; /* here */
	const char *off; /* why it can only be a comment; NULL: it is more */
	enum protocol protocol; /* probe, settings, listener */
	uint16_t port; /* settings, listener; 0: none */

	struct item *probe; /* settings; NULL: the default probe */
	bool host_from_settings; /* probe */
	bool has_host; /* settings have a host_name that can be used */
	bool host_from_backend; /* settings */
	const char *no_backend_names; /* settings: why host_from_backend cannot be */
	bool affinity; /* settings */

	struct member *members; /* pool */
	uint32_t n_members;
	struct prop *address; /* pool: a member that is an address and no name, or NULL */

	struct item *frontend, *frontend_port; /* listener */
	const char *unheard; /* listener: why no service can listen there */
	bool is_heard; /* listener, frontend, port: a service listens there */

	struct item *same; /* path map: a rule that was expanded by it before */
	char *file; /* certificate: where it was kept; NULL: it was not */
	const char *unkept; /* certificate: why not; NULL: not tried yet */
};

struct items {
	struct item *list;
	uint32_t n;
};

/* A rule, the default of its path map, or one of the map's path rules. */
struct planned {
	struct item *rule, *map; /* map: NULL if the rule has none */
	struct prop *at; /* what has the references: rule, map or path rule */
	struct prop *path_rule; /* NULL: none */
	struct item *listener, *pool, *settings; /* NULL: there is none that could be used */
	bool is_redirect;
	bool is_repeat; /* the path rule has been written for another rule already */
	char name[SL_NAME_LEN];
	const char *off; /* why it can only be a comment */
	const char *unheard; /* why it is without a listen address */
	char listen[SL_TEXT_LEN]; /* "": none */
};

struct work {
	const struct import_options *options;
	struct prop_tree tree;
	struct expr_names names;
	struct prop *gateway;
	const char *gateway_name;
	struct items items[KIND_COUNT];
	struct planned *services;
	uint32_t n_services;
	void *service_names;
	struct emit emit;
	const char *off; /* of the record that is being written */
	struct said *said; /* texts that live as long as the work */
	bool oom;
};

/* work.c */

/* A text that lives as long as the work; "" when out of memory, which is remembered. */
const char *work_say(struct work *work, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * The text of a leaf, its expression resolved; numbers and booleans as they are written. NULL: there
 * is none, or it cannot be told, which is then the property's outcome.
 */
const char *work_text(struct work *work, struct prop *prop);

/* Whether a leaf says "true" or "enabled". */
bool work_is_on(struct work *work, struct prop *prop);

/* The last segment of the text of a leaf, even if others are not known; NULL: it is not either. */
const char *work_segment(struct work *work, struct prop *prop);

/* The item that a reference ({"id": …}) means. NULL: there is none; the outcome is told if it dangles. */
struct item *work_ref(struct work *work, struct prop *reference, enum kind kind, enum layer layer);

/* Which protocol a property names. -EINVAL: none that is known. */
int work_protocol(struct work *work, struct prop *prop, enum protocol *ret);

bool protocol_is_tls(enum protocol protocol);
bool member_is_name(const struct member *member);

void work_done(struct work *work);

/* find.c: the gateway to import. -EINVAL */
int work_find(struct work *work, struct err *err);

/* gather.c: fill items. -EFBIG, -ENOMEM */
int work_gather(struct work *work, struct err *err);

/*
 * A name that is allowed here and unlike the others in *names, which is NULL at first and refers to
 * them afterwards, until it is forgotten.
 */
void work_name(struct work *work, char ret[SL_NAME_LEN], const char *label, void **names);
void work_forget_names(void *names);

/* plan.c: fill services. -EFBIG, -ENOMEM */
int work_plan(struct work *work, struct err *err);

/* claim.c: switch off services that no configuration could have beside those before them. */
int work_claim(struct work *work);

/* write_*.c */
void write_probes(struct work *work);
void write_settings(struct work *work);
void write_pools(struct work *work);
void write_services(struct work *work);

/* put.c: one key of a record. */

/* Begin a record with its name. off: why it is a comment, or NULL. */
void put_record(struct work *work, struct prop *name, const char *label, const char *here,
		const char *off);

/*
 * A key with the text of a leaf, or why it cannot be. how: in which way the text is not what the leaf
 * says; NULL: it is. Returns whether it stands there. A NULL leaf has nothing to tell.
 */
bool put_text(struct work *work, struct prop *leaf, int level, enum section section,
	      const char *key, const char *text, const char *how);

/* The same with the leaf's own text, if it has one. */
bool put_leaf(struct work *work, struct prop *leaf, enum section section, const char *key);

/* The same for the protocol of a record, which is written in lower case here. */
void put_protocol(struct work *work, struct prop *leaf, enum section section);

/* A number, or a number of seconds, brought into the key's range. */
bool put_number(struct work *work, struct prop *leaf, int level, enum section section,
		const char *key);

/* Say of a property, and of all below it, that it has no counterpart, in a comment as well. */
void put_none(struct work *work, struct prop *prop, const char *why);

/* What is left under a property, property by property. */
void put_rest(struct work *work, struct prop *prop);

/* unmapped.c: what becomes of a leaf that nothing has used. */
enum outcome unmapped_outcome(const struct prop *leaf, const char **ret_why);

/* cert.c: the file that a certificate was kept in; NULL: item->unkept says why. */
const char *cert_keep(struct work *work, struct item *item);

#endif
