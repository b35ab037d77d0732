// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of keys: every row is filled, every default is legal, the manual page knows them all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/hint.h"
#include "config/keys.h"
#include "config/report.h"
#include "config/value.h"
#include "util/cleanup.h"

#define PAGE "docs/man/sluice.yaml.5"
#define NOT_YET_WORDS "Not available in this version"
#define PARTLY_WORDS "This version has"

typedef void key_fn(const struct section_info *section, const struct key *key, const char *context);

static void for_each_key(key_fn *fn, const char *context)
{
	for (size_t s = 0; s < SECTION_COUNT; s++)
		for (size_t i = 0; i < sections[s]->n_keys; i++)
			fn(sections[s], &sections[s]->keys[i], context);
}

static bool is_structure(const struct key *key)
{
	return key->type == TYPE_LIST || key->type == TYPE_RECORD || key->type == TYPE_RECORDS;
}

static void check_row(const struct section_info *section, const struct key *key,
		      const char *context)
{
	(void)context;
	assert_non_null(section->path);
	assert_non_null(key->name);
	assert_non_null(key->help);
	assert_non_null(key_default(key));
	assert_true(key->min <= key->max);
	assert_true((key->type == TYPE_CHOICE) == (key->choices != NULL));
	assert_true(key->required + (key->value != NULL) + (key->words != NULL) == 1);
	if (key->type == TYPE_RECORDS)
		assert_true(sections[key->section]->size > 0);
	if (key->type == TYPE_RECORDS)
		assert_non_null(sections[key->section]->unique);
	if (key->availability == ONLY_DEFAULT)
		assert_true(key->value || key->type == TYPE_LIST);
	/* What is not kept in the model must not pretend to work. */
	if (!key->size && !is_structure(key) && key->availability == AVAILABLE)
		assert_true(strchr(section->path, '.') || key->type == TYPE_CHOICE);
}

static void test_rows_are_filled(void **state)
{
	(void)state;
	for (size_t s = 0; s < SECTION_COUNT; s++)
		assert_in_range(sections[s]->n_keys, 1, KEYS_PER_SECTION);
	for_each_key(check_row, NULL);
}

static void check_default(const struct section_info *section, const struct key *key,
			  const char *context)
{
	struct value value;

	(void)section;
	(void)context;
	if (!key->value)
		return;
	assert_null(value_parse(&value, key, key->value, ""));
	assert_false(value.not_yet);
	assert_true(value_is_default(&value, key));
}

static void test_defaults_are_legal(void **state)
{
	(void)state;
	for_each_key(check_default, NULL);
}

static void check_name(const struct section_info *section, const struct key *key,
		       const char *context)
{
	enum section s = SECTION_ROOT;

	(void)context;
	while (sections[s] != section)
		s++;
	assert_ptr_equal(keys_find(s, key->name), key);
	assert_ptr_equal(hint_nearest(s, key->name), key);
}

static const struct guess_row {
	enum section section;
	const char *name, *nearest; /* NULL: none is near */
} guess_rows[] = {
	{ SECTION_ROOT, "setting", "settings" },
	{ SECTION_ROOT, "porbes", "probes" },
	{ SECTION_ROOT, "SERVICES", "services" },
	{ SECTION_ROOT, "x", NULL },
	{ SECTION_ROOT, "", NULL },
	{ SECTION_ROOT, "listeners", NULL },
	{ SECTION_SETTINGS, "prot", "port" },
	{ SECTION_SETTINGS, "crls", "crl" },
	{ SECTION_SETTINGS, "hostname", "host_name" },
	{ SECTION_SETTINGS, "on-unhealthy", "on_unhealthy" },
	{ SECTION_SETTINGS, "validate_chain_and_expire", "validate_chain_and_expiry" },
	{ SECTION_PROBE, "threshold", NULL },
	{ SECTION_PROBE, "an_unhealthy_threshold_that_is_too_long", NULL },
};

static void test_guesses(void **state)
{
	(void)state;
	for_each_key(check_name, NULL);
	for (size_t i = 0; i < sizeof(guess_rows) / sizeof(guess_rows[0]); i++) {
		const struct guess_row *row = &guess_rows[i];
		const struct key *key = hint_nearest(row->section, row->name);

		assert_string_equal(key ? key->name : "nothing",
				    row->nearest ? row->nearest : "nothing");
	}
}

/* The manual page as one line of words: no overstriking, no line broken at a hyphen. */
#define PAGE_COMMAND                         \
	"mandoc -T ascii -O width=500 " PAGE \
	" | sed -z -e 's/.\b//g' -e 's/-\\n */-/g' | tr -s ' \n' '  '"

static char *read_page(void)
{
	FILE *pipe = popen(PAGE_COMMAND, "r"); /* fixed: nothing of it comes from outside */
	char *page = NULL;
	size_t room = 0;

	assert_non_null(pipe);
	assert_true(getdelim(&page, &room, '\0', pipe) > 0);
	assert_int_equal(pclose(pipe), 0);
	return page;
}

/* What the page must say at the end of the key's entry. */
static void print_facts(char *buf, size_t size, const struct key *key)
{
	struct key item = *key;
	char range[HINT_LEN];

	if (key->type == TYPE_LIST)
		item.type = key->item;
	snprintf(buf, size, "Allowed: %s%s. %s%s. ", key->type == TYPE_LIST ? "a list; each: " : "",
		 hint_range(range, &item),
		 key->required ? "" : "Default: ", key->required ? "Required" : key_default(key));
}

/* The text of the entry of that title, up to its facts. */
static char *find_entry(const char *page, const char *title, const char *facts)
{
	const char *entry = strstr(page, title), *end;

	if (!entry)
		fail_msg("the page has no entry '%s'", title);
	end = strstr(entry, "Allowed: ");
	if (!end || strncmp(end, facts, strlen(facts)) != 0)
		fail_msg("the entry '%s' does not say '%s' but '%.100s'", title, facts, end);
	return strndup(entry, (size_t)(end - entry));
}

static void check_page(const struct section_info *section, const struct key *key, const char *page)
{
	CLEANUP(free_p) char *text = NULL;
	char title[128], facts[512];
	bool partly = false;

	snprintf(title, sizeof(title), " %s%s%s: ", section->path, *section->path ? "." : "",
		 key->name);
	print_facts(facts, sizeof(facts), key);
	text = find_entry(page, title, facts);
	assert_non_null(text);

	if ((strstr(text, NOT_YET_WORDS) != NULL) != (key->availability != AVAILABLE))
		fail_msg("the entry '%s' is wrong about what this version has", text);
	for (const struct choice *c = key->choices; c && c->name; c++)
		partly = partly || c->not_yet;
	assert_true((strstr(text, PARTLY_WORDS) != NULL) == partly);
}

static void test_manual_page(void **state)
{
	CLEANUP(free_p) char *page = NULL;

	(void)state;
	page = read_page();
	for_each_key(check_page, page);
}

static void test_manual_page_lint(void **state)
{
	FILE *pipe = popen("mandoc -T lint -W warning " PAGE " 2>&1", "r"); /* fixed */
	char line[256];

	(void)state;
	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe))
		print_message("# %s", line);
	assert_int_equal(pclose(pipe), 0);
}

/* The example is a configuration that one can start from. */
static void test_manual_page_example(void **state)
{
	CLEANUP(fclose_p) FILE *file = fopen(PAGE, "r");
	CLEANUP(model_free_p) struct model *model = NULL;
	CLEANUP(free_p) char *page = NULL;
	const char *start, *end;
	struct report report;
	size_t room = 0;

	(void)state;
	assert_non_null(file);
	assert_true(getdelim(&page, &room, '\0', file) > 0);
	start = strstr(page, "\ngateway:\n");
	assert_non_null(start);
	end = strstr(start, "\n.Ed\n");
	assert_non_null(end);
	if (config_parse(&model, start, (size_t)(end - start), "example", &report) < 0)
		fail_msg("%s: %s", report.items[0].key, report.items[0].message);
	assert_int_equal(model->n_endpoints, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_filled),  cmocka_unit_test(test_defaults_are_legal),
		cmocka_unit_test(test_guesses),          cmocka_unit_test(test_manual_page),
		cmocka_unit_test(test_manual_page_lint), cmocka_unit_test(test_manual_page_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
