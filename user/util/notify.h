/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify - tell the service manager how this process is, by the protocol of sd_notify(3).
 *
 * Datagrams to the socket in NOTIFY_SOCKET, sent here and not by libsystemd for the sake of two
 * system calls. Without such a socket nothing happens. For one thread.
 */
#ifndef SLUICE_UTIL_NOTIFY_H
#define SLUICE_UTIL_NOTIFY_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	struct sockaddr_un address;
	socklen_t address_len; /* 0: nobody to tell */
	uint64_t alive_every_ns; /* 0: nobody watches */
	uint64_t alive_next_ns;
};

/*
 * Read NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and take them out of the environment: they
 * are not about processes that this one starts.
 */
void notify_init(struct notify *notify);

/*
 * "READY=1", with further lines if need be. Waits for a second at most if the manager does not
 * read. 0, also when there is nobody to tell, or -errno.
 */
int notify_tell(const struct notify *notify, const char *state);

/* RELOADING=1, with the time that the protocol wants in it. READY=1 ends it. */
int notify_reloading(const struct notify *notify, uint64_t now_ns);

/*
 * "WATCHDOG=1", if that was asked for and is due: four times within the time that the manager
 * allows. To be called from the loop that is to be watched, at least once a second. Never waits.
 */
void notify_alive(struct notify *notify, uint64_t now_ns);

#endif
