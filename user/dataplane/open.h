/* SPDX-License-Identifier: GPL-2.0-or-later */
/* open - dataplane_open() with what only tests choose. */
#ifndef SLUICE_DATAPLANE_OPEN_H
#define SLUICE_DATAPLANE_OPEN_H

#include "dataplane/attach.h"

/* dataplane_open() on a kernel that has tcx (TC_ANY: if this one has), or has none (TC_CLSACT). */
int dataplane_open_as(struct dataplane **ret, const struct model *model, enum tc_kind tc,
		      struct err *err);

#endif
