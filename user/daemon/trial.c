// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/trial.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "l7/program.h"
#include "util/err.h"

struct trial {
	uv_work_t work;
	struct l7_plan *plan;
	char *program;
	trial_done_fn *done;
	void *arg;
	atomic_bool abandoned;
	int r;
	struct err why;
};

static void trial_free(struct trial *trial)
{
	l7_plan_free(trial->plan);
	free(trial->program);
	free(trial);
}

/* A thread of libuv's pool. */
static void run(uv_work_t *work)
{
	struct trial *trial = work->data;

	trial->r = l7_program_check(trial->plan, trial->program, L7_CHECK_MS, &trial->abandoned,
				    &trial->why);
}

static void on_run(uv_work_t *work, int status)
{
	struct trial *trial = work->data;

	(void)status;
	if (!atomic_load(&trial->abandoned))
		trial->done(trial->arg, take_ptr(trial->plan), trial->r, &trial->why);
	trial_free(trial);
}

int trial_start(struct trial **ret, uv_loop_t *loop, struct l7_plan *plan, const char *program,
		trial_done_fn *done, void *arg)
{
	struct trial *trial = calloc(1, sizeof(*trial));

	if (!trial || !(trial->program = strdup(program))) {
		free(trial);
		return -ENOMEM;
	}
	trial->work.data = trial;
	trial->plan = plan;
	trial->done = done;
	trial->arg = arg;
	*ret = trial;
	/* It cannot fail with both functions. */
	return uv_queue_work(loop, &trial->work, run, on_run);
}

void trial_abandon(struct trial *trial)
{
	if (trial)
		atomic_store(&trial->abandoned, true);
}
