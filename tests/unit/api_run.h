/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api_run - the API in front of a fake gateway, and a client of it, for tests; included by one .c of
 * each.
 */
#ifndef SLUICE_TESTS_API_RUN_H
#define SLUICE_TESTS_API_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/lib/api_client.h"
#include "tests/unit/gateway_fake.h"

static struct gateway_fake gateway;
static struct api *api;

static inline int start_api(struct api **ret, struct err *err)
{
	int r = api_listen(ret, gateway.model->gateway.api_socket, &gateway.model->gateway.listen,
			   err);

	return r < 0 ? r : api_serve(*ret, &gateway.context, err);
}

/* Setup and teardown of a test. The command line program finds the socket, too. */
static inline int start(void **state)
{
	(void)state;
	unsetenv("SLUICE_BPFFS");
	assert_int_equal(gateway_fake_start(&gateway, gateway_yaml), 0);
	assert_int_equal(start_api(&api, NULL), 0);
	setenv("SLUICE_SOCKET", gateway.model->gateway.api_socket, 1);
	return 0;
}

static inline int stop(void **state)
{
	(void)state;
	api_stop(take_ptr(api));
	gateway_fake_stop(&gateway);
	return 0;
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, start, stop)

static inline struct api_answer *ask(const char *method, const char *path)
{
	return api_ask(gateway.model->gateway.api_socket, method, path);
}

static inline json_t *get(const char *path, long status)
{
	return api_get(gateway.model->gateway.api_socket, path, status);
}

#endif
