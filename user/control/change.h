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

#include "model/limits.h"

struct err;

enum change_action { CHANGE_DRAIN, CHANGE_ENABLE, CHANGE_DISABLE, CHANGE_WEIGHT };

/* Who asks, as the kernel says of the connection. */
#define GIVER_COMMAND_LEN 128
struct change_giver {
	bool known;
	uint32_t uid;
	int pid; /* 0: of another PID namespace */
	char command[GIVER_COMMAND_LEN]; /* "sluice backend drain …"; "": it has ended */
};

struct change {
	enum change_action action;
	char pool[SL_NAME_LEN];
	char address[LIMIT_HOST_BYTES + 1]; /* of a backend, as the configuration has it */
	uint32_t timeout_ms; /* drain; 0: as the settings say */
	uint32_t weight; /* weight */
	struct change_giver giver;
};

/*
 * Have a change made, and wait. 0, or with err:
 *   -ENOENT     no such pool or backend      -ENOLINK  the gate was removed: nothing to change
 *   -ETIMEDOUT  no answer in time            -ESHUTDOWN  the daemon is stopping
 *   -ENOMEM
 */
typedef int change_fn(void *arg, const struct change *change, struct err *err);

/* The longest a change_fn takes. */
#define CHANGE_TIMEOUT_MS 5000

/* "drain", "enable", "disable", "weight". */
const char *change_name(enum change_action action);

/*
 * Read a change from a request's body, a JSON object. -EINVAL: err says in one sentence what is
 * wrong, and where.
 */
int change_parse(struct change *ret_change, const char *body, size_t len, struct err *err);

#endif
