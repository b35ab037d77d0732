// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/number.h"

#define PATIENCE_S 1
#define ALIVE_PER_DEADLINE 4
#define NS_PER_US 1000

/* A path, or "@name": a socket that is in no file system. */
static socklen_t read_address(struct sockaddr_un *address, const char *path)
{
	size_t len = path ? strlen(path) : 0;

	if (len < 2 || len >= sizeof(address->sun_path) || (path[0] != '/' && path[0] != '@'))
		return 0;
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, len);
	if (path[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static uint64_t read_period_ns(const char *microseconds, const char *pid)
{
	uint64_t us, whom;

	if (!microseconds || number_parse(&us, microseconds, 1, UINT64_MAX / NS_PER_US) < 0)
		return 0;
	if (pid && (number_parse(&whom, pid, 1, INT32_MAX) < 0 || (pid_t)whom != getpid()))
		return 0;
	return us * NS_PER_US / ALIVE_PER_DEADLINE;
}

void notify_init(struct notify *notify)
{
	*notify = (struct notify){ .address_len = 0 };
	notify->address_len = read_address(&notify->address, getenv("NOTIFY_SOCKET"));
	if (notify->address_len)
		notify->alive_every_ns =
			read_period_ns(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static int send_state(const struct notify *notify, const char *state, int flags)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	CLEANUP(close_p) int fd = -1;

	if (!notify->address_len)
		return 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), flags | MSG_NOSIGNAL,
		   (const struct sockaddr *)&notify->address, notify->address_len) < 0)
		return -errno;
	return 0;
}

int notify_tell(const struct notify *notify, const char *state)
{
	return send_state(notify, state, 0);
}

int notify_reloading(const struct notify *notify, uint64_t now_ns)
{
	char state[64];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, now_ns / NS_PER_US);
	return send_state(notify, state, 0);
}

void notify_alive(struct notify *notify, uint64_t now_ns)
{
	if (!notify->alive_every_ns || now_ns < notify->alive_next_ns)
		return;
	/* What a manager that is busy did not get is due again at once. */
	if (send_state(notify, "WATCHDOG=1", MSG_DONTWAIT) == 0)
		notify->alive_next_ns = now_ns + notify->alive_every_ns;
}
