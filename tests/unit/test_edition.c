// SPDX-License-Identifier: GPL-2.0-or-later
/* An edition: the same batches for all who begin together, and nothing for who is elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "control/edition.h"

static void test_batches(void **state)
{
	const struct edition_place start = { 0, 0 }, middle = { 0, 5 }, other = { 0, 6 },
				   end = { 1, 0 };
	struct edition_place at = start;
	struct edition_cache cache;
	uint64_t number, revision;
	char *text;

	(void)state;
	edition_init(&cache);
	number = edition_begin(&cache, 7, &revision);
	assert_int_equal(revision, 7);
	assert_null(edition_find(&cache, number, 0, &at));
	edition_add(&cache, number, "one", &start, &middle);
	/* Who joins knows what the edition began with. */
	assert_int_equal(edition_begin(&cache, 9, &revision), number);
	assert_int_equal(revision, 7);
	text = edition_find(&cache, number, 0, &at);
	assert_string_equal(text, "one");
	assert_memory_equal(&at, &middle, sizeof(at));
	free(text);

	/* From elsewhere: neither kept nor found. */
	edition_add(&cache, number, "astray", &other, &end);
	edition_add(&cache, number, "again", &start, &middle);
	edition_add(&cache, number + 1, "of another", &middle, &end);
	assert_null(edition_find(&cache, number, 1, &at));
	edition_add(&cache, number, "two", &middle, &end);
	at = other;
	assert_null(edition_find(&cache, number, 1, &at));
	at = middle;
	text = edition_find(&cache, number, 1, &at);
	assert_string_equal(text, "two");
	assert_memory_equal(&at, &end, sizeof(at));
	free(text);

	edition_clear(&cache);
	at = start;
	assert_null(edition_find(&cache, number, 0, &at));
	assert_true(edition_begin(&cache, 9, &revision) > number);
	assert_int_equal(revision, 9);
	edition_clear(&cache);
}

/* However much there is. */
static void test_room(void **state)
{
	struct edition_cache cache;
	struct edition_place at = { 0, 0 };
	uint64_t number, revision;
	char *text = malloc((1u << 20) + 1), *found;

	(void)state;
	memset(text, 'x', 1u << 20);
	text[1u << 20] = '\0';
	edition_init(&cache);
	number = edition_begin(&cache, 1, &revision);
	for (uint32_t i = 0; i < 20; i++)
		edition_add(&cache, number, text, &(struct edition_place){ 0, i },
			    &(struct edition_place){ 0, i + 1 });
	for (size_t i = 0; i < EDITION_BYTES_MAX >> 20; i++) {
		found = edition_find(&cache, number, i, &at);
		assert_non_null(found);
		free(found);
	}
	assert_null(edition_find(&cache, number, EDITION_BYTES_MAX >> 20, &at));
	edition_clear(&cache);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_batches),
					    cmocka_unit_test(test_room) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
