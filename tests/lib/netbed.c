// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/netbed.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"

#define ARGS_MAX 24
#define EVENTUALLY_NS (5 * NS_PER_SEC)
#define PAUSE_US 500

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

void netbed_must_(int status, const char *what)
{
	must(status == 0, what);
}

void netbed_enter(void)
{
	must(unshare(CLONE_NEWNET | CLONE_NEWNS) == 0, "unshare");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "make mounts private");
	netbed_must("ip", "link", "set", "lo", "up");
}

void netbed_keep(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	must(fd >= 0, path);
	close(fd);
	must(mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL) == 0, "keep the namespace");
}

void netbed_drop(const char *path)
{
	must(umount(path) == 0 && unlink(path) == 0, path);
}

void netbed_veth(const char *name, const char *peer)
{
	netbed_must("ip", "link", "add", name, "type", "veth", "peer", "name", peer);
	netbed_must("ip", "link", "set", name, "up");
	netbed_must("ip", "link", "set", peer, "up");
}

static pid_t start(int out, const char *program, va_list rest)
{
	posix_spawn_file_actions_t actions;
	const char *args[ARGS_MAX] = { program };
	extern char **environ;
	pid_t pid;
	int n = 1;

	while (n < ARGS_MAX && (args[n] = va_arg(rest, const char *)))
		n++;
	must(n < ARGS_MAX, "too many arguments");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	/* posix_spawnp() does not write to its arguments; the type is historical. */
	must(posix_spawnp(&pid, program, &actions, NULL, (char *const *)(uintptr_t)args, environ) ==
		     0,
	     program);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static int finish(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0) == pid, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int netbed_run(const char *program, ...)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), status;
	va_list rest;

	va_start(rest, program);
	status = finish(start(null, program, rest));
	va_end(rest);
	close(null);
	return status;
}

char *netbed_output(const char *program, ...)
{
	FILE *file = tmpfile();
	char *text;
	va_list rest;
	size_t len;

	must(file != NULL, "tmpfile");
	va_start(rest, program);
	finish(start(fileno(file), program, rest));
	va_end(rest);
	must(fseek(file, 0, SEEK_END) == 0, "fseek");
	len = (size_t)ftell(file);
	rewind(file);
	text = calloc(1, len + 1);
	must(text && fread(text, 1, len, file) == len, "read output");
	fclose(file);
	return text;
}

void netbed_send_syn(const char *interface, uint8_t host, uint16_t port)
{
	struct {
		struct ether_header eth;
		struct iphdr ip;
		struct tcphdr tcp;
	} __attribute__((packed)) frame = {
		.eth = { .ether_dhost = { 2, 0, 0, 0, 0, 1 },
			 .ether_shost = { 2, 0, 0, 0, 0, 2 },
			 .ether_type = htons(ETHERTYPE_IP) },
		.ip = { .version = 4,
			.ihl = 5,
			.ttl = 64,
			.protocol = IPPROTO_TCP,
			.tot_len = htons(sizeof(frame.ip) + sizeof(frame.tcp)),
			.saddr = htonl(0x0a090101),
			.daddr = htonl(0x0a090000u | host) },
		.tcp = { .source = htons(40000), .dest = htons(port), .doff = 5, .syn = 1 },
	};
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)if_nametoindex(interface) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	must(fd >= 0, "packet socket");
	must(sendto(fd, &frame, sizeof(frame), 0, (const struct sockaddr *)&to, sizeof(to)) ==
		     sizeof(frame),
	     "send");
	close(fd);
}

bool netbed_eventually(bool (*check)(void *arg), void *arg)
{
	uint64_t end_ns = clock_mono_ns() + EVENTUALLY_NS;

	while (!check(arg)) {
		if (clock_mono_ns() > end_ns)
			return false;
		usleep(PAUSE_US);
	}
	return true;
}
