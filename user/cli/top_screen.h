/* SPDX-License-Identifier: GPL-2.0-or-later */
/* top_screen - what `sluice top` shows, drawn with ncurses. */
#ifndef SLUICE_CLI_TOP_SCREEN_H
#define SLUICE_CLI_TOP_SCREEN_H

#include <ncurses.h>
#include <stdbool.h>

#include "cli/top_rows.h"

struct top_screen {
	struct top_rows *rows;
	const struct top_choice *choice;
	size_t cursor; /* the row that is chosen */
	size_t first; /* the row on top, or of an endpoint the line */
	char *detail; /* the endpoint that is open, as text; NULL: the list */
	bool typing; /* the filter */
	bool paused;
	const char *trouble; /* why nothing new comes; NULL: it does */
};

/* Begin; -ENODEV: this terminal cannot do it. */
int top_screen_begin(bool color);
void top_screen_end(void);

/* Draw all of it anew, at the size that the terminal has now; keeps cursor and first within bounds. */
void top_screen_draw(struct top_screen *screen);

/* Lines for rows. */
size_t top_screen_height(const struct top_screen *screen);

#endif
