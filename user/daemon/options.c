// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <string.h>

#include "util/err.h"

#define DEFAULT_CONFIG "/etc/sluice/sluice.yaml"

const char options_usage[] =
	"usage: sluiced [--config FILE] [--foreground [--log text|json]] [--log-level LEVEL]\n"
	"               [--check | --dry-run]\n"
	"\n"
	"  --config FILE  configuration (default " DEFAULT_CONFIG ")\n"
	"  --foreground   stay in the foreground and log to standard error\n"
	"  --log FORM     text or json, one object a line; without it text, and in systemd's\n"
	"                 journal fields\n"
	"  --log-level L  error, warning or info (default): the least grave that is logged\n"
	"  --check        check the configuration and exit\n"
	"  --dry-run      also say what would be probed and attached; change nothing\n"
	"  --version      print the version\n"
	"  --help         print this text\n";

static int parse_form(enum log_form *ret, const char *text, struct err *err)
{
	if (!strcmp(text, "json"))
		*ret = LOG_FORM_JSON;
	else if (!strcmp(text, "text"))
		*ret = LOG_FORM_TEXT;
	else
		return err_set(err, -EINVAL, "--log '%s' is not text or json", text);
	return 0;
}

static int parse_level(enum log_level *ret, const char *text, struct err *err)
{
	if (!strcmp(text, "error"))
		*ret = LOG_LEVEL_ERROR;
	else if (!strcmp(text, "warning"))
		*ret = LOG_LEVEL_WARN;
	else if (!strcmp(text, "info"))
		*ret = LOG_LEVEL_INFO;
	else
		return err_set(err, -EINVAL, "--log-level '%s' is not error, warning or info",
			       text);
	return 0;
}

static const char *needs(const char *option)
{
	if (!strcmp(option, "--log"))
		return "text or json";
	return !strcmp(option, "--log-level") ? "error, warning or info" : "a file name";
}

int options_parse(struct options *ret_options, int argc, char *argv[], struct err *err)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "log", required_argument, NULL, 'l' },
		{ "log-level", required_argument, NULL, 'L' },
		{ "check", no_argument, NULL, 'k' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .config = DEFAULT_CONFIG, .log_level = LOG_LEVEL_INFO };
	int option, r;

	opterr = 0;
	optind = 0; /* GNU: start anew, also in the middle of a previous scan */
	while ((option = getopt_long(argc, argv, ":c:fh", longs, NULL)) != -1) {
		switch (option) {
		case 'c':
			options.config = optarg;
			break;
		case 'f':
			options.foreground = true;
			break;
		case 'l':
			r = parse_form(&options.log_form, optarg, err);
			if (r < 0)
				return r;
			break;
		case 'L':
			r = parse_level(&options.log_level, optarg, err);
			if (r < 0)
				return r;
			break;
		case 'k':
			options.check = true;
			break;
		case 'n':
			options.dry_run = true;
			break;
		case 'V':
			options.version = true;
			break;
		case 'h':
			options.help = true;
			break;
		case ':':
			return err_set(err, -EINVAL, "%s needs %s", argv[optind - 1],
				       needs(argv[optind - 1]));
		default:
			return err_set(err, -EINVAL, "unknown option '%s'; see sluiced --help",
				       argv[optind - 1]);
		}
	}
	if (optind < argc)
		return err_set(err, -EINVAL, "unexpected argument '%s'; see sluiced --help",
			       argv[optind]);
	if (options.check && options.dry_run)
		return err_set(err, -EINVAL, "--check and --dry-run exclude each other");

	if (options.log_form == LOG_FORM_JSON && !options.foreground)
		return err_set(err, -EINVAL,
			       "--log json needs --foreground: in the background the log goes to "
			       "syslog");

	*ret_options = options;
	return 0;
}
