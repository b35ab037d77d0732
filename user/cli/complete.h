/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * complete - what may stand where the cursor is, for the completion of shells.
 *
 * Everything follows from the tables of commands and options: a placeholder in them ("POOL",
 * "FILE", "tcp|udp") says what is offered. Names come from the daemon, where one answers at once.
 */
#ifndef SLUICE_CLI_COMPLETE_H
#define SLUICE_CLI_COMPLETE_H

#include <stdio.h>

/*
 * Print what the last of words may become, one candidate per line: the word, a tab, what it is.
 * The line ":files" stands for names of files. words are those behind the program's name.
 */
void complete_print(FILE *out, int n_words, char *const words[], const char *default_socket);

#endif
