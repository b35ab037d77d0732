// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/complete.h"

#include <stdint.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/offer.h"

#define WORDS_MAX (CLI_ARGS_MAX + 2)
#define NAME_LEN 64
#define PLACEHOLDERS_LEN 128

/* What was typed before the cursor. */
struct typed {
	const char *word[WORDS_MAX]; /* command and arguments, without options */
	int n;
	const struct cli_option_row *waiting; /* an option whose value stands at the cursor */
	bool options_end;
};

static const struct cli_option_row *find_option(const char *text, size_t len)
{
	for (size_t i = 0; i < OPT_MAX; i++)
		if (strlen(cli_options[i].name) == len && !strncmp(cli_options[i].name, text, len))
			return &cli_options[i];
	return NULL;
}

static void keep_word(struct typed *typed, const char *word)
{
	/* "sluice help why" is about "why". */
	if (!typed->n && !strcmp(word, "help"))
		return;
	if (typed->n < WORDS_MAX)
		typed->word[typed->n++] = word;
}

static struct typed read_typed(struct offer *offer, int n, char *const words[])
{
	struct typed typed = { .n = 0 };

	for (int i = 0; i < n; i++) {
		const struct cli_option_row *row;

		if (typed.options_end || words[i][0] != '-') {
			keep_word(&typed, words[i]);
			continue;
		}
		typed.options_end = !strcmp(words[i], "--");
		row = find_option(words[i], strlen(words[i]));
		if (!row || !row->arg || row->may_stand_alone)
			continue;
		if (++i == n)
			typed.waiting = row;
		else if (row == &cli_options[OPT_SOCKET])
			offer->socket = words[i];
	}
	return typed;
}

/* How many of the words are the command's name: all of it, or 0. */
static int match(const struct cli_command *command, const struct typed *typed)
{
	const char *blank = strchr(command->name, ' ');
	size_t len = blank ? (size_t)(blank - command->name) : strlen(command->name);

	if (!typed->n || strlen(typed->word[0]) != len ||
	    strncmp(command->name, typed->word[0], len) != 0)
		return 0;
	if (!blank)
		return 1;
	return typed->n > 1 && !strcmp(typed->word[1], blank + 1) ? 2 : 0;
}

static const struct cli_command *find_command(const struct typed *typed, int *ret_words)
{
	size_t n;
	const struct cli_command *commands = cli_commands(&n);

	for (size_t i = 0; i < n; i++) {
		*ret_words = match(&commands[i], typed);
		if (*ret_words)
			return &commands[i];
	}
	return NULL;
}

/* The next word of the names that begin with what was typed; one for all that share it. */
static void offer_commands(struct offer *offer, const struct typed *typed)
{
	char name[NAME_LEN], before[NAME_LEN] = "";
	size_t n;
	const struct cli_command *commands = cli_commands(&n);

	for (size_t i = 0; i < n; i++) {
		const char *blank = strchr(commands[i].name, ' ');

		if (typed->n) {
			size_t len = strlen(typed->word[0]);

			if (typed->n == 1 && blank && commands[i].name + len == blank &&
			    !strncmp(commands[i].name, typed->word[0], len))
				offer_word(offer, blank + 1, commands[i].help);
			continue;
		}
		snprintf(name, sizeof(name), "%.*s",
			 blank ? (int)(blank - commands[i].name) : NAME_LEN - 1, commands[i].name);
		if (strcmp(name, before) != 0)
			offer_word(offer, name, blank ? "" : commands[i].help);
		memcpy(before, name, sizeof(before));
	}
}

static void offer_options(struct offer *offer, const struct cli_command *command)
{
	for (size_t i = 0; i < OPT_MAX; i++) {
		const struct cli_option_row *row = &cli_options[i];
		char assigned[NAME_LEN];

		if (!row->everywhere && !(command && (uint64_t)command->options >> i & 1))
			continue;
		offer_word(offer, row->name, row->help);
		if (!row->may_stand_alone)
			continue;
		snprintf(assigned, sizeof(assigned), "%s=", row->name);
		offer->prefix = assigned;
		offer_placeholder(offer, row->arg, NULL);
		offer->prefix = "";
	}
}

/* args as in the table: "POOL [ADDRESS]", or several of those between " | ". */
static void offer_argument(struct offer *offer, const char *args, int position, const char *before)
{
	char text[PLACEHOLDERS_LEN], *rest = text, *word;
	int at = 0;

	snprintf(text, sizeof(text), "%s", args);
	while ((word = strsep(&rest, " "))) {
		const struct cli_option_row *row = find_option(word, strlen(word));

		if (!strcmp(word, "|")) {
			at = 0;
			continue;
		}
		if (!*word || at++ != position)
			continue;
		if (row)
			offer_word(offer, row->name, row->help);
		else
			offer_placeholder(offer, word, before);
	}
}

/* "--ca=FI" at the cursor: the value behind '='. */
static bool offer_assigned(struct offer *offer, const char *current)
{
	const char *equals = strchr(current, '=');
	const struct cli_option_row *row =
		equals ? find_option(current, (size_t)(equals - current)) : NULL;
	char prefix[NAME_LEN];

	if (!row || !row->arg)
		return false;
	snprintf(prefix, sizeof(prefix), "%s=", row->name);
	offer->prefix = prefix;
	offer_placeholder(offer, row->arg, NULL);
	offer->prefix = "";
	return true;
}

void complete_print(FILE *out, int n_words, char *const words[], const char *default_socket)
{
	const char *current = n_words ? words[n_words - 1] : "";
	struct offer offer = {
		.out = out, .current = current, .prefix = "", .socket = default_socket
	};
	struct typed typed = read_typed(&offer, n_words ? n_words - 1 : 0, words);
	const struct cli_command *command;
	int name_words, position;

	command = find_command(&typed, &name_words);
	if (typed.waiting) {
		offer_placeholder(&offer, typed.waiting->arg, NULL);
	} else if (current[0] == '-' && !typed.options_end) {
		if (!offer_assigned(&offer, current))
			offer_options(&offer, command);
	} else if (!command) {
		offer_commands(&offer, &typed);
	} else {
		position = typed.n - name_words;
		offer_argument(&offer, command->args, position,
			       position ? typed.word[typed.n - 1] : NULL);
	}
}
