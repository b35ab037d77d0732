/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options - the daemon's command line. */
#ifndef SLUICE_DAEMON_OPTIONS_H
#define SLUICE_DAEMON_OPTIONS_H

#include <stdbool.h>

#include "util/log.h"

struct err;

struct options {
	const char *config; /* borrowed from argv */
	bool foreground, dry_run, check;
	bool help, version;
	enum log_form log_form;
	enum log_level log_level;
};

/* -EINVAL: err says which argument is wrong and what is allowed. */
int options_parse(struct options *ret_options, int argc, char *argv[], struct err *err);

/* What --help prints. */
extern const char options_usage[];

#endif
