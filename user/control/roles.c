// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/roles.h"

#include <grp.h>
#include <unistd.h>

#include "util/log.h"

static struct roles_group find_group(const char *name)
{
	const struct group *group = getgrnam(name);

	return (struct roles_group){ .exists = group != NULL, .gid = group ? group->gr_gid : 0 };
}

struct roles roles_find(void)
{
	return (struct roles){
		.own = geteuid(),
		.readers = find_group(ROLES_READERS),
		.changers = find_group(ROLES_CHANGERS),
	};
}

static bool group_equal(const struct roles_group *a, const struct roles_group *b)
{
	return a->exists == b->exists && a->gid == b->gid;
}

bool roles_equal(const struct roles *a, const struct roles *b)
{
	return a->own == b->own && group_equal(&a->readers, &b->readers) &&
	       group_equal(&a->changers, &b->changers);
}

void roles_log(const struct roles *roles)
{
	if (!roles->readers.exists && !roles->changers.exists)
		log_info("the groups '" ROLES_READERS "' and '" ROLES_CHANGERS
			 "' do not exist: only root and sluiced's own user may ask for anything");
	else if (!roles->readers.exists)
		log_info("the group '" ROLES_READERS
			 "' does not exist: only who may change something may ask");
	else if (!roles->changers.exists)
		log_info("the group '" ROLES_CHANGERS
			 "' does not exist: only root and sluiced's own user may change anything");
}

static bool is_in(const struct roles_group *group, const gid_t groups[], size_t n)
{
	for (size_t i = 0; group->exists && i < n; i++)
		if (groups[i] == group->gid)
			return true;
	return false;
}

enum role roles_of(const struct roles *roles, uid_t uid, const gid_t groups[], size_t n_groups)
{
	if (uid == 0 || uid == roles->own || is_in(&roles->changers, groups, n_groups))
		return ROLE_CHANGE;
	return is_in(&roles->readers, groups, n_groups) ? ROLE_READ : ROLE_NONE;
}
