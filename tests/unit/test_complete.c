// SPDX-License-Identifier: GPL-2.0-or-later
/* What may stand at the cursor: from the tables, and from a gateway that answers. */
#include <string.h>

#include "cli/cli.h"
#include "cli/complete.h"
#include "tests/unit/api_run.h"
#include "util/cleanup.h"

#define WORDS_MAX 8

static bool with_gateway;

/* Candidates without their descriptions, a blank behind each. "_": an empty word. */
static char *complete(const char *line)
{
	char text[256], *words[WORDS_MAX], *printed = NULL;
	static char empty[] = "";
	size_t len;
	FILE *out = open_memstream(&printed, &len);
	int n = 0;

	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok(text, " "); word && n < WORDS_MAX; word = strtok(NULL, " "))
		words[n++] = strcmp(word, "_") != 0 ? word : empty;
	complete_print(out, n, words, with_gateway ? getenv("SLUICE_SOCKET") : "/nonexistent");
	fclose(out);

	for (char *tab; (tab = strchr(printed, '\t'));)
		memmove(tab, strchr(tab, '\n'), strlen(strchr(tab, '\n')) + 1);
	for (char *end; (end = strchr(printed, '\n'));)
		*end = ' ';
	return printed;
}

static void expect(const char *line, const char *wanted)
{
	CLEANUP(free_p) char *got = complete(line);

	if (strcmp(got, wanted) != 0)
		fail_msg("'%s': '%s', not '%s'", line, got, wanted);
}

static void expect_word(const char *line, const char *wanted)
{
	CLEANUP(free_p) char *got = complete(line);
	char in[512], word[128];

	snprintf(in, sizeof(in), " %s", got);
	snprintf(word, sizeof(word), " %s ", wanted);
	if (!strstr(in, word))
		fail_msg("'%s': no '%s' in '%s'", line, wanted, got);
}

static void test_every_command(void **state)
{
	size_t n;
	const struct cli_command *commands = cli_commands(&n);
	char line[128], word[64];

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const char *blank = strchr(commands[i].name, ' ');

		snprintf(word, sizeof(word), "%.*s", blank ? (int)(blank - commands[i].name) : 63,
			 commands[i].name);
		expect_word("_", word);
		snprintf(line, sizeof(line), "%s _", word);
		if (blank)
			expect_word(line, blank + 1);
		for (unsigned int option = 0; option < OPT_MAX; option++) {
			snprintf(line, sizeof(line), "%s %.9s", commands[i].name,
				 cli_options[option].name);
			if ((uint64_t)commands[i].options >> option & 1)
				expect_word(line, cli_options[option].name);
		}
	}
}

static void test_words(void **state)
{
	(void)state;
	expect("heal", "health ");
	expect("--json heal", "health ");
	expect("--socket /nowhere heal", "health ");
	expect("help heal", "health ");
	expect("pool l", "list ");
	expect("nonsense _", "");
	expect("reload --no-validate", "");
	expect("health --w", "--watch ");
	expect("--vers", "--version ");
	expect("probe -- --h", "");
	expect_word("detach _", "--all");
	expect("detach l", "lo ");
	expect("attach l", "lo ");
	expect("status _", "");
}

static void test_values(void **state)
{
	(void)state;
	expect("decide --proto _", "tcp udp ");
	expect("decide --proto=u", "--proto=udp ");
	expect("probe --proxy", "--proxy-protocol --proxy-protocol=v1 --proxy-protocol=v2 ");
	expect("attach --xdp n", "native ");
	expect("attach --egress=t", "--egress=true ");
	expect("probe --ca _", ":files ");
	expect("probe --ca=x", ":files ");
	expect("check _", ":files ");
	expect("probe --timeout _", "");
	expect("probe --timeout 5s htt", "http:// https:// ");
	expect("explain cert_intermediate_m", "cert_intermediate_missing ");
	expect("troubleshoot --from l", "lo ");
	expect_word("troubleshoot _", "--local");
	expect_word("troubleshoot _", "tcp://");
}

static void test_names(void **state)
{
	(void)state;
	with_gateway = true;
	expect("pool show d", "db-pool ");
	expect("health --watch d", "db-pool ");
	expect("top d", "db-pool ");
	expect("events --pool=d", "--pool=db-pool ");
	expect_word("why db-pool _", "10.0.1.1");
	expect_word("backend weight db-pool _", "10.0.1.1");
	expect("backend weight db-pool 10.0.1.1 _", "");
	expect("why nonsense _", "");
	with_gateway = false;
}

/* Nobody there: nothing to offer, and no complaint. */
static void test_no_daemon(void **state)
{
	(void)state;
	expect("pool show _", "");
	expect("--socket /nonexistent pool show _", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_command), cmocka_unit_test(test_words),
		cmocka_unit_test(test_values),        SERVED(test_names),
		cmocka_unit_test(test_no_daemon),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("complete", tests, NULL, NULL);
}
