/* SPDX-License-Identifier: GPL-2.0-or-later */
/* offer - candidates for a word: what each placeholder of the tables stands for. */
#ifndef SLUICE_CLI_OFFER_H
#define SLUICE_CLI_OFFER_H

#include <stdio.h>

struct offer {
	FILE *out;
	const char *current; /* what has been typed of the word; others are not offered */
	const char *prefix; /* stands before what is offered, as "--ca=" */
	const char *socket; /* the daemon's */
};

/* One candidate, unless it cannot become of what has been typed. */
void offer_word(const struct offer *offer, const char *word, const char *help);

/*
 * Whatever may stand for "POOL", "[ADDRESS[:PORT]]", "FILE", "tcp|udp"...; nothing for what nobody
 * can know, as "N". before: the argument before it, a pool's name where there is one; or NULL.
 */
void offer_placeholder(const struct offer *offer, const char *placeholder, const char *before);

#endif
