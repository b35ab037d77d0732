/* SPDX-License-Identifier: GPL-2.0-or-later */
/* single - values that come one by one, by the same rules as in a file. */
#ifndef SLUICE_CONFIG_SINGLE_H
#define SLUICE_CONFIG_SINGLE_H

#include "model/limits.h"

struct err;
struct overlay;

/*
 * The address of a backend in the one form that is kept of it: see backend_text(). -EINVAL: err says what is
 * wrong and what is allowed; -ENOMEM
 */
int single_address(char ret[LIMIT_HOST_BYTES + 1], const char *text, struct err *err);

/* Whether the text may be the name of a pool, or of an interface. -EINVAL: err says what is wrong. */
int single_name(const char *text, struct err *err);
int single_interface(const char *text, struct err *err);

/* Whether all names in its rows are such, and addresses written as they are kept. -EINVAL, -ENOMEM */
int single_overlay(const struct overlay *overlay, struct err *err);

#endif
