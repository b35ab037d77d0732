/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view_json - documents of the API, for tests of what shows them; included by one .c of each.
 */
#ifndef SLUICE_TESTS_VIEW_JSON_H
#define SLUICE_TESTS_VIEW_JSON_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

static inline json_t *parse(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, 0, &error);

	if (!json)
		fail_msg("line %d: %s", error.line, error.text);
	return json;
}

/* Of /v1/health: two pools, and every kind of endpoint. */
static const char health[] =
	"{\"pools\": [{\"name\": \"web-pool\", \"services\": ["
	"  {\"name\": \"shop\", \"settings\": \"web\", \"endpoints\": ["
	"    {\"address\": \"10.0.0.5\", \"port\": 80, \"health\": \"Unhealthy\","
	"     \"since\": \"2026-01-01T00:07:50.000Z\", \"id\": \"tcp_connect_failed\","
	"     \"message\": \"refused\"},"
	"    {\"address\": \"10.0.0.16\", \"port\": 80, \"health\": \"Healthy\","
	"     \"since\": \"2025-12-29T00:10:00.000Z\", \"id\": \"ok\", \"message\": \"fine\"},"
	"    {\"address\": \"fd00::5\", \"port\": 80, \"health\": \"Unknown\","
	"     \"gate\": \"Unhealthy\", \"since\": \"2026-01-01T00:10:05.000Z\","
	"     \"id\": \"prober_overloaded\", \"message\": \"busy\"},"
	"    {\"address\": \"10.0.0.7\", \"port\": 80, \"health\": \"Unhealthy\","
	"     \"forced\": true, \"since\": \"2026-01-01T00:09:59.000Z\","
	"     \"id\": \"backend_timeout\", \"message\": \"slow\"},"
	"    {\"address\": \"10.0.0.8\", \"port\": 80, \"health\": \"Healthy\","
	"     \"adopted\": true, \"since\": \"2026-01-01T00:09:00.000Z\","
	"     \"id\": \"probe_pending\", \"message\": \"not yet\"}]},"
	"  {\"name\": \"empty\", \"settings\": \"web\", \"endpoints\": []}]},"
	" {\"name\": \"spare\", \"services\": []}]}";

#endif
