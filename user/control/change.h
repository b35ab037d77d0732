/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change - what somebody who may wants done, as it was asked for: checked for form, not for sense.
 *
 * Who makes it is the daemon's main thread, through api_context.change.
 */
#ifndef SLUICE_CONTROL_CHANGE_H
#define SLUICE_CONTROL_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

struct err;

enum change_action {
	/* Of one backend, in force at once. */
	CHANGE_DRAIN,
	CHANGE_ENABLE,
	CHANGE_DISABLE,
	CHANGE_WEIGHT,
	/* Of what is configured: done by a job (control/jobs.h). */
	CHANGE_ADD,
	CHANGE_REMOVE,
	CHANGE_ADD_POOL,
	CHANGE_REMOVE_POOL,
	CHANGE_ATTACH,
	CHANGE_DETACH,
	CHANGE_RELOAD
};

/* Who asks, as the kernel says of the connection or the signal; see caller.h. */
#define GIVER_COMMAND_LEN 128
struct change_giver {
	bool known, by_signal;
	uint32_t uid;
	int pid; /* 0: of another PID namespace */
	char command
		[GIVER_COMMAND_LEN]; /* "sluice backend drain …", printable ASCII; "": it has ended */
};

struct change {
	enum change_action action;
	char pool[SL_NAME_LEN];
	char address[LIMIT_HOST_BYTES + 1]; /* of a backend, as the configuration has it */
	char interface[IFNAMSIZ]; /* attach, detach */
	bool has_xdp, has_egress; /* attach: said; else as the file has it, or as it is now */
	enum xdp_mode xdp;
	bool egress;
	uint32_t timeout_ms; /* drain; 0: as the settings say */
	uint32_t weight; /* weight, add */
	bool discards; /* reload: what was changed since, too */
	bool is_rehearsal; /* say what it would do, and do nothing */
	bool is_versioned; /* refuse it unless what is configured has this version still */
	uint64_t version;
	struct change_giver giver;
};

struct difference;

/*
 * Have a change made, and wait; one by a job only as a rehearsal, of which ret is what it would change (the
 * caller frees it). 0, or with err:
 *   -ENOENT     no such pool or backend, or no interface of that name is attached
 *   -ENODEV     this host has no such interface
 *   -EOPNOTSUPP it cannot be attached        -ENOLINK  the gate was removed: nothing to change
 *   -EEXIST     it is there already          -ESTALE   the version is another one
 *   -EINVAL     the model would not be one   -EIO      it cannot be kept over a restart
 *   -ETIMEDOUT  no answer in time            -ESHUTDOWN  the daemon is stopping
 *   -ENOMEM
 */
typedef int change_fn(void *arg, const struct change *change, struct difference **ret,
		      struct err *err);

/* The longest a change_fn takes. */
#define CHANGE_TIMEOUT_MS 5000

/* "drain", "enable", …; as a request has it: "add" is one of a pool or of a backend. */
const char *change_name(enum change_action action);

/* Whether it is done by a job. */
bool change_is_job(enum change_action action);

/* What a request is about. */
enum change_subject { CHANGE_OF_BACKEND, CHANGE_OF_POOL, CHANGE_OF_INTERFACE, CHANGE_OF_FILE };

/*
 * Read a change from a request's body, a JSON object; for CHANGE_OF_FILE an empty one will do. -EINVAL: err
 * says in one sentence what is wrong, and where.
 */
int change_parse(struct change *ret_change, enum change_subject subject, const char *body,
		 size_t len, struct err *err);

#endif
