/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * roles - who may ask, and who may change something: by user and groups, as the kernel says of a connection.
 *
 * The groups are looked up by name when the daemon starts and reloads, and are numbers in between.
 */
#ifndef SLUICE_CONTROL_ROLES_H
#define SLUICE_CONTROL_ROLES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Each may what those before it may. */
enum role { ROLE_NONE, ROLE_READ, ROLE_CHANGE };

#define ROLES_READERS "sluice"
#define ROLES_CHANGERS "sluice-admin"

/* A group of this host. */
struct roles_group {
	bool exists;
	gid_t gid;
};

struct roles {
	uid_t own; /* the daemon's own user, who may do anything, as root may */
	struct roles_group readers, changers;
};

/*
 * Look the groups up. It may take as long as the host's name services do, and is for one thread at a time.
 */
struct roles roles_find(void);

bool roles_equal(const struct roles *a, const struct roles *b);

/* One line of the log where a group does not exist: who may do what without it. */
void roles_log(const struct roles *roles);

/* What somebody may who is in all of these groups. */
enum role roles_of(const struct roles *roles, uid_t uid, const gid_t groups[], size_t n_groups);

#endif
