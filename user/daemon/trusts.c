// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/trusts.h"

#include "probe/trust.h"

struct trusts {
	const struct model *model;
	struct trust *trust[]; /* by settings; NULL: nobody asked yet */
};

struct trusts *trusts_new(const struct model *model)
{
	struct trusts *trusts =
		calloc(1, sizeof(*trusts) + model->n_settings * sizeof(struct trust *));

	if (trusts)
		trusts->model = model;
	return trusts;
}

void trusts_free(struct trusts *trusts)
{
	if (!trusts)
		return;
	for (uint32_t i = 0; i < trusts->model->n_settings; i++)
		if (trusts->trust[i])
			trust_free(trusts->trust[i]);
	free(trusts);
}

int trusts_give(struct trusts *trusts, uint32_t settings, struct plan *plan, struct err *err)
{
	struct trust **trust = &trusts->trust[settings];
	int r;

	if (!plan->tls.enabled)
		return 0;
	if (!*trust) {
		r = trust_new(trust, &trusts->model->settings[settings].trust, err);
		if (r < 0)
			return r;
	}
	plan->tls.trust = *trust;
	return 0;
}
