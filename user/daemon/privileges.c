// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/err.h"

#define BIT(capability) (1ull << (capability))
#define WORD_BITS 32

static const uint64_t kept =
	BIT(CAP_BPF) | BIT(CAP_NET_ADMIN) | BIT(CAP_PERFMON) | BIT(CAP_NET_RAW);

/* HAProxy takes ports below 1024, becomes its user, and tells its older processes to end. */
static const uint64_t of_haproxy =
	BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_KILL);

/* From here on no program that is executed gains any; without CAP_SETPCAP, nobody asked for that. */
static int drop_bounding(uint64_t keep, struct err *err)
{
	for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (!(keep & BIT(i)) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0 && errno != EPERM)
			return err_set(err, -errno, "limit capabilities: %s", strerror(errno));
	return 0;
}

static int drop_own(uint64_t keep, struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return err_set(err, -errno, "read capabilities: %s", strerror(errno));
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted &= (uint32_t)(keep >> i * WORD_BITS);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return err_set(err, -errno, "give up capabilities: %s", strerror(errno));
	return 0;
}

int privileges_drop(bool may_mount, bool may_start_haproxy, struct err *err)
{
	uint64_t keep =
		kept | (may_mount ? BIT(CAP_SYS_ADMIN) : 0) | (may_start_haproxy ? of_haproxy : 0);
	int r;

	r = drop_bounding(keep, err);
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, -errno, "no new privileges: %s", strerror(errno));
	return drop_own(keep, err);
}

int privileges_check_haproxy(struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return err_set(err, -errno, "read capabilities: %s", strerror(errno));
	if ((data[0].permitted & of_haproxy) == of_haproxy)
		return 0;
	return err_set(
		err, -EPERM,
		"HAProxy cannot be started without CAP_SETUID, CAP_SETGID, CAP_NET_BIND_SERVICE and "
		"CAP_KILL, which sluiced gives up at a start with neither services with forward: "
		"l7 nor gateway.l7; restart it (a section gateway.l7 in the file, if only 'l7: {}', "
		"keeps them from the start)");
}
