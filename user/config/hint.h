/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hint - what an error tells its reader about keys: what is allowed, and what was probably meant. */
#ifndef SLUICE_CONFIG_HINT_H
#define SLUICE_CONFIG_HINT_H

#include "config/keys.h"

#define HINT_LEN 128

/*
 * What is or will be allowed for the key: "1..65535", "100ms..86400s", "keep, detach". For a list,
 * hint_range() of its items comes from a copy of the key that has their type.
 */
const char *hint_range(char buf[HINT_LEN], const struct key *key);

/* The same without what is not available in this version. Both return buf. */
const char *hint_allowed(char buf[HINT_LEN], const struct key *key);

/* A key of the section that name is probably a misspelling of, or NULL. */
const struct key *hint_nearest(enum section section, const char *name);

#endif
