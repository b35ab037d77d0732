/* SPDX-License-Identifier: GPL-2.0-or-later */
/* roles - what a server can do to a client. */
#ifndef SLUICE_TESTS_ROLES_ROLES_H
#define SLUICE_TESTS_ROLES_ROLES_H

#include "tests/netns/roles/talk.h"

enum chain { CHAIN_FINE, CHAIN_DEEP, CHAIN_WIDE, CHAIN_MEGABYTE, CHAINS };

struct role {
	const char *name;
	void (*play)(struct conn *conn);
	void (*prepare)(const char *directory); /* NULL: nothing to prepare */
	bool raw; /* before any handshake, also with TLS */
	enum chain chain;
};

/* NULL: there is none of that name. */
const struct role *find_role(const char *name);

#endif
