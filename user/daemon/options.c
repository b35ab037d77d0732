// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>

#include "util/err.h"

#define DEFAULT_CONFIG "/etc/sluice/sluice.yaml"

const char options_usage[] =
	"usage: sluiced [--config FILE] [--foreground] [--check | --dry-run]\n"
	"\n"
	"  --config FILE  configuration (default " DEFAULT_CONFIG ")\n"
	"  --foreground   stay in the foreground and log to standard error\n"
	"  --check        check the configuration and exit\n"
	"  --dry-run      also say what would be probed and attached; change nothing\n"
	"  --version      print the version\n"
	"  --help         print this text\n";

int options_parse(struct options *ret_options, int argc, char *argv[], struct err *err)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "check", no_argument, NULL, 'k' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .config = DEFAULT_CONFIG };
	int option;

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
			return err_set(err, -EINVAL, "%s needs a file name", argv[optind - 1]);
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

	*ret_options = options;
	return 0;
}
