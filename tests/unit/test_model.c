// SPDX-License-Identifier: GPL-2.0-or-later
/* From pools, settings and services to endpoints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/model.h"
#include "tests/lib/fault.h"
#include "util/err.h"

/* A model with n_settings settings of port 80 up, one pool per address list, and no service. */
static struct model *make_model(uint32_t n_settings, uint32_t n_pools)
{
	struct model *model = model_new();

	assert_non_null(model);
	model->settings = calloc(n_settings, sizeof(*model->settings));
	model->pools = calloc(n_pools, sizeof(*model->pools));
	model->services = calloc(16, sizeof(*model->services));
	assert_non_null(model->settings);
	assert_non_null(model->pools);
	assert_non_null(model->services);
	model->n_settings = n_settings;
	model->n_pools = n_pools;
	for (uint32_t i = 0; i < n_settings; i++) {
		model->settings[i].port = (uint16_t)(80 + i);
		model->settings[i].protocol = PROTO_TCP;
		snprintf(model->settings[i].name, SL_NAME_LEN, "settings-%u", i);
	}
	for (uint32_t i = 0; i < n_pools; i++)
		snprintf(model->pools[i].name, SL_NAME_LEN, "pool-%u", i);
	return model;
}

static void add_backends(struct model *model, uint32_t pool, uint32_t first, uint32_t n)
{
	struct pool *p = &model->pools[pool];

	p->backends = calloc(n, sizeof(*p->backends));
	assert_non_null(p->backends);
	p->n_backends = n;
	for (uint32_t i = 0; i < n; i++) {
		char text[SL_TEXT_LEN];

		snprintf(text, sizeof(text), "10.0.%u.%u", (first + i) >> 8 & 0xff,
			 (first + i) & 0xff);
		assert_int_equal(addr_parse(&p->backends[i].addr, text), 0);
	}
}

static void add_service(struct model *model, uint32_t pool, uint32_t settings)
{
	struct service *service = &model->services[model->n_services];

	snprintf(service->name, SL_NAME_LEN, "service-%u", model->n_services);
	service->pool = pool;
	service->settings = settings;
	model->n_services++;
}

static void test_nothing(void **state)
{
	CLEANUP(model_free_p) struct model *model = model_new();
	struct err err;

	(void)state;
	assert_non_null(model);
	assert_int_equal(model_link(model, &err), 0);
	assert_int_equal(model->n_endpoints, 0);
	assert_int_equal(model_map_entries(model), ENDPOINTS_AUTO_MIN);
	model_free(NULL);
}

static void test_endpoints(void **state)
{
	CLEANUP(model_free_p) struct model *model = make_model(2, 2);
	struct err err;

	(void)state;
	add_backends(model, 0, 1, 3);
	/* Overlaps the first pool in one backend; the other settings have another port. */
	add_backends(model, 1, 3, 2);
	add_service(model, 0, 0);
	add_service(model, 0, 1);
	add_service(model, 1, 0);
	assert_int_equal(model_link(model, &err), 0);

	assert_int_equal(model->n_endpoints, 7);
	assert_string_equal(model->endpoints[0].text, "10.0.0.1:80");
	assert_string_equal(model->endpoints[3].text, "10.0.0.1:81");
	assert_string_equal(model->endpoints[6].text, "10.0.0.4:80");
	assert_int_equal(model->endpoints[3].settings, 1);
	assert_int_equal(model->endpoints[3].service, 1);
	assert_int_equal(model->endpoints[2].key.port, 80);
	assert_int_equal(model->endpoints[2].key.proto, SL_TCP);
	assert_int_equal(model->endpoints[2].key.zero, 0);
	/* Shared, and named after the first service. */
	assert_int_equal(model->services[2].endpoints[0], 2);
	assert_int_equal(model->services[2].endpoints[1], 6);
	assert_int_equal(model->endpoints[2].service, 0);
}

/* TCP and UDP of one address and port are two endpoints. */
static void test_transports(void **state)
{
	CLEANUP(model_free_p) struct model *model = make_model(2, 1);
	struct err err;

	(void)state;
	model->settings[1].port = 80;
	model->settings[1].protocol = PROTO_UDP;
	add_backends(model, 0, 1, 1);
	add_service(model, 0, 0);
	add_service(model, 0, 1);
	assert_int_equal(model_link(model, &err), 0);
	assert_int_equal(model->n_endpoints, 2);
	assert_int_equal(model->endpoints[0].key.proto, SL_TCP);
	assert_int_equal(model->endpoints[1].key.proto, SL_UDP);
}

static void test_empty_pool(void **state)
{
	CLEANUP(model_free_p) struct model *model = make_model(1, 1);
	struct err err;

	(void)state;
	add_service(model, 0, 0);
	assert_int_equal(model_link(model, &err), 0);
	assert_int_equal(model->n_endpoints, 0);
	assert_non_null(model->services[0].endpoints);
}

static void name_backend(struct model *model, uint32_t pool, uint32_t backend, const char *name)
{
	model->pools[pool].backends[backend].name = strdup(name);
	assert_non_null(model->pools[pool].backends[backend].name);
}

/* A name has its seats side by side, one set per settings, shared by all services under them. */
static void test_names(void **state)
{
	CLEANUP(model_free_p) struct model *model = make_model(2, 2);
	struct err err;

	(void)state;
	add_backends(model, 0, 1, 3);
	name_backend(model, 0, 1, "a.test");
	add_backends(model, 1, 9, 2);
	name_backend(model, 1, 0, "b.test");
	name_backend(model, 1, 1, "a.test");
	add_service(model, 0, 0);
	add_service(model, 1, 0);
	add_service(model, 1, 1);
	assert_int_equal(model_link(model, &err), 0);

	assert_int_equal(model->n_endpoints, 2 + 4 * LIMIT_NAME_ADDRESSES);
	assert_int_equal(model_declared(model), 6);
	assert_int_equal(model->n_names, 2);
	assert_string_equal(model->names[0], "a.test");
	assert_string_equal(model->names[1], "b.test");
	assert_int_equal(model->services[0].n_endpoints, 2 + LIMIT_NAME_ADDRESSES);
	assert_int_equal(model->services[1].n_endpoints, 2 * LIMIT_NAME_ADDRESSES);
	assert_int_equal(model->services[0].owners[0], 0);
	assert_int_equal(model->services[0].owners[LIMIT_NAME_ADDRESSES], 1);
	assert_int_equal(model->services[0].owners[LIMIT_NAME_ADDRESSES + 1], 2);
	for (uint32_t i = 0; i < LIMIT_NAME_ADDRESSES; i++) {
		const struct endpoint *seat = &model->endpoints[1 + i];

		assert_string_equal(seat->name, "a.test");
		assert_int_equal(seat->seat, i);
		assert_int_equal(seat->name_index, 0);
		assert_int_equal(seat->key.port, 80);
		assert_string_equal(seat->text, "");
		assert_int_equal(model->services[1].endpoints[LIMIT_NAME_ADDRESSES + i], 1 + i);
	}
	assert_string_equal(backend_text(&model->pools[0].backends[1]), "a.test");
}

static void test_name_under_two_settings(void **state)
{
	CLEANUP(model_free_p) struct model *model = make_model(2, 1);
	struct err err;

	(void)state;
	model->settings[1].port = 80;
	add_backends(model, 0, 1, 1);
	name_backend(model, 0, 0, "a.test");
	add_service(model, 0, 0);
	add_service(model, 0, 1);
	assert_int_equal(model_link(model, &err), -EEXIST);
	assert_non_null(strstr(err.text, "a.test"));
}

static void test_names_limit(void **state)
{
	CLEANUP(model_free_p) struct model *model = make_model(1, 1);
	struct err err;

	(void)state;
	model->gateway.max_endpoints = 2 * LIMIT_NAME_ADDRESSES - 1;
	add_backends(model, 0, 1, 2);
	name_backend(model, 0, 0, "a.test");
	name_backend(model, 0, 1, "b.test");
	add_service(model, 0, 0);
	assert_int_equal(model_link(model, &err), -ENOSPC);
}

static void test_two_settings_for_one_endpoint(void **state)
{
	CLEANUP(model_free_p) struct model *model = make_model(2, 1);
	struct err err;

	(void)state;
	model->settings[1].port = 80;
	add_backends(model, 0, 1, 1);
	add_service(model, 0, 0);
	add_service(model, 0, 1);
	assert_int_equal(model_link(model, &err), -EEXIST);
	assert_string_equal(err.text,
			    "services 'service-0' and 'service-1' guard the same endpoint "
			    "10.0.0.1:80 with different settings ('settings-0' and 'settings-1'); "
			    "one address and port can follow one only");
}

static void test_limit(void **state)
{
	struct err err;

	(void)state;
	for (uint32_t n = 4; n <= 5; n++) {
		CLEANUP(model_free_p) struct model *model = make_model(1, 1);

		model->gateway.max_endpoints = 4;
		add_backends(model, 0, 1, n);
		add_service(model, 0, 0);
		assert_int_equal(model_link(model, &err), n == 4 ? 0 : -ENOSPC);
		assert_int_equal(model_map_entries(model), 4);
	}
	assert_string_equal(err.text, "service 'service-0': more than 4 endpoints "
				      "(gateway.max_endpoints; at most 65536)");
}

static const struct entries_row {
	uint32_t max_endpoints, n_endpoints, entries;
} entries_rows[] = {
	{ 0, 0, 4096 },      { 0, 2048, 4096 }, { 0, 2049, 8192 },   { 0, 32768, 65536 },
	{ 0, 65536, 65536 }, { 1, 1, 1 },       { 65536, 0, 65536 }, { 100, 50, 100 },
};

static void test_map_entries(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(entries_rows) / sizeof(entries_rows[0]); i++) {
		const struct model model = {
			.gateway.max_endpoints = entries_rows[i].max_endpoints,
			.n_endpoints = entries_rows[i].n_endpoints,
		};

		assert_int_equal(model_map_entries(&model), entries_rows[i].entries);
	}
}

static void test_find_pool(void **state)
{
	CLEANUP(model_free_p) struct model *model = make_model(1, 3);

	(void)state;
	assert_ptr_equal(model_find_pool(model, "pool-1"), &model->pools[1]);
	assert_null(model_find_pool(model, "pool"));
	assert_null(model_find_pool(model, "pool-11"));
	assert_null(model_find_pool(model, ""));
}

static const struct protocol_row {
	enum protocol protocol;
	const char *name;
	enum sl_proto transport;
} protocol_rows[] = {
	{ PROTO_HTTP, "http", SL_TCP }, { PROTO_HTTPS, "https", SL_TCP },
	{ PROTO_TCP, "tcp", SL_TCP },   { PROTO_TLS, "tls", SL_TCP },
	{ PROTO_UDP, "udp", SL_UDP },   { PROTO_GRPC, "grpc", SL_TCP },
};

static void test_protocols(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(protocol_rows) / sizeof(protocol_rows[0]); i++) {
		assert_string_equal(protocol_name(protocol_rows[i].protocol),
				    protocol_rows[i].name);
		assert_int_equal(protocol_transport(protocol_rows[i].protocol),
				 protocol_rows[i].transport);
	}
}

static void test_memory(void **state)
{
	(void)state;
	for (int n = 0;; n++) {
		CLEANUP(model_free_p) struct model *model = make_model(1, 2);
		struct err err;
		int r;

		add_backends(model, 0, 1, 3);
		add_service(model, 0, 0);
		add_service(model, 1, 0);
		fault_after(FAULT_MEMORY, n, ENOMEM);
		r = model_link(model, &err);
		if (!fault_clear(FAULT_MEMORY)) {
			assert_int_equal(r, 0);
			assert_true(n >= 3);
			return;
		}
		assert_int_equal(r, -ENOMEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_transports),
		cmocka_unit_test(test_empty_pool),
		cmocka_unit_test(test_two_settings_for_one_endpoint),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_name_under_two_settings),
		cmocka_unit_test(test_names_limit),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_map_entries),
		cmocka_unit_test(test_find_pool),
		cmocka_unit_test(test_protocols),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
