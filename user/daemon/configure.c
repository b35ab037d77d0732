// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/configure.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/report.h"
#include "daemon/changes.h"
#include "daemon/daemon_work.h"
#include "daemon/edit.h"
#include "daemon/pipeline.h"
#include "daemon/rehearsal.h"
#include "model/difference.h"
#include "util/clock.h"
#include "util/log.h"

#define REPORT_LINE_LEN 1024
#define LINE_LEN (sizeof(((struct err *)0)->text) + GIVER_COMMAND_LEN + 256)

/* What is to be in force: made whole before anything is touched. */
struct next {
	struct model *file; /* NULL: the same as before */
	struct overlay overlay;
	struct model *model;
	bool looks_anew; /* at what the maps hold: others may have written into them */
	bool must_be_kept; /* else a start with the same file comes to the same */
};

static void next_done(struct next *next)
{
	model_free(next->file);
	overlay_done(&next->overlay);
	model_free(next->model);
}

/* --- what is to be ---------------------------------------------------------------------------- */

static int check_version(const struct daemon *daemon, const struct change *change, struct err *err)
{
	uint64_t version = runtime_overlay(daemon->runtime)->version;

	if (!change->is_versioned || change->version == version)
		return 0;
	return err_set(err, -ESTALE,
		       "the configuration has version %" PRIu64 ", not %" PRIu64
		       ": somebody has changed it since",
		       version, change->version);
}

/* What a running daemon cannot move. */
static int check_places(const struct model *before, const struct model *after, struct err *err)
{
	const struct {
		const char *key, *before, *after;
	} places[] = {
		{ "api_socket", before->gateway.api_socket, after->gateway.api_socket },
		{ "bpffs", before->gateway.bpffs, after->gateway.bpffs },
		{ "state_dir", before->gateway.state_dir, after->gateway.state_dir },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strcmp(places[i].before, places[i].after) != 0)
			return err_set(err, -EINVAL,
				       "gateway.%s cannot change from '%s' to '%s' while sluiced "
				       "runs; restart it",
				       places[i].key, places[i].before, places[i].after);
	return 0;
}

/* says: to the job, too. */
static int load(const struct daemon *daemon, bool says, struct model **ret, struct err *err)
{
	struct report report = { 0 };
	char line[REPORT_LINE_LEN];
	int r;

	r = config_load(ret, daemon->options->config_path, &report);
	for (size_t i = 0; i < report.n_items; i++) {
		report_format(line, sizeof(line), &report, i);
		log_error("%s", line);
		if (says)
			jobs_say(daemon->jobs, line);
	}
	/* The file is not to blame. */
	if (r == -ENOMEM)
		return err_set(err, r, "'%s' cannot be read: out of memory",
			       daemon->options->config_path);
	if (r < 0)
		return err_set(err, r, "'%s' has %zu errors", daemon->options->config_path,
			       report.n_errors);
	return check_places(daemon->model, *ret, err);
}

static void note_row(void *arg, const struct overlay_row *row, const char *why)
{
	struct daemon *daemon = arg;
	char line[LINE_LEN], what[OVERLAY_TEXT_LEN];

	snprintf(line, sizeof(line), "the runtime change of %s is dropped: %s",
		 overlay_text(what, row), why);
	log_warn("%s", line);
	jobs_say(daemon->jobs, line);
}

static int prepare_reload(struct next *next, struct daemon *daemon, const struct change *change,
			  struct err *err)
{
	compose_note_fn *note = change->is_rehearsal ? NULL : note_row;
	int r;

	next->looks_anew = true;
	r = load(daemon, !change->is_rehearsal, &next->file, err);
	if (!change->is_rehearsal)
		jobs_have_read(daemon->jobs);
	if (r < 0)
		return r;
	model_unlink(next->file);
	r = runtime_over(&next->overlay, daemon->runtime, next->file, change->discards, note,
			 daemon);
	if (r < 0)
		return err_set(err, r, "%s", strerror(-r));
	next->must_be_kept = change->discards;
	r = compose_model(&next->model, next->file, &next->overlay, err);
	if (r < 0 && next->overlay.n)
		return err_in(err, r,
			      "with what was changed at runtime ('sluice diff'; 'sluice reload "
			      "--discard-runtime' takes the file alone): ");
	return r;
}

static int prepare_edit(struct next *next, const struct daemon *daemon, const struct change *change,
			struct err *err)
{
	const struct model *file = runtime_file(daemon->runtime);
	const struct edit_base base = { file, daemon->model };
	int r;

	r = overlay_copy(&next->overlay, runtime_overlay(daemon->runtime));
	if (r < 0)
		return err_set(err, r, "%s", strerror(-r));
	next->must_be_kept = true;
	r = edit_overlay(&next->overlay, &base, change, clock_wall_ms(), err);
	/* What needs no other model goes without one. */
	if (r < 0 || !change_is_job(change->action))
		return r;
	return compose_model(&next->model, file, &next->overlay, err);
}

static int prepare(struct next *next, struct daemon *daemon, const struct change *change,
		   struct err *err)
{
	int r = check_version(daemon, change, err);

	if (r < 0)
		return r;
	return change->action == CHANGE_RELOAD ? prepare_reload(next, daemon, change, err)
					       : prepare_edit(next, daemon, change, err);
}

/* --- orders that are kept --------------------------------------------------------------------- */

/* Mark in row_of which endpoints a row with an order is about: its index, plus 1; of several pools' the strictest. */
static void mark_service(const struct model *model, const struct service *service,
			 const struct overlay *overlay, uint32_t *row_of)
{
	const struct pool *pool = &model->pools[service->pool];

	for (uint32_t i = 0; i < service->n_endpoints; i++) {
		const struct backend *backend = &pool->backends[service->owners[i]];
		const struct overlay_row *row =
			overlay_find(overlay, pool->name, backend_text(backend));

		uint32_t *marked = &row_of[service->endpoints[i]];

		if (row && overlay_is_stricter(row, *marked ? &overlay->rows[*marked - 1] : NULL))
			*marked = (uint32_t)(row - overlay->rows) + 1;
	}
}

static bool has_orders(const struct overlay *overlay)
{
	for (uint32_t i = 0; i < overlay->n; i++)
		if (overlay->rows[i].admin != SL_ENABLED)
			return true;
	return false;
}

/* The row of each endpoint that an order is about: its index, plus 1; 0: none. The caller's; NULL: out of memory. */
static uint32_t *rows_of_orders(const struct model *model, const struct overlay *overlay)
{
	uint32_t *row_of = calloc(model->n_endpoints + 1, sizeof(*row_of));
	bool any = row_of && has_orders(overlay);

	for (uint32_t i = 0; any && i < model->n_services; i++)
		mark_service(model, &model->services[i], overlay, row_of);
	return row_of;
}

/* The kernel's words have them, too, unless the host was started anew or the daemon died in between. */
void configure_impose_orders(struct daemon *daemon)
{
	const struct overlay *overlay = runtime_overlay(daemon->runtime);
	struct pipeline *pipeline = daemon->generation->pipeline;
	const struct model *model = daemon->model;
	CLEANUP(free_p) uint32_t *row_of = rows_of_orders(model, overlay);

	for (uint32_t i = 0; row_of && i < model->n_endpoints; i++) {
		const struct overlay_row *row = row_of[i] ? &overlay->rows[row_of[i] - 1] : NULL;
		enum sl_admin wanted = row ? row->admin : SL_ENABLED;

		if (pipeline_ordered(pipeline, i, NULL) != wanted)
			pipeline_order(pipeline, i, wanted, row ? changes_deadline_ms(row) : 0);
	}
}

/* What was ordered of an endpoint of the model in force. */
struct order_of {
	uint32_t endpoint;
	enum sl_admin admin;
	uint64_t deadline_ms;
};

/* n of them; owned. */
struct opened {
	struct order_of *orders;
	uint32_t n;
};

static void opened_done(struct opened *opened)
{
	free(opened->orders);
}

/*
 * Orders that are dropped are undone before those leave who stood in for the closed: there would be nobody to
 * choose until the change is kept, and refused connections. Who leaves himself stays what he was ordered.
 */
static void open_first(struct opened *ret, struct daemon *daemon, const struct next *next)
{
	struct pipeline *pipeline = daemon->generation->pipeline;
	const struct model *model = daemon->model;
	CLEANUP(free_p) uint32_t *row_of = NULL;
	CLEANUP(free_p) uint32_t *same = NULL;

	*ret = (struct opened){ .n = 0 };
	if (!has_orders(runtime_overlay(daemon->runtime)))
		return;
	row_of = rows_of_orders(next->model, &next->overlay);
	ret->orders = calloc(model->n_endpoints + 1, sizeof(*ret->orders));
	if (!row_of || !ret->orders || difference_same_endpoints(&same, model, next->model) < 0)
		return; /* it is what comes after the change */
	for (uint32_t i = 0; i < model->n_endpoints; i++) {
		struct order_of order = { .endpoint = i };

		order.admin = pipeline_ordered(pipeline, i, &order.deadline_ms);
		if (order.admin == SL_ENABLED || same[i] == INDEX_NONE || row_of[same[i]])
			continue;
		ret->orders[ret->n++] = order;
		pipeline_order(pipeline, i, SL_ENABLED, 0);
	}
}

/* The change is not to be: they have the time that they had. */
static void close_again(struct daemon *daemon, const struct opened *opened)
{
	for (uint32_t i = 0; i < opened->n; i++)
		pipeline_order(daemon->generation->pipeline, opened->orders[i].endpoint,
			       opened->orders[i].admin, opened->orders[i].deadline_ms);
}

/* --- bringing it in force --------------------------------------------------------------------- */

/* The data plane has moved; whatever fails now leaves nobody who probes. */
static int succeed(struct daemon *daemon, struct generation *next, struct err *err)
{
	struct generation *before = daemon->generation;
	int r;

	daemon_start_heartbeat(daemon);
	daemon->generation = next;
	generation_quiet(before);
	carrier_stage(daemon->carrier);
	r = daemon_follow_network(daemon, err);
	if (r == 0)
		r = daemon_start_generation(daemon, next, before, err);
	generation_free(before);
	carrier_commit(daemon->carrier);
	return r < 0 ? r : daemon_serve(daemon, err);
}

/* What can be refused and seen from outside: all of it, or nothing. */
static int move(struct daemon *daemon, const struct model *model, bool looks_anew, struct err *err)
{
	struct err ignored;
	int r;

	r = api_move(daemon->api, &model->gateway.listen, err);
	if (r < 0)
		return r;
	r = dataplane_change(&daemon->dataplane, model, !looks_anew, err);
	if (r < 0)
		api_move(daemon->api, &daemon->model->gateway.listen, &ignored);
	return r;
}

/* The carrier is prepared. Nothing has changed after a failure, unless daemon->broken says so. The model in force is exchanged for *model. */
static int change_model(struct daemon *daemon, struct model **model, bool looks_anew,
			struct err *err)
{
	CLEANUP(generation_free_p) struct generation *next = NULL;
	struct model *before = daemon->model;
	int r;

	r = generation_new(&next, *model, err);
	if (r < 0) {
		carrier_drop(daemon->carrier);
		return r;
	}
	/* Readers of what is about to go wait meanwhile; whoever gave an order waits for this thread. */
	orders_close(daemon->orders);
	api_pause(daemon->api);
	orders_reopen(daemon->orders);
	r = move(daemon, *model, looks_anew, err);
	if (r < 0) {
		carrier_drop(daemon->carrier);
		daemon->broken = daemon_serve(daemon, &daemon->broken_by);
		return r;
	}
	daemon->model = *model;
	*model = before;
	daemon->broken = succeed(daemon, take_ptr(next), &daemon->broken_by);
	return 0;
}

/* Not the model before, which has not the weights that were ordered since. */
static void undo(struct daemon *daemon, const struct opened *opened, const struct err *why)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	struct err err = { "out of memory" };
	int r;

	r = runtime_compose(&model, daemon->runtime, &err);
	if (r == 0) {
		carrier_prepare_anyway(daemon->carrier, model);
		r = change_model(daemon, &model, true, &err);
	}
	if (r < 0) {
		daemon->broken =
			err_set(&daemon->broken_by, r,
				"a change could neither be kept (%.200s) nor undone: %.200s",
				why->text, err.text);
		return;
	}
	if (daemon->broken < 0)
		return;
	close_again(daemon, opened); /* made of the same layers: endpoints have their places */
	configure_impose_orders(daemon);
}

/* In force first, and kept then: of a daemon that is killed in between the change was never told. */
static int carry_out(struct daemon *daemon, struct next *next, struct err *err)
{
	CLEANUP(opened_done) struct opened opened;
	struct err why;
	int r;

	open_first(&opened, daemon, next);
	r = change_model(daemon, &next->model, next->looks_anew, err);
	if (r < 0 && daemon->broken == 0)
		close_again(daemon, &opened);
	if (r < 0 || daemon->broken < 0)
		return r;
	r = runtime_keep(daemon->runtime, &next->overlay, &why);
	if (r < 0 && next->must_be_kept) {
		undo(daemon, &opened, &why);
		*err = why;
		return r;
	}
	if (r < 0)
		log_warn("%s", why.text);
	runtime_enter(daemon->runtime, take_ptr(next->file), &next->overlay);
	configure_impose_orders(daemon);
	return 0;
}

/* --- jobs ------------------------------------------------------------------------------------- */

static void tell_reloaded(struct daemon *daemon, const struct change *change,
			  const struct err *refused)
{
	char line[LINE_LEN];

	if (refused) {
		snprintf(line, sizeof(line), "reload refused, nothing has changed: %s",
			 refused->text);
		tell_reload(daemon->events, false, line, &change->giver);
		return;
	}
	events_set_max(daemon->events, daemon->model->gateway.events_max);
	daemon_log_dataplane(daemon);
	daemon_log_metrics(&daemon->model->gateway.listen);
	snprintf(line, sizeof(line), "reloaded: pools %u, endpoints %u", daemon->model->n_pools,
		 model_declared(daemon->model));
	tell_reload(daemon->events, true, line, &change->giver);
}

static void end_job(struct daemon *daemon, const struct change *change, const struct err *refused)
{
	if (change->action == CHANGE_RELOAD)
		tell_reloaded(daemon, change, refused);
	else
		changes_tell(daemon->events, change, refused);
	if (!refused && change->interface[0])
		tell_attachments(daemon->events, &daemon->interfaces, daemon->dataplane, true);
	if (refused)
		jobs_say(daemon->jobs, refused->text);
	jobs_end(daemon->jobs, refused, runtime_overlay(daemon->runtime)->version);
	if (daemon->broken == 0)
		daemon_tell_manager(daemon);
}

/* A job that goes on when HAProxy has said what it thinks of it. */
struct waiting_job {
	struct change change;
	struct next next;
	uint64_t version; /* of what was configured then */
};

void configure_forget_job(struct waiting_job *job)
{
	if (job)
		next_done(&job->next);
	free(job);
}
DEFINE_CLEANUP(struct waiting_job, configure_forget_job)

static void on_answer(void *arg, int r, const struct err *why);

static int wait_for_answer(struct daemon *daemon, const struct change *change, struct next *next,
			   struct err *err)
{
	struct waiting_job *job = malloc(sizeof(*job));

	if (!job) {
		carrier_drop(daemon->carrier);
		return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	}
	*job = (struct waiting_job){ *change, *next, runtime_overlay(daemon->runtime)->version };
	*next = (struct next){ .file = NULL };
	daemon->waiting_job = job;
	return -EINPROGRESS;
}

static void run_job(struct daemon *daemon, const struct change *change)
{
	CLEANUP(next_done) struct next next = { .file = NULL };
	struct err err = { "out of memory" };
	int r;

	if (change->action == CHANGE_RELOAD) {
		notify_reloading(&daemon->notify, clock_mono_ns());
		api_find_roles(daemon->api);
	}
	r = prepare(&next, daemon, change, &err);
	if (r == 0)
		r = carrier_prepare(daemon->carrier, next.model, on_answer, daemon, &err);
	if (r == -EINPROGRESS)
		r = wait_for_answer(daemon, change, &next, &err);
	if (r == -EINPROGRESS)
		return;
	if (r == 0)
		r = carry_out(daemon, &next, &err);
	end_job(daemon, change, r < 0 ? &err : NULL);
}

static void on_answer(void *arg, int r, const struct err *why)
{
	struct daemon *daemon = arg;
	CLEANUP(configure_forget_job_p) struct waiting_job *job = take_ptr(daemon->waiting_job);
	struct err err = *why;

	if (r == 0 && job->version != runtime_overlay(daemon->runtime)->version) {
		/* Somebody gave an order meanwhile: what was made does not have it. */
		carrier_drop(daemon->carrier);
		run_job(daemon, &job->change);
	} else {
		if (r == 0)
			r = carry_out(daemon, &job->next, &err);
		end_job(daemon, &job->change, r < 0 ? &err : NULL);
	}
	configure_run_jobs(daemon);
}

void configure_run_jobs(struct daemon *daemon)
{
	struct change change;

	while (daemon->broken == 0 && !daemon->waiting_job && jobs_begin(daemon->jobs, &change))
		run_job(daemon, &change);
	if (daemon->broken < 0)
		uv_stop(&daemon->loop);
}

/* --- orders ----------------------------------------------------------------------------------- */

/* Interfaces that a rehearsal would attach, as far as that can be told. */
static int examine_interfaces(const struct model *before, const struct model *after,
			      struct err *err)
{
	for (uint32_t i = 0; i < after->gateway.n_interfaces; i++) {
		const struct interface *interface = &after->gateway.interfaces[i];
		int r = model_find_interface(before, interface->name)
				? 0
				: dataplane_examine(interface, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* What a change would come to. */
static int rehearse(struct daemon *daemon, const struct change *change, const struct next *next,
		    struct difference **ret, struct rehearsal **ret_rest, struct err *err)
{
	CLEANUP(difference_free_p) struct difference *difference = difference_new();
	int r = next->model ? dataplane_fits(next->model, err) : 0;

	if (r == 0 && next->model)
		r = examine_interfaces(daemon->model, next->model, err);
	if (r == 0 && next->model)
		r = rehearsal_new(ret_rest, daemon->carrier, next->model, err);
	if (r < 0)
		return r;
	r = difference ? 0 : -ENOMEM;
	if (r == 0 && next->model)
		r = difference_between(difference, daemon->model,
				       pipeline_weights(daemon->generation->pipeline), next->model);
	else if (r == 0)
		r = changes_rehearse(difference, daemon->generation->pipeline, daemon->model,
				     change);
	if (r < 0)
		return err_set(err, r, "%s", strerror(-r));
	difference->version = runtime_overlay(daemon->runtime)->version;
	*ret = take_ptr(difference);
	return 0;
}

/* Kept first: then it cannot fail any more. */
static int carry_out_order(struct daemon *daemon, const struct change *change, struct next *next,
			   struct err *err)
{
	struct pipeline *pipeline = daemon->generation->pipeline;
	int r;

	r = changes_check(pipeline, err);
	if (r == 0)
		r = runtime_keep(daemon->runtime, &next->overlay, err);
	if (r < 0)
		return r;
	changes_make(pipeline, daemon->model, &next->overlay, change);
	runtime_enter(daemon->runtime, NULL, &next->overlay);
	return 0;
}

int configure_order(void *arg, const struct change *change, struct difference **ret,
		    struct rehearsal **ret_rest, struct err *err)
{
	struct daemon *daemon = arg;
	CLEANUP(next_done) struct next next = { .file = NULL };
	int r;

	r = prepare(&next, daemon, change, err);
	if (r < 0)
		return r;
	if (change->is_rehearsal)
		return rehearse(daemon, change, &next, ret, ret_rest, err);
	return carry_out_order(daemon, change, &next, err);
}
