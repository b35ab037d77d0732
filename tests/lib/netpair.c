// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/netpair.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/cleanup.h"

#define ARGS_MAX 16
#define PATH_LEN 64
#define LINE_LEN 1024
#define POLL_MS 5
#define RUNNING_POLLS 1000

void netpair_run(const char *program, ...)
{
	char *args[ARGS_MAX + 1] = { NULL };
	int n = 0, status;
	posix_spawn_file_actions_t quiet;
	va_list ap;
	pid_t pid;

	args[n++] = strdup(program);
	va_start(ap, program);
	for (const char *arg; n < ARGS_MAX && (arg = va_arg(ap, const char *));)
		args[n++] = strdup(arg);
	va_end(ap);

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	assert_int_equal(posix_spawnp(&pid, program, &quiet, NULL, args, environ), 0);
	posix_spawn_file_actions_destroy(&quiet);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		fail_msg("%s %s %s %s: status %d", args[0], args[1], args[2], args[3], status);
	for (int i = 0; i < n; i++)
		free(args[i]);
}

static int namespace_fd(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void address(const char *device, const char *v4, const char *v6)
{
	char prefix4[PATH_LEN], prefix6[PATH_LEN];

	snprintf(prefix4, sizeof(prefix4), "%s/24", v4);
	snprintf(prefix6, sizeof(prefix6), "%s/64", v6);
	netpair_run("ip", "addr", "add", prefix4, "dev", device, NULL);
	netpair_run("ip", "addr", "add", prefix6, "dev", device, "nodad", NULL);
	netpair_run("ip", "link", "set", device, "up", NULL);
	netpair_run("ip", "link", "set", "lo", "up", NULL);
}

/* Until the kernel has noticed the carrier, the device's queue drops everything. */
static void wait_running(const char *device)
{
	CLEANUP(close_p) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { 0 };

	assert_true(fd >= 0);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", device);
	for (int i = 0; i < RUNNING_POLLS; i++) {
		assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &ifr), 0);
		if (ifr.ifr_flags & IFF_RUNNING)
			return;
		poll(NULL, 0, POLL_MS);
	}
	fail_msg("%s has no carrier", device);
}

void netpair_up(struct netpair *net)
{
	char peer[PATH_LEN];

	net->home = namespace_fd();
	for (enum side side = 0; side < SIDES; side++) {
		assert_int_equal(unshare(CLONE_NEWNET), 0);
		net->ns[side] = namespace_fd();
	}
	snprintf(peer, sizeof(peer), "/proc/%d/fd/%d", (int)getpid(), net->ns[PEER]);

	netpair_enter(net, GATEWAY);
	netpair_run("ip", "link", "add", GATEWAY_DEVICE, "type", "veth", "peer", "name",
		    PEER_DEVICE, "netns", peer, NULL);
	address(GATEWAY_DEVICE, GATEWAY_V4, GATEWAY_V6);
	net->ifindex[GATEWAY] = if_nametoindex(GATEWAY_DEVICE);
	netpair_enter(net, PEER);
	address(PEER_DEVICE, PEER_V4, PEER_V6);
	net->ifindex[PEER] = if_nametoindex(PEER_DEVICE);
	wait_running(PEER_DEVICE);
	netpair_enter(net, GATEWAY);
	wait_running(GATEWAY_DEVICE);
}

void netpair_down(struct netpair *net)
{
	assert_int_equal(setns(net->home, CLONE_NEWNET), 0);
	for (enum side side = 0; side < SIDES; side++)
		close(net->ns[side]);
	close(net->home);
}

void netpair_enter(const struct netpair *net, enum side side)
{
	assert_int_equal(setns(net->ns[side], CLONE_NEWNET), 0);
}

/* Add up the columns named InCsumErrors: lines of names and lines of values alternate. */
static uint64_t sum_snmp(void)
{
	CLEANUP(fclose_p) FILE *file = fopen("/proc/thread-self/net/snmp", "re");
	char names[LINE_LEN], values[LINE_LEN];
	uint64_t sum = 0;

	assert_non_null(file);
	while (fgets(names, sizeof(names), file) && fgets(values, sizeof(values), file)) {
		char *save_name, *save_value;
		char *name = strtok_r(names, " \n", &save_name);
		char *value = strtok_r(values, " \n", &save_value);

		for (; name && value; name = strtok_r(NULL, " \n", &save_name),
				      value = strtok_r(NULL, " \n", &save_value))
			if (strcmp(name, "InCsumErrors") == 0)
				sum += strtoull(value, NULL, 10);
	}
	return sum;
}

static uint64_t sum_snmp6(void)
{
	CLEANUP(fclose_p) FILE *file = fopen("/proc/thread-self/net/snmp6", "re");
	unsigned long long value;
	char name[LINE_LEN];
	uint64_t sum = 0;

	assert_non_null(file);
	while (fscanf(file, "%1023s %llu", name, &value) == 2)
		if (strstr(name, "InCsumErrors"))
			sum += value;
	return sum;
}

uint64_t netpair_checksum_errors(const struct netpair *net, enum side side)
{
	netpair_enter(net, side);
	return sum_snmp() + sum_snmp6();
}
