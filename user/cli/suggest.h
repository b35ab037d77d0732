/* SPDX-License-Identifier: GPL-2.0-or-later */
/* suggest - the known word that is nearest to what was typed. */
#ifndef SLUICE_CLI_SUGGEST_H
#define SLUICE_CLI_SUGGEST_H

struct suggest {
	const char *text; /* what was typed; borrowed */
	unsigned int distance; /* of the best so far */
};

struct suggest suggest_for(const char *text);

/* Set *best to the candidate if it is nearer than what was tried before, and near enough. */
void suggest_try(struct suggest *suggest, const char *candidate, const char **best);

#endif
