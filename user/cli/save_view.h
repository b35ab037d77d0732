/* SPDX-License-Identifier: GPL-2.0-or-later */
/* save_view - what `sluice save` did, or would do, for people and as JSON. */
#ifndef SLUICE_CLI_SAVE_VIEW_H
#define SLUICE_CLI_SAVE_VIEW_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/cli.h"
#include "config/amend.h"

struct config_file;

/* All borrowed. */
struct save_report {
	const json_t *changes; /* as the daemon has them */
	const char *name; /* of the file */
	const struct config_file *file; /* NULL: there was nothing to save */
	const struct amendment *amendment; /* NULL: there was nothing to save */
	bool is_rehearsal;
	bool is_loaded; /* by the daemon */
};

/* Notes go to standard error, so that a difference can be piped. 0, or -ENOMEM */
int save_print(const struct cli *cli, const struct save_report *report);

#endif
