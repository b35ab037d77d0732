// SPDX-License-Identifier: GPL-2.0-or-later
/* The health of backends in the words of Azure's report: its names, and no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/azure.h"
#include "tests/unit/view_json.h"
#include "util/cleanup.h"

/* Only these names are in the documented report, and all of them. */
static void check_names(const json_t *object, const char *names)
{
	const char *key;
	json_t *value;
	size_t n = 0;

	for (const char *c = names; *c; c++)
		n += *c == ' ';
	assert_int_equal(json_object_size(object), n + 1);
	json_object_foreach((json_t *)(uintptr_t)object, key, value) if (!strstr(names, key))
		fail_msg("'%s' is none of: %s", key, names);
}

static void test_azure(void **state)
{
	static const char *const wanted[] = { "Down", "Up", "Unknown", "Down", "Up" };
	json_t *json = parse(health);
	json_t *report = azure_report(json);
	const json_t *pool, *settings, *servers;

	(void)state;
	check_names(report, "backendAddressPools");
	assert_int_equal(json_array_size(json_object_get(report, "backendAddressPools")), 2);
	pool = json_array_get(json_object_get(report, "backendAddressPools"), 0);
	check_names(pool, "backendAddressPool backendHttpSettingsCollection");
	check_names(json_object_get(pool, "backendAddressPool"), "id");
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(pool, "backendAddressPool"), "id")),
			    "/backendAddressPools/web-pool");
	settings = json_array_get(json_object_get(pool, "backendHttpSettingsCollection"), 0);
	check_names(settings, "backendHttpSettings servers");
	check_names(json_object_get(settings, "backendHttpSettings"), "id trustedRootCertificates");
	servers = json_object_get(settings, "servers");
	assert_int_equal(json_array_size(servers), 5);
	for (size_t i = 0; i < 5; i++) {
		const json_t *server = json_array_get(servers, i);

		check_names(server, "address ipConfiguration health healthProbeLog");
		assert_string_equal(json_string_value(json_object_get(server, "health")),
				    wanted[i]);
	}
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(servers, 0), "address")),
		"10.0.0.5");
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(servers, 0), "healthProbeLog")),
		"refused");
	json_decref(report);
	json_decref(json);

	json = parse(
		"{\"pools\": [{\"services\": [{\"endpoints\": [{\"admin\": \"draining\","
		" \"health\": \"Healthy\"}, {\"id\": \"probe_pending\", \"health\": \"Unknown\","
		" \"message\": \"not yet\"}]}]}, 1, {\"services\": [2, {\"endpoints\": [3]}]}]}");
	report = azure_report(json);
	CLEANUP(free_p) char *text = json_dumps(report, JSON_COMPACT);
	assert_non_null(strstr(text, "\"health\":\"Draining\""));
	assert_non_null(strstr(text, "\"health\":\"Down\",\"healthProbeLog\":\"not yet\""));
	json_decref(report);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_azure),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("azure", tests, NULL, NULL);
}
