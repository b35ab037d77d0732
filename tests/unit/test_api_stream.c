// SPDX-License-Identifier: GPL-2.0-or-later
/* Documents about many endpoints, which are made while they are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/stream.h"
#include "diagnose/json.h"
#include "tests/lib/fault.h"
#include "tests/unit/api_run.h"

static const struct verdict ok = {
	.code = SL_MSG_OK,
	.stage = STAGE_BODY,
	.http_status = 200,
	.elapsed_ms = 2,
	.timing = { .connect_us = 180, .first_byte_us = 900, .total_us = 2000 }
};
static const struct verdict refused = { .code = SL_MSG_TCP_CONNECT_FAILED,
					.stage = STAGE_CONNECT,
					.os_errno = ECONNREFUSED,
					.elapsed_ms = 1,
					.timing = { .total_us = 400 } };

#define MANY_POOLS 8
#define MANY_BACKENDS 300

static int start_many(void **state)
{
	char *yaml = NULL;
	size_t len;
	FILE *out = open_memstream(&yaml, &len);

	(void)state;
	fputs("gateway: { interfaces: [ { name: lan0 } ] }\n"
	      "settings: [ { name: web, protocol: http, port: 80 } ]\npools:\n",
	      out);
	for (int p = 0; p < MANY_POOLS; p++) {
		fprintf(out, "  - name: p%d\n    backends:\n", p);
		for (int b = 0; b < MANY_BACKENDS; b++)
			fprintf(out, "      - address: 10.%d.%d.%d\n", p, b / 200, b % 200 + 1);
	}
	fputs("services:\n", out);
	/* Not in the order of the pools: their groups are. */
	for (int p = MANY_POOLS - 1; p >= 0; p--)
		fprintf(out, "  - { name: s%d, pool: p%d, settings: web }\n", p, p);
	fclose(out);

	assert_int_equal(gateway_fake_start(&gateway, yaml), 0);
	free(yaml);
	for (uint32_t i = 0; i < gateway.model->n_endpoints; i++)
		gateway_fake_verdict(&gateway, gateway.model->endpoints[i].text,
				     i % 2 ? &ok : &refused, 3);
	assert_int_equal(start_api(&api, NULL), 0);
	return 0;
}

/* All of it, in order, in pieces of any size. */
static void test_stream(void **state)
{
	static const size_t sizes[] = { 1 << 20, 32768, 4096, 7 };
	struct groups groups;
	struct stream_options options = { .context = &gateway.context,
					  .groups = &groups,
					  .row = render_health,
					  .pool = INDEX_NONE };
	CLEANUP(free_p) char *text = malloc(8 << 20);

	(void)state;
	assert_int_equal(groups_init(&groups, gateway.model), 0);
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		struct stream *stream = stream_new(&options);
		size_t len = 0;
		ssize_t n;
		json_t *json, *pool, *endpoint;
		size_t p, e;

		while ((n = stream_read(stream, text + len, sizes[s])) > 0)
			len += (size_t)n;
		assert_int_equal(n, 0);
		stream_free(stream);

		json = json_loadb(text, len, 0, NULL);
		assert_non_null(json);
		assert_int_equal(json_array_size(json_at(json, "pools")), MANY_POOLS);
		json_array_foreach(json_object_get(json, "pools"), p, pool)
		{
			char name[64], address[64];

			snprintf(name, sizeof(name), "s%zu", p);
			assert_string_equal(json_text_at(pool, "services.0.name"), name);
			assert_int_equal(json_array_size(json_at(pool, "services")), 1);
			assert_int_equal(json_array_size(json_at(pool, "services.0.endpoints")),
					 MANY_BACKENDS);
			json_array_foreach(json_at(pool, "services.0.endpoints"), e, endpoint)
			{
				snprintf(address, sizeof(address), "10.%zu.%zu.%zu", p, e / 200,
					 e % 200 + 1);
				assert_string_equal(json_text_at(endpoint, "address"), address);
			}
		}
		json_decref(json);
	}
	groups_done(&groups);
}

static void test_stream_over_http(void **state)
{
	struct api_answer *answer;

	(void)state;
	for (int i = 0; i < 2; i++) {
		json_t *json = get(i ? "/v1/stats" : "/v1/health?pool=p3", 200);

		assert_int_equal(json_array_size(json_at(json, "pools")), i ? MANY_POOLS : 1);
		json_decref(json);
	}
	answer = ask("HEAD", "/v1/health");
	assert_int_equal(answer->len, 0);
}

static void *counted_malloc(size_t size)
{
	return malloc(size);
}

/* Wherever memory runs out once, the stream is whole or ends with an error, and nothing leaks. */
static void test_stream_without_memory(void **state)
{
	struct groups groups;
	struct stream_options options = {
		.context = &gateway.context, .groups = &groups, .row = render_stats, .pool = 0
	};
	static char whole[1024], text[1024];
	bool failed = true;
	int errors = 0;
	struct stream *first;

	(void)state;
	json_set_alloc_funcs(counted_malloc, free);
	assert_int_equal(groups_init(&groups, gateway.model), 0);
	first = stream_new(&options);
	assert_int_equal(stream_read(first, whole, sizeof(whole)), sizeof(whole));
	stream_free(first);
	/* Past the first rows nothing new happens. */
	for (int n = 0; n < 1000 && failed; n++) {
		struct stream *stream;
		ssize_t got = 0;

		fault_after(FAULT_MEMORY, n, ENOMEM);
		stream = stream_new(&options);
		if (stream)
			got = stream_read(stream, text, sizeof(text));
		failed = fault_clear(FAULT_MEMORY);
		errors += !stream || got < 0;
		if (stream && got != -ENOMEM) {
			assert_int_equal(got, sizeof(whole));
			assert_memory_equal(text, whole, sizeof(whole));
		}
		stream_free(stream);
	}
	assert_false(failed);
	assert_true(errors > 20);
	groups_done(&groups);
	json_set_alloc_funcs(malloc, free);
}

#define MANY(test) cmocka_unit_test_setup_teardown(test, start_many, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MANY(test_stream),
		MANY(test_stream_over_http),
		MANY(test_stream_without_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("api_stream", tests, NULL, NULL);
}
