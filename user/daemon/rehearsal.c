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
	char program[PATH_MAX];
};

int rehearsal_new(struct rehearsal **ret, const struct carrier *carrier, const struct model *model,
		  struct err *err)
{
	CLEANUP(l7_plan_free_p) struct l7_plan *plan = NULL;
	struct rehearsal *rehearsal;
	int r;

	*ret = NULL;
	if (!model_l7(model))
		return 0;
	r = carrier_rehearse(&plan, carrier, model, err);
	if (r < 0 || !plan)
		return r;
	r = privileges_check_haproxy(err);
	if (r < 0)
		return r;
	rehearsal = calloc(1, sizeof(*rehearsal));
	if (!rehearsal)
		return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	snprintf(rehearsal->program, sizeof(rehearsal->program), "%s", model->gateway.l7.program);
	rehearsal->plan = take_ptr(plan);
	*ret = rehearsal;
	return 0;
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
	l7_plan_free(rehearsal->plan);
	free(rehearsal);
}
