// SPDX-License-Identifier: GPL-2.0-or-later
/* Who may what, by user and groups; and what the groups' names come to on this host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>

#include "control/roles.h"

#define READERS 64001
#define CHANGERS 64002
#define OWN 500

/* What the host has: 'r' the readers' group, 'c' the changers'. */
static const char *host = "rc";

struct group *getgrnam(const char *name)
{
	static char names[2][16] = { ROLES_READERS, ROLES_CHANGERS };
	static struct group groups[] = { { .gr_name = names[0], .gr_gid = READERS },
					 { .gr_name = names[1], .gr_gid = CHANGERS } };

	if (!strcmp(name, ROLES_READERS))
		return strchr(host, 'r') ? &groups[0] : NULL;
	assert_string_equal(name, ROLES_CHANGERS);
	return strchr(host, 'c') ? &groups[1] : NULL;
}

static const struct row {
	const char *host;
	uid_t uid;
	gid_t groups[4];
	size_t n;
	enum role role;
} rows[] = {
	{ "rc", 0, { 0 }, 1, ROLE_CHANGE },
	{ "rc", OWN, { OWN }, 1, ROLE_CHANGE },
	{ "rc", 1000, { 1000 }, 1, ROLE_NONE },
	{ "rc", 1000, { 0 }, 0, ROLE_NONE },
	{ "rc", 1000, { READERS }, 1, ROLE_READ },
	{ "rc", 1000, { 1000, 4, READERS }, 3, ROLE_READ },
	{ "rc", 1000, { 1000, CHANGERS, 4 }, 3, ROLE_CHANGE },
	{ "rc", 1000, { READERS, 4, CHANGERS }, 3, ROLE_CHANGE },
	{ "rc", 1000, { 1000, 4, READERS, CHANGERS }, 2, ROLE_NONE },
	/* The number of a group that does not exist is nobody's; 0 is root's own. */
	{ "c", 1000, { READERS }, 1, ROLE_NONE },
	{ "c", 1000, { 0 }, 1, ROLE_NONE },
	{ "c", 1000, { CHANGERS }, 1, ROLE_CHANGE },
	{ "r", 1000, { CHANGERS }, 1, ROLE_NONE },
	{ "r", 1000, { 0, READERS }, 2, ROLE_READ },
	{ "", 1000, { 0, READERS, CHANGERS }, 3, ROLE_NONE },
	{ "", 0, { 0 }, 0, ROLE_CHANGE },
};

static void are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct roles roles;

		host = row->host;
		roles = roles_find();
		assert_int_equal(roles.own, geteuid());
		roles.own = OWN;
		if (roles_of(&roles, row->uid, row->groups, row->n) != row->role)
			fail_msg("row %zu", i);
	}
}

static void differ(void **state)
{
	static const char *const hosts[] = { "rc", "r", "c", "" };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 4; j++) {
			struct roles a, b;

			host = hosts[i];
			a = roles_find();
			host = hosts[j];
			b = roles_find();
			assert_int_equal(roles_equal(&a, &b), i == j);
		}
}

/* What the log says of the host: one line, or none. */
static void are_logged(void **state)
{
	static const struct {
		const char *host, *line;
	} logs[] = {
		{ "rc", "" },
		{ "r",
		  "the group 'sluice-admin' does not exist: only root and sluiced's own user may "
		  "change anything" },
		{ "c", "the group 'sluice' does not exist: only who may change something may ask" },
		{ "",
		  "the groups 'sluice' and 'sluice-admin' do not exist: only root and sluiced's "
		  "own user may ask for anything" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		int out[2], before = dup(STDERR_FILENO);
		char line[512] = "";
		struct roles roles;
		const char *text;

		assert_int_equal(pipe(out), 0);
		dup2(out[1], STDERR_FILENO);
		host = logs[i].host;
		roles = roles_find();
		roles_log(&roles);
		dup2(before, STDERR_FILENO);
		close(before);
		close(out[1]);
		assert_true(read(out[0], line, sizeof(line) - 1) >= 0);
		close(out[0]);
		text = strstr(line, "the group");
		assert_int_equal(!text, !*logs[i].line);
		if (text)
			assert_int_equal(strncmp(text, logs[i].line, strlen(logs[i].line)), 0);
		assert_true(!strchr(line, '\n') || !strchr(line, '\n')[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(are_told_apart),
		cmocka_unit_test(differ),
		cmocka_unit_test(are_logged),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("roles", tests, NULL, NULL);
}
