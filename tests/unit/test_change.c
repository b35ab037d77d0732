// SPDX-License-Identifier: GPL-2.0-or-later
/* Changes as they are asked for: what is taken, and the sentence about what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/body.h"
#include "control/change.h"
#include "util/err.h"

#define POOL "\"pool\": \"web\", \"address\": \"10.0.0.5\""

static const struct row {
	const char *body, *wrong; /* wrong: NULL: it is taken */
	enum change_action action;
	uint32_t timeout_ms, weight;
} rows[] = {
	{ "{\"action\": \"drain\", " POOL "}", NULL, CHANGE_DRAIN, 0, 0 },
	{ "{\"action\": \"drain\", \"timeout_ms\": 1000, " POOL "}", NULL, CHANGE_DRAIN, 1000, 0 },
	{ "{" POOL ", \"timeout_ms\": 3600000, \"action\": \"drain\"}", NULL, CHANGE_DRAIN, 3600000,
	  0 },
	{ "{\"action\": \"enable\", " POOL "}", NULL, CHANGE_ENABLE, 0, 0 },
	{ "{\"action\": \"disable\", " POOL "}", NULL, CHANGE_DISABLE, 0, 0 },
	{ "{\"action\": \"weight\", \"weight\": 0, " POOL "}", NULL, CHANGE_WEIGHT, 0, 0 },
	{ "{\"action\": \"weight\", \"weight\": 256, " POOL "}", NULL, CHANGE_WEIGHT, 0, 256 },
	{ "", "the body is not JSON: line 1, column 0", 0, 0, 0 },
	{ "{", "the body is not JSON: line 1, column 1", 0, 0, 0 },
	{ "{\"action\": \"drain\", \"action\": \"drain\"}", "duplicate", 0, 0, 0 },
	{ "{\"pool\": \"a\\u0000b\"}", "not JSON", 0, 0, 0 },
	{ "{\"pool\": \"\xff\"}", "not JSON", 0, 0, 0 },
	{ "[1]", "is to be a JSON object", 0, 0, 0 },
	{ "{}", "action is missing", 0, 0, 0 },
	{ "{\"action\": \"drain\"}", "pool is missing", 0, 0, 0 },
	{ "{\"action\": \"drain\", \"pool\": \"web\"}", "address is missing", 0, 0, 0 },
	{ "{\"action\": \"weight\", " POOL "}", "weight is missing", 0, 0, 0 },
	{ "{\"action\": \"forget\", " POOL "}", "action 'forget' is not available; allowed: drain",
	  0, 0, 0 },
	{ "{\"action\": 1, " POOL "}", "action '' is not available", 0, 0, 0 },
	{ "{\"action\": \"drain\", \"colour\": 1, " POOL "}", "'colour' is no member", 0, 0, 0 },
	{ "{\"action\": \"enable\", \"timeout_ms\": 5000, " POOL "}",
	  "timeout_ms does not go with action 'enable'", 0, 0, 0 },
	{ "{\"action\": \"drain\", \"weight\": 5, " POOL "}",
	  "weight does not go with action 'drain'", 0, 0, 0 },
	{ "{\"action\": \"drain\", \"timeout_ms\": 999, " POOL "}",
	  "timeout_ms is to be a whole number from 1000 to 3600000", 0, 0, 0 },
	{ "{\"action\": \"drain\", \"timeout_ms\": 3600001, " POOL "}", "from 1000 to 3600000", 0,
	  0, 0 },
	{ "{\"action\": \"drain\", \"timeout_ms\": \"5s\", " POOL "}", "a whole number", 0, 0, 0 },
	{ "{\"action\": \"drain\", \"timeout_ms\": 5000.5, " POOL "}", "a whole number", 0, 0, 0 },
	{ "{\"action\": \"weight\", \"weight\": -1, " POOL "}", "from 0 to 256", 0, 0, 0 },
	{ "{\"action\": \"weight\", \"weight\": 257, " POOL "}", "from 0 to 256", 0, 0, 0 },
	{ "{\"action\": \"weight\", \"weight\": 4294967297, " POOL "}", "from 0 to 256", 0, 0, 0 },
	{ "{\"action\": \"drain\", \"pool\": \"\", \"address\": \"a\"}",
	  "pool is to be a string of 1 to 63 printable ASCII characters", 0, 0, 0 },
	{ "{\"action\": \"drain\", \"pool\": \"a\\u001b[2J\", \"address\": \"a\"}",
	  "pool is to be a string of 1 to 63 printable", 0, 0, 0 },
	{ "{\"action\": \"drain\", \"pool\": \"a\", \"address\": \"a\\u202eb\"}",
	  "address is to be a string of 1 to 253 printable", 0, 0, 0 },
	{ "{\"action\": \"drain\", \"pool\": 5, \"address\": \"a\"}", "pool is to be a string", 0,
	  0, 0 },
	{ "{\"action\": \"drain\", \"pool\": \"a\", \"address\": null}",
	  "address is to be a string of 1 to 253 printable", 0, 0, 0 },
};

static void are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct change change = { .weight = UINT32_MAX };
		struct err err = { "" };
		int r = change_parse(&change, CHANGE_OF_BACKEND, row->body, strlen(row->body),
				     &err);

		if (r != (row->wrong ? -EINVAL : 0) ||
		    (row->wrong && !strstr(err.text, row->wrong)))
			fail_msg("%s: %d %s", row->body, r, err.text);
		if (row->wrong) {
			assert_int_equal(change.weight, UINT32_MAX);
			continue;
		}
		assert_int_equal(change.action, row->action);
		assert_string_equal(change.pool, "web");
		assert_string_equal(change.address, "10.0.0.5");
		assert_int_equal(change.timeout_ms, row->timeout_ms);
		assert_int_equal(change.weight, row->weight);
	}
}

static void have_bounds(void **state)
{
	struct change change;
	char body[2048], longest[LIMIT_HOST_BYTES + 2];
	struct err err;

	(void)state;
	for (size_t len = LIMIT_HOST_BYTES; len <= LIMIT_HOST_BYTES + 1; len++) {
		memset(longest, 'a', len);
		longest[len] = '\0';
		snprintf(body, sizeof(body),
			 "{\"action\": \"drain\", \"pool\": \"p\", \"address\": \"%s\"}", longest);
		assert_int_equal(change_parse(&change, CHANGE_OF_BACKEND, body, strlen(body), &err),
				 len == LIMIT_HOST_BYTES ? 0 : -EINVAL);
	}
	assert_string_equal(change_name(CHANGE_WEIGHT), "weight");
}

/* Of pools, of interfaces, of the file, and with what every change takes. */
static const struct {
	enum change_subject subject;
	const char *body, *wrong;
	struct change change;
} others[] = {
	{ CHANGE_OF_BACKEND,
	  "{\"action\": \"add\", \"pool\": \"p\", \"address\": \"a\"}",
	  NULL,
	  { .action = CHANGE_ADD, .weight = 1 } },
	{ CHANGE_OF_BACKEND,
	  "{\"action\": \"add\", \"pool\": \"p\", \"address\": \"a\", \"weight\": 0, "
	  "\"dry_run\": true, \"if_version\": 7}",
	  NULL,
	  { .action = CHANGE_ADD, .is_rehearsal = true, .is_versioned = true, .version = 7 } },
	{ CHANGE_OF_BACKEND,
	  "{\"action\": \"remove\", \"pool\": \"p\", \"address\": \"a\", \"dry_run\": false}",
	  NULL,
	  { .action = CHANGE_REMOVE } },
	{ CHANGE_OF_POOL,
	  "{\"action\": \"add\", \"pool\": \"p\"}",
	  NULL,
	  { .action = CHANGE_ADD_POOL } },
	{ CHANGE_OF_POOL,
	  "{\"action\": \"remove\", \"pool\": \"p\"}",
	  NULL,
	  { .action = CHANGE_REMOVE_POOL } },
	{ CHANGE_OF_INTERFACE,
	  "{\"action\": \"attach\", \"interface\": \"eth0\"}",
	  NULL,
	  { .action = CHANGE_ATTACH, .interface = "eth0" } },
	{ CHANGE_OF_INTERFACE,
	  "{\"action\": \"attach\", \"interface\": \"eth0\", \"xdp\": \"native\", "
	  "\"egress\": false, \"dry_run\": true}",
	  NULL,
	  { .action = CHANGE_ATTACH,
	    .interface = "eth0",
	    .has_xdp = true,
	    .xdp = XDP_NATIVE,
	    .has_egress = true,
	    .is_rehearsal = true } },
	{ CHANGE_OF_INTERFACE,
	  "{\"action\": \"detach\", \"interface\": \"eth0\", \"if_version\": 3}",
	  NULL,
	  { .action = CHANGE_DETACH, .interface = "eth0", .is_versioned = true, .version = 3 } },
	{ CHANGE_OF_INTERFACE, "{\"action\": \"detach\"}", "interface is missing", { 0 } },
	{ CHANGE_OF_INTERFACE,
	  "{\"action\": \"attach\", \"interface\": \"sixteenletters00\"}",
	  "interface is to be a string of 1 to 15 ",
	  { 0 } },
	{ CHANGE_OF_INTERFACE,
	  "{\"action\": \"attach\", \"interface\": \"eth0\", \"xdp\": \"fast\"}",
	  "xdp 'fast' is no mode; allowed: auto, offload, native, generic, off",
	  { 0 } },
	{ CHANGE_OF_INTERFACE,
	  "{\"action\": \"attach\", \"interface\": \"eth0\", \"xdp\": 1}",
	  "xdp '' is no mode",
	  { 0 } },
	{ CHANGE_OF_INTERFACE,
	  "{\"action\": \"attach\", \"interface\": \"eth0\", \"egress\": \"no\"}",
	  "egress is to be true or false",
	  { 0 } },
	{ CHANGE_OF_INTERFACE,
	  "{\"action\": \"detach\", \"interface\": \"eth0\", \"xdp\": \"off\"}",
	  "xdp does not go with action 'detach'",
	  { 0 } },
	{ CHANGE_OF_INTERFACE,
	  "{\"action\": \"add\", \"interface\": \"eth0\"}",
	  "action 'add' is not available; allowed: attach, detach",
	  { 0 } },
	{ CHANGE_OF_BACKEND,
	  "{\"action\": \"add\", \"pool\": \"p\", \"address\": \"a\", "
	  "\"interface\": \"eth0\"}",
	  "interface does not go with action 'add'",
	  { 0 } },
	{ CHANGE_OF_FILE, "", NULL, { .action = CHANGE_RELOAD } },
	{ CHANGE_OF_FILE,
	  "{\"discard_runtime\": true}",
	  NULL,
	  { .action = CHANGE_RELOAD, .discards = true } },
	{ CHANGE_OF_POOL,
	  "{\"action\": \"drain\", \"pool\": \"p\"}",
	  "action 'drain' is not available; allowed: add, remove",
	  { 0 } },
	{ CHANGE_OF_POOL,
	  "{\"action\": \"add\", \"pool\": \"p\", \"address\": \"a\"}",
	  "address does not go with action 'add'",
	  { 0 } },
	{ CHANGE_OF_POOL, "{\"action\": \"add\"}", "pool is missing", { 0 } },
	{ CHANGE_OF_FILE, "{\"pool\": \"p\"}", "pool does not go with action 'reload'", { 0 } },
	{ CHANGE_OF_FILE, "{\"dry_run\": 1}", "dry_run is to be true or false", { 0 } },
	{ CHANGE_OF_FILE, "{\"if_version\": -1}", "if_version is to be a whole number", { 0 } },
};

static void others_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const struct change *expected = &others[i].change;
		const char *body = others[i].body;
		struct change change;
		struct err err = { "" };
		int r = change_parse(&change, others[i].subject, body, strlen(body), &err);

		if (r != (others[i].wrong ? -EINVAL : 0) ||
		    (others[i].wrong && !strstr(err.text, others[i].wrong)))
			fail_msg("%s: %d %s", body, r, err.text);
		if (others[i].wrong)
			continue;
		assert_int_equal(change.action, expected->action);
		assert_int_equal(change.weight, expected->weight);
		assert_int_equal(change.discards, expected->discards);
		assert_int_equal(change.is_rehearsal, expected->is_rehearsal);
		assert_int_equal(change.is_versioned, expected->is_versioned);
		assert_int_equal(change.version, expected->version);
		assert_string_equal(change.interface, expected->interface);
		assert_int_equal(change.has_xdp, expected->has_xdp);
		assert_int_equal(change.xdp, expected->xdp);
		assert_int_equal(change.has_egress, expected->has_egress);
		assert_int_equal(change.egress, expected->egress);
	}
}

static void bodies_have_bounds(void **state)
{
	static struct body body;
	static char data[BODY_MAX];

	(void)state;
	memset(data, 'x', sizeof(data));
	assert_true(body_add(&body, data, BODY_MAX - 1));
	assert_true(body_add(&body, "yz", 2));
	assert_int_equal(body.lost, 2);
	body.lost = 0;
	assert_true(body_add(&body, "y", 1));
	assert_int_equal(body.lost, 0);
	assert_int_equal(body.len, BODY_MAX);
	assert_int_equal(body.data[BODY_MAX - 1], 'y');
	assert_true(body_add(&body, "", 0));
	assert_int_equal(body.lost, 0);
	for (int i = 0; i < BODY_LOST_MAX / BODY_MAX; i++)
		assert_true(body_add(&body, data, BODY_MAX));
	assert_false(body_add(&body, "z", 1));
	assert_int_equal(body.len, BODY_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(are_read),
		cmocka_unit_test(have_bounds),
		cmocka_unit_test(others_are_read),
		cmocka_unit_test(bodies_have_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
