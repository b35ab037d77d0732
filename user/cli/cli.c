// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/cli.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/suggest.h"
#include "cli/text.h"
#include "util/cleanup.h"
#include "util/printable.h"
#include "util/table.h"

#define DEFAULT_SOCKET "/run/sluice/api.sock"
#define DEFAULT_BPFFS "/sys/fs/bpf/sluice"
#define DEFAULT_STATE_DIR "/var/lib/sluice"
#define NAME_MAX_LEN 64

/* Command words and arguments, without the options between them. */
struct words {
	const char *word[CLI_ARGS_MAX + 2];
	int n;
	bool too_many;
};

enum cli_status cli_fail(const struct cli *cli, enum cli_status status, const char *code,
			 const char *fmt, ...)
{
	char message[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	printable_clean(message);

	if (status == STATUS_NOT_PERMITTED) {
		fputs(cli->json ? "[]\n" : "No results.\n", cli->out);
		if (!cli->json)
			fprintf(cli->err, "sluice: %s\n", message);
		return status;
	}
	if (!cli->json) {
		fprintf(cli->err, "sluice: %s\n", message);
		return status;
	}
	text_dump(cli->out, json_pack("{s:{s:s,s:s}}", "error", "code", code, "message", message));
	return status;
}

static const struct cli_option_row *find_option(const char *text, size_t len)
{
	for (size_t i = 0; i < OPT_MAX; i++)
		if (strlen(cli_options[i].name) == len && !strncmp(cli_options[i].name, text, len))
			return &cli_options[i];
	return NULL;
}

static enum cli_status unknown_option(const struct cli *cli, const char *text)
{
	const char *best = NULL;
	struct suggest suggest = suggest_for(text);

	for (size_t i = 0; i < OPT_MAX; i++)
		suggest_try(&suggest, cli_options[i].name, &best);
	if (best)
		return cli_fail(cli, STATUS_USAGE, "usage",
				"unknown option '%s'; did you mean '%s'?", text, best);
	return cli_fail(cli, STATUS_USAGE, "usage", "unknown option '%s'; see sluice --help", text);
}

static enum cli_status keep_option(struct cli *cli, const struct cli_option_row *row,
				   const char *value)
{
	enum cli_option option = (enum cli_option)(row - cli_options);

	if (row->repeatable) {
		if (cli->n_repeats == CLI_REPEATS_MAX)
			return cli_fail(cli, STATUS_USAGE, "usage",
					"option %s is one too many; allowed: %d", row->name,
					CLI_REPEATS_MAX);
		cli->repeats[cli->n_repeats++] = (struct cli_repeat){ option, value };
	} else if (cli->options[option] && row->arg) {
		return cli_fail(cli, STATUS_USAGE, "usage", "option %s is given twice", row->name);
	}
	cli->options[option] = value;
	return STATUS_DONE;
}

/* Take the option at argv[*i], and its value from behind '=' or from the next argument. */
static enum cli_status take_option(struct cli *cli, int argc, char **argv, int *i)
{
	const char *text = argv[*i];
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text);
	const struct cli_option_row *row = find_option(text, len);
	const char *value = equals ? equals + 1 : "";

	if (!row)
		return unknown_option(cli, text);
	if (!row->arg && equals)
		return cli_fail(cli, STATUS_USAGE, "usage", "option %s takes no value", row->name);
	if (row->arg && !equals && !row->may_stand_alone) {
		if (*i + 1 >= argc)
			return cli_fail(cli, STATUS_USAGE, "usage", "option %s needs a value: %s",
					row->name, row->arg);
		value = argv[++*i];
	}
	return keep_option(cli, row, value);
}

static void take_word(struct words *words, const char *word)
{
	if (words->n == CLI_ARGS_MAX + 2)
		words->too_many = true;
	else
		words->word[words->n++] = word;
}

static enum cli_status parse(struct cli *cli, int argc, char **argv, struct words *words)
{
	bool options_end = false;

	for (int i = 1; i < argc; i++) {
		enum cli_status status;

		if (options_end || argv[i][0] != '-' || !argv[i][1]) {
			take_word(words, argv[i]);
			continue;
		}
		if (!strcmp(argv[i], "--")) {
			options_end = true;
			continue;
		}
		status = take_option(cli, argc, argv, &i);
		if (status != STATUS_DONE)
			return status;
	}
	return STATUS_DONE;
}

/* How many words of the command's name the invocation starts with, if all of them; else 0. */
static int match_command(const struct cli_command *command, const struct words *words)
{
	char first[NAME_MAX_LEN];
	const char *blank = strchr(command->name, ' ');

	if (!words->n)
		return 0;
	if (!blank)
		return !strcmp(words->word[0], command->name);
	snprintf(first, sizeof(first), "%.*s", (int)(blank - command->name), command->name);
	return words->n > 1 && !strcmp(words->word[0], first) && !strcmp(words->word[1], blank + 1)
		       ? 2
		       : 0;
}

static const struct cli_command *find_command(const struct words *words, int *ret_words)
{
	size_t n;
	const struct cli_command *commands = cli_commands(&n);

	for (size_t i = 0; i < n; i++) {
		int matched = match_command(&commands[i], words);

		if (matched) {
			*ret_words = matched;
			return &commands[i];
		}
	}
	return NULL;
}

/* "pool", the first of two words of a command's name. */
static bool is_first_word(const char *word)
{
	size_t n, len = strlen(word);
	const struct cli_command *commands = cli_commands(&n);

	for (size_t i = 0; i < n; i++)
		if (!strncmp(commands[i].name, word, len) && commands[i].name[len] == ' ')
			return true;
	return false;
}

static enum cli_status unknown_command(const struct cli *cli, const struct words *words)
{
	char typed[2 * NAME_MAX_LEN];
	const char *best = NULL;
	struct suggest suggest;
	bool of_two;
	size_t n;
	const struct cli_command *commands = cli_commands(&n);

	snprintf(typed, sizeof(typed), "%.*s%s%.*s", NAME_MAX_LEN, words->word[0],
		 words->n > 1 ? " " : "", NAME_MAX_LEN - 2, words->n > 1 ? words->word[1] : "");
	/* "pool shwo" is nearer to "pool show" than its first word is to anything. */
	suggest = suggest_for(typed);
	for (size_t i = 0; i < n && words->n > 1; i++)
		suggest_try(&suggest, commands[i].name, &best);
	of_two = best || (words->n > 1 && is_first_word(words->word[0]));
	if (!of_two) {
		suggest = suggest_for(words->word[0]);
		for (size_t i = 0; i < n; i++)
			suggest_try(&suggest, commands[i].name, &best);
	}

	if (best)
		return cli_fail(cli, STATUS_USAGE, "usage",
				"unknown command '%s'; did you mean '%s'?",
				of_two ? typed : words->word[0], best);
	return cli_fail(cli, STATUS_USAGE, "usage", "unknown command '%s'; see sluice --help",
			of_two ? typed : words->word[0]);
}

static void help_options(FILE *out, uint64_t wanted, bool everywhere)
{
	for (size_t i = 0; i < OPT_MAX; i++) {
		const struct cli_option_row *row = &cli_options[i];
		char head[NAME_MAX_LEN];

		if (everywhere ? !row->everywhere : !(wanted & 1ull << i))
			continue;
		snprintf(head, sizeof(head),
			 row->may_stand_alone ? "%s[=%s]"
			 : row->arg           ? "%s %s"
					      : "%s",
			 row->name, row->arg);
		fprintf(out, "  %-24s  %s\n", head, row->help);
	}
}

static enum cli_status help(const struct cli *cli)
{
	size_t n;
	const struct cli_command *commands = cli_commands(&n);

	fputs("usage: sluice [OPTION...] COMMAND [ARGUMENT...]\n\ncommands:\n", cli->out);
	for (size_t i = 0; i < n; i++) {
		char head[NAME_MAX_LEN];

		snprintf(head, sizeof(head), "%s %s", commands[i].name, commands[i].args);
		fprintf(cli->out, "  %-24s  %s\n", head, commands[i].help);
	}
	fputs("\noptions of every command:\n", cli->out);
	help_options(cli->out, 0, true);
	fputs("\nexit status: 0 done, all healthy; 1 refused, failed or not healthy; 2 usage; "
	      "3 daemon not\nreachable; 4 not permitted. See sluice(8).\n",
	      cli->out);
	return STATUS_DONE;
}

static enum cli_status help_command(const struct cli *cli, const struct cli_command *command)
{
	fprintf(cli->out, "usage: sluice %s%s%s%s\n\n%s.\n", command->name,
		*command->args ? " " : "", command->args, command->options ? " [OPTION...]" : "",
		command->help);
	if (command->options) {
		fputs("\noptions:\n", cli->out);
		help_options(cli->out, command->options, false);
	}
	fputs("\noptions of every command:\n", cli->out);
	help_options(cli->out, 0, true);
	return STATUS_DONE;
}

static enum cli_status show_help(const struct cli *cli, const struct cli_command *command)
{
	CLEANUP(free_p) char *text = NULL;
	struct cli writer = *cli;
	size_t len;

	if (!cli->json)
		return command ? help_command(cli, command) : help(cli);
	writer.out = open_memstream(&text, &len);
	if (!writer.out)
		return cli_fail(cli, STATUS_REFUSED, "out_of_memory", "out of memory");
	if (command)
		help_command(&writer, command);
	else
		help(&writer);
	fclose(writer.out);
	text_dump(cli->out, json_pack("{s:s}", "help", text));
	return STATUS_DONE;
}

/* "sluice help why" is what many programs call "sluice why --help". */
static void take_help(struct cli *cli, struct words *words)
{
	if (!words->n || strcmp(words->word[0], "help") != 0)
		return;
	cli->options[OPT_HELP] = "";
	words->n--;
	memmove(words->word, words->word + 1, (size_t)words->n * sizeof(words->word[0]));
}

static enum cli_status check_options(const struct cli *cli, const struct cli_command *command)
{
	for (size_t i = 0; i < OPT_MAX; i++)
		if (cli->options[i] && !cli_options[i].everywhere &&
		    !(command->options & 1ull << i))
			return cli_fail(cli, STATUS_USAGE, "usage", "'%s' takes no option %s",
					command->name, cli_options[i].name);
	return STATUS_DONE;
}

static enum cli_status run(struct cli *cli, const struct words *words)
{
	enum cli_status status;
	int n_words = 0;
	const struct cli_command *command = find_command(words, &n_words);

	if (!command)
		return unknown_command(cli, words);
	if (cli->options[OPT_HELP])
		return show_help(cli, command);
	status = check_options(cli, command);
	if (status != STATUS_DONE)
		return status;

	cli->n_args = words->n - n_words;
	if (words->too_many || cli->n_args < command->min_args || cli->n_args > command->max_args)
		return cli_fail(cli, STATUS_USAGE, "usage", "usage: sluice %s%s%s", command->name,
				*command->args ? " " : "", command->args);
	for (int i = 0; i < cli->n_args; i++)
		cli->args[i] = words->word[n_words + i];
	return command->run(cli);
}

static enum cli_status version(const struct cli *cli)
{
	if (cli->json)
		text_dump(cli->out, json_pack("{s:s}", "version", SLUICE_VERSION));
	else
		fprintf(cli->out, "sluice %s\n", SLUICE_VERSION);
	return STATUS_DONE;
}

/* An error in the options is answered in JSON too, wherever --json stands. */
static bool wants_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], cli_options[OPT_JSON].name))
			return true;
	return false;
}

static const char *choose(const char *option, const char *variable, const char *otherwise)
{
	const char *value = option ? option : getenv(variable);

	return value && *value ? value : otherwise;
}

int cli_main(int argc, char **argv, FILE *out, FILE *err)
{
	struct cli cli = { .out = out, .err = err, .json = wants_json(argc, argv) };
	struct words words = { .n = 0 };
	enum cli_status status;

	/* What follows is no invocation: it may end in the middle of one. */
	if (argc > 1 && !strcmp(argv[1], "--complete")) {
		complete_print(out, argc - 2, argv + 2,
			       choose(NULL, "SLUICE_SOCKET", DEFAULT_SOCKET));
		return STATUS_DONE;
	}
	status = parse(&cli, argc, argv, &words);
	if (status != STATUS_DONE)
		return status;
	cli.color = table_wants_color(out);
	cli.socket = choose(cli.options[OPT_SOCKET], "SLUICE_SOCKET", DEFAULT_SOCKET);
	cli.bpffs = choose(NULL, "SLUICE_BPFFS", DEFAULT_BPFFS);
	cli.state_dir = choose(NULL, "SLUICE_STATE_DIR", DEFAULT_STATE_DIR);

	if (cli.options[OPT_VERSION])
		return version(&cli);
	take_help(&cli, &words);
	if (words.n)
		return run(&cli, &words);
	if (cli.options[OPT_HELP])
		return show_help(&cli, NULL);
	return cli_fail(&cli, STATUS_USAGE, "usage", "no command given; see sluice --help");
}
