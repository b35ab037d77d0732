// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/peers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"

#define START_TIMEOUT_MS 10000
#define POLL_US 20000

static char directory[] = "/tmp/sluice-bench.XXXXXX";
static pid_t nginx;

static void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

static void die(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "bench: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, " (files: %s)\n", directory);
	exit(EXIT_FAILURE);
}

const char *peers_directory(void)
{
	return directory;
}

static void path_of(char ret[PATH_MAX], const char *path)
{
	snprintf(ret, PATH_MAX, "%s/%s", directory, path);
}

FILE *peers_file(const char *path)
{
	char full[PATH_MAX];
	FILE *file;

	path_of(full, path);
	file = fopen(full, "we");
	if (!file)
		die("create %s: %s", full, strerror(errno));
	return file;
}

/* --- processes -------------------------------------------------------------------------------- */

static void become(int cpu, const char *const argv[])
{
	char log[PATH_MAX];
	cpu_set_t cpus;
	int fd;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	path_of(log, "log");
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

pid_t peers_spawn(int cpu, const char *const argv[])
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid)
		become(cpu, argv);
	return pid;
}

void peers_end(pid_t pid)
{
	kill(pid, SIGTERM);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void run(const char *const argv[])
{
	pid_t pid = peers_spawn(PEERS_CPU_SERVER, argv);
	int status = -1;

	waitpid(pid, &status, 0);
	if (status)
		die("%s %s failed: see %s/log", argv[0], argv[1], directory);
}

uint64_t peers_cpu_ns(pid_t pid)
{
	char path[PATH_MAX];
	uint64_t sum = 0, ns;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		die("process %d is gone", pid);
	while ((entry = readdir(dir))) {
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, entry->d_name);
		file = fopen(path, "re");
		if (file && fscanf(file, "%" SCNu64, &ns) == 1)
			sum += ns;
		if (file)
			fclose(file);
	}
	closedir(dir);
	return sum;
}

uint64_t peers_resident(pid_t pid)
{
	char path[PATH_MAX], line[256];
	uint64_t kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "RssAnon: %" SCNu64, &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib << 10;
}

/* --- nginx ------------------------------------------------------------------------------------ */

static bool answers(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(PEERS_PORT_HTTP),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connected = fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;

	close(fd);
	return connected;
}

/* Line "Tcp:" of names, line "Tcp:" of numbers: ActiveOpens is the fifth. */
uint64_t peers_connections(void)
{
	FILE *file = fopen("/proc/self/net/snmp", "re");
	uint64_t opens = 0;
	char line[1024];
	bool found = false;

	while (!found && file && fgets(line, sizeof(line), file))
		found = sscanf(line, "Tcp: %*d %*d %*d %*d %" SCNu64, &opens) == 1;
	if (!found)
		die("/proc/net/snmp does not tell");
	fclose(file);
	return opens;
}

static void start_nginx(void)
{
	uint64_t deadline_ms = clock_mono_ms() + START_TIMEOUT_MS;
	char conf[PATH_MAX];
	FILE *file = peers_file("nginx.conf");

	fprintf(file,
		"daemon off; worker_processes 1; pid %s/nginx.pid; error_log %s/nginx.log crit;\n"
		"worker_rlimit_nofile 65536; events { worker_connections 32768; }\n"
		"http { access_log off; keepalive_timeout 0;\n"
		"ssl_certificate %s/leaf.pem; ssl_certificate_key %s/leaf.key;\n"
		"ssl_session_cache shared:s:10m; ssl_session_timeout 1h;\n"
		"server { listen 0.0.0.0:%d backlog=8192; listen 0.0.0.0:%d ssl backlog=8192;\n"
		"  location / { return 200 \"ok\\n\"; } }\n"
		"}\n",
		directory, directory, directory, directory, PEERS_PORT_HTTP, PEERS_PORT_HTTPS);
	fclose(file);
	path_of(conf, "nginx.conf");
	nginx = peers_spawn(PEERS_CPU_SERVER, (const char *[]){ "nginx", "-c", conf, NULL });
	while (!answers()) {
		if (clock_mono_ms() > deadline_ms)
			die("nginx does not start: see %s/log", directory);
		usleep(POLL_US);
	}
}

/* --- the place -------------------------------------------------------------------------------- */

/* A root and a leaf of the usual kind, on the curve that handshakes are cheapest with. */
static void make_certificates(void)
{
	char config[PATH_MAX], root[PATH_MAX], root_key[PATH_MAX], leaf[PATH_MAX], key[PATH_MAX];
	FILE *file = peers_file("leaf.cnf");

	fprintf(file, "[ext]\nbasicConstraints=CA:FALSE\nsubjectAltName=DNS:%s\n", PEERS_HOST);
	fclose(file);
	path_of(config, "leaf.cnf");
	path_of(root, "root.pem");
	path_of(root_key, "root.key");
	path_of(leaf, "leaf.pem");
	path_of(key, "leaf.key");
	run((const char *[]){ "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
			      "ec_paramgen_curve:P-256", "-nodes", "-days", "90", "-subj",
			      "/CN=Bench Root", "-keyout", root_key, "-out", root, NULL });
	run((const char *[]){ "openssl",
			      "req",
			      "-x509",
			      "-newkey",
			      "ec",
			      "-pkeyopt",
			      "ec_paramgen_curve:P-256",
			      "-nodes",
			      "-days",
			      "60",
			      "-subj",
			      "/CN=" PEERS_HOST,
			      "-CA",
			      root,
			      "-CAkey",
			      root_key,
			      "-config",
			      config,
			      "-extensions",
			      "ext",
			      "-keyout",
			      key,
			      "-out",
			      leaf,
			      NULL });
}

void peers_start(void)
{
	if (geteuid() != 0)
		die("run as root");
	if (!mkdtemp(directory))
		die("mkdtemp: %s", strerror(errno));
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die("namespaces: %s", strerror(errno));
	run((const char *[]){ "ip", "link", "set", "lo", "up", NULL });
	run((const char *[]){ "ip", "link", "add", "guarded", "type", "veth", NULL });
	run((const char *[]){ "ip", "link", "set", "guarded", "up", NULL });
	run((const char *[]){ "sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65535", NULL });
	make_certificates();
	start_nginx();
}

void peers_stop(void)
{
	peers_end(nginx);
	run((const char *[]){ "rm", "-rf", directory, NULL });
}
