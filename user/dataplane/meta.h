/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meta - the meta entry: what a model says about it, and storing it while programs read it. */
#ifndef SLUICE_DATAPLANE_META_H
#define SLUICE_DATAPLANE_META_H

#include "model/model.h"

/* The entry for a model, written by this process, alive at now_ns. Pure but for the process id. */
struct sl_meta meta_of(const struct model *model, uint64_t now_ns);

/* Store all fields; the programs may see them one by one. */
void meta_store(struct sl_meta *live, const struct sl_meta *meta);

#endif
