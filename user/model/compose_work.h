/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compose_work - the parts of composing that are about one kind of row; for model/compose*.c only. */
#ifndef SLUICE_MODEL_COMPOSE_WORK_H
#define SLUICE_MODEL_COMPOSE_WORK_H

#include "model/compose.h"

/*
 * Whether the row of an interface still says something over this file; it is brought in line. *ret_why: what to
 * tell if it is given up for a reason, else NULL.
 */
bool compose_keep_interface(const struct model *file, struct overlay_row *row,
			    const char **ret_why);

/* Add, remove or change the row's interface. -E2BIG, -ENOMEM: err is set. */
int compose_interface(struct gateway *gateway, const struct overlay_row *row, struct err *err);

#endif
