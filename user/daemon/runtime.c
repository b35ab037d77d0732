// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/runtime.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/single.h"
#include "control/layers.h"
#include "daemon/tell.h"
#include "store/ledger.h"
#include "util/err.h"

struct runtime {
	struct model *file;
	struct overlay overlay; /* in force, and kept unless that failed */
	struct ledger *ledger; /* NULL: changes cannot be kept */
	struct layers *layers;
	struct events *events;
};

void runtime_close(struct runtime *runtime)
{
	if (!runtime)
		return;
	ledger_close(runtime->ledger);
	overlay_done(&runtime->overlay);
	model_free(runtime->file);
	free(runtime);
}

const struct model *runtime_file(const struct runtime *runtime)
{
	return runtime->file;
}

const struct overlay *runtime_overlay(const struct runtime *runtime)
{
	return &runtime->overlay;
}

/* --- telling ---------------------------------------------------------------------------------- */

static void say(const struct runtime *runtime, enum event_severity severity, const char *reason,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void say(const struct runtime *runtime, enum event_severity severity, const char *reason,
		const char *fmt, ...)
{
	struct event event = { .kind = EVENT_STORE, .severity = severity };
	va_list args;

	event_set(event.reason, reason);
	va_start(args, fmt);
	vsnprintf(event.text, sizeof(event.text), fmt, args);
	va_end(args);
	tell(runtime->events, &event, NULL);
}

static void show(struct runtime *runtime)
{
	struct overlay copy;

	/* Without memory what was shown before stays. */
	if (overlay_copy(&copy, &runtime->overlay) == 0)
		layers_set(runtime->layers, &copy);
}

/* --- start ------------------------------------------------------------------------------------ */

static void note_row(void *arg, const struct overlay_row *row, const char *why)
{
	char what[OVERLAY_TEXT_LEN];

	say(arg, EVENT_WARNING, "change_dropped", "the change of %s is dropped: %s",
	    overlay_text(what, row), why);
}

/* What is kept has to make a model with the file. */
static int try_overlay(struct runtime *runtime, struct overlay *overlay, struct err *err)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	int r;

	r = single_overlay(overlay, err);
	if (r == 0)
		r = compose_prune(overlay, runtime->file, note_row, runtime);
	return r < 0 ? r : compose_model(&model, runtime->file, overlay, err);
}

/* The daemon starts in any case: with the file alone, and the changes where somebody can look at them. */
static void give_up(struct runtime *runtime, const char *directory, const struct err *why)
{
	char aside[DATABASE_ASIDE_LEN];
	struct err err;

	overlay_done(&runtime->overlay);
	if (ledger_renew(&runtime->ledger, directory, aside, &err) < 0) {
		layers_set_trouble(runtime->layers, err.text);
		say(runtime, EVENT_ERROR, "changes_unusable",
		    "what was changed at runtime cannot be used (%s), nor set aside: %s", why->text,
		    err.text);
		return;
	}
	say(runtime, EVENT_ERROR, "changes_set_aside",
	    "what was changed at runtime does not go with the file, which is in force alone: %s; the "
	    "changes are in '%s/%s'",
	    why->text, directory, aside);
}

/* What the ledger says, or nothing. */
static void read_ledger(struct runtime *runtime, const char *directory)
{
	char aside[DATABASE_ASIDE_LEN];
	struct err err;

	if (ledger_open(&runtime->ledger, directory, &runtime->overlay, aside, &err) < 0) {
		layers_set_trouble(runtime->layers, err.text);
		say(runtime, EVENT_ERROR, "changes_unusable",
		    "changes at runtime can neither be read nor kept, and are refused: %s",
		    err.text);
	} else if (aside[0]) {
		say(runtime, EVENT_ERROR, "changes_damaged",
		    "what was changed at runtime could not be read; the file is in force alone, and "
		    "the damaged database is now '%s/%s'",
		    directory, aside);
	}
}

/* Another file than at the last start is another configuration. What cannot be kept of that is found anew. */
static void settle(struct runtime *runtime, struct overlay *next)
{
	struct err err;

	if (runtime->overlay.file_digest != runtime->file->digest)
		next->version++;
	next->file_digest = runtime->file->digest;
	if (runtime->ledger)
		ledger_write(runtime->ledger, next, &err);
	overlay_done(&runtime->overlay);
	runtime->overlay = *next;
}

static int read_kept(struct runtime *runtime, const char *directory)
{
	struct err err = { "out of memory" };
	struct overlay next;
	int r;

	read_ledger(runtime, directory);
	if (overlay_copy(&next, &runtime->overlay) < 0)
		return -ENOMEM;
	r = try_overlay(runtime, &next, &err);
	if (r < 0) {
		overlay_done(&next);
		next.version = runtime->overlay.version;
		give_up(runtime, directory, &err);
	}
	settle(runtime, &next);
	return 0;
}

int runtime_open(struct runtime **ret, struct model *file, struct layers *layers,
		 struct events *events, struct err *err)
{
	CLEANUP(runtime_close_p) struct runtime *runtime = calloc(1, sizeof(*runtime));

	if (!runtime) {
		model_free(file);
		return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	}
	/* What is in force has endpoints of its own. */
	model_unlink(file);
	runtime->file = file;
	runtime->layers = layers;
	runtime->events = events;
	if (read_kept(runtime, file->gateway.state_dir) < 0)
		return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	show(runtime);
	*ret = take_ptr(runtime);
	return 0;
}

int runtime_compose(struct model **ret, const struct runtime *runtime, struct err *err)
{
	return compose_model(ret, runtime->file, &runtime->overlay, err);
}

/* --- changes ---------------------------------------------------------------------------------- */

int runtime_over(struct overlay *ret, const struct runtime *runtime, const struct model *file,
		 bool discards, compose_note_fn *note, void *arg)
{
	uint32_t n = runtime->overlay.n;
	int r;

	*ret = (struct overlay){ .version = runtime->overlay.version };
	if (!discards)
		r = overlay_copy(ret, &runtime->overlay);
	else
		r = 0;
	if (r == 0)
		r = compose_prune(ret, file, note, arg);
	if (r < 0) {
		overlay_done(ret);
		return r;
	}
	if (file->digest != runtime->overlay.file_digest || ret->n != n)
		ret->version++;
	ret->file_digest = file->digest;
	return 0;
}

/* What is there could not be read at the start: somebody has mended it since, and it may say anything. */
static int open_again(struct runtime *runtime, struct err *err)
{
	struct overlay kept;
	char aside[DATABASE_ASIDE_LEN];
	int r;

	r = ledger_open(&runtime->ledger, runtime->file->gateway.state_dir, &kept, aside, err);
	if (r < 0)
		return r;
	if (kept.n) {
		ledger_close(take_ptr(runtime->ledger));
		overlay_done(&kept);
		return err_set(
			err, -EIO,
			"changes from before the start can be read only now; restart sluiced "
			"to bring them in force");
	}
	layers_set_trouble(runtime->layers, "");
	say(runtime, EVENT_INFO, "changes_usable", "changes at runtime can be kept again");
	return 0;
}

static int keep(struct runtime *runtime, const struct overlay *next, struct err *err)
{
	int r = 0; /* it is open */

	if (!runtime->ledger)
		r = open_again(runtime, err);
	return r < 0 ? r : ledger_write(runtime->ledger, next, err);
}

int runtime_keep(struct runtime *runtime, const struct overlay *next, struct err *err)
{
	if (keep(runtime, next, err) < 0)
		return err_in(err, -EIO, "the change cannot be kept over a restart: ");
	return 0;
}

void runtime_enter(struct runtime *runtime, struct model *file, struct overlay *next)
{
	if (file) {
		model_free(runtime->file);
		runtime->file = file;
	}
	overlay_done(&runtime->overlay);
	runtime->overlay = *next;
	*next = (struct overlay){ .n = 0 };
	show(runtime);
}
