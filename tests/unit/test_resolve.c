// SPDX-License-Identifier: GPL-2.0-or-later
/* Names to addresses, against a DNS server that says what the table tells it to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "probe/dns.h"
#include "probe/resolve.h"
#include "tests/lib/dnsd.h"
#include "util/clock.h"
#include "util/err.h"

#define LEN(a) ((uint32_t)(sizeof(a) / sizeof((a)[0])))
#define TIMEOUT_MS 1200
#define PATIENCE_MS 10000
#define STALL_MS 3500 /* more than a period of the resolver's tick and LAG_STALL_MS */

struct fixture {
	uv_loop_t loop;
	uv_timer_t patience;
	struct dnsd *dnsd;
	char resolv_conf[64], hosts[64];
	struct resolver *resolver;
	uint32_t wanted, reports;
	struct resolve_answer answers[8]; /* the newest, by name */
	uint32_t reports_of[8];
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void ask_server(const struct fixture *f, const struct dnsd *dnsd)
{
	char text[64];

	snprintf(text, sizeof(text), "# made by a test\nnameserver 127.0.0.1@%u\n",
		 dnsd_port(dnsd));
	write_file(f->resolv_conf, text);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->dnsd = dnsd_start();
	snprintf(f->resolv_conf, sizeof(f->resolv_conf), "/tmp/sluice-resolv.%d", (int)getpid());
	snprintf(f->hosts, sizeof(f->hosts), "/tmp/sluice-hosts.%d", (int)getpid());
	ask_server(f, f->dnsd);
	write_file(f->hosts, "10.0.0.77 hosts.test\n");
	assert_int_equal(uv_loop_init(&f->loop), 0);
	uv_timer_init(&f->loop, &f->patience);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	resolver_free(f->resolver);
	uv_close((uv_handle_t *)&f->patience, NULL);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	dnsd_stop(f->dnsd);
	unlink(f->resolv_conf);
	unlink(f->hosts);
	free(f);
	return 0;
}

static void on_report(void *arg, uint32_t name, const struct resolve_answer *answer)
{
	struct fixture *f = arg;

	f->answers[name] = *answer;
	f->reports_of[name]++;
	f->reports++;
}

static void start(struct fixture *f, const char *const *names, uint32_t n)
{
	const struct resolver_options options = {
		.names = names,
		.n = n,
		.resolv_conf = f->resolv_conf,
		.hosts = f->hosts,
		.timeout_ms = TIMEOUT_MS,
		.report = on_report,
		.arg = f,
	};
	struct err err;

	assert_int_equal(resolver_new(&f->resolver, &f->loop, &options, &err), 0);
}

static void on_patience(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("waited too long");
}

/* Run until there are n reports in all. */
static void run_until(struct fixture *f, uint32_t n)
{
	uv_timer_start(&f->patience, on_patience, PATIENCE_MS, 0);
	while (f->reports < n)
		uv_run(&f->loop, UV_RUN_ONCE);
	uv_timer_stop(&f->patience);
}

static const char *list(char *buf, size_t size, const struct resolve_answer *answer)
{
	size_t len = 0;

	buf[0] = '\0';
	for (uint32_t i = 0; i < answer->n; i++) {
		char text[SL_TEXT_LEN];

		len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? " " : "",
					addr_format(text, &answer->addrs[i]));
	}
	return buf;
}

static const struct outcome {
	struct dnsd_record record;
	const char *addresses;
	uint32_t ttl_s, left_out;
	int rcode;
	bool lost_v4, lost_v6;
	const char *why;
} outcomes[] = {
	{ { "a.test", DNSD_ANSWER, 7, "10.0.0.1", NULL }, "10.0.0.1", 7, 0, 0, false, false, "" },
	{ { "aaaa.test", DNSD_ANSWER, 7, "fd00::1", NULL }, "fd00::1", 7, 0, 0, false, false, "" },
	{ { "both.example", DNSD_ANSWER, 9, "10.0.0.2 fd00::2 10.0.0.1", NULL },
	  "10.0.0.1 10.0.0.2 fd00::2",
	  9,
	  0,
	  0,
	  false,
	  false,
	  "" },
	{ { "twice.test", DNSD_ANSWER, 9, "10.0.0.2 10.0.0.2", NULL },
	  "10.0.0.2",
	  9,
	  0,
	  0,
	  false,
	  false,
	  "" },
	{ { "zero.test", DNSD_ANSWER, 0, "10.0.0.3", NULL },
	  "10.0.0.3",
	  0,
	  0,
	  0,
	  false,
	  false,
	  "" },
	{ { "alias.test", DNSD_ANSWER, 3, NULL, "alias2.test" },
	  "10.0.0.9",
	  3,
	  0,
	  0,
	  false,
	  false,
	  "" },
	{ { "tcp.test", DNSD_TRUNCATED, 5, "10.0.0.4 fd00::4", NULL },
	  "10.0.0.4 fd00::4",
	  5,
	  0,
	  0,
	  false,
	  false,
	  "" },
	{ { "half.test", DNSD_SILENT_V6, 5, "10.0.0.5", NULL },
	  "10.0.0.5",
	  5,
	  0,
	  0,
	  false,
	  true,
	  "AAAA records: no answer" },
	{ { "multicast.test", DNSD_ANSWER, 5, "224.0.0.1 10.0.0.6", NULL },
	  "10.0.0.6",
	  5,
	  1,
	  0,
	  false,
	  false,
	  "left out: 224.0.0.1 is a multicast address" },
	{ { "unusable.test", DNSD_ANSWER, 5, "0.0.0.0", NULL },
	  "",
	  0,
	  1,
	  0,
	  false,
	  false,
	  "0.0.0.0 is in 0.0.0.0/8, which names no host, and there is no other" },
	{ { "many.test", DNSD_TRUNCATED, 5,
	    "10.1.0.20 10.1.0.19 10.1.0.18 10.1.0.17 10.1.0.16 10.1.0.15 10.1.0.14 10.1.0.13 "
	    "10.1.0.12 10.1.0.11 10.1.0.10 10.1.0.9 10.1.0.8 10.1.0.7 10.1.0.6 10.1.0.5 10.1.0.4",
	    NULL },
	  "10.1.0.4 10.1.0.5 10.1.0.6 10.1.0.7 10.1.0.8 10.1.0.9 10.1.0.10 10.1.0.11 10.1.0.12 "
	  "10.1.0.13 10.1.0.14 10.1.0.15 10.1.0.16 10.1.0.17 10.1.0.18 10.1.0.19",
	  5,
	  1,
	  0,
	  false,
	  false,
	  "left out: all but the lowest 16 addresses" },
	{ { "no.test", DNSD_NXDOMAIN, 0, NULL, NULL },
	  "",
	  0,
	  0,
	  3,
	  false,
	  false,
	  "NXDOMAIN: there is no such name" },
	{ { "empty.test", DNSD_ANSWER, 5, NULL, NULL },
	  "",
	  0,
	  0,
	  0,
	  false,
	  false,
	  "NOERROR, but neither an A nor an AAAA record" },
	{ { "fail.test", DNSD_SERVFAIL, 0, NULL, NULL },
	  "",
	  0,
	  0,
	  2,
	  true,
	  true,
	  "SERVFAIL: the servers could not answer" },
	{ { "silent.test", DNSD_SILENT, 0, NULL, NULL },
	  "",
	  0,
	  0,
	  RCODE_NONE,
	  true,
	  true,
	  "no answer within 1200 ms" },
	{ { "alias2.test", DNSD_ANSWER, 8, "10.0.0.9", NULL },
	  "10.0.0.9",
	  8,
	  0,
	  0,
	  false,
	  false,
	  "" },
};

static void test_outcomes(void **state)
{
	struct fixture *f = *state;
	struct dnsd_record records[LEN(outcomes)];
	struct resolve_answer answers[LEN(outcomes)];
	const char *names[LEN(outcomes)];
	char text[1024];

	for (uint32_t i = 0; i < LEN(outcomes); i++) {
		records[i] = outcomes[i].record;
		names[i] = outcomes[i].record.name;
	}
	dnsd_say(f->dnsd, records, LEN(outcomes));
	for (uint32_t i = 0; i < LEN(outcomes); i += LEN(f->answers)) {
		uint32_t n =
			LEN(outcomes) - i < LEN(f->answers) ? LEN(outcomes) - i : LEN(f->answers);

		f->reports = 0;
		memset(f->reports_of, 0, sizeof(f->reports_of));
		start(f, names + i, n);
		uv_timer_start(&f->patience, on_patience, PATIENCE_MS, 0);
		for (uint32_t k = 0; k < n; k++)
			while (!f->reports_of[k]) {
				uv_run(&f->loop, UV_RUN_ONCE);
				answers[i + k] = f->answers[k];
			}
		memcpy(&answers[i], f->answers, n * sizeof(answers[0]));
		uv_timer_stop(&f->patience);
		resolver_free(take_ptr(f->resolver));
	}
	for (uint32_t i = 0; i < LEN(outcomes); i++) {
		const struct outcome *o = &outcomes[i];

		print_message("# %s\n", names[i]);
		assert_string_equal(list(text, sizeof(text), &answers[i]), o->addresses);
		assert_int_equal(answers[i].ttl_s, o->ttl_s);
		assert_int_equal(answers[i].rcode, o->rcode);
		assert_int_equal(answers[i].n_left_out, o->left_out);
		assert_int_equal(answers[i].lost_v4, o->lost_v4);
		assert_int_equal(answers[i].lost_v6, o->lost_v6);
		assert_string_equal(answers[i].why, o->why);
		assert_non_null(strstr(answers[i].servers, "127.0.0.1@"));
	}
	assert_true(dnsd_asked_tcp(f->dnsd) >= 4);
}

/* Whatever is made of them, they are no addresses, and say nothing about those that are known. */
static void test_noise(void **state)
{
	static const struct dnsd_record records[] = {
		{ "garbage.test", DNSD_GARBAGE, 5, "10.0.0.1", NULL },
		{ "short.test", DNSD_SHORT, 5, "10.0.0.1 fd00::1", NULL },
		{ "loop.test", DNSD_ANSWER, 5, NULL, "loop.test" },
	};
	static const char *const names[] = { "garbage.test", "short.test", "loop.test" };
	struct fixture *f = *state;

	dnsd_say(f->dnsd, records, LEN(records));
	start(f, names, LEN(records));
	run_until(f, LEN(records));
	for (uint32_t i = 0; i < LEN(records); i++) {
		assert_int_equal(f->answers[i].n, 0);
		assert_true(f->answers[i].why[0]);
		assert_true(f->answers[i].rcode != DNS_NXDOMAIN);
	}
}

/* The answer is asked for again when it expires, and not before. */
static void test_expiry(void **state)
{
	static const struct dnsd_record before = { "a.test", DNSD_ANSWER, 1, "10.0.0.1", NULL };
	static const struct dnsd_record after = { "a.test", DNSD_ANSWER, 3600, "10.0.0.2", NULL };
	static const char *const names[] = { "a.test" };
	struct fixture *f = *state;
	uint64_t start_ms = clock_mono_ms();
	char text[64];

	dnsd_say(f->dnsd, &before, 1);
	start(f, names, 1);
	run_until(f, 1);
	assert_string_equal(list(text, sizeof(text), &f->answers[0]), "10.0.0.1");
	dnsd_say(f->dnsd, &after, 1);
	run_until(f, 2);
	assert_string_equal(list(text, sizeof(text), &f->answers[0]), "10.0.0.2");
	assert_true(clock_mono_ms() - start_ms >= 1000);
	assert_true(clock_mono_ms() - start_ms < 3000);
	assert_int_equal(f->answers[0].ttl_s, 3600);
	assert_int_equal(dnsd_asked(f->dnsd), 2);
}

/* Every retry is a question to the server: nothing that went wrong is remembered. */
static void test_retry(void **state)
{
	static const enum dnsd_manner manners[] = { DNSD_NXDOMAIN, DNSD_SERVFAIL, DNSD_SILENT };
	static const struct dnsd_record good = { "a.test", DNSD_ANSWER, 60, "10.0.0.1", NULL };
	static const char *const names[] = { "a.test" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
		const struct dnsd_record bad = { "a.test", manners[i], 60, NULL, NULL };

		f->reports = 0;
		dnsd_say(f->dnsd, &bad, 1);
		start(f, names, 1);
		run_until(f, 1);
		assert_int_equal(f->answers[0].n, 0);
		dnsd_say(f->dnsd, &good, 1);
		run_until(f, 2);
		assert_int_equal(f->answers[0].n, 1);
		resolver_free(take_ptr(f->resolver));
	}
}

/* Another server in resolv.conf is asked within seconds, whatever the TTL was. */
static void test_changed_files(void **state)
{
	static const struct dnsd_record old = { "a.test", DNSD_ANSWER, 3600, "10.0.0.1", NULL };
	static const struct dnsd_record other = { "a.test", DNSD_ANSWER, 3600, "10.0.0.2", NULL };
	static const char *const names[] = { "a.test", "hosts.test" };
	struct fixture *f = *state;
	struct dnsd *second = dnsd_start();
	char text[64];

	dnsd_say(f->dnsd, &old, 1);
	dnsd_say(second, &other, 1);
	start(f, names, 2);
	run_until(f, 2);
	assert_string_equal(list(text, sizeof(text), &f->answers[0]), "10.0.0.1");
	assert_string_equal(list(text, sizeof(text), &f->answers[1]), "10.0.0.77");

	ask_server(f, second);
	run_until(f, 4);
	assert_string_equal(list(text, sizeof(text), &f->answers[0]), "10.0.0.2");

	write_file(f->hosts, "10.0.0.78 hosts.test # moved\n");
	run_until(f, 6);
	assert_string_equal(list(text, sizeof(text), &f->answers[1]), "10.0.0.78");
	dnsd_stop(second);
}

#define MANY 300

static void count_report(void *arg, uint32_t name, const struct resolve_answer *answer)
{
	struct fixture *f = arg;

	(void)name;
	assert_int_equal(answer->n, 1);
	f->reports++;
}

/* More names than are asked for at a time: all of them are answered. */
static void test_many_names(void **state)
{
	static struct dnsd_record records[MANY];
	static char texts[MANY][16];
	const char *names[MANY];
	struct fixture *f = *state;
	const struct resolver_options options = {
		.names = names,
		.n = MANY,
		.resolv_conf = f->resolv_conf,
		.hosts = f->hosts,
		.report = count_report,
		.arg = f,
	};

	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(texts[i], sizeof(texts[i]), "n%u.test", i);
		names[i] = texts[i];
		records[i] = (struct dnsd_record){ texts[i], DNSD_ANSWER, 60, "10.0.0.1", NULL };
	}
	dnsd_say(f->dnsd, records, MANY);
	assert_int_equal(resolver_new(&f->resolver, &f->loop, &options, NULL), 0);
	run_until(f, MANY);
	assert_int_equal(dnsd_asked(f->dnsd), MANY);
	resolver_free(take_ptr(f->resolver));
}

static void on_pause(uv_timer_t *timer)
{
	uv_sleep(STALL_MS);
	uv_close((uv_handle_t *)timer, NULL);
}

/* The loop stands still while a name is asked for: what was not heard meanwhile is asked again. */
static void test_stall(void **state)
{
	static const struct dnsd_record silent = { "a.test", DNSD_SILENT, 0, NULL, NULL };
	static const char *const names[] = { "a.test" };
	struct fixture *f = *state;
	uv_timer_t pause;
	uint64_t begin_ms = clock_mono_ms();

	dnsd_say(f->dnsd, &silent, 1);
	start(f, names, 1);
	uv_timer_init(&f->loop, &pause);
	uv_timer_start(&pause, on_pause, TIMEOUT_MS / 2, 0);
	run_until(f, 1);
	/* The first time was spent standing still; the second counts. */
	assert_int_equal(f->answers[0].n, 0);
	assert_true(clock_mono_ms() - begin_ms >= STALL_MS + TIMEOUT_MS);
	resolver_free(take_ptr(f->resolver));
}

static void test_once(void **state)
{
	struct fixture *f = *state;
	struct resolve_answer answer;

	/* The machine's own files: a name that needs no server. */
	assert_int_equal(resolve_once(&f->loop, "localhost", TIMEOUT_MS, &answer), 0);
	assert_true(answer.n >= 1);
	assert_int_equal(answer.rcode, 0);
}

static void test_addr_set(void **state)
{
	struct addr_set set = { .n = 0 };
	struct addr addr;

	(void)state;
	for (int i = 40; i > 0; i--) {
		char text[32];

		snprintf(text, sizeof(text), "10.0.0.%d", i);
		assert_int_equal(addr_parse(&addr, text), 0);
		addr_set_add(&set, &addr);
	}
	assert_int_equal(set.n, LIMIT_NAME_ADDRESSES);
	assert_int_equal(set.n_more, 40 - LIMIT_NAME_ADDRESSES);
	assert_int_equal(addr_parse(&addr, "10.0.0.1"), 0);
	assert_memory_equal(&set.addrs[0], &addr, sizeof(addr));
	assert_int_equal(addr_parse(&addr, "10.0.0.16"), 0);
	assert_memory_equal(&set.addrs[15], &addr, sizeof(addr));
	addr_set_add(&set, &addr);
	assert_int_equal(set.n, LIMIT_NAME_ADDRESSES);
}

static void test_rcode_names(void **state)
{
	(void)state;
	assert_string_equal(rcode_name(0), "NOERROR");
	assert_string_equal(rcode_name(2), "SERVFAIL");
	assert_string_equal(rcode_name(3), "NXDOMAIN");
	assert_string_equal(rcode_name(5), "REFUSED");
	assert_string_equal(rcode_name(RCODE_NONE), "no answer");
	assert_string_equal(rcode_name(99), "unassigned rcode");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr_set),
		cmocka_unit_test(test_rcode_names),
		cmocka_unit_test_setup_teardown(test_outcomes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_noise, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_expiry, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_retry, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changed_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stall, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_once, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
