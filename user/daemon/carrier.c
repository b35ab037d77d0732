// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/carrier.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/pipeline_work.h"
#include "daemon/privileges.h"
#include "daemon/tell.h"
#include "daemon/trial.h"
#include "l7/supervisor.h"
#include "model/maglev.h"
#include "model/weights.h"
#include "util/err.h"

struct carrier {
	uv_loop_t *loop;
	struct events *events;
	struct supervisor *supervisor; /* NULL: nothing has ever been carried */
	struct l7_plan *plan; /* prepared */
	bool prepared; /* whether plan is what is to be, be it none */
	bool checked; /* and HAProxy has accepted it */
	struct trial *trial; /* NULL: HAProxy is not asked just now */
	carrier_answer_fn *answer;
	void *arg;
	/* What HAProxy took last, and which. */
	char accepted[sizeof(((struct l7_plan *)0)->digest)];
	char accepted_program[PATH_MAX];
	char program[PATH_MAX];
};

struct carrier *carrier_new(uv_loop_t *loop, struct events *events)
{
	struct carrier *carrier = calloc(1, sizeof(*carrier));

	if (carrier)
		*carrier = (struct carrier){ .loop = loop, .events = events };
	return carrier;
}

void carrier_free(struct carrier *carrier, bool stops)
{
	if (!carrier)
		return;
	carrier_drop(carrier);
	supervisor_free(carrier->supervisor, stops);
	free(carrier);
}

struct supervisor *carrier_supervisor(const struct carrier *carrier)
{
	return carrier->supervisor;
}

/* --- a model ---------------------------------------------------------------------------------- */

/* Any thread. */
static void tell_supervisor(void *arg, enum supervisor_severity severity, const char *state,
			    const char *line)
{
	static const enum event_severity severities[] = {
		[SUPERVISOR_ERROR] = EVENT_ERROR,
		[SUPERVISOR_WARNING] = EVENT_WARNING,
		[SUPERVISOR_INFO] = EVENT_INFO,
	};
	struct event event = { .kind = EVENT_OTHER, .severity = severities[severity] };

	event_set(event.reason, "haproxy");
	event_set(event.after, state);
	event_set(event.text, line);
	tell(arg, &event, NULL);
}

/* Absolute, so that HAProxy finds it from anywhere. */
static int directory_of(char ret[PATH_MAX], const struct model *model, struct err *err)
{
	const char *state_dir = model->gateway.state_dir;
	char real[PATH_MAX];
	size_t len;

	if (mkdir(state_dir, 0755) < 0 && errno != EEXIST)
		return err_set(err, -errno, "gateway.state_dir: %s: %s", state_dir,
			       strerror(errno));
	if (!realpath(state_dir, real))
		return err_set(err, -errno, "gateway.state_dir: %s: %s", state_dir,
			       strerror(errno));
	len = (size_t)snprintf(ret, PATH_MAX, "%s/l7", real);
	/* Of sockets in it, and HAProxy's names for them while it makes them. */
	if (len > L7_DIR_MAX)
		return err_set(err, -ENAMETOOLONG,
			       "gateway.state_dir: '%s' is too long for HAProxy's sockets in it; "
			       "allowed with forward: l7: %d bytes",
			       real, L7_DIR_MAX - 3);
	if (mkdir(ret, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "gateway.state_dir: %s: %s", ret, strerror(errno));
	return 0;
}

/* makes: where there is none and none is configured; else it is one of nothing then. */
static int load_key(struct l7_key *ret, const struct model *model, const char *dir, bool makes,
		    struct err *err)
{
	const char *configured = model->gateway.l7.affinity_key;
	char path[PATH_MAX + 32];
	int r;

	snprintf(path, sizeof(path), "%s/affinity.key", dir);
	r = l7_key_load(ret, configured[0] ? configured : path, !configured[0] && makes, err);
	if (r == -ENOENT && !configured[0]) {
		*ret = (struct l7_key){ .len = L7_KEY_MIN };
		return 0;
	}
	return r < 0 ? err_in(err, r, "gateway.l7.affinity_key: ") : 0;
}

/* Whether a daemon before has left a HAProxy that nothing asks for any more. */
static bool is_left_over(const struct model *model)
{
	char path[PATH_MAX + 32];
	struct stat st;

	snprintf(path, sizeof(path), "%s/" L7_MASTER, model->gateway.state_dir);
	return stat(path, &st) == 0;
}

static int make_supervisor(struct carrier *carrier, const char *dir, struct err *err)
{
	const struct supervisor_options options = { dir, tell_supervisor, carrier->events };

	return carrier->supervisor ? 0 : supervisor_new(&carrier->supervisor, &options, err);
}

static int plan_for(struct carrier *carrier, const struct model *model, const char *dir,
		    struct err *err)
{
	struct l7_key key;
	int r = load_key(&key, model, dir, true, err);

	snprintf(carrier->program, sizeof(carrier->program), "%s", model->gateway.l7.program);
	return r < 0 ? r : l7_plan_new(&carrier->plan, model, dir, &key, err);
}

static int make_plan(struct carrier *carrier, const struct model *model, struct err *err)
{
	char dir[PATH_MAX];
	int r;

	carrier_drop(carrier);
	/* Without services of layer 7, nobody cares. */
	if (!model_l7(model) && !carrier->supervisor && !is_left_over(model))
		return 0;
	r = directory_of(dir, model, err);
	if (r == 0 && model_l7(model))
		r = plan_for(carrier, model, dir, err);
	if (r == 0)
		r = make_supervisor(carrier, dir, err);
	carrier->prepared = r == 0;
	return r;
}

static void on_tried(void *arg, struct l7_plan *plan, int r, const struct err *why)
{
	struct carrier *carrier = arg;

	carrier->trial = NULL;
	carrier->plan = plan;
	carrier->checked = r == 0;
	if (r == 0) {
		memcpy(carrier->accepted, plan->digest, sizeof(carrier->accepted));
		memcpy(carrier->accepted_program, carrier->program, sizeof(carrier->program));
	} else {
		carrier_drop(carrier);
	}
	carrier->answer(carrier->arg, r, why);
}

static bool is_accepted(const struct carrier *carrier, const struct l7_plan *plan,
			const char *program)
{
	return !plan ||
	       (!strcmp(carrier->accepted, plan->digest) &&
		!strcmp(carrier->accepted_program, program)) ||
	       (carrier->supervisor &&
		supervisor_serves(carrier->supervisor, plan->digest, program));
}

int carrier_rehearse(struct l7_plan **ret, const struct carrier *carrier, const struct model *model,
		     struct err *err)
{
	CLEANUP(l7_plan_free_p) struct l7_plan *plan = NULL;
	char dir[PATH_MAX];
	struct l7_key key;
	int r;

	*ret = NULL;
	r = directory_of(dir, model, err);
	if (r == 0)
		r = load_key(&key, model, dir, false, err);
	if (r == 0)
		r = l7_plan_new(&plan, model, dir, &key, err);
	if (r == 0 && !is_accepted(carrier, plan, model->gateway.l7.program))
		*ret = take_ptr(plan);
	return r;
}

/* A check starts a process: what was checked before is not checked again. */
static int check_plan(struct carrier *carrier, struct err *err)
{
	int r;

	carrier->checked = is_accepted(carrier, carrier->plan, carrier->program);
	if (carrier->checked)
		return 0;
	r = privileges_check_haproxy(err);
	if (r < 0)
		return r;
	r = trial_start(&carrier->trial, carrier->loop, carrier->plan, carrier->program, on_tried,
			carrier);
	if (r < 0)
		return err_set(err, r, "%s", strerror(-r));
	carrier->plan = NULL;
	return -EINPROGRESS;
}

int carrier_prepare(struct carrier *carrier, const struct model *model, carrier_answer_fn *answer,
		    void *arg, struct err *err)
{
	int r = make_plan(carrier, model, err);

	carrier->answer = answer;
	carrier->arg = arg;
	if (r == 0)
		r = check_plan(carrier, err);
	if (r < 0 && r != -EINPROGRESS)
		carrier_drop(carrier);
	return r;
}

void carrier_prepare_anyway(struct carrier *carrier, const struct model *model)
{
	struct err err;
	int r = make_plan(carrier, model, &err);

	if (r == 0 && carrier->plan)
		r = privileges_check_haproxy(&err);
	if (r < 0)
		tell_supervisor(carrier->events, SUPERVISOR_ERROR, "refused", err.text);
}

void carrier_drop(struct carrier *carrier)
{
	trial_abandon(take_ptr(carrier->trial));
	l7_plan_free(take_ptr(carrier->plan));
	carrier->prepared = carrier->checked = false;
}

void carrier_stage(struct carrier *carrier)
{
	struct l7_plan *plan = take_ptr(carrier->plan);

	if (carrier->prepared &&
	    supervisor_stage(carrier->supervisor, plan, carrier->program, carrier->checked) < 0)
		tell_supervisor(carrier->events, SUPERVISOR_ERROR, "refused",
				"HAProxy: out of memory: it goes on with the configuration before");
}

void carrier_commit(struct carrier *carrier)
{
	if (carrier->prepared)
		supervisor_commit(carrier->supervisor);
	carrier->prepared = false;
}

void carrier_dismiss(struct carrier *carrier)
{
	if (carrier->supervisor && supervisor_stage(carrier->supervisor, NULL, "", false) == 0)
		supervisor_commit(carrier->supervisor);
}

/* --- servers ---------------------------------------------------------------------------------- */

/* HAProxy's weights go to 256: the larger they are, the finer a share of one can be. */
static uint32_t scale_of(const struct pipeline *pipeline, const struct service *service)
{
	uint32_t largest = 1;

	for (uint32_t i = 0; i < service->n_endpoints; i++) {
		uint32_t weight = weights_get(pipeline->weights, service->pool, service->owners[i]);

		largest = weight > largest ? weight : largest;
	}
	return LIMIT_WEIGHT / largest;
}

static uint16_t weight_of(uint32_t weight, uint16_t share)
{
	uint32_t scaled = weight * share / MAGLEV_SHARE_FULL;

	/* A little is not nothing. */
	return (uint16_t)(weight && share && !scaled ? 1 : scaled);
}

static struct l7_server server_of(const struct pipeline *pipeline, uint32_t endpoint,
				  uint32_t weight, uint16_t share)
{
	const struct seat *seat = &pipeline->seats[endpoint];
	struct standing standing = seat_standing(seat);
	struct l7_server server = {
		.addr = seat->addr,
		.weight = weight_of(weight, share ? share : MAGLEV_SHARE_FULL),
		.deadline_ms = standing.deadline_ms,
		.standing = L7_DOWN,
	};

	if (!seat->taken)
		return server;
	if (standing.admin == SL_DISABLED)
		server.standing = L7_DISABLED;
	else if (share || (!weight && pipeline->health[endpoint].proven != SL_UNHEALTHY))
		server.standing = L7_READY;
	/* Who is pinned to it may come until it turns out to be ill. */
	if (standing.admin == SL_DRAINING && pipeline->health[endpoint].proven != SL_UNHEALTHY)
		server.standing = L7_DRAINING;
	return server;
}

int carrier_balance(struct supervisor *supervisor, const struct pipeline *pipeline, uint32_t index,
		    const uint16_t shares[])
{
	const struct service *service = &pipeline->parts.model->services[index];
	CLEANUP(free_p)
	struct l7_server *servers = calloc(service->n_endpoints + 1, sizeof(*servers));
	uint32_t scale = scale_of(pipeline, service);

	if (!servers)
		return -ENOMEM;
	for (uint32_t i = 0; i < service->n_endpoints; i++) {
		uint32_t weight = weights_get(pipeline->weights, service->pool, service->owners[i]);

		servers[i] = server_of(pipeline, service->endpoints[i], weight * scale, shares[i]);
	}
	supervisor_set(supervisor, index, servers, service->n_endpoints);
	return 0;
}
