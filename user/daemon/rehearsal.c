// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/rehearsal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "daemon/carrier.h"
#include "daemon/privileges.h"
#include "l7/plan.h"
#include "l7/program.h"
#include "model/model.h"
#include "util/err.h"

struct rehearsal {
	struct l7_plan *plan;
	char dir[PATH_MAX];
	char program[PATH_MAX];
};

/* In the state directory, where HAProxy may be let read. */
static int make_directory(struct rehearsal *rehearsal, const struct model *model, struct err *err)
{
	const char *state_dir = model->gateway.state_dir;
	char real[PATH_MAX];
	int len;

	if (!realpath(state_dir, real))
		return err_set(err, -errno, "gateway.state_dir: %s: %s", state_dir,
			       strerror(errno));
	len = snprintf(rehearsal->dir, sizeof(rehearsal->dir), "%s/rehearsal.XXXXXX", real);
	if ((size_t)len < sizeof(rehearsal->dir) && mkdtemp(rehearsal->dir))
		return 0;
	rehearsal->dir[0] = '\0';
	return err_set(err, -errno, "gateway.state_dir: %s: %s", state_dir, strerror(errno));
}

int rehearsal_new(struct rehearsal **ret, const struct carrier *carrier, const struct model *model,
		  struct err *err)
{
	CLEANUP(rehearsal_free_p) struct rehearsal *rehearsal = NULL;
	struct l7_key key;
	bool accepted = true;
	int r;

	*ret = NULL;
	if (!model_l7(model))
		return 0;
	r = carrier_accepts(&accepted, &key, carrier, model, err);
	if (r < 0 || accepted)
		return r;
	r = privileges_check_haproxy(err);
	if (r < 0)
		return r;
	rehearsal = calloc(1, sizeof(*rehearsal));
	if (!rehearsal)
		return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	snprintf(rehearsal->program, sizeof(rehearsal->program), "%s", model->gateway.l7.program);
	r = make_directory(rehearsal, model, err);
	if (r == 0)
		r = l7_plan_new(&rehearsal->plan, model, rehearsal->dir, &key, err);
	if (r == 0)
		*ret = take_ptr(rehearsal);
	return r;
}

int rehearsal_run(const struct rehearsal *rehearsal, int timeout_ms, const atomic_bool *gives_up,
		  struct err *err)
{
	return l7_program_check(rehearsal->plan, rehearsal->program, timeout_ms, gives_up, err);
}

void rehearsal_free(struct rehearsal *rehearsal)
{
	if (!rehearsal)
		return;
	if (rehearsal->dir[0])
		l7_program_clean(rehearsal->dir, rehearsal->plan);
	l7_plan_free(rehearsal->plan);
	free(rehearsal);
}
