// SPDX-License-Identifier: GPL-2.0-or-later
/* Sizes: every limit is hit once, the largest configurations load, and memory runs out anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/report.h"
#include "config/tree.h"
#include "model/model.h"
#include "tests/lib/fault.h"
#include "util/clock.h"

#define GATE "gateway: { interfaces: [ { name: eth0 } ] }\n"
#define WEB "settings: [ { name: w, protocol: http, port: 80 } ]\n"

/* A text that is put together piece by piece. */
struct text {
	char *buf;
	size_t len;
	FILE *out;
};

static void text_open(struct text *text)
{
	*text = (struct text){ 0 };
	text->out = open_memstream(&text->buf, &text->len);
	assert_non_null(text->out);
}

static int text_parse(struct text *text, struct model **ret, struct report *report)
{
	int r;

	fclose(text->out);
	r = config_parse(ret, text->buf, text->len, "t.yaml", report);
	free(text->buf);
	return r;
}

/* The text must be refused with this one error; last is the end of it. */
static void text_refused(struct text *text, int expected, const char *key, const char *last)
{
	struct model *model = NULL;
	struct report report;
	size_t len;

	assert_int_equal(text_parse(text, &model, &report), expected);
	assert_null(model);
	assert_int_equal(report.n_errors, 1);
	assert_string_equal(report.items[0].key, key);
	len = strlen(report.items[0].message);
	assert_true(len >= strlen(last));
	assert_string_equal(report.items[0].message + len - strlen(last), last);
}

static void text_accepted(struct text *text, struct model **ret)
{
	struct report report;
	int r = text_parse(text, ret, &report);

	if (r < 0)
		fail_msg("%s: %s", report.items[0].key, report.items[0].message);
	assert_int_equal(report.n_errors, 0);
}

/* Lists: the model's limit is accepted, one more is refused with the number in the text. */
static const struct list {
	const char *before, *item, *after; /* item takes a number */
	uint32_t limit;
	const char *key, *message;
} lists[] = {
	{ "gateway: { interfaces: [", "{ name: e%u },", "] }\n", 64, "gateway.interfaces",
	  "has 65 entries; allowed: 1..64" },
	{ GATE "probes: [", "{ name: p%u, protocol: tcp },", "]\n", 4096, "probes",
	  "has 4097 entries; allowed: 0..4096" },
	{ GATE "settings: [", "{ name: s%u, protocol: tcp, port: 1 },", "]\n", 4096, "settings",
	  "has 4097 entries; allowed: 0..4096" },
	{ GATE "pools: [", "{ name: p%u },", "]\n", 16384, "pools",
	  "has 16385 entries; allowed: 0..16384" },
	{ GATE "pools: [ { name: p, backends: [", "{ address: \"2001:db8::%x\" },", "] } ]\n", 4096,
	  "pools[0].backends", "has 4097 entries; allowed: 0..4096" },
	{ GATE WEB "pools: [ { name: p } ]\nservices: [", "{ name: s%u, pool: p, settings: w },",
	  "]\n", 16384, "services", "has 16385 entries; allowed: 0..16384" },
};

#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* formats from the table above */
static void print_list(struct text *text, const struct list *list, uint32_t n)
{
	text_open(text);
	fputs(list->before, text->out);
	for (uint32_t i = 1; i <= n; i++)
		fprintf(text->out, list->item, i);
	fputs(list->after, text->out);
}

static void test_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		CLEANUP(model_free_p) struct model *model = NULL;
		struct text text;

		print_list(&text, &lists[i], lists[i].limit);
		text_accepted(&text, &model);
		print_list(&text, &lists[i], lists[i].limit + 1);
		text_refused(&text, -EINVAL, lists[i].key, lists[i].message);
	}
}

/* Texts: n letters are accepted, one more is refused. */
static const struct length {
	const char *before, *start, *after;
	int limit; /* start included */
	const char *key, *message;
} lengths[] = {
	{ GATE "pools: [ { name: ", "p", " } ]\n", 63, "pools[0].name",
	  "is too long; allowed: 1..63 bytes of A-Z a-z 0-9 . _ -" },
	{ GATE "probes: [ { name: p, protocol: http, path: ", "/", " } ]\n", 2048, "probes[0].path",
	  "is too long; allowed: 1..2048 bytes from '/' on, without blanks and control characters" },
	{ GATE "probes: [ { name: p, protocol: http, match: { body: ", "x", " } } ]\n", 4090,
	  "probes[0].match.body", "is too long; allowed: 0..4090 bytes" },
	{ "gateway: { interfaces: [ { name: e } ], api_socket: ", "/", " }\n", 107,
	  "gateway.api_socket", "is too long; allowed: 1..107 bytes without control characters" },
	{ "gateway: { interfaces: [ { name: e } ], bpffs: ", "/", " }\n", 4095, "gateway.bpffs",
	  "is too long; allowed: 1..4095 bytes without control characters" },
	{ GATE "probes: [ { name: p, protocol: http, host: ", "a.", " } ]\n", 65, "probes[0].host",
	  "is neither a host name nor an IP address; allowed: a host name or IP address, 1..253 "
	  "bytes" },
};

static void print_length(struct text *text, const struct length *length, int n)
{
	text_open(text);
	fprintf(text->out, "%s%s", length->before, length->start);
	for (int i = (int)strlen(length->start); i < n; i++)
		fputc('x', text->out);
	fputs(length->after, text->out);
}

static void test_lengths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		CLEANUP(model_free_p) struct model *model = NULL;
		struct text text;

		print_length(&text, &lengths[i], lengths[i].limit);
		text_accepted(&text, &model);
		print_length(&text, &lengths[i], lengths[i].limit + 1);
		text_refused(&text, -EINVAL, lengths[i].key, lengths[i].message);
	}
}

static void print_host(struct text *text, int labels, const char *last)
{
	text_open(text);
	fprintf(text->out, GATE "probes: [ { name: p, protocol: http, host: ");
	for (int i = 0; i < labels; i++)
		fputs("a.", text->out);
	fprintf(text->out, "%s } ]\n", last);
}

static void test_host_length(void **state)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	struct text text;

	(void)state;
	print_host(&text, 126, "a");
	text_accepted(&text, &model);
	assert_int_equal(strlen(model->probes[0].host), 253);
	print_host(&text, 126, "ab");
	text_refused(&text, -EINVAL, "probes[0].host",
		     "is too long; allowed: a host name or IP address, 1..253 bytes");
}

static void print_status(struct text *text, int n)
{
	text_open(text);
	fprintf(text->out, GATE "probes: [ { name: p, protocol: http, match: { status: \"200");
	for (int i = 1; i < n; i++)
		fprintf(text->out, ",%d", 200 + i);
	fprintf(text->out, "\" } } ]\n");
}

static void test_status_ranges(void **state)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	struct text text;

	(void)state;
	print_status(&text, 32);
	text_accepted(&text, &model);
	assert_int_equal(model->probes[0].match.n_status, 32);
	assert_int_equal(model->probes[0].match.status[31].high, 231);
	print_status(&text, 33);
	text_refused(&text, -EINVAL, "probes[0].match.status",
		     "has too many ranges; allowed: 1..32 codes or ranges in 100..599, as "
		     "200-399,401");
}

/* A relative path counts with the directory of the file. */
static void test_directory_length(void **state)
{
	char name[] = "0123456789012345678901234567890123456789012345678901234567890123456789/t";
	static const char yaml[] = "gateway: { interfaces: [ { name: e } ], api_socket: "
				   "0123456789012345678901234567890123456 }\n";
	struct model *model = NULL;
	struct report report;

	(void)state;
	assert_int_equal(config_parse(&model, yaml, strlen(yaml), name, &report), -EINVAL);
	assert_string_equal(report.items[0].message,
			    "is too long together with the directory of this file; allowed: 1..107 "
			    "bytes without control characters");
	name[69] = '/';
	assert_int_equal(config_parse(&model, yaml, strlen(yaml), name + 1, &report), 0);
	assert_int_equal(strlen(model->gateway.api_socket), 107);
	model_free(model);
}

/* n_pools pools with n_backends in all, each pool guarded by a service. */
static void print_pools(struct text *text, uint32_t n_pools, uint32_t n_backends)
{
	uint32_t next = 0;

	text_open(text);
	fprintf(text->out, GATE WEB "pools:\n");
	for (uint32_t i = 0; i < n_pools; i++) {
		uint32_t share = n_backends / n_pools + (i < n_backends % n_pools);

		fprintf(text->out, "  - name: pool-%u\n    backends:\n", i);
		for (; share > 0; share--, next++)
			fprintf(text->out, "      - address: 10.%u.%u.%u\n", next >> 16,
				next >> 8 & 0xff, next & 0xff);
	}
	fprintf(text->out, "services:\n");
	for (uint32_t i = 0; i < n_pools; i++)
		fprintf(text->out, "  - { name: s%u, pool: pool-%u, settings: w }\n", i, i);
}

/* A quadratic step anywhere takes minutes here; under sanitizers a linear one takes seconds. */
#define LARGE_MS 20000

static void test_large(void **state)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	struct text text;
	uint64_t start;

	(void)state;
	print_pools(&text, 10000, LIMIT_ENDPOINTS);
	start = clock_mono_ms();
	text_accepted(&text, &model);
	assert_true(clock_mono_ms() - start < LARGE_MS);
	assert_int_equal(model->n_pools, 10000);
	assert_int_equal(model->n_endpoints, LIMIT_ENDPOINTS);
	assert_string_equal(model->endpoints[LIMIT_ENDPOINTS - 1].text, "10.0.255.255:80");
	assert_int_equal(model_map_entries(model), LIMIT_ENDPOINTS);
}

static void test_too_many_endpoints(void **state)
{
	struct text text;

	(void)state;
	print_pools(&text, 1000, LIMIT_ENDPOINTS + 1);
	text_refused(&text, -EINVAL, "",
		     "more than 65536 endpoints (gateway.max_endpoints; at most 65536)");

	text_open(&text);
	fprintf(text.out, "gateway: { interfaces: [ { name: e } ], max_endpoints: 1 }\n" WEB
			  "pools: [ { name: p, backends: [ { address: 10.0.0.1 }, "
			  "{ address: 10.0.0.2 } ] } ]\n"
			  "services: [ { name: s, pool: p, settings: w } ]\n");
	text_refused(&text, -EINVAL, "",
		     "service 's': more than 1 endpoints (gateway.max_endpoints; at most 65536)");
}

/* Many errors: the first ones of the file are kept in order, all are counted. */
static void test_many_errors(void **state)
{
	struct model *model = NULL;
	struct report report;
	struct text text;

	(void)state;
	text_open(&text);
	fprintf(text.out, "services:\n");
	for (int i = 0; i < 1500; i++)
		fprintf(text.out, "  - { name: s%d, pool: none, settings: w }\n", i);
	fprintf(text.out, WEB "pools: [ { name: p, prot: 1, port: 2 } ]\n" GATE);
	assert_int_equal(text_parse(&text, &model, &report), -EINVAL);
	assert_int_equal(report.n_errors, 1502);
	assert_int_equal(report.n_items, REPORT_MAX);
	for (unsigned int i = 0; i < REPORT_MAX; i++)
		assert_int_equal(report.items[i].line, i + 2);
}

static void test_file_size(void **state)
{
	const size_t len = LIMIT_FILE_BYTES + 1;
	CLEANUP(free_p) char *text = malloc(len);
	struct model *model = NULL;
	struct report report;

	(void)state;
	assert_non_null(text);
	memset(text, '#', len);
	assert_int_equal(config_parse(&model, text, len, "t.yaml", &report), -EFBIG);
	assert_string_equal(report.items[0].message,
			    "the file is too large; allowed: at most 67108864 bytes");
	assert_int_equal(report.items[0].line, 0);
	/* One byte less is one long comment. */
	assert_int_equal(config_parse(&model, text, len - 1, "t.yaml", &report), -EINVAL);
	assert_string_equal(report.items[0].key, "gateway.interfaces");
}

static void test_too_many_nodes(void **state)
{
	struct text text;

	(void)state;
	text_open(&text);
	fprintf(text.out, "a: [");
	for (uint32_t i = 0; i < TREE_NODES_MAX; i++)
		fputs("b,", text.out);
	text_refused(&text, -EINVAL, "", "the file has more than 2097152 values");
}

static void test_depth(void **state)
{
	struct text text;

	(void)state;
	text_open(&text);
	for (int i = 0; i < 100000; i++)
		fputc('[', text.out);
	text_refused(&text, -EINVAL, "", "lists and mappings are nested more than 16 deep");
}

#define EVERYTHING                                                                              \
	"gateway: { interfaces: [ { name: eth0 }, { name: eth1 } ], api_socket: a.sock }\n"     \
	"probes: [ { name: p, protocol: http, host: \"::1\", path: /x, match: { body: b } },\n" \
	"          { name: q, protocol: http, host_from_settings: true } ]\n"                   \
	"settings: [ { name: w, protocol: http, port: 80, probe: q, host_name: h.test },\n"     \
	"            { name: v, protocol: tcp, port: 81, probe: p } ]\n"                        \
	"pools: [ { name: p, backends: [ { address: 10.0.0.5 }, { address: fd00::5 } ] },\n"    \
	"         { name: e } ]\n"                                                              \
	"services: [ { name: s, pool: p, settings: w }, { name: t, pool: p, settings: v } ]\n"

/* Fail the n-th allocation, for every n until none fails any more. */
static void test_memory(void **state)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	struct report report;
	int n = 0, r;

	(void)state;
	for (;; n++) {
		fault_after(FAULT_MEMORY, n, ENOMEM);
		r = config_parse(&model, EVERYTHING, strlen(EVERYTHING), "etc/t.yaml", &report);
		if (!fault_clear(FAULT_MEMORY))
			break;
		assert_int_equal(r, -ENOMEM);
		assert_null(model);
		assert_int_equal(report.n_errors, 0);
	}
	assert_int_equal(r, 0);
	assert_non_null(model);
	/* Every list, string and index of the file was among them. */
	assert_true(n > 20);
}

static void test_memory_of_a_file(void **state)
{
	struct model *model = NULL;
	struct report report;

	(void)state;
	fault_after(FAULT_MEMORY, 0, ENOMEM);
	assert_int_equal(config_load(&model, "etc/sluice.yaml", &report), -ENOMEM);
	assert_true(fault_clear(FAULT_MEMORY));
	/* The second allocation of a pipe-like file is its buffer growing. */
	fault_after(FAULT_MEMORY, 1, ENOMEM);
	assert_int_equal(config_load(&model, "/dev/zero", &report), -ENOMEM);
	assert_true(fault_clear(FAULT_MEMORY));
	assert_null(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_host_length),
		cmocka_unit_test(test_status_ranges),
		cmocka_unit_test(test_directory_length),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_too_many_endpoints),
		cmocka_unit_test(test_many_errors),
		cmocka_unit_test(test_file_size),
		cmocka_unit_test(test_too_many_nodes),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_memory_of_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
