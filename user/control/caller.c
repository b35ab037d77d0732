// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/printable.h"

#define CUT "..." /* there may be more */
#define STAT_BYTES 1024
#define STAT_STARTED \
	22 /* the field, counted from 1, in proc(5); behind it that of the name, which is 2 */

/* --- the kernel's word ------------------------------------------------------------------------- */

/* The groups besides the effective one, which comes first. Returns how many; -errno. */
static int read_groups(gid_t **ret, int fd, gid_t effective)
{
	socklen_t len = 0;
	CLEANUP(free_p) gid_t *groups = NULL;

	/* It says how many bytes they are. They stay what they were when the socket was connected. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) < 0 && errno != ERANGE)
		return -errno;
	groups = malloc(len + sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	groups[0] = effective;
	if (len && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups + 1, &len) < 0)
		return -errno;
	*ret = take_ptr(groups);
	return (int)(1 + len / sizeof(*groups));
}

int caller_of(struct caller *ret, int fd, const struct roles *roles)
{
	CLEANUP(free_p) gid_t *groups = NULL;
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int n;

	*ret = (struct caller){ .uid = CALLER_UNKNOWN, .role = ROLE_NONE };
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return -errno;
	ret->uid = peer.uid;
	ret->pid = peer.pid;
	ret->at_ms = clock_boot_ms();
	n = read_groups(&groups, fd, peer.gid);
	/* What is known without them counts all the same. */
	ret->role = n < 0 ? roles_of(roles, peer.uid, &peer.gid, 1)
			  : roles_of(roles, peer.uid, groups, (size_t)n);
	return n < 0 ? n : 0;
}

/* --- the process's own word -------------------------------------------------------------------- */

/* Up to size - 1 bytes, and a NUL. Returns how many; 0 if it cannot be read. */
static size_t read_file(int directory, const char *name, char *buf, size_t size)
{
	CLEANUP(close_p) int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, size - 1);

	if (n < 0)
		n = 0;
	buf[n] = '\0';
	return (size_t)n;
}

/* Since when the process has been there, by clock_boot_ms(), rounded down; UINT64_MAX: unknown. */
static uint64_t started_ms(int directory)
{
	char stat[STAT_BYTES];
	const char *at;
	long hz = sysconf(_SC_CLK_TCK);
	uint64_t ticks;

	/* The name is the process's to choose, brackets and blanks among it. */
	if (!read_file(directory, "stat", stat, sizeof(stat)) || hz <= 0)
		return UINT64_MAX;
	at = strrchr(stat, ')');
	for (int field = 2; at && field < STAT_STARTED; field++)
		at = strchr(at + 1, ' ');
	if (!at || sscanf(at, " %" SCNu64, &ticks) != 1)
		return UINT64_MAX;
	return ticks * MS_PER_SEC / (uint64_t)hz;
}

/* Words end with a NUL each; whatever drives a terminal or pretends to be a letter is none of ours. */
static void make_line(char *command, size_t n)
{
	while (n && !command[n - 1])
		n--;
	for (size_t i = 0; i < n; i++)
		if (!command[i])
			command[i] = ' ';
		else if (!printable_is_ascii(command[i]))
			command[i] = '?';
	command[n] = '\0';
	if (n == GIVER_COMMAND_LEN - 1)
		memcpy(command + n - strlen(CUT), CUT, strlen(CUT));
}

/*
 * What the process was started as, or says that it was. "": it is gone, or another one has its number since: one
 * that began after it was heard of.
 */
static void read_command(char command[GIVER_COMMAND_LEN], pid_t pid, uint64_t heard_ms)
{
	char path[32];
	CLEANUP(close_p) int directory = -1;
	size_t n;

	command[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	/* What is opened below it is of this process, or cannot be read once it is gone. */
	directory = pid > 0 ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (directory < 0 || started_ms(directory) > heard_ms)
		return;
	n = read_file(directory, "cmdline", command, GIVER_COMMAND_LEN);
	make_line(command, n);
}

static struct change_giver giver_of(uid_t uid, pid_t pid, uint64_t heard_ms)
{
	struct change_giver giver = { .known = true, .uid = uid, .pid = pid };

	read_command(giver.command, pid, heard_ms);
	return giver;
}

struct change_giver caller_giver(const struct caller *caller)
{
	return giver_of(caller->uid, caller->pid, caller->at_ms);
}

struct change_giver caller_giver_of_signal(uid_t uid, pid_t pid)
{
	struct change_giver giver = giver_of(uid, pid, clock_boot_ms());

	giver.by_signal = true;
	return giver;
}

const char *giver_text(char buf[GIVER_TEXT_LEN], const struct change_giver *giver)
{
	const char *command = giver->command;

	buf[0] = '\0';
	if (giver->known)
		snprintf(buf, GIVER_TEXT_LEN, "%suid %" PRIu32 ", process %d%s%s%s",
			 giver->by_signal ? "SIGHUP of " : "", giver->uid, giver->pid,
			 *command ? " (" : "", command, *command ? ")" : "");
	return buf;
}
