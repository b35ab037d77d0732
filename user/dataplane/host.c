// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/host.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "util/err.h"

#define BTF_PATH "/sys/kernel/btf/vmlinux"

/* glibc has no wrapper for capget, and libcap would be a dependency for one bit. */
static uint64_t effective_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return 0;
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

static bool has(uint64_t capabilities, int capability)
{
	return capabilities >> capability & 1;
}

void host_read(struct host_facts *ret_facts)
{
	uint64_t capabilities = effective_capabilities();
	struct utsname name;

	*ret_facts = (struct host_facts){
		.may_use_bpf = has(capabilities, CAP_SYS_ADMIN) ||
			       (has(capabilities, CAP_BPF) && has(capabilities, CAP_PERFMON)),
		.may_use_net = has(capabilities, CAP_NET_ADMIN),
		.has_btf = access(BTF_PATH, F_OK) == 0,
	};
	if (uname(&name) == 0)
		memcpy(ret_facts->release, name.release, sizeof(ret_facts->release));
}

int host_judge(const struct host_facts *facts, struct err *err)
{
	unsigned int major, minor;

	if (!facts->may_use_bpf || !facts->may_use_net)
		return err_set(err, -EPERM, "loading and attaching BPF programs needs root, or %s",
			       facts->may_use_bpf   ? "CAP_NET_ADMIN"
			       : facts->may_use_net ? "CAP_BPF and CAP_PERFMON"
						    : "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN");
	if (sscanf(facts->release, "%u.%u", &major, &minor) != 2 || major < KERNEL_MIN_MAJOR ||
	    (major == KERNEL_MIN_MAJOR && minor < KERNEL_MIN_MINOR))
		return err_set(err, -EOPNOTSUPP, "Linux %u.%u or later is needed; this is %s",
			       KERNEL_MIN_MAJOR, KERNEL_MIN_MINOR, facts->release);
	if (!facts->has_btf)
		return err_set(err, -EOPNOTSUPP,
			       "the kernel (%s) has no BTF: %s is missing; it needs one built with "
			       "CONFIG_DEBUG_INFO_BTF=y",
			       facts->release, BTF_PATH);
	return 0;
}
