/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli - one invocation of `sluice`: its options, where it prints, and how it fails.
 *
 * Two tables (commands.c) name every command and every option; dispatch, arity, --help and the
 * completion derive from them. Commands get a struct cli and return an exit status.
 */
#ifndef SLUICE_CLI_CLI_H
#define SLUICE_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum cli_status {
	STATUS_DONE = 0, /* done; all healthy */
	STATUS_REFUSED = 1, /* refused, failed, or not healthy */
	STATUS_USAGE = 2,
	STATUS_NO_DAEMON = 3,
	STATUS_NOT_PERMITTED = 4,
};

enum cli_option {
	OPT_JSON,
	OPT_SOCKET,
	OPT_HELP,
	OPT_VERSION,
	OPT_WATCH,
	OPT_AZURE,
	OPT_HOST,
	OPT_SNI,
	OPT_CONNECT,
	OPT_CA,
	OPT_ALLOW_LISTED,
	OPT_CRL,
	OPT_STATUS,
	OPT_BODY,
	OPT_SEND,
	OPT_TIMEOUT,
	OPT_NO_VALIDATE_CHAIN,
	OPT_NO_VALIDATE_SNI,
	OPT_SHOW_CERTS,
	OPT_PROXY_PROTOCOL,
	OPT_ALL,
	OPT_LIMIT,
	OPT_PROTO,
	OPT_FLAGS,
	OPT_INTERFACE,
	OPT_SINCE,
	OPT_FOLLOW,
	OPT_POOL,
	OPT_LOCAL,
	OPT_FROM,
	OPT_COUNT,
	OPT_NAME,
	OPT_CERTS,
	OPT_WEIGHT,
	OPT_DRY_RUN,
	OPT_IF_VERSION,
	OPT_DISCARD_RUNTIME,
	OPT_CONFIG,
	OPT_XDP,
	OPT_EGRESS,
	OPT_MAX,
};

#define CLI_ARGS_MAX 4
#define CLI_REPEATS_MAX 100 /* options that may be repeated, all together */

struct cli {
	FILE *out, *err;
	bool json, color;
	const char *socket, *bpffs;
	const char *options
		[OPT_MAX]; /* NULL: not given; without a value: ""; repeated ones: the last */
	struct cli_repeat {
		enum cli_option option;
		const char *value;
	} repeats[CLI_REPEATS_MAX]; /* every value of those that may be repeated, in order */
	int n_repeats;
	const char *args[CLI_ARGS_MAX]; /* what follows the command's name */
	int n_args;
};

struct cli_option_row {
	const char *name; /* "--json" */
	const char *arg; /* what follows it; NULL: nothing */
	const char *help;
	bool everywhere; /* every command takes it */
	bool repeatable;
	bool may_stand_alone; /* a value stands behind '=' or nowhere */
};

struct cli_command {
	const char *name; /* one or two words */
	enum cli_status (*run)(struct cli *cli);
	int min_args, max_args;
	const char *args;
	const char *help;
	uint64_t options; /* bit i: takes option i */
};

extern const struct cli_option_row cli_options[OPT_MAX];
const struct cli_command *cli_commands(size_t *ret_n);

/* The whole program but for main(): parses, runs, prints. Returns the exit status. */
int cli_main(int argc, char **argv, FILE *out, FILE *err);

/*
 * Say why and return status: a sentence on err, with --json an error document on out. Not permitted
 * is said as documented: "No results.", with --json an empty list.
 */
enum cli_status cli_fail(const struct cli *cli, enum cli_status status, const char *code,
			 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
