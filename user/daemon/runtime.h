/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runtime - what the file says and what was changed over it since, kept where it outlives the daemon.
 *
 * A change is in force before it is kept, and kept before whoever asked is told: after a crash it is there whole,
 * or not at all. On the loop's thread.
 */
#ifndef SLUICE_DAEMON_RUNTIME_H
#define SLUICE_DAEMON_RUNTIME_H

#include "model/compose.h"
#include "util/cleanup.h"

struct err;
struct events;
struct layers;
struct runtime;

/*
 * Read what is kept in the state directory, over the file's model, which is copied. Where that cannot be used,
 * the file alone counts, and events tell why: it is set aside, or changes are refused. -ENOMEM, err set
 */
int runtime_open(struct runtime **ret, const struct model *file, struct layers *layers,
		 struct events *events, struct err *err);
void runtime_close(struct runtime *runtime);
DEFINE_CLEANUP(struct runtime, runtime_close)

const struct model *runtime_file(const struct runtime *runtime);
const struct overlay *runtime_overlay(const struct runtime *runtime);

/* What both make together, linked. As compose_model(); right after runtime_open() it cannot fail but for memory. */
int runtime_compose(struct model **ret, const struct runtime *runtime, struct err *err);

/*
 * The overlay for another file: a copy without what is no longer about anything, which note is told of.
 * Nothing is kept or in force. discards: an empty one. -ENOMEM
 */
int runtime_over(struct overlay *ret, const struct runtime *runtime, const struct model *file,
		 bool discards, compose_note_fn *note, void *arg);

/*
 * Keep the overlay for the next start, before runtime_enter(). -EIO: err says why not; nothing has changed then.
 */
int runtime_keep(struct runtime *runtime, const struct overlay *next, struct err *err);

/* It is in force. Takes over the file's model (NULL: the same as before) and what the overlay owns. */
void runtime_enter(struct runtime *runtime, struct model *file, struct overlay *next);

#endif
