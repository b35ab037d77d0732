// SPDX-License-Identifier: GPL-2.0-or-later
/* The commands: exit status, output and errors, against a real API over a real socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "tests/unit/api_run.h"
#include "tests/unit/cli_run.h"

#define NOBODY 65534

static const struct verdict ok = { .code = SL_MSG_OK, .stage = STAGE_BODY, .http_status = 200 };
static const struct verdict refused = { .code = SL_MSG_TCP_CONNECT_FAILED,
					.stage = STAGE_CONNECT,
					.os_errno = ECONNREFUSED };

#define LONG "123456789/123456789/123456789/123456789/123456789/1234567"

/* A row for each way to call the program wrongly or rightly. */
static const struct call {
	const char *line;
	int status;
	const char *out, *err; /* substrings; "": nothing is printed there */
} calls[] = {
	{ "", STATUS_USAGE, "", "no command given" },
	{ "--help", STATUS_DONE, "usage: sluice", "" },
	{ "help", STATUS_DONE, "usage: sluice", "" },
	{ "help pool show", STATUS_DONE, "usage: sluice pool show POOL", "" },
	{ "help frobnicate", STATUS_USAGE, "", "unknown command 'frobnicate'" },
	{ "status help", STATUS_USAGE, "", "usage: sluice status" },
	{ "--version", STATUS_DONE, "sluice " SLUICE_VERSION, "" },
	{ "--bogus", STATUS_USAGE, "", "unknown option '--bogus'" },
	{ "--jsno status", STATUS_USAGE, "", "did you mean '--json'?" },
	{ "-x status", STATUS_USAGE, "", "unknown option '-x'" },
	{ "--socket", STATUS_USAGE, "", "--socket needs a value: PATH" },
	{ "--json=yes status", STATUS_USAGE, "", "--json takes no value" },
	{ "--socket a --socket b status", STATUS_USAGE, "", "--socket is given twice" },
	{ "frobnicate", STATUS_USAGE, "", "unknown command 'frobnicate'; see" },
	{ "heatlh", STATUS_USAGE, "", "did you mean 'health'?" },
	{ "stast", STATUS_USAGE, "", "did you mean 'stats'?" },
	{ "stast web-pool", STATUS_USAGE, "", "did you mean 'stats'?" },
	{ "topp", STATUS_USAGE, "", "unknown command 'topp'" },
	{ "events", STATUS_DONE, "no events\n", "" },
	{ "events --since 1h --pool web-pool", STATUS_DONE, "no events\n", "" },
	{ "events --since 2026-02-30T00:00:00Z", STATUS_USAGE, "",
	  "--since '2026-02-30T00:00:00Z' is not a duration" },
	{ "events --limit 0", STATUS_USAGE, "", "from 1 to 1000" },
	{ "events --limit 3 --since 1h", STATUS_USAGE, "", "exclude each other" },
	{ "events web-pool", STATUS_USAGE, "", "usage: sluice events" },
	{ "pool", STATUS_USAGE, "", "did you mean 'pool list'?" },
	{ "pool shwo x", STATUS_USAGE, "",
	  "unknown command 'pool shwo'; did you mean 'pool show'?" },
	{ "STATUS", STATUS_USAGE, "", "did you mean 'status'?" },
	{ "pool show", STATUS_USAGE, "", "usage: sluice pool show POOL" },
	{ "status extra", STATUS_USAGE, "", "usage: sluice status" },
	{ "why web-pool", STATUS_USAGE, "", "usage: sluice why POOL ADDRESS" },
	{ "why a b c d e f g h", STATUS_USAGE, "", "usage: sluice why" },
	{ "status --watch", STATUS_USAGE, "", "'status' takes no option --watch" },
	{ "health --watch --json", STATUS_USAGE, "exclude each other", "" },
	{ "detach", STATUS_USAGE, "", "usage: sluice detach INTERFACE | --all" },
	{ "detach eth0 --all", STATUS_USAGE, "", "usage: sluice detach INTERFACE | --all" },
	{ "detach --all --dry-run", STATUS_USAGE, "", "are for one interface, and not for --all" },
	{ "detach --all --if-version 3", STATUS_USAGE, "", "not for --all" },
	{ "attach", STATUS_USAGE, "", "usage: sluice attach INTERFACE" },
	{ "attach eth0 --egress maybe", STATUS_USAGE, "",
	  "--egress 'maybe' is neither true nor false" },
	{ "attach eth0 --xdp fast", STATUS_REFUSED, "", "xdp 'fast' is no mode; allowed: auto" },
	{ "attach eth0 --weight 3", STATUS_USAGE, "", "'attach' takes no option --weight" },
	{ "why --help", STATUS_DONE, "usage: sluice why POOL ADDRESS[:PORT]", "" },
	{ "probe --help", STATUS_DONE, "--timeout T", "" },
	{ "status", STATUS_DONE, "3 pools, 3 services, 7 endpoints", "" },
	{ "pool list", STATUS_DONE, "web-pool", "" },
	{ "pool show web-pool", STATUS_DONE, "fd00::5", "" },
	{ "pool show none", STATUS_REFUSED, "", "sluice: there is no pool 'none'" },
	{ "pool show ../status", STATUS_REFUSED, "", "no pool '../status'" },
	{ "health", STATUS_REFUSED, "web-pool / shop (settings web)", "" },
	{ "health none", STATUS_REFUSED, "", "no pool 'none'" },
	{ "health a&pool=web-pool", STATUS_REFUSED, "", "no pool 'a&pool=web-pool'" },
	{ "why web-pool 10.0.0.5", STATUS_DONE, "What to do", "" },
	{ "why web-pool 10.0.0.9", STATUS_REFUSED, "", "no guarded endpoint '10.0.0.9'" },
	{ "why web-pool nonsense", STATUS_REFUSED, "", "'nonsense' is not an IP address" },
	{ "stats", STATUS_DONE, "reject_tcp", "" },
	{ "stats db-pool", STATUS_DONE, "10.0.1.1:5432", "" },
	{ "backend", STATUS_USAGE, "", "did you mean 'backend " },
	{ "backend drain web-pool", STATUS_USAGE, "", "usage: sluice backend drain POOL ADDRESS" },
	{ "backend drain web-pool 10.0.0.5", STATUS_DONE, "10.0.0.5:80    draining, ", "" },
	{ "backend drain web-pool 10.0.0.5 --timeout 90s", STATUS_DONE, "draining, 1m ", "" },
	{ "backend drain web-pool 10.0.0.5 --timeout 0.5s", STATUS_USAGE, "",
	  "--timeout '0.5s' is not a duration from 1s to 3600s" },
	{ "backend drain web-pool 10.0.0.5 --timeout 500ms", STATUS_USAGE, "", "from 1s to 3600s" },
	{ "backend drain web-pool 10.0.0.5 --timeout 3601", STATUS_USAGE, "", "from 1s to 3600s" },
	{ "backend enable web-pool 10.0.0.5 --timeout 5s", STATUS_USAGE, "",
	  "'backend enable' takes no option --timeout" },
	{ "backend disable web-pool fd00::5", STATUS_DONE, "[fd00::5]:5432  disabled", "" },
	{ "backend enable web-pool fd00:0::5", STATUS_DONE, "[fd00::5]:80    enabled", "" },
	{ "backend enable spare 10.0.9.9", STATUS_DONE, "no service uses it now", "" },
	{ "backend drain web-pool 10.0.0.9", STATUS_REFUSED, "", "has no backend '10.0.0.9'" },
	{ "backend drain none 10.0.0.5", STATUS_REFUSED, "", "pool 'none'" },
	{ "backend weight web-pool 10.0.0.5", STATUS_USAGE, "", "usage: sluice backend weight" },
	{ "backend weight web-pool 10.0.0.5 257", STATUS_USAGE, "",
	  "weight '257' is not a whole number from 0 to 256" },
	{ "backend weight web-pool 10.0.0.5 -1", STATUS_USAGE, "", "unknown option '-1'" },
	{ "backend weight web-pool 10.0.0.5 x", STATUS_USAGE, "", "weight 'x'" },
	{ "backend weight web-pool 10.0.0.5 256", STATUS_DONE, "weight 256", "" },
	{ "backend weight web-pool 10.0.0.5 1 --if-version new", STATUS_USAGE, "",
	  "--if-version 'new' is not a whole number" },
	{ "backend forget web-pool 10.0.0.7", STATUS_USAGE, "",
	  "unknown command 'backend forget'" },
	{ "backend add web-pool", STATUS_USAGE, "", "usage: sluice backend add POOL ADDRESS" },
	{ "backend add web-pool 10.0.0.7 --weight 257", STATUS_USAGE, "",
	  "weight '257' is not a whole number from 0 to 256" },
	{ "backend add web-pool 10.0.0.7 --if-version -1", STATUS_USAGE, "", "--if-version '-1'" },
	{ "backend remove web-pool 10.0.0.6 --dry-run", STATUS_DONE,
	  "would change:\n  web-pool: backend 10.0.0.6 removed\nwould drain, ", "" },
	{ "backend drain web-pool 10.0.0.6 --dry-run", STATUS_DONE, "would drain, ", "" },
	{ "backend remove web-pool 10.0.0.99 --dry-run", STATUS_REFUSED, "",
	  "has no backend '10.0.0.99'" },
	{ "pool add", STATUS_USAGE, "", "usage: sluice pool add POOL" },
	{ "diff", STATUS_DONE, "nothing is changed over the file\n", "" },
	{ "backend drain web-pool 10.0.0.5 --socket=/nonexistent/s", STATUS_NO_DAEMON, "",
	  "cannot be reached" },
	{ "decide 10.1.0.2", STATUS_USAGE, "", "usage: sluice decide SRC[:PORT] DST:PORT" },
	{ "decide 10.1.0.2 10.0.0.5", STATUS_REFUSED, "", "'10.0.0.5' is not an IP address with" },
	{ "decide 10.1.0.2 10.0.0.5:80 --proto=udp", STATUS_DONE,
	  "10.1.0.2:49152 -> 10.0.0.5:80  udp\nother: otherwise\n", "" },
	{ "decide 10.1.0.2 10.0.0.5:80 --flags=ack --interface=lo", STATUS_DONE,
	  "tcp ack, in by lo\n", "" },
	{ "flows", STATUS_DONE, "0 flows\n", "" },
	{ "flows web-pool 10.0.0.5 --limit 0", STATUS_DONE, "0 flows\n", "" },
	{ "flows web-pool 10.0.0.9", STATUS_REFUSED, "", "no guarded endpoint '10.0.0.9'" },
	{ "flows none", STATUS_REFUSED, "", "no pool 'none'" },
	{ "flows --limit many", STATUS_USAGE, "",
	  "--limit 'many' is not a whole number from 0 to 100000" },
	{ "flows --limit 100001", STATUS_USAGE, "", "from 0 to 100000" },
	{ "maps", STATUS_DONE, "bpftool map dump pinned /sys/fs/bpf/sluice/v1/targets", "" },
	{ "--socket /nonexistent/s status", STATUS_NO_DAEMON, "", "/nonexistent/s" },
	{ "status --socket=/nonexistent/s", STATUS_NO_DAEMON, "", "cannot be reached" },
	{ "status --socket=/" LONG LONG, STATUS_NO_DAEMON, "", "longer than 107 bytes" },
	{ "explain", STATUS_DONE, "tcp_connect_failed", "" },
	{ "explain 3", STATUS_DONE, "tcp_connect_failed (code 3): Unhealthy", "" },
	{ "explain http_malformed", STATUS_DONE, "What to do", "" },
	{ "explain 9999", STATUS_REFUSED, "", "no verdict '9999'" },
	{ "explain HTTP_MALFORMED", STATUS_REFUSED, "", "did you mean 'http_malformed'?" },
	{ "explain http_malfromed", STATUS_REFUSED, "", "did you mean 'http_malformed'?" },
	{ "check /nonexistent.yaml", STATUS_REFUSED, "", "/nonexistent.yaml" },
	{ "probe 10.0.0.5", STATUS_USAGE, "", "is not a target" },
	{ "probe https://127.0.0.1/ --connect shop.test", STATUS_USAGE, "",
	  "--connect 'shop.test' is not an IP address" },
	{ "probe https://127.0.0.1/ --ca /nonexistent/x", STATUS_USAGE, "",
	  "--ca /nonexistent/x: No such file" },
	{ "probe https://127.0.0.1/ --allow-listed docs/man/sluice.8", STATUS_USAGE, "",
	  "--allow-listed docs/man/sluice.8: holds no certificate" },
	{ "probe https://127.0.0.1/ --ca a --allow-listed b", STATUS_USAGE, "",
	  "--ca and --allow-listed exclude each other" },
	{ "probe https://127.0.0.1/ --crl https://a/", STATUS_USAGE, "",
	  "--crl 'https://a/' is a URL of another scheme than http" },
	{ "probe https://127.0.0.1/ --crl=", STATUS_USAGE, "", "--crl '' is empty" },
	{ "probe https://127.0.0.1/ --sni a/b", STATUS_USAGE, "", "--sni 'a/b'" },
	{ "probe https://127.0.0.1/ --sni=", STATUS_USAGE, "", "--sni '' is empty" },
	{ "probe https://127.0.0.1/ --sni a --sni b", STATUS_USAGE, "", "--sni is given twice" },
	{ "probe https://127.0.0.1/ --send a", STATUS_USAGE, "", "--send is for udp:// targets" },
	{ "probe http://127.0.0.1/ --sni a", STATUS_USAGE, "",
	  "--sni is for https://, tls:// and grpcs:// targets" },
	{ "probe http://127.0.0.1/ --show-certs", STATUS_USAGE, "",
	  "--show-certs is for https://" },
	{ "probe tcp://127.0.0.1:1 --ca a", STATUS_USAGE, "", "--ca is for https://" },
	{ "probe tcp://127.0.0.1:1 --host a", STATUS_USAGE, "", "--host is for http://" },
	{ "probe grpc://127.0.0.1:1 --status 200", STATUS_USAGE, "", "--status is for http://" },
	{ "probe grpc://127.0.0.1:1 --no-validate-sni", STATUS_USAGE, "", "--no-validate-sni is" },
	{ "probe udp://127.0.0.1:1 --proxy-protocol", STATUS_USAGE, "", "is for all but udp://" },
	{ "probe udp://127.0.0.1:1 --send \\q", STATUS_USAGE, "",
	  "--send '\\q' has a backslash that begins none of" },
	{ "probe http://127.0.0.1/ --show-certs=yes", STATUS_USAGE, "", "takes no value" },
	{ "explain cert_expires_soon", STATUS_DONE, "cert_expires_soon: warning", "" },
	{ "explain cert_expire_soon", STATUS_REFUSED, "", "did you mean 'cert_expires_soon'?" },
	{ "explain 8", STATUS_DONE, "cert_intermediate_missing (code 8): Unhealthy", "" },
	{ "explain unknown_crl_unreachable", STATUS_DONE, "(code 19): Unknown", "" },
	{ "health --azure", STATUS_REFUSED, "\"backendAddressPools\"", "" },
	{ "health --azure none", STATUS_REFUSED, "", "no pool 'none'" },
	{ "health --azure --watch", STATUS_USAGE, "", "exclude each other" },
	{ "status --azure", STATUS_USAGE, "", "'status' takes no option --azure" },
	{ "probe http://127.0.0.1/ --proxy-protocol=v3", STATUS_USAGE, "",
	  "--proxy-protocol 'v3' is no version; allowed: v1, v2" },
	{ "probe http://127.0.0.1/ --proxy-protocol=v1 --proxy-protocol", STATUS_USAGE, "",
	  "--proxy-protocol is given twice" },
	{ "probe --help", STATUS_DONE, "--proxy-protocol[=v1|v2] ", "" },
	{ "probe http://127.0.0.1/ --timeout never", STATUS_USAGE, "", "--timeout 'never'" },
	{ "probe http://127.0.0.1/ --timeout 1ms", STATUS_USAGE, "", "--timeout '1ms'" },
	{ "probe http://127.0.0.1/ --status 99", STATUS_USAGE, "", "--status '99'" },
	{ "probe http://127.0.0.1/ --host a/b", STATUS_USAGE, "", "--host 'a/b'" },
	{ "probe http://127.0.0.1/ --body=", STATUS_USAGE, "", "--body takes 1 to" },
	{ "probe tcp://127.0.0.1:1 --status 200", STATUS_USAGE, "",
	  "--status is for http:// and https:// targets" },
	{ "-- status", STATUS_DONE, "sluiced", "" },
	{ "-- status --json", STATUS_USAGE, "", "usage: sluice status" },
};

static void check_stream(const struct call *call, const char *name, const char *wanted,
			 const char *got)
{
	if (*wanted ? !strstr(got, wanted) : *got != '\0')
		fail_msg("sluice %s: %s '%s', not '%s'", call->line, name, got, wanted);
}

static void test_calls(void **state)
{
	(void)state;
	gateway_fake_verdict(&gateway, "10.0.0.5:80", &refused, 3);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		RESULT result = run(calls[i].line);

		if (result.status != calls[i].status)
			fail_msg("sluice %s: exit %d, not %d (%s)", calls[i].line, result.status,
				 calls[i].status, result.err);
		check_stream(&calls[i], "stdout", calls[i].out, result.out);
		check_stream(&calls[i], "stderr", calls[i].err, result.err);
	}
}

/* With --json every call prints exactly one document, whatever became of it. */
static void test_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		char line[256];
		json_t *json;

		if (!calls[i].line[0] || strstr(calls[i].line, "--watch") ||
		    !strncmp(calls[i].line, "-- ", 3))
			continue;
		snprintf(line, sizeof(line), "--json %s", calls[i].line);
		RESULT result = run(line);

		if (result.status != calls[i].status)
			fail_msg("sluice %s: exit %d, not %d", line, result.status,
				 calls[i].status);
		assert_string_equal(result.err, "");
		json = json_loads(result.out, 0, NULL);
		if (!json)
			fail_msg("sluice %s: not JSON: %s", line, result.out);
		if (result.status != STATUS_DONE && strcmp(calls[i].line, "health") != 0 &&
		    strcmp(calls[i].line, "health --azure") != 0 && !strstr(calls[i].line, "check"))
			assert_true(json_is_string(
				json_object_get(json_object_get(json, "error"), "message")));
		json_decref(json);
	}
}

static void test_health_status(void **state)
{
	(void)state;
	gateway_fake_verdict(&gateway, "10.0.1.1:5432", &ok, 1);
	RESULT healthy = run("health db-pool");
	assert_int_equal(healthy.status, STATUS_DONE);
	assert_non_null(strstr(healthy.out, "1 healthy, 0 unhealthy, 0 unknown"));

	RESULT empty = run("health spare");
	assert_int_equal(empty.status, STATUS_DONE);
	assert_non_null(strstr(empty.out, "no service uses it"));

	gateway_fake_verdict(&gateway, "10.0.1.1:5432", &refused, 3);
	RESULT unhealthy = run("health db-pool --json");
	assert_int_equal(unhealthy.status, STATUS_REFUSED);
	assert_non_null(strstr(unhealthy.out, "\"Unhealthy\""));
}

static void test_check(void **state)
{
	char path[128], line[160];
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/sluice.yaml", gateway.directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(gateway_yaml, file);
	fclose(file);
	snprintf(line, sizeof(line), "check %s", path);
	RESULT good = run(line);
	assert_int_equal(good.status, STATUS_DONE);
	assert_non_null(strstr(good.out, "sluice.yaml: ok: 3 pools, 7 endpoints\n"));

	snprintf(line, sizeof(line), "check %s --json", path);
	RESULT good_json = run(line);
	assert_non_null(strstr(good_json.out, "\"endpoints\": 7"));
	snprintf(line, sizeof(line), "check %s", path);

	file = fopen(path, "a");
	fputs("wrong: \"\\e[31mred\"\n", file);
	fclose(file);
	RESULT bad = run(line);
	assert_int_equal(bad.status, STATUS_REFUSED);
	if (!strstr(bad.err, "sluice.yaml:18:1: wrong: "))
		fail_msg("%s", bad.err);
	assert_null(strchr(bad.err, '\033'));
	assert_string_equal(bad.out, "");

	snprintf(line, sizeof(line), "check %s --json", path);
	RESULT json = run(line);
	assert_int_equal(json.status, STATUS_REFUSED);
	json_t *document = json_loads(json.out, 0, NULL);
	assert_true(json_is_false(json_object_get(document, "ok")));
	json_t *error = json_array_get(json_object_get(document, "errors"), 0);
	assert_int_equal(json_integer_value(json_object_get(error, "line")), 18);
	assert_string_equal(json_string_value(json_object_get(error, "key")), "wrong");
	json_decref(document);
	unlink(path);
}

static void test_detach(void **state)
{
	(void)state;
	RESULT done = run("detach --all");
	assert_int_equal(done.status, STATUS_DONE);
	assert_string_equal(fake_detached, "/sys/fs/bpf/sluice");
	assert_non_null(strstr(done.out, "detached every interface"));

	setenv("SLUICE_BPFFS", "/tmp/elsewhere", 1);
	fake_detach_result = -ENOENT;
	RESULT nothing = run("detach --all --json");
	assert_int_equal(nothing.status, STATUS_DONE);
	assert_string_equal(fake_detached, "/tmp/elsewhere");
	assert_non_null(strstr(nothing.out, "\"detached\": false"));

	fake_detach_result = -EPERM;
	RESULT denied = run("detach --all");
	assert_int_equal(denied.status, STATUS_NOT_PERMITTED);
	assert_string_equal(denied.out, "No results.\n");
	assert_non_null(strstr(denied.err, "the kernel said no"));

	fake_detach_result = -EBUSY;
	RESULT busy = run("detach --all");
	assert_int_equal(busy.status, STATUS_REFUSED);
}

/* As somebody else, in the groups that he is in. The test runs as root; its child does not. */
static int status_as(uid_t uid, gid_t group, const char *line, const char *wanted)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		become(uid, group);
		struct result result = run(line);

		_exit(strcmp(result.out, wanted) == 0 ? result.status : 101);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_not_permitted(void **state)
{
	static const char order[] = "backend drain web-pool 10.0.0.5";
	static const char order_json[] = "backend drain web-pool 10.0.0.5 --json";
	static const char read_only[] =
		"{\n  \"error\": {\n    \"code\": \"read_only\",\n    \"message\": "
		"\"not permitted: only root and members of the group 'sluice-admin' may change "
		"anything\"\n  }\n}\n";

	(void)state;
	memset(&fake_changed, 0, sizeof(fake_changed));
	/* The directory is closed to others, so the socket cannot even be seen. */
	assert_int_equal(status_as(NOBODY, 0, "health", "No results.\n"), STATUS_NOT_PERMITTED);
	assert_int_equal(chmod(gateway.directory, 0755), 0);
	/* Who may not read gets the same whatever he wants. */
	assert_int_equal(status_as(NOBODY, 0, "health", "No results.\n"), STATUS_NOT_PERMITTED);
	assert_int_equal(status_as(NOBODY, 0, "health --json", "[]\n"), STATUS_NOT_PERMITTED);
	assert_int_equal(status_as(NOBODY, 0, "events --follow", "No results.\n"),
			 STATUS_NOT_PERMITTED);
	assert_int_equal(status_as(NOBODY, 0, order, "No results.\n"), STATUS_NOT_PERMITTED);
	assert_int_equal(status_as(NOBODY, 0, order_json, "[]\n"), STATUS_NOT_PERMITTED);
	assert_int_equal(status_as(NOBODY, FAKE_READERS_GID, "events", "no events\n"), STATUS_DONE);
	assert_int_equal(status_as(NOBODY, FAKE_READERS_GID, order, ""), STATUS_NOT_PERMITTED);
	assert_int_equal(status_as(NOBODY, FAKE_READERS_GID, order_json, read_only),
			 STATUS_NOT_PERMITTED);
	assert_string_equal(fake_changed.pool, "");
	assert_int_equal(status_as(NOBODY, FAKE_CHANGERS_GID, "backend weight web-pool 10.0.0.5 7",
				   "web-pool 10.0.0.5: weight 7\n"
				   "  no service of this pool forwards packets: it changes "
				   "nothing now\n"),
			 STATUS_DONE);
}

/* Orders that meet a reload are given again; one that meets nothing else is told so in the end. */
static void test_reload_meanwhile(void **state)
{
	(void)state;
	fake_reloads = 3;
	RESULT done = run("backend disable web-pool 10.0.0.5");
	assert_int_equal(done.status, STATUS_DONE);
	assert_int_equal(fake_reloads, 0);
	assert_int_equal(fake_changed.action, CHANGE_DISABLE);

	fake_reloads = 1000;
	RESULT again = run("backend enable web-pool 10.0.0.5");
	assert_int_equal(again.status, STATUS_REFUSED);
	assert_string_equal(again.err, "sluice: the daemon is reloading: nothing was changed\n");
	assert_int_equal(fake_changed.action, CHANGE_DISABLE);
	fake_reloads = 0;
}

/* --- a daemon that is none ------------------------------------------------------------------ */

/* Something that listens on the API's socket, hangs up so often and then answers with this text. */
static pid_t pretend(const char *path, unsigned int hangups, const char *answer)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	pid = fork();
	if (!pid) {
		char request[1024];
		int peer;

		alarm(10);
		do {
			peer = accept(fd, NULL, NULL);
			recv(peer, request, sizeof(request), 0);
			if (!hangups)
				send(peer, answer, strlen(answer), MSG_NOSIGNAL);
			close(peer);
		} while (hangups--);
		_exit(0);
	}
	close(fd);
	return pid;
}

/* What the command makes of that. */
static struct result run_against(const char *command, unsigned int hangups, const char *answer)
{
	char path[100], line[160];
	struct result result;
	int status;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/fake.sock", gateway.directory);
	pid = pretend(path, hangups, answer);
	snprintf(line, sizeof(line), "%s --socket %s", command, path);
	result = run(line);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	unlink(path);
	return result;
}

static void test_bad_daemon(void **state)
{
	static const struct {
		const char *answer;
		int status;
		const char *text;
	} rows[] = {
		{ "nonsense\r\n\r\n", STATUS_REFUSED, "no proper answer" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<p/>", STATUS_REFUSED, "not JSON" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", STATUS_REFUSED, "proper" },
		{ "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\n{}", STATUS_REFUSED, "sluice: \n" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", STATUS_DONE, "" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 43\r\n\r\n"
		  "{\"pools\": [{\"name\": \"\\u001b[2J\\u009b1m\x7f\"}]}",
		  STATUS_DONE, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		RESULT result = run_against("health", 0, rows[i].answer);

		if (result.status != rows[i].status || !strstr(result.err, rows[i].text))
			fail_msg("%zu: %d %s", i, result.status, result.err);
		assert_null(strchr(result.out, '\033'));
		assert_null(strchr(result.out, '\x7f'));
		assert_null(strstr(result.out, "\xc2\x9b"));
	}
}

/* A question is asked again; a change may have been made. */
static void test_hangs_up(void **state)
{
	static const struct {
		const char *command;
		unsigned int hangups;
		int status;
		const char *text;
	} rows[] = {
		{ "health", 3, STATUS_DONE, "" },
		{ "health", 100, STATUS_NO_DAEMON, "without an answer" },
		{ "pool add new", 1, STATUS_NO_DAEMON, "without an answer" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		RESULT result = run_against(rows[i].command, rows[i].hangups,
					    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]");

		assert_int_equal(result.status, rows[i].status);
		assert_non_null(strstr(result.err, rows[i].text));
	}
}

/* --- the manual ----------------------------------------------------------------------------- */

static char *read_all(const char *path)
{
	char *text = calloc(1, 1 << 16);
	FILE *file = fopen(path, "r");

	if (!file)
		fail_msg("%s: run the test from the top of the tree", path);
	assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
	fclose(file);
	return text;
}

static void test_manual(void **state)
{
	CLEANUP(free_p) char *manual = read_all("docs/man/sluice.8");
	char item[64];
	size_t n;
	const struct cli_command *commands = cli_commands(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		snprintf(item, sizeof(item), "\n.It Ic %s", commands[i].name);
		if (!strstr(manual, item))
			fail_msg("sluice.8 does not describe '%s'", commands[i].name);
		assert_true(*commands[i].help && commands[i].run);
	}
	for (size_t i = 0; i < OPT_MAX; i++) {
		assert_non_null(cli_options[i].name);
		snprintf(item, sizeof(item), "\n.It Fl %s", cli_options[i].name + 1);
		if (!strstr(manual, item))
			fail_msg("sluice.8 does not describe %s", cli_options[i].name);
	}
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(test_calls),
		SERVED(test_json),
		SERVED(test_health_status),
		SERVED(test_check),
		SERVED(test_detach),
		SERVED(test_not_permitted),
		SERVED(test_reload_meanwhile),
		SERVED(test_bad_daemon),
		SERVED(test_hangs_up),
		cmocka_unit_test(test_manual),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
