// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/groups.h"

#include <errno.h>
#include <string.h>

int groups_init(struct groups *ret_groups, const struct model *model)
{
	/* One slot more than there are pools ends the last group, and one more starts the count. */
	CLEANUP(free_p) uint32_t *first = calloc((size_t)model->n_pools + 2, sizeof(*first));
	CLEANUP(free_p)
	uint32_t *services = calloc((size_t)model->n_services + 1, sizeof(*services));

	if (!first || !services)
		return -ENOMEM;

	for (uint32_t i = 0; i < model->n_services; i++)
		first[model->services[i].pool + 2]++;
	for (uint32_t p = 2; p <= model->n_pools; p++)
		first[p] += first[p - 1];
	/* first[p + 1] is where pool p's next service goes; in the end it is where pool p ends. */
	for (uint32_t i = 0; i < model->n_services; i++)
		services[first[model->services[i].pool + 1]++] = i;

	ret_groups->first = take_ptr(first);
	ret_groups->services = take_ptr(services);
	return 0;
}

void groups_done(struct groups *groups)
{
	free(groups->first);
	free(groups->services);
	*groups = (struct groups){ 0 };
}
