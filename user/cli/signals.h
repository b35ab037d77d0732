/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signals - what ends a command that would go on for ever. */
#ifndef SLUICE_CLI_SIGNALS_H
#define SLUICE_CLI_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#include "cli/cli.h"

/* SIGINT and SIGTERM, blocked, so that the wait below is where they arrive. */
void signals_block(sigset_t *ret_set);

/* Wait so long; true: one of them arrived, and it is time to end. */
bool signals_wait(const sigset_t *set, unsigned int ms);

/* Whether nobody reads the output any more; otherwise it would be found out with the next line only. */
bool signals_reader_is_gone(const struct cli *cli);

#endif
