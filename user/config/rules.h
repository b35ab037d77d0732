/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules - what the keys of a record must not be together, and which probe goes with which settings. */
#ifndef SLUICE_CONFIG_RULES_H
#define SLUICE_CONFIG_RULES_H

struct reader;
struct record;

/* Check a record whose keys have all been read; errors are noted in the reader's report. */
void rules_check(struct reader *reader, struct record *record);

#endif
