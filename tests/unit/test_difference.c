// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/layers_run.h"

#include "model/difference.h"
#include "tests/lib/fault.h"

static const char *const subjects[] = { "gateway", "interface", "probe",  "settings",
					"pool",    "backend",   "service" };
static const char kinds[] = { '+', '-', '~' };

/* "+pool new; -backend alpha 10.0.0.1 1>" */
static const char *lines_of(const struct difference *d)
{
	static char text[4096];
	size_t len = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < d->n_items; i++) {
		const struct difference_item *item = &d->items[i];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%c%s %s%s%s",
					i ? "; " : "", kinds[item->kind], subjects[item->subject],
					item->name, item->address[0] ? " " : "", item->address);
		if (item->before[0] || item->after[0])
			len += (size_t)snprintf(text + len, sizeof(text) - len, " %s>%s",
						item->before, item->after);
	}
	return text;
}

static void expect(const char *after_yaml, const char *lines, uint32_t n_leaving)
{
	CLEANUP(model_free_p) struct model *before = layers_file(layers_yaml);
	CLEANUP(model_free_p) struct model *after = layers_file(after_yaml);
	CLEANUP(difference_free_p) struct difference *d = difference_new();

	assert_int_equal(difference_between(d, before, NULL, after), 0);
	assert_string_equal(lines_of(d), lines);
	assert_int_equal(d->n_leaving, n_leaving);
}

#define GATEWAY "gateway: { interfaces: [ { name: lan0 } ] }\n"
#define SETTINGS \
	"settings: [ { name: web, protocol: http, port: 80 }, { name: db, protocol: tcp, port: 5432 } ]\n"
#define ALPHA                                                                                       \
	"  - { name: alpha, backends: [ { address: 10.0.0.1 }, { address: 10.0.0.2, weight: 5 },\n" \
	"      { address: app.test } ] }\n"
#define BETA "  - { name: beta, backends: [ { address: 'fd00::1' } ] }\n"
#define SPARE "  - { name: spare, backends: [ { address: 10.0.9.9 } ] }\n"
#define SERVICES                                           \
	"services:\n"                                      \
	"  - { name: shop, pool: alpha, settings: web }\n" \
	"  - { name: store, pool: beta, settings: db }\n"

static void nothing(void **state)
{
	(void)state;
	expect(layers_yaml, "", 0);
	/* Order is nothing. */
	expect(GATEWAY SETTINGS "pools:\n" SPARE BETA ALPHA SERVICES, "", 0);
}

static void pools_and_backends(void **state)
{
	(void)state;
	expect(GATEWAY SETTINGS
	       "pools:\n"
	       "  - { name: alpha, backends: [ { address: 10.0.0.2 }, { address: 10.0.0.3, weight: 9 } ] }\n" BETA
	       "  - { name: new }\n" SERVICES,
	       "-backend alpha 10.0.0.1 1>; ~backend alpha 10.0.0.2 5>1; -backend alpha app.test 1>; "
	       "+backend alpha 10.0.0.3 >9; +pool new; -pool spare",
	       1 + LIMIT_NAME_ADDRESSES);
}

/* Weights that were ordered since are what a change is compared with. */
static void weights_in_force(void **state)
{
	CLEANUP(model_free_p) struct model *before = layers_file(layers_yaml);
	CLEANUP(model_free_p) struct model *after = layers_file(layers_yaml);
	CLEANUP(weights_free_p) struct weights *weights = weights_new(before);
	CLEANUP(difference_free_p) struct difference *d = difference_new();

	(void)state;
	weights_set(weights, 0, 0, 7);
	after->pools[0].backends[0].weight = 7;
	assert_int_equal(difference_between(d, before, weights, after), 0);
	assert_string_equal(lines_of(d), "");
	after->pools[0].backends[0].weight = 1;
	assert_int_equal(difference_between(d, before, weights, after), 0);
	assert_string_equal(lines_of(d), "~backend alpha 10.0.0.1 7>1");
}

static void services_and_settings(void **state)
{
	(void)state;
	expect(GATEWAY
	       "probes: [ { name: quick, protocol: http } ]\n"
	       "settings: [ { name: web, protocol: http, port: 80, probe: quick }, { name: db, protocol: tcp, port: 5433 } ]\n"
	       "pools:\n" ALPHA BETA SPARE "services:\n"
	       "  - { name: shop, pool: spare, settings: web }\n"
	       "  - { name: third, pool: beta, settings: db }\n",
	       "+probe quick; ~settings db; ~settings web; ~service shop; -service store; +service third",
	       2 + LIMIT_NAME_ADDRESSES + 1);
	expect("gateway: { interfaces: [ { name: lan1 } ] }\n" SETTINGS
	       "pools:\n" ALPHA BETA SPARE SERVICES,
	       "-interface lan0 auto>; +interface lan1 >auto", 0);
	expect("gateway: { interfaces: [ { name: lan0, egress: false, xdp: native }, { name: lan1 } ] }\n" SETTINGS
	       "pools:\n" ALPHA BETA SPARE SERVICES,
	       "~interface lan0 auto>native, no egress; +interface lan1 >auto", 0);
	expect("gateway: { interfaces: [ { name: lan0 } ], mode: observe }\n" SETTINGS
	       "pools:\n" ALPHA BETA SPARE SERVICES,
	       "~gateway ", 0);
}

/* Seats of a name are told apart; the same backend under another port is another endpoint. */
static void the_same_endpoints(void **state)
{
	CLEANUP(model_free_p) struct model *before = layers_file(layers_yaml);
	CLEANUP(model_free_p)
	struct model *after = layers_file(
		GATEWAY
		"settings: [ { name: web, protocol: http, port: 80 }, { name: db, protocol: tcp, port: 5433 } ]\n"
		"pools:\n" BETA
		"  - { name: alpha, backends: [ { address: app.test }, { address: 10.0.0.2 } ] }\n" SERVICES);
	CLEANUP(free_p) uint32_t *same = NULL;
	uint32_t n_found = 0;

	(void)state;
	assert_int_equal(difference_same_endpoints(&same, before, after), 0);
	for (uint32_t i = 0; i < before->n_endpoints; i++) {
		const struct endpoint *was = &before->endpoints[i], *is = NULL;

		if (same[i] == INDEX_NONE)
			continue;
		is = &after->endpoints[same[i]];
		n_found++;
		assert_memory_equal(&is->key, &was->key, sizeof(was->key));
		assert_string_equal(is->text, was->text);
		assert_int_equal(is->seat, was->seat);
		assert_true(!is->name == !was->name);
	}
	assert_int_equal(n_found, 1 + LIMIT_NAME_ADDRESSES);
}

static void memory_runs_out(void **state)
{
	CLEANUP(model_free_p) struct model *before = layers_file(layers_yaml);
	CLEANUP(model_free_p)
	struct model *after = layers_file("gateway: { interfaces: [ { name: lan1 } ] }\n" SETTINGS
					  "pools:\n" ALPHA BETA SERVICES);
	bool failed = true;

	(void)state;
	for (int n = 0; failed; n++) {
		CLEANUP(difference_free_p) struct difference *d = difference_new();
		int r;

		fault_after(FAULT_MEMORY, n, ENOMEM);
		r = difference_between(d, before, NULL, after);
		failed = fault_clear(FAULT_MEMORY);
		assert_int_equal(r, failed ? -ENOMEM : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(pools_and_backends),
		cmocka_unit_test(weights_in_force),
		cmocka_unit_test(services_and_settings),
		cmocka_unit_test(the_same_endpoints),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
