/* SPDX-License-Identifier: GPL-2.0-or-later */
/* save_rows - the changes over the file, as the daemon tells of them. */
#ifndef SLUICE_CLI_SAVE_ROWS_H
#define SLUICE_CLI_SAVE_ROWS_H

#include <jansson.h>
#include <stdbool.h>

struct overlay;

/* The array as rows, but for when orders end. -EPROTO: it is not understood; -ENOMEM */
int save_rows_read(struct overlay *overlay, const json_t *changes);

/* Whether a file can say what a change is about. */
bool save_rows_is_savable(const json_t *row);

/* Of how many changes it can. */
size_t save_rows_count(const json_t *changes);

#endif
