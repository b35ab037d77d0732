// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey/listeners.h"

#include <dirent.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "survey/netlink.h"
#include "util/cleanup.h"
#include "util/number.h"

#define V4_AT 12 /* of an address in a v4-mapped one */
#define V4_LOOPBACK_NET 127
#define PATH_LEN 64
#define FDS_MAX 65536 /* of one process that are looked at */

struct question {
	struct listeners *found;
	uint16_t port;
};

static const struct addr v4_any = { .bytes = { [10] = 0xff, [11] = 0xff } };
static const struct addr v6_any = { .bytes = { 0 } };

/* --- sockets ----------------------------------------------------------------------------------- */

static int keep_v6_only(const struct nlattr *attr, void *arg)
{
	if (mnl_attr_get_type(attr) == INET_DIAG_SKV6ONLY)
		*(bool *)arg = mnl_attr_get_u8(attr) != 0;
	return MNL_CB_OK;
}

static int take(const struct nlmsghdr *h, void *arg)
{
	const struct inet_diag_msg *message = mnl_nlmsg_get_payload(h);
	const struct question *question = arg;
	struct listeners *found = question->found;
	struct listener *listener;

	if (ntohs(message->id.idiag_sport) != question->port)
		return MNL_CB_OK;
	if (found->n == LISTENERS_MAX) {
		found->n_left_out++;
		return MNL_CB_OK;
	}
	listener = &found->of[found->n++];
	*listener = (struct listener){
		.v6 = message->idiag_family == AF_INET6,
		.queued = message->idiag_rqueue,
		.backlog = message->idiag_wqueue,
		.inode = message->idiag_inode,
	};
	if (listener->v6) {
		memcpy(listener->addr.bytes, message->id.idiag_src, sizeof(listener->addr.bytes));
		mnl_attr_parse(h, sizeof(*message), keep_v6_only, &listener->v6_only);
	} else {
		listener->addr = v4_any;
		memcpy(listener->addr.bytes + V4_AT, message->id.idiag_src,
		       sizeof(listener->addr.bytes) - V4_AT);
	}
	return MNL_CB_OK;
}

static int find_family(const struct question *question, int family, bool udp)
{
	char buf[NETLINK_REQUEST_LEN] = { 0 };
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *request;

	h->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request = mnl_nlmsg_put_extra_header(h, sizeof(*request));
	request->sdiag_family = (uint8_t)family;
	request->sdiag_protocol = udp ? IPPROTO_UDP : IPPROTO_TCP;
	/* A UDP socket that waits for anybody is one that is not connected. */
	request->idiag_states = 1u << (udp ? TCP_CLOSE : TCP_LISTEN);
	return netlink_ask(NETLINK_SOCK_DIAG, h, take, (void *)(uintptr_t)question);
}

int listeners_find(struct listeners *ret_listeners, bool udp, uint16_t port)
{
	struct listeners found = { .n = 0 };
	const struct question question = { .found = &found, .port = port };
	int r;

	r = find_family(&question, AF_INET, udp);
	if (r == 0)
		r = find_family(&question, AF_INET6, udp);
	if (r < 0)
		return r;
	*ret_listeners = found;
	return 0;
}

/* --- processes --------------------------------------------------------------------------------- */

static void closedir_p(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static void read_comm(char ret_comm[LISTENERS_COMM_LEN], int pid)
{
	char path[PATH_LEN];
	CLEANUP(fclose_p) FILE *file = NULL;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (file && fgets(ret_comm, LISTENERS_COMM_LEN, file))
		ret_comm[strcspn(ret_comm, "\n")] = '\0';
}

static void match_fd(struct listeners *listeners, int dir_fd, const char *name, int pid)
{
	char link[PATH_LEN];
	ssize_t n = readlinkat(dir_fd, name, link, sizeof(link) - 1);
	unsigned int inode;

	if (n <= 0)
		return;
	link[n] = '\0';
	if (sscanf(link, "socket:[%u]", &inode) != 1)
		return;
	for (uint32_t i = 0; i < listeners->n; i++) {
		struct listener *listener = &listeners->of[i];

		if (listener->pid || listener->inode != inode)
			continue;
		listener->pid = pid;
		read_comm(listener->comm, pid);
	}
}

static void match_process(struct listeners *listeners, int pid)
{
	char path[PATH_LEN];
	CLEANUP(closedir_p) DIR *dir = NULL;
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	for (int i = 0; dir && i < FDS_MAX && (entry = readdir(dir)); i++)
		match_fd(listeners, dirfd(dir), entry->d_name, pid);
}

void listeners_name(struct listeners *listeners)
{
	CLEANUP(closedir_p) DIR *dir = listeners->n ? opendir("/proc") : NULL;
	struct dirent *entry;
	uint64_t pid;

	while (dir && (entry = readdir(dir)))
		if (number_parse(&pid, entry->d_name, 1, INT32_MAX) == 0)
			match_process(listeners, (int)pid);
}

/* --- addresses --------------------------------------------------------------------------------- */

bool listener_covers(const struct listener *listener, const struct addr *addr)
{
	if (!memcmp(&listener->addr, addr, sizeof(*addr)))
		return true;
	if (!listener->v6)
		return addr_is_v4(addr) && !memcmp(&listener->addr, &v4_any, sizeof(v4_any));
	return !memcmp(&listener->addr, &v6_any, sizeof(v6_any)) &&
	       (!addr_is_v4(addr) || !listener->v6_only);
}

bool listener_is_loopback(const struct listener *listener)
{
	static const struct addr v6_loopback = { .bytes = { [15] = 1 } };

	if (addr_is_v4(&listener->addr))
		return listener->addr.bytes[V4_AT] == V4_LOOPBACK_NET;
	return !memcmp(&listener->addr, &v6_loopback, sizeof(v6_loopback));
}

/* --- counters ---------------------------------------------------------------------------------- */

/* Two lines, "TcpExt: NAME NAME…" and "TcpExt: 1 2…". */
int listeners_overflows(uint64_t *ret_overflows)
{
	CLEANUP(fclose_p) FILE *file = fopen("/proc/self/net/netstat", "re");
	CLEANUP(free_p) char *names = NULL;
	CLEANUP(free_p) char *values = NULL;
	char *name_at, *value_at, *name, *value;
	size_t names_len = 0, values_len = 0;

	if (!file || getline(&names, &names_len, file) < 0 ||
	    getline(&values, &values_len, file) < 0)
		return -ENOENT;
	name = strtok_r(names, " \n", &name_at);
	value = strtok_r(values, " \n", &value_at);
	while (name && value) {
		if (!strcmp(name, "ListenOverflows"))
			return number_parse(ret_overflows, value, 0, UINT64_MAX);
		name = strtok_r(NULL, " \n", &name_at);
		value = strtok_r(NULL, " \n", &value_at);
	}
	return -ENOENT;
}
